"""Rows for loops and branches. ONNX, too, keeps what they do as graphs of their own, which may use
every value of the graph around them by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared.dims import Size
from shared.spec import Spec
from static.control.body import BodyOp, Part
from static.graph.graph import Tensor
from static.graph.select import select
from static.onnx.writer import Writer


def _written(w: Writer, part: Part, known: Mapping[Tensor, str]) -> Writer:
    """What a body does, written inside the scope of `w`. Its inputs are the `known` values, or else
    what the node is given."""
    inner = w.inside(part.body)
    for tensor, place in zip(part.inputs, part.arguments, strict=True):
        inner.names[tensor] = known[tensor] if tensor in known else w.name(w.node.inputs[place])
    inner.write(select(part.body, part.results, part.inputs), part.results, part.inputs)
    inner.node = w.node
    return inner


def graph_of(inner: Writer, given: Sequence[tuple[str, Spec]], results: Sequence[tuple[str, Spec]]) -> Any:
    """The nodes as a graph of their own; what it gives gets names of its own."""
    from onnx import helper

    outputs = [inner.described(inner("Identity", name), spec) for name, spec in results]
    inputs = [inner.described(name, spec) for name, spec in given]
    return helper.make_graph(inner.nodes, inner.model.fresh(f"{inner.node.name}/body"), inputs, outputs)


def _named(w: Writer, tensors: Sequence[Tensor]) -> dict[Tensor, str]:
    """A name for each input of a body."""
    return {tensor: w.model.fresh(f"{w.node.name}/{tensor.node.name}") for tensor in tensors}


def _results(inner: Writer, tensors: Sequence[Tensor]) -> list[tuple[str, Spec]]:
    return [(inner.name(tensor), tensor.spec) for tensor in tensors]


def repeat(w: Writer, *arguments: Any, length: Size, reverse: bool) -> list[str]:
    """`scan`. ONNX's Scan goes over at least one array: where there is none, over the step numbers."""
    assert isinstance(w.node.op, BodyOp)
    part = w.node.op.parts["body"]
    width, steps = part.carried, part.carried + part.columns
    if len(part.results) > width + part.stacked:
        raise w.refusal("this loop is the gradient of another; export what a forward pass gives")
    known = _named(w, part.inputs[:steps])
    inner = _written(w, part, known)
    given = [(name, tensor.spec) for tensor, name in known.items()]
    columns = [w.name(x) for x in arguments[width:steps]]
    if not columns:
        columns = [w("Range", *(w.scalar(n) for n in (0, length, 1)))]
        given.append((w.model.fresh(f"{w.node.name}/step"), Spec((), np.dtype(np.int64))))
    made = w(
        "Scan", *(w.name(x) for x in arguments[:width]), *columns, outputs=len(part.results),
        body=graph_of(inner, given, _results(inner, part.results)), num_scan_inputs=len(columns),
        scan_input_directions=[int(reverse)] * len(columns),
        scan_output_directions=[int(reverse)] * part.stacked or None,
    )  # fmt: skip
    return [made] if isinstance(made, str) else made


def branch(w: Writer, chosen: Any, *arguments: Any) -> list[str]:
    """`cond`."""
    assert isinstance(w.node.op, BodyOp)
    graphs = {}
    for name, called in (("true", "then_branch"), ("false", "else_branch")):
        part = w.node.op.parts[name]
        inner = _written(w, part, {})
        graphs[called] = graph_of(inner, [], _results(inner, part.results))
    made = w("If", w.name(chosen), outputs=len(w.node.outputs), **graphs)
    return [made] if isinstance(made, str) else made


def repeat_while(w: Writer, *arguments: Any, maximum: int | None) -> list[str]:
    """`while_loop`. ONNX's Loop is told before the first trip, and after each, whether there is
    another one."""
    assert isinstance(w.node.op, BodyOp)
    test, trip = w.node.op.parts["cond"], w.node.op.parts["body"]
    width = trip.carried
    first = _written(w, test, {})
    w.nodes += first.nodes
    known = _named(w, trip.inputs[:width])
    inner = _written(w, trip, known)
    nexts = _results(inner, trip.results)
    again = _written(inner, test, {t: name for t, (name, _) in zip(test.inputs, nexts, strict=False)})
    inner.nodes += again.nodes
    counters = [
        (w.model.fresh(f"{w.node.name}/{name}"), Spec((), np.dtype(kind)))
        for name, kind in (("trip", np.int64), ("go", bool))
    ]
    body = graph_of(
        inner,
        [*counters, *((name, tensor.spec) for tensor, name in known.items())],
        [*_results(again, test.results), *nexts],
    )
    limit = "" if maximum is None else w.constant(np.int64(maximum))
    go, starts = first.name(test.results[0]), [w.name(x) for x in arguments[:width]]
    made = w("Loop", limit, go, *starts, outputs=width, body=body)
    return [made] if isinstance(made, str) else made
