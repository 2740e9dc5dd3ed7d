"""Rows for ops that move elements: shapes, joining, indexing, tables, arrays made of settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, Shape, same_size
from shared.ops.indexing import ARRAY, EVERY, Template, _spelled_out, _stand_together
from static.onnx.sizes import ends
from static.onnx.writer import Writer

# --- shapes --------------------------------------------------------------------------------


def _reshape(w: Writer, x: Any, *, shape: Shape) -> str:
    """By ONNX's signs where they do: 0 for a size that stays, and -1 for one that follows, which runtimes
    can't work out where another may be 0."""
    name, before = w.one(x), () if x.shape is UNKNOWN_RANK else x.shape
    unknown = [axis for axis, size in enumerate(shape) if isinstance(size, Dim)]
    follow = [axis for axis in unknown if axis >= len(before) or not same_size(before[axis], shape[axis])]
    if any(same_size(size, 0) for size in shape) or (follow and len(unknown) > 1):
        for op_type, long, short in (("Unsqueeze", shape, before), ("Squeeze", before, shape)):
            ones = _ones_between(long, short)
            if ones is not None and x.shape is not UNKNOWN_RANK:
                return w(op_type, name, w.integers(ones)) if ones else name
        return w("Reshape", name, w.shape(shape), allowzero=1)
    sign = -1 if follow else 0
    return w("Reshape", name, w.shape([sign if axis in unknown else n for axis, n in enumerate(shape)]))


def _ones_between(long: Shape, short: Shape) -> list[int] | None:
    """The axes of size 1 by which one shape is longer than another; None if that is not all."""
    ones, at = [], 0
    for axis, size in enumerate(long):
        if at < len(short) and same_size(short[at], size):
            at += 1
        elif same_size(size, 1):
            ones.append(axis)
        else:
            return None
    return ones if at == len(short) else None


def _flip(w: Writer, x: Any, *, axis: tuple[int, ...]) -> str:
    return _slice(w, w.one(x), {i: slice(None, None, -1) for i in axis})


def _slice(w: Writer, x: str, slices: dict[int, slice]) -> str:
    """x cut along axes; bounds that are missing are the ends."""
    cuts = {axis: cut for axis, cut in slices.items() if cut != EVERY}
    if not cuts:
        return x
    bounds = [ends(cut.start, cut.stop, cut.step) for cut in cuts.values()]
    starts, stops, steps = zip(*bounds, strict=True)
    return w("Slice", x, w.shape(starts), w.shape(stops), w.integers(cuts), w.shape(steps))


def _pad(w: Writer, x: Any, *, widths: Any, value: Any) -> str:
    pads = [before for before, _ in widths] + [after for _, after in widths]
    return w("Pad", w.one(x), w.shape(pads), w.one(value))


def _crop(w: Writer, x: Any, *, widths: Any) -> str:
    return _slice(w, w.one(x), {
        axis: slice(before, size - after)
        for axis, (size, (before, after)) in enumerate(zip(x.shape, widths, strict=True))
        if not (same_size(before, 0) and same_size(after, 0))
    })  # fmt: skip


def _extend(w: Writer, x: Any, *, widths: Any, mode: str) -> str:
    """ONNX's Pad, where it surely goes on no further than x is long; else each place is looked up."""
    ends = [(size, *pair) for size, pair in zip(x.shape, widths, strict=True)]
    known = not any(isinstance(n, Dim) for end in ends for n in end)
    if mode == "edge" or (known and all(max(before, after) < size for size, before, after in ends)):
        pads = [before for before, _ in widths] + [after for _, after in widths]
        return w("Pad", w.one(x), w.shape(pads), mode=mode)
    y = w.one(x)
    for axis, (size, before, after) in enumerate(ends):
        if not (same_size(before, 0) and same_size(after, 0)):
            i = w("Range", w.scalar(before * -1), w.scalar(size + after), w.scalar(1))
            if mode == "wrap":
                i = w("Mod", i, w.scalar(size))
            else:
                there_and_back = w("Max", w.scalar(size * 2 - 2), w.scalar(1))
                i = w("Mod", i, there_and_back)
                i = w("Min", i, w("Sub", there_and_back, i))
            y = w("Gather", y, i, axis=axis)
    return y


