"""Ops that make an array larger: pad, tile, repeat."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, same_size
from shared.errors import DTypeError, SettingError, ShapeError
from shared.op import Op, PlannerHints, Rule, array_module
from shared.ops.shapes import as_sizes, as_tensor_like, broadcast_to, reshape
from shared.spec import Operand, Spec, one_axis, str_shape

Widths = tuple[tuple[Size, Size], ...]

# --- pad, and crop, which undoes it --------------------------------------------------------


def _compute_pad(x: Any, *, widths: Widths, value: float, out: Any = None) -> Any:
    shape = tuple(before + size + after for size, (before, after) in zip(x.shape, widths, strict=True))
    y = array_module(x).empty(shape, x.dtype) if out is None else out
    y.fill(value)
    inside = zip(x.shape, widths, strict=True)
    y[tuple(slice(before, before + size) for size, (before, _) in inside)] = x
    return y


def _infer_pad(x: Operand, *, widths: Widths, value: float) -> Spec:
    return Spec(tuple(b + size + a for size, (b, a) in zip(x.shape, widths, strict=True)), x.dtype)


_pad = Op(
    "pad",
    _compute_pad,
    _infer_pad,
    [Rule(lambda g, y, x, *, widths, value: _crop(g, widths=widths))],
    out=True,
)


def _compute_crop(x: Any, *, widths: Widths) -> Any:
    inside = zip(x.shape, widths, strict=True)
    return x[tuple(slice(before, size - after) for size, (before, after) in inside)]


_crop = Op(
    "crop",
    _compute_crop,
    lambda x, *, widths: Spec(
        tuple(size - before - after for size, (before, after) in zip(x.shape, widths, strict=True)), x.dtype
    ),
    [Rule(lambda g, y, x, *, widths: _pad(g, widths=widths, value=0))],
    alias=(0,),
    hints=PlannerHints(view=lambda *, widths: all(same_size(w, 0) for pair in widths[1:] for w in pair)),
    doc="The middle of x: as many elements taken off each end of each axis as pad has put there.",
)


def pad(x: Any, pad_width: Any, mode: str = "constant", value: float = 0) -> Any:
    """`x` with `value` around it.

    pad_width  as in NumPy: one (before, after) for each axis, one pair for all axes, or one int
               for both ends of all axes
    mode       "constant", the only one there is

    Gives x's dtype. Raises SettingError for widths that are not ints from 0 on, ShapeError if
    there is not one pair for each axis, DTypeError for a value that x's dtype can not hold.
    """
    x = as_tensor_like(x)
    if mode != "constant":
        raise SettingError(f"pad: mode must be 'constant', not {mode!r}; index with ops.getitem for another")
    return _pad(x, widths=_widths(pad_width, x.shape), value=_fill(value, x.dtype))


def _widths(given: Any, shape: Shape) -> Widths:
    one = (int, np.integer, Dim)
    if isinstance(given, one):
        given = ((given, given),) * len(shape)
    elif isinstance(given, Sequence) and len(given) == 2 and all(isinstance(w, one) for w in given):
        given = (tuple(given),) * len(shape)
    try:
        pairs = [as_sizes("pad", pair) for pair in given]
    except TypeError:
        raise SettingError(f"pad: {given!r} is no width; give an int or a pair for each axis") from None
    if len(pairs) != len(shape) or any(len(pair) != 2 for pair in pairs):
        raise ShapeError(f"pad: widths {tuple(pairs)} must be a pair for each axis of {str_shape(shape)}")
    if any(not isinstance(w, Dim) and w < 0 for pair in pairs for w in pair):
        raise SettingError(f"pad: widths {tuple(pairs)} must not be negative; slice to take elements off")
    return tuple((before, after) for before, after in pairs)


def _fill(value: Any, dtype: np.dtype[Any]) -> Any:
    """The value as a Python number that the dtype holds."""
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, (bool, int, float)):
        raise SettingError(f"pad: value must be a number, not {value!r}")
    if dtype.kind in "biu":
        limits = np.iinfo(dtype) if dtype.kind != "b" else None
        low, high = (limits.min, limits.max) if limits else (0, 1)
        if not math.isfinite(value) or value != int(value) or not low <= value <= high:
            raise DTypeError(f"pad: {dtype.name} does not hold {value!r}; cast the array first")
        return int(value)
    return float(value)


# --- tile and repeat -----------------------------------------------------------------------


def _times(name: str, count: Any) -> Size:
    """How often: an int from 0 on, or a Dim."""
    if isinstance(count, Dim):
        return count
    try:
        times = operator.index(count)
    except TypeError:
        raise SettingError(f"{name}: {count!r} is no number of times; give an int") from None
    if times < 0 or isinstance(count, bool):
        raise SettingError(f"{name}: {count!r} is no number of times; give an int from 0 on")
    return times


def tile(x: Any, reps: Size | Sequence[Size]) -> Any:
    """`x` laid out `reps` times along each axis, as tiles.

    As in NumPy, the shorter of x's shape and `reps` is filled up with ones in front. The
    gradient sums over the tiles. Raises SettingError for repetitions that are not ints from 0 on.
    """
    x = as_tensor_like(x)
    given = reps if isinstance(reps, (tuple, list)) else (reps,)
    times = tuple(_times("tile", r) for r in given)
    ndim = max(len(x.shape), len(times))
    times = (1,) * (ndim - len(times)) + times
    shape = (1,) * (ndim - len(x.shape)) + tuple(x.shape)
    apart = tuple(size for one in shape for size in (1, one))
    tiled = tuple(size for pair in zip(times, shape, strict=True) for size in pair)
    return reshape(
        broadcast_to(reshape(x, apart), tiled),
        tuple(r * size for r, size in zip(times, shape, strict=True)),
    )


def repeat(x: Any, repeats: Size, axis: int | None = None) -> Any:
    """`x` with each element `repeats` times in a row along `axis`; flat, over all elements, if None.

    The gradient sums over the copies. Raises SettingError for a number of times that is not an
    int from 0 on (one that differs from element to element is `take` with an index array).
    """
    x = as_tensor_like(x)
    times = _times("repeat", repeats)
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = one_axis("repeat", axis, len(x.shape))
    before, size, after = tuple(x.shape[:axis]), x.shape[axis], tuple(x.shape[axis + 1 :])
    copies = broadcast_to(reshape(x, (*before, size, 1, *after)), (*before, size, times, *after))
    return reshape(copies, (*before, size * times, *after))
