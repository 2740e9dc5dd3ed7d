"""Branches and loops.

Where what decides is known already, as it always is on define-by-run, Python decides, and a loop is written
out; else the graph gets the node of `ops.cond`, `ops.while_loop` or `ops.scan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim
from shared.errors import OnnxError, SymbolicValueError
from shared.onnx.table import onnx_op
from shared.onnx.values import (
    Narrow,
    check_room,
    ints,
    is_known,
    known_or_none,
    measured,
    outward,
    tensor_of,
)

WRITTEN_OUT = 64
"""How many trips a loop may make, if that is known when a graph is built, and still be written out there."""


@onnx_op("If", narrow=True)
def branch(condition: Any, *, then_branch: Any, else_branch: Any) -> Any:
    """One of two graphs. Where the condition is known already, the other one is not so much as built."""
    found = known_or_none(condition)
    if found is not None:
        return (then_branch if found.reshape(()) else else_branch)()
    return ops.cond(scalar(condition), lambda: plain(then_branch()), lambda: plain(else_branch()))


def plain(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values as what a node of control flow takes and gives."""
    return tuple(
        list(plain(value))
        if isinstance(value, list)
        else value.value
        if isinstance(value, Narrow)
        else tensor_of(value)
        for value in values
    )


@onnx_op("Loop", narrow=True)
def loop(trips: Any, condition: Any = None, *first: Any, body: Any, outputs: int = 0) -> Any:
    """`body(trip, condition, *values)` gives the next condition and values, and further values that are
    stacked, for as many trips as are said and as long as the condition holds."""
    count = None if trips is None else known_or_none(trips)
    bound = None if count is None else ints(count)[0]
    made = None
    if (trips is None or isinstance(bound, int)) and (condition is None or is_known(condition)):
        made = _written_out(bound, condition, list(first), body, outputs - len(first))
    if made is not None:
        return made
    limit = bound if count is not None else None if trips is None else scalar(trips)
    if limit is not None and outputs > len(first):
        limit = ints(measured(trips))[0]
    going = ops.full((), 1, "bool") if condition is None else scalar(condition)
    as_node = _as_while if outputs == len(first) else _as_scan
    return as_node(limit, going, [tensor(value) for value in plain(first)], body)


def _written_out(bound: int | None, condition: Any, values: list[Any], body: Any, stacks: int) -> Any:
    """One trip after the other; None where it turns out that only a run knows how many there are, or that a
    graph would hold very many."""
    go = condition is None or bool(known_or_none(condition))
    width, trip = len(values), 0
    rows: list[Any] = []
    while go and (bound is None or trip < bound):
        given = body(np.asarray(trip, np.int64), np.asarray(True), *values)
        values, found = list(given[1 : 1 + width]), known_or_none(given[0])
        rows.append(plain(given[1 + width :]))
        trip += 1
        for y in (part for part in rows[-1] if hasattr(part, "shape")):
            check_room("Loop", (trip, *y.shape), y.dtype)
        if found is None or (max(bound or 0, trip) > WRITTEN_OUT and not _all_known(given)):
            return None
        go = bool(found)
    if rows or not stacks:
        return (*values, *(ops.stack([row[i] for row in rows]) for i in range(stacks)))
    tried = plain(body(np.asarray(0, np.int64), np.asarray(True), *values)[1 + width :])  # for the shapes
    return (*values, *(ops.zeros((0, *y.shape), y.dtype) for y in tried))


def _all_known(values: Sequence[Any]) -> bool:
    return all(_all_known(v) if isinstance(v, list) else v is None or is_known(v) for v in values)


def _as_while(limit: Any, going: Any, first: list[Any], body: Any) -> Any:
    """A loop of which nothing is stacked."""

    def holds(trip: Any, going: Any, *_: Any) -> Any:
        return going if limit is None else ops.logical_and(going, ops.less(trip, limit))

    def step(trip: Any, going: Any, *values: Any) -> Any:
        made = plain(body(trip, going, *values))
        return [trip + 1, scalar(made[0]), *map(tensor, made[1:])]

    return tuple(ops.while_loop(holds, step, [ops.zeros((), "int64"), going, *first])[2:])


