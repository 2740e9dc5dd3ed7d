"""Images, sequences and volumes in another size. Each axis is resampled by itself: an element of the result
is a few elements of x, each times its weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size
from shared.errors import SettingError, ShapeError, UnknownSizeError
from shared.ops.adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from shared.ops.choosing import cast, clip, floating, maximum, where
from shared.ops.creation import arange, ones
from shared.ops.elementwise import abs, floor
from shared.ops.indexing import take
from shared.ops.matrices import matmul
from shared.ops.ranges import at_least
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, swapaxes
from shared.spec import as_number, str_shape

MODES = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,), "bilinear": (2,),
    "trilinear": (3,), "bicubic": (2,),
}  # fmt: skip
"""How many axes beside N C each is for."""
AREA: dict[int, Any] = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}

# --- where to look, and with what weight ---------------------------------------------------


def _near(t: Any, a: float) -> Any:
    """The cubic kernel at distances from 0 to 1 (Keys 1981, with his a): 1 at 0, 0 at 1."""
    return ((a + 2) * t - (a + 3)) * t * t + 1


def _far(t: Any, a: float) -> Any:
    """And at distances from 1 to 2: 0 at both."""
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a


def cubic_weights(t: Any, a: float = -0.75) -> list[Any]:
    """Of the four elements around a place that is t behind the second."""
    return [_far(t + 1, a), _near(t, a), _near(1 - t, a), _far(2 - t, a)]


def _resampled(x: Any, axis: int, into: Size, factor: float | None, mode: str, aligned: bool) -> Any:
    """x with another size on one axis. Elements are intervals of length 1, and all of them together keep
    their ends, or, `aligned`, the outer ones their centres."""
    size = x.shape[axis]
    i = arange(0, into, dtype="float64", like=x)
    if mode.startswith("nearest"):
        i = i + 0.5 if mode == "nearest-exact" else i
        at = i / factor if factor else i * size / into
        return take(x, clip(cast(floor(at), np.int64), 0, size - 1), axis)
    if aligned:
        at = i * (size - 1) / at_least(into - 1, 1)
    else:
        at = ((i + 0.5) / factor if factor else (i + 0.5) * size / into) - 0.5
    if mode != "bicubic":
        at = maximum(at, 0.0)
    before = floor(at)
    t, before = at - before, cast(before, np.int64)
    first, weights = (-1, cubic_weights(t)) if mode == "bicubic" else (0, [1 - t, t])
    apart = (into, *(1,) * (len(x.shape) - 1 - axis))
    total: Any = None
    for step, weight in enumerate(weights, first):
        part = take(x, clip(before + step, 0, size - 1), axis) * reshape(cast(weight, x.dtype), apart)
        total = part if total is None else total + part
    return total


def _smoothed(x: Any, axis: int, into: Size, factor: float | None, mode: str, aligned: bool) -> Any:
    """x with another size on one of its last two axes, by a kernel that is as wide as the new elements, so
    that all that one of them covers has its share: a product with a matrix (into, size)."""
    size = x.shape[axis]
    i, j = arange(0, into, dtype="float64", like=x), arange(0, size, dtype="float64", like=x)
    one = ones((), "float64", like=x)
    wide = one / factor if factor else one * size / into
    if aligned:
        wide = one * (size - 1) / at_least(into - 1, 1)
    d = abs(expand_dims((i + 0.5) * wide - 0.5, 1) - j) / maximum(wide, 1.0)
    if mode == "bicubic":
        weight = where(d < 1, _near(d, -0.5), where(d < 2, _far(d, -0.5), 0.0))
    else:
        weight = maximum(1 - d, 0.0)
    weight = cast(weight / sum(weight, axis=1, keepdims=True), x.dtype)
    return matmul(weight, x) if axis == len(x.shape) - 2 else matmul(x, swapaxes(weight, 0, 1))


# --- what users call -----------------------------------------------------------------------


def interpolate(
    x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Any:  # fmt: skip
    """`x` in another size, as `torch.nn.functional.interpolate`.

    x           (N, C, L), (N, C, H, W) or (N, C, D, H, W)
    size        of all axes behind N C, or of each; or instead
    scale_factor  by how much they grow: each new size is floor(size * factor), and places are those that
                the factor says, or, with `recompute_scale_factor`, those that the new size says
    mode        "nearest", "nearest-exact" (by the elements' centres), "area" (means over windows,
                `adaptive_avg_pool2d`); "linear", "bilinear" or "trilinear" by x's axes; "bicubic" of images
                (Keys 1981 with a = -0.75; it overshoots)
    align_corners  of the last four: the centres of the corners stay where they are, else the edges do
    antialias   of images, bilinear and bicubic: where an image shrinks, all that a new element covers
                counts, as in Pillow (a = -0.5)

    Gives x's dtype; of integers, nearest ones stay so, others give float64. "nearest" is exact where
    PyTorch rounds in single precision. Raises SettingError for a mode that is not for x, for sizes below
    1, and for both or neither of size and scale_factor; UnknownSizeError for a factor that no binary
    fraction is (0.7; 1.5 is one) of a size that only a run knows.
    """
    x = as_tensor_like(x)
    axes = len(x.shape) - 2
    if axes not in (1, 2, 3):
        raise ShapeError(f"interpolate: x {str_shape(tuple(x.shape))} needs N C and one to three axes more")
    if axes not in MODES.get(mode, ()):
        fitting = ", ".join(repr(name) for name, ranks in MODES.items() if axes in ranks)
        raise SettingError(f"interpolate: mode {mode!r} is not for {axes + 2} axes; use one of {fitting}")
    if align_corners is not None and (mode.startswith("nearest") or mode == "area"):
        raise SettingError(f"interpolate: align_corners is for modes that are linear or cubic, not {mode!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise SettingError(f"interpolate: antialias is for 'bilinear' and 'bicubic', not {mode!r}")
    into, factors = _targets(x.shape[2:], size, scale_factor)
    if recompute_scale_factor:
        factors = (None,) * axes
    if mode == "area":
        return AREA[axes](x, into)
    x = x if mode.startswith("nearest") else floating(x)
    along = _smoothed if antialias else _resampled
    for i, (new, factor) in enumerate(zip(into, factors, strict=True)):
        x = along(x, 2 + i, new, factor, mode, bool(align_corners))
    return x


def _targets(image: Shape, size: Any, scale_factor: Any) -> tuple[Shape, Sequence[float | None]]:
    """The new sizes, and the factors where these were given."""
    if (size is None) == (scale_factor is None):
        raise SettingError("interpolate: give size or scale_factor, one of the two")
    given = scale_factor if size is None else size
    each = tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(image)
    if len(each) != len(image):
        raise SettingError(f"interpolate: {given!r} must be one number, or one for each of {len(image)} axes")
    factors: Sequence[float | None] = (None,) * len(image)
    into = each
    if size is None:
        factors = tuple(as_number("interpolate", "scale_factor", factor) for factor in each)
        into = tuple(_scaled(n, factor) for n, factor in zip(image, factors, strict=True))
    for new in into:
        whole = isinstance(new, (int, np.integer)) and not isinstance(new, bool)
        if not isinstance(new, Dim) and (not whole or new < 1):
            raise SettingError(f"interpolate: {given!r} of {str_shape(image)} gives no size of at least 1")
    return into, factors


def _scaled(size: Size, factor: float | None) -> Size:
    """floor(size * factor)."""
    if factor is None or not 0 < factor < math.inf:
        raise SettingError(f"interpolate: scale_factor must be above 0, not {factor!r}")
    if not isinstance(size, Dim):
        return math.floor(size * factor)
    top, bottom = factor.as_integer_ratio()
    if bottom > 2**20:  # a product of floats would round, and who knows which way
        raise UnknownSizeError(
            f"interpolate: how much {factor} times the size {size} is only a run knows; give size="
        )
    return size * top // bottom
