"""Ops that turn, move and lay out: roll, rot90, moveaxis, unflatten, grids of coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Size
from shared.errors import SettingError, ShapeError
from shared.op import Op, Rule, array_module
from shared.ops.joining import stack
from shared.ops.shapes import as_sizes, as_tensor_like, broadcast_to, c_order, flip, reshape, transpose
from shared.spec import broadcast_shapes, one_axis, spec_of, str_shape

# --- roll --------------------------------------------------------------------------------------

_roll = Op(
    "roll",
    lambda x, *, shift, axis: c_order(array_module(x).roll(x, shift, axis)),
    lambda x, *, shift, axis: x,
    [Rule(lambda g, y, x, *, shift, axis: _roll(g, shift=tuple(-s for s in shift), axis=axis))],
)


def roll(x: Any, shift: Size | Sequence[Size], axis: int | Sequence[int] | None = None) -> Any:
    """`x` with its elements moved on by `shift` along `axis`; what leaves at one end comes in at the other.

    Several axes have a shift each, or share one; if None, the flat `x` is rolled and takes its shape again.
    Raises SettingError for shifts that are not ints, or not one for each axis.
    """
    x = as_tensor_like(x)
    shifts = as_sizes("roll", shift)
    if axis is None:
        if len(shifts) != 1:
            raise SettingError(f"roll: shift {shift!r} has no axes that it is along; say axis=")
        return reshape(_roll(reshape(x, -1), shift=shifts, axis=(0,)), x.shape)
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(one_axis("roll", a, x.ndim) for a in axes)
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    if len(shifts) != len(axes):
        raise SettingError(f"roll: {len(shifts)} shifts for {len(axes)} axes; give one for each, or for all")
    return _roll(x, shift=shifts, axis=axes)


# --- turning and moving ------------------------------------------------------------------------


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """`x` with the axes `source` standing at `destination`; the others keep their order. A view."""
    x = as_tensor_like(x)
    sides: list[Any] = [side if isinstance(side, (tuple, list)) else [side] for side in (source, destination)]
    origin, target = ([one_axis("moveaxis", a, x.ndim) for a in side] for side in sides)
    if len(origin) != len(target) or len(set(origin)) != len(origin) or len(set(target)) != len(target):
        raise SettingError(f"moveaxis: {source!r} to {destination!r}: name as many axes on each side, once")
    order = [a for a in range(x.ndim) if a not in origin]
    for to, a in sorted(zip(target, origin, strict=True)):
        order.insert(to, a)
    return transpose(x, order)


def rot90(x: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """`x` turned by 90 degrees, `k` times, from the first of two axes towards the second. A view."""
    x = as_tensor_like(x)
    first, second = (one_axis("rot90", a, x.ndim) for a in _two("rot90", axes))
    if first == second:
        raise SettingError(f"rot90: axes {tuple(axes)} must be two different ones")
    if not isinstance(k, (int, np.integer)):
        raise SettingError(f"rot90: k must be an int, not {k!r}")
    if k % 2 == 0:
        return flip(x, (first, second)) if k % 4 else x
    order = list(range(x.ndim))
    order[first], order[second] = second, first
    return transpose(flip(x, second), order) if k % 4 == 1 else flip(transpose(x, order), second)


def _two(call: str, axes: Any) -> tuple[int, int]:
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise SettingError(f"{call}: axes must be two, not {axes!r}")
    return axes[0], axes[1]


def flipud(x: Any) -> Any:
    """`x` with its rows, the first axis, in reverse. A view."""
    return flip(x, 0)


def fliplr(x: Any) -> Any:
    """`x` with its columns, the second axis, in reverse. A view."""
    return flip(x, 1)


def unflatten(x: Any, axis: int, sizes: Sequence[Size]) -> Any:
    """`x` with one axis made several, of the given `sizes`: what undoes `flatten`. One may be -1.

    Raises ShapeError where they do not multiply to the size of the axis.
    """
    x = as_tensor_like(x)
    axis, parts = one_axis("unflatten", axis, x.ndim), as_sizes("unflatten", sizes)
    return reshape(x, (*x.shape[:axis], *parts, *x.shape[axis + 1 :]))


# --- several arrays ----------------------------------------------------------------------------


def broadcast_arrays(*xs: Any) -> tuple[Any, ...]:
    """Each of the arrays stretched to the shape that all broadcast to. May be read-only views."""
    found = [as_tensor_like(x) for x in xs]
    shape = broadcast_shapes("broadcast_arrays", *map(spec_of, found))
    return tuple(broadcast_to(x, shape) for x in found)


def meshgrid(*xs: Any, indexing: str = "xy") -> tuple[Any, ...]:
    """The coordinates of a grid, of one axis for each of the arrays, which have one each: of each an array of
    the grid's shape.

    indexing  "xy": the first two axes of the grid change places, so that the first array runs along columns,
              as in NumPy and the Array API; "ij": axis i is that of the i-th array (PyTorch's default)

    May be read-only views. Raises ShapeError for arrays of more axes, SettingError for another indexing.
    """
    if indexing not in ("xy", "ij"):
        raise SettingError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    found = [as_tensor_like(x) for x in xs]
    for x in found:
        if x.ndim > 1:
            raise ShapeError(f"meshgrid: {str_shape(x.shape)} has {x.ndim} axes; give coordinates along one")
    order = list(range(len(found)))
    if indexing == "xy" and len(found) > 1:
        order[:2] = 1, 0
    return broadcast_arrays(
        *(reshape(x, [-1 if i == axis else 1 for i in range(len(found))])
          for x, axis in zip(found, order, strict=True))
    )  # fmt: skip


def cartesian_prod(*xs: Any) -> Any:
    """Every choice of one element of each array, as rows, the last changing fastest; of one array itself."""
    grids = meshgrid(*xs, indexing="ij")
    return grids[0] if len(grids) == 1 else stack([reshape(grid, -1) for grid in grids], axis=1)