def _as_scan(limit: Any, going: Any, first: list[Any], body: Any) -> Any:
    """A loop of which something is stacked: as many trips as there may be, whose results count while the
    condition holds."""
    if not isinstance(limit, (int, Dim)):
        raise SymbolicValueError(
            "Loop: it stacks what each trip gives, and how many there may be is known only when a session "
            "runs it; give the input that says so as an array (model.known lists them)"
        )
    width = len(first)

    def step(carry: Any, trip: Any) -> Any:
        going, count, *values = carry
        made = plain(body(trip, going, *values))
        kept = [ops.where(going, tensor(new), old) for new, old in zip(made[1:], values, strict=False)]
        count = count + ops.cast(going, "int64")
        return [ops.logical_and(going, scalar(made[0])), count, *kept], [tensor(y) for y in made[1 + width :]]

    trips = ops.arange(limit, dtype="int64", like=going)
    (_, count, *values), stacks = ops.scan(step, [going, ops.zeros((), "int64"), *first], trips)
    made = ops.nonzero(ops.less(trips, count))[0]
    return (*values, *(ops.take(y, made, 0) for y in stacks))


def scalar(x: Any) -> Any:
    """A value of one element, without axes, as a Tensor."""
    return tensor(x) if not x.shape else ops.reshape(tensor(x), ())


def tensor(x: Any) -> Any:
    """An array as a Tensor of the engine in charge; any other value as it is."""
    return outward(x)


@onnx_op("Scan", since=9)
def scan(
    *given: Any, body: Any, num_scan_inputs: int, scan_input_axes: Any = None,
    scan_input_directions: Any = None, scan_output_axes: Any = None,
    scan_output_directions: Any = None, outputs: int = 0,
) -> Any:  # fmt: skip
    """`body(*state, *parts)` for each part of some inputs along an axis: gives the last state, and what is
    stacked of the rest."""
    width = len(given) - num_scan_inputs
    state, columns = given[:width], given[width:]
    axes, back = scan_input_axes or (0,) * len(columns), scan_input_directions or (0,) * len(columns)
    count = outputs - width
    into, out = scan_output_axes or (0,) * count, scan_output_directions or (0,) * count
    xs = [ops.moveaxis(x, axis, 0) if axis else x for x, axis in zip(columns, axes, strict=True)]
    xs = [ops.flip(x, 0) if turned else x for x, turned in zip(xs, back, strict=True)]

    def step(carry: Any, parts: Any) -> Any:
        made = plain(body(*carry, *parts))
        return list(map(tensor, made[:width])), [tensor(part) for part in made[width:]]

    last, ys = ops.scan(step, [tensor(x) for x in state], xs)
    ys = [ops.flip(y, 0) if turned else y for y, turned in zip(ys, out, strict=True)]
    return (*last, *(ops.moveaxis(y, 0, axis) if axis else y for y, axis in zip(ys, into, strict=True)))


@onnx_op("Scan", since=8)
def old_scan(
    lengths: Any, *given: Any, body: Any, num_scan_inputs: int, directions: Any = None, outputs: int = 0
) -> Any:
    """Of opset 8: for each sequence of a batch."""
    if lengths is not None:
        raise OnnxError("Scan: sequences of several lengths, as opset 8 has them, are not read")
    rows = [
        scan(
            *(ops.getitem(x, i) for x in given), body=body, num_scan_inputs=num_scan_inputs,
            scan_input_directions=directions, outputs=outputs,
        )
        for i in range(given[0].shape[0])
    ]  # fmt: skip
    return tuple(ops.stack([row[i] for row in rows]) for i in range(outputs))