def _split(w: Writer, x: Any, *, sizes: Shape, axis: int) -> list[str]:
    if len(sizes) == 1:
        return [w.one(x)]
    return w("Split", w.one(x), w.shape(sizes), axis=axis, outputs=len(sizes))


def _stack(w: Writer, *xs: Any, axis: int) -> str:
    return w("Concat", *(w("Unsqueeze", x, w.integers([axis])) for x in w.given(*xs)), axis=axis)


def _unbind(w: Writer, x: Any, *, axis: int, count: int) -> list[str | None]:
    parts = [w.constant(np.int64(i)) if y in w.used else None for i, y in enumerate(w.node.outputs)]
    return [None if i is None else w("Gather", w.name(x), i, axis=axis) for i in parts]


# --- indexing ------------------------------------------------------------------------------


def _getitem(w: Writer, x: Any, *arrays: Any, index: Template) -> str:
    return picked_from(w, w.name(x), x.shape, arrays, index)


def picked_from(w: Writer, x: str, shape: Shape, arrays: tuple[Any, ...], index: Template) -> str:
    """What an index picks of a value of this shape: slices first, then what is picked, then the new axes."""
    parts = _spelled_out(shape, arrays, index)
    given, axis, place = iter(arrays), 0, 0
    slices: dict[int, slice] = {}
    picks: dict[int, list[str]] = {}  # index arrays by the first axis that they are for
    widths: list[int] = []
    kept: list[int | None] = []  # what stands in the result beside what is picked: axes, and new ones
    for part in parts:
        if part is None:
            kept.append(None)
        elif isinstance(part, slice):
            slices[axis] = part
            kept.append(axis)
            axis += 1
        elif part is not Ellipsis:
            place = place if picks else len(kept)
            array = next(given) if part is ARRAY else None
            picks[axis], width = _integers(w, part if array is None else array)
            widths.append(width)
            axis += len(picks[axis])
    y = _slice(w, x, slices)
    block = 0
    if not arrays:
        for at, (scalar,) in sorted(picks.items(), reverse=True):
            y = w("Gather", y, scalar, axis=at)
    else:
        block = max(widths)
        place = place if _stand_together(parts) else 0
        y = _picked(w, y, picks, block, [a for a in kept if a is not None], place - kept[:place].count(None))
    result = kept[:place] + [-1] * block + kept[place:]
    new = [at for at, axis in enumerate(result) if axis is None]
    return w("Unsqueeze", y, w.integers(new)) if new else y


def _integers(w: Writer, part: Any) -> tuple[list[str], int]:
    """The index arrays that an int, an array of integers or a mask amounts to, one for each axis
    that it is for; and their number of axes."""
    if not hasattr(part, "dtype"):
        return [w.scalar(part)], 0
    if part.dtype.kind != "b":
        return [w.one(part, np.int64)], part.ndim
    if not part.ndim:
        raise w.refusal("a mask without axes has no words in ONNX; use ops.where")
    rows = w("NonZero", w.name(part))
    return [w("Gather", rows, w.constant(np.int64(i)), axis=0) for i in range(part.ndim)], 1


