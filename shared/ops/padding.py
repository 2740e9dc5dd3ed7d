"""What stands around an array: constants, or the array itself, mirrored or repeated. Negative widths crop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, least, same_size
from shared.errors import DTypeError, SettingError, ShapeError
from shared.kernels.scatter import scatter_rows
from shared.op import Op, PlannerHints, Rule, array_module
from shared.ops.ranges import at_least
from shared.ops.shapes import as_sizes, as_tensor_like
from shared.spec import Operand, Spec, str_shape

Widths = tuple[tuple[Size, Size], ...]

# --- by a constant, and crop, which undoes it ----------------------------------------------


def _compute_pad(x: Any, *, widths: Widths, value: float, out: Any = None) -> Any:
    shape = tuple(before + size + after for size, (before, after) in zip(x.shape, widths, strict=True))
    y = array_module(x).empty(shape, x.dtype) if out is None else out
    y.fill(value)
    inside = zip(x.shape, widths, strict=True)
    y[tuple(slice(before, before + size) for size, (before, _) in inside)] = x
    return y


def _infer_pad(x: Operand, *, widths: Widths, **_: Any) -> Spec:
    return Spec(tuple(b + size + a for size, (b, a) in zip(x.shape, widths, strict=True)), x.dtype)


_pad = Op(
    "pad",
    _compute_pad,
    _infer_pad,
    [Rule(lambda g, y, x, *, widths, value: _crop(g, widths=widths))],
    out=True,
)


def _compute_crop(x: Any, *, widths: Widths) -> Any:
    shape = _infer_crop(x, widths=widths).shape
    starts = zip(shape, widths, strict=True)
    return x[tuple(slice(before, before + size) for size, (before, _) in starts)]


def _infer_crop(x: Operand, *, widths: Widths) -> Spec:
    shape = tuple(size - before - after for size, (before, after) in zip(x.shape, widths, strict=True))
    if any(not isinstance(size, Dim) and size < 0 for size in shape):
        raise ShapeError(f"pad: {str_shape(x.shape)} has fewer elements than {widths} take off its ends")
    return Spec(shape, x.dtype)


_crop = Op(
    "crop",
    _compute_crop,
    _infer_crop,
    [Rule(lambda g, y, x, *, widths: _pad(g, widths=widths, value=0))],
    alias=(0,),
    hints=PlannerHints(view=lambda *, widths: _nothing(widths[1:])),
    doc="The middle of x: as many elements taken off each end of each axis as pad has put there.",
)

# --- by the array itself -------------------------------------------------------------------


def _sources(xp: Any, size: int, before: int, after: int, mode: str) -> Any:
    """Which element stands at each place of an axis that goes on at both ends."""
    i = xp.arange(-before, size + after)
    if mode == "edge":
        return i.clip(0, size - 1)
    if mode == "wrap":
        return i % size
    i %= max(2 * (size - 1), 1)  # there and back again
    return xp.minimum(i, max(2 * (size - 1), 1) - i) if size > 1 else i


def _compute_extend(x: Any, *, widths: tuple[tuple[int, int], ...], mode: str) -> Any:
    y = x
    for axis, (before, after) in enumerate(widths):
        if before or after:
            y = y.take(_sources(array_module(x), x.shape[axis], before, after, mode), axis=axis)
    return x.copy(order="C") if y is x else y


def _infer_extend(x: Operand, *, widths: Widths, mode: str) -> Spec:
    for size, (before, after) in zip(x.shape, widths, strict=True):
        wider = any(not isinstance(width, Dim) and width for width in (before, after))
        if not isinstance(size, Dim) and size == 0 and wider:
            raise ShapeError(f"pad: {str_shape(x.shape)} holds nothing to continue in mode {mode!r}")
    return _infer_pad(x, widths=widths)


def _compute_draw_in(g: Any, *, widths: tuple[tuple[int, int], ...], mode: str) -> Any:
    y = g
    for axis, (before, after) in reversed(list(enumerate(widths))):
        if before or after:
            size = g.shape[axis] - before - after
            lead, trail = y.shape[:axis], y.shape[axis + 1 :]
            values = y.reshape(math.prod(lead), g.shape[axis], math.prod(trail))
            sources = _sources(array_module(g), size, before, after, mode)
            y = scatter_rows(values, sources, size).reshape(*lead, size, *trail)
    return g.copy(order="C") if y is g else y


_extend = Op(
    "extend",
    _compute_extend,
    _infer_extend,
    [Rule(lambda g, y, x, *, widths, mode: _draw_in(g, widths=widths, mode=mode))],
    check=True,
    doc="x that goes on past the ends of its axes, by its own elements.",
)

_draw_in = Op(
    "draw_in",
    _compute_draw_in,
    lambda g, *, widths, mode: _infer_crop(g, widths=widths),
    [Rule(lambda gx, y, g, *, widths, mode: _extend(gx, widths=widths, mode=mode))],
    doc="What stands past the ends of the axes added to the elements that it repeats: extend's adjoint.",
)

# --- what users call -----------------------------------------------------------------------

MODES = {
    "constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap",
    "replicate": "edge", "circular": "wrap",
}  # fmt: skip
"""NumPy's names, and PyTorch's where it has others."""


def pad(x: Any, pad_width: Any, mode: str = "constant", value: float = 0) -> Any:
    """`x` with something around it, by NumPy's rules.

    pad_width  one (before, after) for each axis, one pair for all axes, or one int for both ends
               of all axes. Negative widths take elements off
    mode       "constant": `value`; "reflect": x mirrored in its first and last elements; "edge"
               (PyTorch's "replicate"): those elements; "wrap" (its "circular"): from the start again,
               what is taken off left out. (In the other modes x itself goes on.)

    Widths may be larger than x: it is mirrored or repeated again and again. Gives x's dtype. Raises
    SettingError for widths that are no ints, ShapeError if there is not one pair for each axis,
    if more is taken off than there is, and if there is nothing to continue, DTypeError for a
    value that x's dtype can not hold.
    """
    x = as_tensor_like(x)
    if mode not in MODES:
        raise SettingError(f"pad: mode must be one of {', '.join(map(repr, MODES))}, not {mode!r}")
    given = _widths(pad_width, x.shape)
    mode = MODES[mode]
    if mode != "constant" and value != 0:
        raise SettingError(f"pad: value {value!r} is for mode 'constant', and this is {mode!r}")
    off = tuple((_below(before), _below(after)) for before, after in given)
    widths = tuple((at_least(before, 0), at_least(after, 0)) for before, after in given)
    early = mode in ("constant", "wrap") and not _nothing(off)
    x = _crop(x, widths=off) if early else x
    if mode == "constant":
        return _pad(x, widths=widths, value=_fill(value, x.dtype))
    y = _extend(x, widths=widths, mode=mode)
    return y if early or _nothing(off) else _crop(y, widths=off)


def _below(width: Size) -> Size:
    """max(-width, 0): how much a width takes off."""
    low = least(width)
    return 0 if low is not None and low >= 0 else at_least(-width, 0)


def _nothing(widths: Widths) -> bool:
    """Whether all widths are known to be 0."""
    return all(same_size(width, 0) for pair in widths for width in pair)


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
