"""Pooling over windows that cover an image evenly, whatever its size: means, and largest elements.

Over sequences it is that over images of height 1. Of volumes first the slices are pooled, and what comes out
then along the depth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Dim, Size, product
from shared.errors import DTypeError, SettingError, ShapeError
from shared.numerics.summing import average
from shared.op import Op, Rule, array_module
from shared.ops.choosing import floating
from shared.ops.lookup import scatter_sum
from shared.ops.pooling import IMAGES, SEQUENCES, VOLUMES, check_axes, largest_in_volumes
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, squeeze
from shared.ops.windows import Pair, pair, unbatched
from shared.spec import Operand, Spec, str_shape

MOST = 2**16
"""How many windows an axis may have: they are gone through one by one."""

# --- windows -------------------------------------------------------------------------------


def _windows(size: int, count: int) -> list[slice]:
    """`count` windows that cover an axis evenly: from floor(i size / count) to the ceiling of
    (i + 1) size / count. Neighbours may share an element."""
    return [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]



def _places(call: str, x: Any, output_size: Any, axes: str) -> tuple[Size, ...]:
    """How many windows there are on each axis of an x with axes of these names; None is x's own size."""
    check_axes(call, x, axes)
    image = x.shape[2:]
    asked = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * len(image)
    given = tuple(1 if size is None or isinstance(size, Dim) else size for size in asked)
    known = pair(call, "output_size", given, 1, len(image))
    if max(known) > MOST:
        raise SettingError(f"{call}: output_size is of at most {MOST} windows on an axis, not {output_size}")
    places = zip(image, asked, known, strict=True)
    return tuple(n if to is None else to if isinstance(to, Dim) else k for n, to, k in places)


def _check_pixels(call: str, x: Operand) -> None:
    if any(not isinstance(size, Dim) and size == 0 for size in x.shape[2:]):
        raise ShapeError(f"{call}: x {str_shape(x.shape)} holds no pixels")


# --- means ---------------------------------------------------------------------------------


def _compute_adaptive_avg_pool2d(x: Any, *, places: Pair) -> Any:
    xp, (n, c, h, w) = array_module(x), x.shape
    rows = xp.empty((n, c, places[0], w), x.dtype)
    for i, part in enumerate(_windows(h, places[0])):
        rows[:, :, i] = average(x[:, :, part], (2,))
    y = xp.empty((n, c, *places), x.dtype)
    for j, part in enumerate(_windows(w, places[1])):
        y[..., j] = average(rows[..., part], (3,))
    return y


def _infer_adaptive_avg_pool2d(x: Operand, *, places: Pair) -> Spec:
    check_axes("adaptive_avg_pool2d", x, IMAGES)
    _check_pixels("adaptive_avg_pool2d", x)
    return Spec((*x.shape[:2], *places), x.dtype)


def _compute_adaptive_avg_unpool2d(g: Any, *, size: Pair) -> Any:
    n, c, oh, ow = g.shape
    xp = array_module(g)
    tall = xp.zeros((n, c, size[0], ow), g.dtype)
    for i, part in enumerate(_windows(size[0], oh)):
        tall[:, :, part] += g[:, :, i : i + 1] / (part.stop - part.start)
    image = xp.zeros((n, c, *size), g.dtype)
    for j, part in enumerate(_windows(size[1], ow)):
        image[..., part] += tall[..., j : j + 1] / (part.stop - part.start)
    return image


_adaptive_avg_pool2d = Op(
    "adaptive_avg_pool2d",
    _compute_adaptive_avg_pool2d,
    _infer_adaptive_avg_pool2d,
    [Rule(lambda g, y, x, *, places: _adaptive_avg_unpool2d(g, size=x.shape[2:]))],
    check=True,
)

_adaptive_avg_unpool2d = Op(
    "adaptive_avg_unpool2d",
    _compute_adaptive_avg_unpool2d,
    lambda g, *, size: Spec((*g.shape[:2], *size), g.dtype),
    [Rule(lambda g, y, x, *, size: _adaptive_avg_pool2d(g, places=x.shape[2:]))],
)


@unbatched(4)
def adaptive_avg_pool2d(x: Any, output_size: int | tuple[int | None, int | None]) -> Any:
    """Means over OH x OW windows that cover the image evenly, whatever its size, as
    `torch.nn.functional.adaptive_avg_pool2d`.

    x (N, C, H, W) or one (C, H, W), integers give float64; output_size OH, OW: one int for both or a pair,
    None for a size that shall stay. `adaptive_avg_pool2d(x, 1)` is global average pooling.
    """
    x = floating(x)
    return _adaptive_avg_pool2d(x, places=_places("adaptive_avg_pool2d", x, output_size, IMAGES))


@unbatched(3)
def adaptive_avg_pool1d(x: Any, output_size: int | None) -> Any:
    """Means over `output_size` windows that cover a sequence (N, C, L) or (C, L) evenly, as
    `torch.nn.functional.adaptive_avg_pool1d`."""
    x = floating(x)
    places = _places("adaptive_avg_pool1d", x, output_size, SEQUENCES)
    return squeeze(_adaptive_avg_pool2d(expand_dims(x, 2), places=(1, *places)), 2)