def _picked(
    w: Writer, x: str, picks: dict[int, list[str]], block: int, kept: list[int], place: int
) -> str:
    """The elements at the index arrays, which broadcast; the axes that those make stand at `place`
    among the kept ones."""
    indices = [name for names in picks.values() for name in names]
    axes = [at + i for at, names in picks.items() for i in range(len(names))]
    if len(axes) == 1:
        return w("Gather", x, indices[0], axis=axes[0])
    y = w("Transpose", x, perm=[*axes, *kept])
    total = indices[0]
    for other in indices[1:]:
        total = w("Add", total, other)
    nothing = w("Sub", total, total)  # zeros of the shape that they broadcast to
    each = [w("Unsqueeze", w("Add", name, nothing), w.integers([-1])) for name in indices]
    y = w("GatherND", y, w("Concat", *each, axis=-1))
    order = [*range(block, block + place), *range(block), *range(block + place, block + len(kept))]
    return y if order == sorted(order) else w("Transpose", y, perm=order)


# --- tables --------------------------------------------------------------------------------


def _one_hot(w: Writer, labels: Any, *, classes: Any, dtype: Any) -> str:
    values = w.constant(np.array([0, 1], np.float32))
    hot = w("OneHot", w.one(labels, np.int64), w.size(classes), values, axis=-1)
    return hot if dtype == np.float32 else w.cast(hot, dtype)


def _scatter_sum(w: Writer, values: Any, index: Any, *, axis: int, shape: Shape) -> str:
    empty = full(w, shape=shape, value=0, dtype=w.dtype)
    return w("ScatterElements", empty, w.one(index, np.int64), w.name(values), axis=axis, reduction="add")


# --- arrays made of settings ---------------------------------------------------------------


def full(w: Writer, *, shape: Shape, value: Any, dtype: Any) -> str:
    """One number everywhere."""
    return w("Expand", w.one(value, dtype), w.shape(shape))


def _arange(w: Writer, *, start: Any, stop: Any, step: Any, dtype: Any) -> str:
    numbers: list[Any] = [start, stop, step]
    if not any(isinstance(number, Dim) for number in numbers):
        return w.constant(np.arange(*numbers, dtype=dtype))
    y = w("Range", *(w.scalar(number) for number in numbers))
    return y if dtype == np.int64 else w.cast(y, dtype)


def _up_to(w: Writer, counts: Any) -> str:
    most = w("Max", w("ReduceMax", w.name(counts), keepdims=0), w.scalar(0))
    return w("Range", w.scalar(0), most, w.scalar(1))


def _linspace(w: Writer, *, num: Any, **settings: Any) -> str:
    if isinstance(num, Dim):
        raise w.refusal(f"{num} numbers are not known to be how many; make them of ops.arange")
    return w.constant(np.linspace(num=num, **settings))


def _eye(w: Writer, *, n: Any, m: Any, k: int, dtype: Any) -> str:
    if not isinstance(n, Dim) and not isinstance(m, Dim):
        return w.constant(np.eye(n, m, k, dtype))
    return w.cast(w("EyeLike", full(w, shape=(n, m), value=0, dtype=np.float32), k=k), dtype)


INDEXING: dict[str, Callable[..., Any]] = {
    "reshape": _reshape, "flip": _flip, "pad": _pad, "crop": _crop, "extend": _extend,
    "split": _split, "stack": _stack, "unbind": _unbind, "stop_gradient": lambda w, x: w.one(x),
    "sized": lambda w, x, shape, call: w.one(x),
    "transpose": lambda w, x, *, axes: w("Transpose", w.one(x), perm=axes or None),
    "broadcast_to": lambda w, x, *, shape: w("Expand", w.one(x), w.shape(shape)),
    "concatenate": lambda w, *xs, axis: w("Concat", *w.given(*xs), axis=axis),
    "getitem": _getitem, "one_hot": _one_hot, "scatter_sum": _scatter_sum,
    "gather": lambda w, x, index, *, axis: w("GatherElements", w.name(x), w.one(index, np.int64), axis=axis),
    "embedding": lambda w, ids, weight, *, padding: w("Gather", w.name(weight), w.one(ids, np.int64), axis=0),
    "up_to": _up_to, "full": full, "arange": _arange, "linspace": _linspace, "eye": _eye,
}  # fmt: skip
