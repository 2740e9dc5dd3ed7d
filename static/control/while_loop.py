"""`while_loop` as a node: a loop until a condition fails.

The node exposes, as hidden outputs, what its variables were before each trip. Its gradient is a
scan back over them, that computes each trip again before it goes back through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared import nest
from shared.dims import Dim
from shared.errors import SettingError
from shared.op import Joint, PlannerHints
from shared.ops.creation import zeros
from shared.spec import Spec
from static.control.body import Body, BodyOp, Compiler, Part, full_gradients, replay
from static.control.loop import Loop, check_invariant, check_step, graph_of
from static.control.scan import Triple, carry_assigned, scan_and_sum
from static.graph.graph import Graph, Tensor, building, edge_of
from static.graph.operands import apply, as_tensor


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
            graph.assign(variable, value, trip.owner_of(variable, outputs))
    return build(outputs[:shown])


def _add_while(
    graph: Graph, loop: Loop, test: Body, seen: list[Tensor], go: Tensor, firsts: list[Tensor],
    maximum: int | None,
) -> Sequence[Tensor]:  # fmt: skip
    loop.body.close()
    test.close()
    op = while_op(loop, test, seen, go)
    arguments = [*firsts, *test.captures, *loop.body.captures]
    return apply(op, arguments, {"maximum": maximum})[: len(firsts)]


def while_op(loop: Loop, test: Body, seen: list[Tensor], go: Tensor) -> BodyOp:
    """The op that repeats a finished loop while `test`, whose placeholders are `seen`, gives a
    true `go`; on (first values, what the test captured, what the loop captured)."""
    width, trips = len(loop.carry), Dim("trips")
    names = [*(f"v{i}" for i in range(width)), *(f"history{i}" for i in range(width))]
    specs = [t.spec for t in loop.carry]
    tested, repeated = [*seen, *test.captures.values()], loop.inputs()
    at = [*range(width), *range(len(tested), len(tested) + len(loop.body.captures))]
    return BodyOp(
        "while_loop",
        lambda *arrays, compiler, **settings: _run_while(
            loop, compiler.body(test, tested, [go], arrays), len(test.captures), arrays, compiler, **settings
        ),
        lambda *_, **settings: (*specs, *(Spec((trips, *s.shape), s.dtype) for s in specs)),
        Joint(
            lambda g, y, *args, wanted, maximum: _pull_while(loop, len(test.captures), g, y, args),
            reads=lambda wanted: {*map(str, range(len(wanted))), *names[width:]},
        ),
        outputs=tuple(names),
        hints=PlannerHints(selective=True),
        parts={
            "cond": Part(test, tested, range(len(tested)), [go]),
            "body": Part(loop.body, repeated, at, loop.next, width),
        },
    )


def _run_while(
    loop: Loop, asks: Callable[..., Any], tests: int, arrays: Sequence[Any], compiler: Compiler,
    maximum: int | None,
    needed: Any = None,
) -> tuple[Any, ...]:
    """The loop itself, on arrays."""
    width = len(loop.carry)
    values: Sequence[Any] = [compiler.copy(value) for value in arrays[:width]]
    asked, fixed = arrays[width : width + tests], arrays[width + tests :]
    trip = compiler.body(loop.body, loop.inputs(), loop.next, arrays)
    record = needed is None or any(i >= width for i in needed)
    history: list[Sequence[Any]] = []
    unsure, trips = loop.unsure(), 0
    while (maximum is None or trips < maximum) and bool(asks([*values, *asked])[0]):
        if record:
            history.append(values)
        before, values = values, trip([*values, *fixed])
        check_step("while_loop", unsure, before, values)
        trips += 1
    xp = compiler.module
    empty = [xp.empty((0, *value.shape), value.dtype) for value in values]
    stacked = [xp.stack(column) for column in zip(*history, strict=True)] if history else empty
    return (*values, *(stacked if record else [None] * width))


def _pull_while(loop: Loop, tests: int, g: Any, y: Any, args: Sequence[Tensor]) -> list[Any]:
    """A scan back over the trips; each computes the trip again from the variables before it.

    A cotangent of the history (second derivatives bring one) is a cotangent of the variables as
    they were before each trip, so it joins theirs there.
    """
    width = len(loop.carry)
    floats = [i for i, t in enumerate(loop.carry) if edge_of(t) is not None]
    fixed = dict(zip(loop.body.captures.values(), args[width + tests :], strict=True))
    by = [t for t in fixed if edge_of(fixed[t]) is not None]

    late = {i: g[width + i] for i in floats if g[width + i] is not None}

    def back(gs: list[Tensor], x: tuple[list[Tensor], list[Tensor]]) -> Triple:
        before, joining = x
        inside: dict[Tensor, Any] = dict(zip(loop.carry, before, strict=True))
        inside.update({t: as_tensor(outer) for t, outer in fixed.items()})
        after = replay(loop.body, inside, loop.next)
        xs = [before[i] for i in floats] + [inside[t] for t in by]
        full = full_gradients([(after[i], c) for i, c in zip(floats, gs, strict=True)], xs)
        for i, cotangent in zip(late, joining, strict=True):
            full[floats.index(i)] = full[floats.index(i)] + cotangent
        return full[: len(floats)], [], full[len(floats) :]

    starts = [zeros(args[i].shape, args[i].dtype, like=args[i]) if g[i] is None else g[i] for i in floats]
    last, _, sums = scan_and_sum(back, starts, (list(y[width:]), list(late.values())), None, True)
    result: dict[Any, Any] = {loop.carry[i]: c for i, c in zip(floats, last, strict=True)}
    result.update(zip(by, sums, strict=True))
    return [result.get(t) for t in loop.carry] + [None] * tests + [result.get(t) for t in fixed]
