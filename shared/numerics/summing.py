"""Sums of raw arrays over any axes, in one order for both engines, whose error grows with log n.

NumPy adds pairwise along memory and one by one across it: a mean over a million rows is off by a part in
a hundred in single precision. Here what lies across memory is added in blocks, blocks of blocks, and so on.
Of terms of one sign the relative error is at most 4 eps log2(n): within a block of 32 it is 31 roundings,
which is 6.2 for each doubling of n, and NumPy's pairwise sums make fewer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

BLOCK = 32
"""How many are added one by one."""

_reduce: Any = np.add.reduce
_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


def work_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What floats are summed in: at least single precision; integers and bools, for means, in double."""
    if dtype.kind not in "fcV":
        return _DOUBLE
    return _SINGLE if dtype.itemsize == 2 else dtype


class _Plan(NamedTuple):
    """How to sum an array of some shape and strides.

    order   its axes as they lie in memory, widest stride first
    sizes   of runs of axes that are all reduced, or all kept, and lie like one axis
    folded  which of the runs are reduced
    kept    the sizes of the kept axes in the order of memory, and `back`, where each axis of the result
            is among them
    """

    order: tuple[int, ...]
    sizes: tuple[int, ...]
    folded: tuple[bool, ...]
    kept: tuple[int, ...]
    back: tuple[int, ...]


@lru_cache(maxsize=4096)
def _plan(shape: tuple[int, ...], strides: tuple[int, ...], axes: tuple[int, ...]) -> _Plan | None:
    """The plan; None where NumPy's own sum is in order: of few terms, and along memory."""
    count = 1
    for axis in axes:
        count *= shape[axis]
    if count <= BLOCK or 0 in shape:
        return None
    order = tuple(sorted(range(len(shape)), key=lambda axis: -abs(strides[axis])))
    sizes: list[int] = []
    folded: list[bool] = []
    inner: int | None = None
    for axis in reversed(order):
        if shape[axis] == 1:
            continue
        if sizes and folded[0] == (axis in axes) and strides[axis] == inner:
            sizes[0] *= shape[axis]
        else:
            sizes.insert(0, shape[axis])
            folded.insert(0, axis in axes)
        inner = strides[axis] * shape[axis]
    long = [axis for axis in order if shape[axis] != 1]
    if long == sorted(long) and folded in ([True], [False, True]):
        return None
    rest = [axis for axis in order if axis not in axes]
    back = tuple(rest.index(axis) for axis in sorted(rest))
    return _Plan(order, tuple(sizes), tuple(folded), tuple(shape[axis] for axis in rest), back)


def total(x: Any, axes: tuple[int, ...], keepdims: bool = False, dtype: Any = None) -> Any:
    """The sum of x over axes that are counted from the front and sorted; fresh. In C order if x is, or the
    sum takes more than one step.

    It is made in `dtype`, by default `work_dtype` of x's, which for half precision is not x's own. Arrays of
    other modules are summed by their own sums, which are trees.
    """
    dtype = dtype or work_dtype(x.dtype)
    plan = _plan(x.shape, x.strides, axes) if type(x) is np.ndarray and dtype.kind in "fc" else None
    if plan is None:
        if isinstance(x, np.ndarray):
            return _reduce(x, axis=axes, keepdims=keepdims, dtype=dtype)
        return x.sum(axis=axes, keepdims=keepdims, dtype=dtype)
    y = x.transpose(plan.order).reshape(plan.sizes)
    for run in range(len(plan.sizes) - 1, -1, -1):
        if plan.folded[run]:
            last = run == y.ndim - 1
            y = _reduce(y, axis=run, dtype=dtype) if last else _across(y, run, dtype)
    y = y.reshape(plan.kept).transpose(plan.back)
    if keepdims:
        y = y.reshape([1 if axis in axes else size for axis, size in enumerate(x.shape)])
    return np.ascontiguousarray(y) if y.ndim else y


def _across(x: Any, axis: int, dtype: Any) -> Any:
    """The sum over an axis that is not the last one, in blocks."""
    while (count := x.shape[axis]) > BLOCK:
        size = -(-count // -(-count // BLOCK))  # as even as can be
        whole, rest = divmod(count, size)
        lead, tail = x.shape[:axis], x.shape[axis + 1 :]
        every = (slice(None),) * axis
        parts = np.empty((*lead, whole + (rest > 0), *tail), dtype)
        blocks = x[(*every, slice(whole * size))].reshape(*lead, whole, size, *tail)
        _reduce(blocks, axis=axis + 1, dtype=dtype, out=parts[(*every, slice(whole))])
        if rest:
            left = x[(*every, slice(whole * size, None))]
            _reduce(left, axis=axis, dtype=dtype, out=parts[(*every, whole)])
        x = parts
    return _reduce(x, axis=axis, dtype=dtype)


def average(x: Any, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """The mean of x over such axes, in the dtype in which it is summed; of nothing NaN."""
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    y = total(x, axes, keepdims)
    return y / count if count else y + np.nan


def exponentials_but_one(x: Any, axes: tuple[int, ...]) -> Any:
    """sum(exp(x)) - 1 over some axes, which stay behind as sizes of 1, of what has 0 for its largest: what of
    the sum is left beside the largest terms. Where that is little, the sum itself would have lost it."""
    largest = np.equal(x, 0)
    rest = total(np.exp(x) * ~largest, axes, keepdims=True)
    return rest + (largest.sum(axis=axes, keepdims=True, dtype=x.dtype) - 1)
