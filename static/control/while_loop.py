"""`while_loop` as a node: a loop until a condition fails.

The node exposes, as hidden outputs, what its variables were before each trip. Its gradient is that
of a scan which makes each step again: a scan back over them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shared import nest
from shared.dims import Dim
from shared.errors import SettingError
from shared.op import Joint, PlannerHints
from static.control.body import Body, BodyOp, Part
from static.control.loop import Loop, check_invariant, graph_of
from static.control.repeat import run_while
from static.control.scan import carry_assigned, gradient
from static.graph.graph import Graph, Tensor, building
from static.graph.operands import as_tensor


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum: int | None = None
) -> Any:
    """See `shared.ops.while_loop`. Each variable must leave the body with the shape and dtype
    with which it entered."""
    firsts, build = nest.flatten(loop_vars)
    graph = graph_of(firsts)
    with building(graph):
        firsts = [as_tensor(v) for v in firsts]
        test, trip = Body(graph), Body(graph)
        with test.as_default():
            seen = [test.placeholder(t.spec, "v") for t in firsts]
            go = test.operand(cond(*build(seen)))
            if test.assigned:
                names = ", ".join(repr(variable.name) for variable in test.assigned)
                raise SettingError(f"while_loop: cond assigns {names}; assign in the body, cond only asks")
            if go.shape != () or go.dtype != np.dtype(bool):
                raise SettingError(f"while_loop: cond must give one bool, not {go.spec}")
        with trip.as_default():
            inner = [trip.placeholder(t.spec, "v") for t in firsts]
            made = body(*build(inner))
            if isinstance(loop_vars, (list, tuple)) and not isinstance(made, (list, tuple)):
                made = (made,)
            nexts = [trip.operand(v) for v in nest.flatten(made)[0]]
            check_invariant("while_loop", inner, nexts)
        loop = Loop(trip, inner, [], nexts, [], [])
        shown = len(firsts)
        variables = carry_assigned(loop, firsts)
        for tensor in firsts[shown:]:  # the condition sees what the trips assign, too
            captured = test.captures.pop(tensor, None)
            seen.append(test.placeholder(tensor.spec, "v") if captured is None else captured)
        outputs = _add_while(graph, loop, test, seen, go, firsts, maximum)
        for variable, value in zip(variables, outputs[shown:], strict=True):
            graph.assign(variable, value, value.node, variable not in trip.asked)
    return build(outputs[:shown])


def _add_while(
    graph: Graph, loop: Loop, test: Body, seen: list[Tensor], go: Tensor, firsts: list[Tensor],
    maximum: int | None,
) -> Sequence[Tensor]:  # fmt: skip
    loop.body.close()
    test.close()
    op = while_op(loop, test, seen, go)
    arguments = [*firsts, *test.captures, *loop.body.captures]
    return op.made(arguments, {"maximum": maximum})[: len(firsts)]


def while_op(loop: Loop, test: Body, seen: list[Tensor], go: Tensor) -> BodyOp:
    """The op that repeats a finished loop while `test`, whose placeholders are `seen`, gives a
    true `go`; on (first values, what the test captured, what the loop captured)."""
    width, tests = len(loop.carry), len(test.captures)
    loop = replace(loop, hidden=list(loop.carry))
    names = [*(f"v{i}" for i in range(width)), *(f"history{i}" for i in range(width))]
    tested, repeated = [*seen, *test.captures.values()], loop.inputs()
    at = [*range(width), *range(len(tested), len(tested) + len(loop.body.captures))]

    def pull(g: Any, y: Any, *args: Any, wanted: Sequence[bool], maximum: int | None) -> list[Any]:
        """The gradient of a loop whose steps are made again, of which there were as many as trips."""
        own = [args[i] for i in at], [wanted[i] for i in at]
        found = gradient(loop, g, y, *own, y[width].shape[0], False, again=True)
        return [*found[:width], *[None] * tests, *found[width:]]

    return BodyOp(
        "while_loop",
        lambda *arrays, compiler, **settings: run_while(
            loop, compiler.body(test, tested, [go], arrays), tests, arrays, compiler, **settings
        ),
        lambda *_, **settings: loop.specs(Dim("trips")),
        Joint(pull, reads=lambda wanted: {*map(str, range(len(wanted))), *names[width:]}),
        outputs=tuple(names),
        hints=PlannerHints(selective=True),
        parts={
            "cond": Part(test, tested, range(len(tested)), [go]),
            "body": Part(loop.body, repeated, at, loop.next, width),
        },
        remake=_remake,
    )


def _remake(parts: dict[str, Part], inputs: Sequence[Tensor]) -> tuple[BodyOp, list[Tensor]]:
    test, trip = parts["cond"], parts["body"]
    width = trip.carried
    op = while_op(Loop.of(trip), test.body, list(test.inputs[:width]), test.results[0])
    return op, [*inputs[:width], *test.body.captures, *trip.body.captures]