@unbatched(5)
def adaptive_avg_pool3d(x: Any, output_size: int | tuple[int | None, ...]) -> Any:
    """Means over OD x OH x OW windows that cover a volume (N, C, D, H, W) or (C, D, H, W) evenly, as
    `torch.nn.functional.adaptive_avg_pool3d`."""
    x = floating(x)
    depth, oh, ow = _places("adaptive_avg_pool3d", x, output_size, VOLUMES)
    n, c, d, h, w = x.shape
    slices = _adaptive_avg_pool2d(reshape(x, (n, c * d, h, w)), places=(oh, ow))
    y = _adaptive_avg_pool2d(reshape(slices, (n, c, d, oh * ow)), places=(depth, oh * ow))
    return reshape(y, (n, c, depth, oh, ow))


# --- the largest ---------------------------------------------------------------------------


def _compute_adaptive_max_pool2d(x: Any, *, places: Pair) -> tuple[Any, Any]:
    """Across the image first: so the first of equal elements is the first in C order."""
    xp, (n, c, h, w) = array_module(x), x.shape
    column = xp.empty((n, c, h, places[1]), np.int64)
    for j, part in enumerate(_windows(w, places[1])):
        column[..., j] = x[..., part].argmax(axis=3) + part.start
    rows, row = xp.take_along_axis(x, column, 3), xp.empty((n, c, *places), np.int64)
    for i, part in enumerate(_windows(h, places[0])):
        row[:, :, i] = rows[:, :, part].argmax(axis=2) + part.start
    index = row * w + xp.take_along_axis(column, row, 2)
    return xp.take_along_axis(rows, row, 2), index


def _infer_adaptive_max_pool2d(x: Operand, *, places: Pair) -> tuple[Spec, Spec]:
    check_axes("adaptive_max_pool2d", x, IMAGES)
    if x.dtype.kind not in "fiu":
        raise DTypeError(f"adaptive_max_pool2d: x must hold real numbers, not {x.dtype}; cast it first")
    _check_pixels("adaptive_max_pool2d", x)
    shape = (*x.shape[:2], *places)
    return Spec(shape, x.dtype), Spec(shape, np.dtype(np.int64))


def _adaptive_max_rule(g: Any, y: Any, x: Any, *, places: Pair) -> Any:
    n, c, *image = x.shape
    flat = (n, c, product(places))
    return reshape(scatter_sum(reshape(g[0], flat), reshape(y[1], flat), 2, product(tuple(image))), x.shape)


_adaptive_max_pool2d = Op(
    "adaptive_max_pool2d",
    _compute_adaptive_max_pool2d,
    _infer_adaptive_max_pool2d,
    [Rule(_adaptive_max_rule, reads="index")],
    outputs=("y", "index"),
    constant=("index",),
    check=True,
)


@unbatched(4)
def adaptive_max_pool2d(
    x: Any, output_size: int | tuple[int | None, int | None], return_indices: bool = False
) -> Any:
    """The largest element of each of OH x OW windows that cover the image evenly, as
    `torch.nn.functional.adaptive_max_pool2d`.

    x (N, C, H, W) or one (C, H, W), any real dtype; output_size as that of `adaptive_avg_pool2d`. Of equal
    elements the first gets the gradient; NaN is larger than all. With `return_indices`, also where
    each one stood in its flattened H*W image (int64).
    """
    x = as_tensor_like(x)
    y, index = _adaptive_max_pool2d(x, places=_places("adaptive_max_pool2d", x, output_size, IMAGES))
    return (y, index) if return_indices else y


@unbatched(3)
def adaptive_max_pool1d(x: Any, output_size: int | None, return_indices: bool = False) -> Any:
    """`adaptive_max_pool2d` over sequences (N, C, L) or one (C, L)."""
    x = as_tensor_like(x)
    places = _places("adaptive_max_pool1d", x, output_size, SEQUENCES)
    y, index = _adaptive_max_pool2d(expand_dims(x, 2), places=(1, *places))
    return (squeeze(y, 2), squeeze(index, 2)) if return_indices else squeeze(y, 2)


@unbatched(5)
def adaptive_max_pool3d(
    x: Any, output_size: int | tuple[int | None, ...], return_indices: bool = False
) -> Any:
    """`adaptive_max_pool2d` over volumes (N, C, D, H, W) or one (C, D, H, W); indices are those in the
    flattened D*H*W volume."""
    x = as_tensor_like(x)
    depth, oh, ow = _places("adaptive_max_pool3d", x, output_size, VOLUMES)
    return largest_in_volumes(
        x, lambda slices: _adaptive_max_pool2d(slices, places=(oh, ow)),
        lambda columns: _adaptive_max_pool2d(columns, places=(depth, oh * ow)), return_indices,
    )  # fmt: skip
