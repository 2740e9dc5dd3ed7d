"""Loops as they run: on arrays, with their bodies compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from shared.dims import Dim, Size, dims_in, evaluate
from shared.errors import ShapeError
from shared.sizes.atoms import Symbol
from static.control.body import Compiler
from static.control.loop import Loop, check_step
from static.graph.graph import Tensor


def run_scan(
    loop: Loop, always: int, arrays: Sequence[Any], compiler: Compiler, length: int, reverse: bool,
    needed: Sequence[int] | None = None,
) -> Any:  # fmt: skip
    """A scan: the last carry, ys, sums and hidden values; None for those that are not needed and not
    among the first ones, which are `always` made."""
    width, xp = len(loop.carry), compiler.module
    carry, xs, fixed = arrays[:width], arrays[width : width + len(loop.xs)], arrays[width + len(loop.xs) :]
    for x in xs:
        if len(x) != length:
            raise ShapeError(f"scan: xs of {length} and of {len(x)} steps; they must agree")
    results = loop.results()
    asked = range(len(results)) if needed is None else sorted({*range(always), *needed})
    sums = range(width + len(loop.ys), width + len(loop.ys) + len(loop.sums))
    step_of = compiler.body(loop.body, loop.inputs(), [results[i] for i in asked], arrays)
    kept: dict[int, Any] = {}
    unsure = loop.unsure()
    order = range(length - 1, -1, -1) if reverse else range(length)
    for t in order:
        step = [x[t, ...] for x in xs]
        values = step_of([*carry, *step, *fixed])
        for i, value in zip(asked, values, strict=True):
            if i < width:
                continue
            if i in kept and value.shape != (kept[i].shape if i in sums else kept[i].shape[1:]):
                before = kept[i].shape if i in sums else kept[i].shape[1:]
                raise ShapeError(
                    f"scan: step {t} gives {value.shape} where the steps before gave {before}; all steps "
                    "must agree (pad what varies, or reduce it inside the body)"
                )
            if i in sums:
                kept[i] = value if i not in kept else np.add(kept[i], value, out=kept[i])
            else:
                if i not in kept:
                    kept[i] = xp.empty((length, *value.shape), value.dtype)
                kept[i][t] = value
        check_step("scan", unsure, carry, values)
        carry = values[:width]
    if not length:  # no step at all
        blank = [xp.zeros(x.shape[1:], x.dtype) for x in xs]
        shapes = _shapes_of_no_step(loop, [results[i] for i in asked], step_of, [*carry, *blank, *fixed])
        for i, shape in zip(asked, shapes, strict=True):
            if i >= width:
                kept[i] = xp.zeros(shape if i in sums else (0, *shape), results[i].dtype)
        carry = [compiler.copy(value) for value in carry]
    given = [*carry, *(kept.get(i) for i in range(width, len(results)))]
    return given[0] if len(given) == 1 else tuple(given)


_trying: ContextVar[bool] = ContextVar("trying", default=False)
"""Whether a step is made for the sizes alone of what it gives. Loops in it make no trip: they keep sizes."""


def _shapes_of_no_step(
    loop: Loop, results: Sequence[Tensor], step_of: Callable[..., Any], given: Sequence[Any]
) -> list[tuple[int, ...]]:
    """What a step would have given: as far as shapes alone tell, and else what one on zeros gives, as on
    `dynamic`. (If it would do more than compute, it is not made, and what it would measure is 0.)"""
    sizes = _sizes_of(loop.inputs(), given)
    told = {symbol for t in results for dim in dims_in(t.sizes) for symbol in dim.symbols()} <= sizes.keys()
    if told or not loop.body.pure:
        return [tuple(_size(n, sizes) for n in t.shape) for t in results]
    token = _trying.set(True)
    try:
        with np.errstate(all="ignore"):
            return [value.shape for value in step_of(given)]
    finally:
        _trying.reset(token)


def _sizes_of(tensors: Sequence[Tensor], arrays: Sequence[Any]) -> dict[Symbol, int]:
    """The unknown sizes of Tensors, read off their arrays."""
    return {
        symbol: given
        for tensor, array in zip(tensors, arrays, strict=True)
        for size, given in zip(tensor.sizes, array.shape, strict=False)
        if isinstance(size, Dim) and (symbol := size.symbol()) is not None
    }


def _size(size: Size, sizes: dict[Symbol, int]) -> int:
    """A size as an integer; 0 for one that only a step could have measured."""
    known = not isinstance(size, Dim) or all(symbol in sizes for symbol in size.symbols())
    return evaluate(size, sizes) if known else 0


def run_while(
    loop: Loop, asks: Callable[..., Any], tests: int, arrays: Sequence[Any], compiler: Compiler,
    maximum: int | None,
    needed: Sequence[int] | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    """A loop while `asks`, which takes `tests` captured values, says so: the last values, and those before
    each trip; None for those that are not needed."""
    width = len(loop.carry)
    values: Sequence[Any] = [compiler.copy(value) for value in arrays[:width]]
    asked, fixed = arrays[width : width + tests], arrays[width + tests :]
    trip = compiler.body(loop.body, loop.inputs(), loop.next, arrays)
    kept = [i for i in range(width) if needed is None or width + i in needed]
    history: list[list[Any]] = [[] for _ in kept]
    unsure, trips = loop.unsure(), 0
    most = 0 if _trying.get() else maximum
    while (most is None or trips < most) and bool(asks([*values, *asked])[0]):
        for i, before in zip(kept, history, strict=True):
            before.append(values[i])
        last, values = values, trip([*values, *fixed])
        check_step("while_loop", unsure, last, values)
        trips += 1
    xp = compiler.module
    stacked: list[Any] = [None] * width
    for i, before in zip(kept, history, strict=True):
        stacked[i] = xp.stack(before) if trips else xp.empty((0, *values[i].shape), values[i].dtype)
    return (*values, *stacked)
