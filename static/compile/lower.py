"""From the nodes of a run to a block: reads, assignments and constants become plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.op import Op
from static.compile.block import Block, Step, Value, sizes_of
from static.graph.graph import ASSIGN, CONSTANT, INITIAL, PLACEHOLDER, READ, Node, Tensor
from static.graph.select import Selection
from static.graph.variables import Variable

_initial_value = Op(
    "initial_value",
    lambda *, variable: variable.initial(),
    lambda *, variable: variable.spec,
    pure=False,
    listed=False,
)


def lower(selection: Selection, fed: Sequence[Tensor], fetched: Sequence[Tensor | Variable]) -> Block:
    """The block of a run that is fed some Tensors and gives others, or what variables hold after it."""
    found: dict[Tensor, Value] = {t: Value(t.spec, t.node.name) for t in fed}
    given = tuple(found[t] for t in fed)
    missing: dict[Node, Value] = {}
    reads: dict[Variable, Value] = {}
    constants: dict[Value, Any] = {}
    steps: list[Step] = []

    def read(variable: Variable) -> Value:
        if variable not in reads:
            reads[variable] = Value(variable.spec, variable.name)
        return reads[variable]

    for node in selection.nodes:
        if isinstance(node.op, Op):
            inputs = [found[x] if isinstance(x, Tensor) else x for x in node.inputs]
            steps.append(_step(node, node.op, inputs, node.settings, found))
        elif node.op is READ:
            seen = selection.seen.get(node)
            found[node.outputs[0]] = read(node.settings["variable"]) if seen is None else found[seen]
        elif node.op is ASSIGN:
            found[node.outputs[0]] = found[node.inputs[0]]
        elif node.op is CONSTANT:
            value = found[node.outputs[0]] = Value(node.outputs[0].spec, node.name)
            constants[value] = node.settings["value"]
        elif node.op is INITIAL:
            steps.append(_step(node, _initial_value, (), node.settings, found))
        elif node.op is PLACEHOLDER and node.outputs[0] not in found:
            missing[node] = found[node.outputs[0]] = Value(node.outputs[0].spec, node.name)
    stores = {variable: found[t] for variable, t in selection.stores.items()}
    results = tuple(
        found[v] if isinstance(v, Tensor) else stores[v] if v in stores else read(v) for v in fetched
    )
    sizes = sizes_of([*given, *missing.values(), *constants], steps)
    return Block(given, missing, reads, constants, steps, results, stores, sizes)


def _step(
    node: Node, op: Op, inputs: Sequence[Any], settings: dict[str, Any], found: dict[Tensor, Value]
) -> Step:
    outputs = [Value(tensor.spec, op.name) for tensor in node.outputs]
    for tensor, value in zip(node.outputs, outputs, strict=True):
        found.setdefault(tensor, value)  # what was fed stays what it is
    return Step(op, inputs, settings, outputs, (node,))
