"""Resize and Upsample: each axis by itself, an element being a few elements of x, each times its weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim, same_size
from shared.errors import OnnxError
from shared.onnx.table import onnx_op
from shared.onnx.values import check_room, ints
from shared.ops.resizing import cubic_weights


@dataclass(frozen=True)
class Axis:
    """How one axis is resized.

    number  which axis it is
    into    its new size
    scale   by how much it grows: a number, or None where the sizes say it
    roi     which part of x is resized, from and to, where a part is
    """

    number: int
    into: Any
    scale: float | None
    roi: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class How:
    """What a node says of all axes: see ONNX."""

    mode: str
    nearest: str
    coordinates: str
    cubic: float
    outside: bool
    beyond: float
    antialias: bool


@onnx_op("Resize", since=11, known=("roi", "scales", "sizes"))
def resize(
    x: Any, roi: Any = None, scales: Any = None, sizes: Any = None, *, antialias: int = 0, axes: Any = None,
    coordinate_transformation_mode: str = "half_pixel", cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0, extrapolation_value: float = 0.0, keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest", nearest_mode: str = "round_prefer_floor",
) -> Any:  # fmt: skip
    """x in another size: by `scales`, or into `sizes`."""
    how = How(
        mode, nearest_mode, coordinate_transformation_mode, cubic_coeff_a, bool(exclude_outside),
        extrapolation_value, bool(antialias),
    )  # fmt: skip
    rank = len(x.shape)
    numbers = [axis % rank for axis in (range(rank) if axes is None else axes)]
    image = [x.shape[number] for number in numbers]
    into, factors = _targets(image, scales, sizes, keep_aspect_ratio_policy)
    parts = _regions(roi, len(numbers))
    dtype = x.dtype
    check_room("Resize", into, dtype)
    y = x if how.mode == "nearest" else ops.cast(x, "float64" if dtype == np.float64 else "float32")
    for number, size, factor, part, before in zip(numbers, into, factors, parts, image, strict=True):
        if same_size(size, before) and factor in (None, 1.0) and part == (0.0, 1.0):
            continue
        y = _resized(y, Axis(number, size, factor, part), how)
    if y.dtype != dtype:
        if dtype.kind in "iu":
            info = np.iinfo(dtype)
            y = ops.clip(ops.round(y), float(info.min), float(info.max))
        y = ops.cast(y, dtype)
    return y


@onnx_op("Resize", since=10, known=("scales",))
def old_resize(x: Any, scales: Any, *, mode: str = "nearest") -> Any:
    """Of opset 10."""
    return _upsampled(x, scales, mode)


@onnx_op("Upsample", since=9, known=("scales",))
def upsample(x: Any, scales: Any, *, mode: str = "nearest") -> Any:
    """x in a larger size."""
    return _upsampled(x, scales, mode)


@onnx_op("Upsample", since=7)
def old_upsample(x: Any, *, scales: Any, mode: str = "nearest") -> Any:
    """The same, by an attribute."""
    return _upsampled(x, np.asarray(scales), mode)


def _upsampled(x: Any, scales: Any, mode: str) -> Any:
    return resize(
        x, None, scales, coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        mode="linear" if mode == "bilinear" else mode,
    )  # fmt: skip


def _targets(
    image: Sequence[Any], scales: Any, sizes: Any, policy: str
) -> tuple[list[Any], list[float | None]]:
    """The new sizes, and by how much each axis grows."""
    if sizes is None or not sizes.size:
        if scales is None or len(scales) != len(image):
            raise OnnxError(f"Resize: needs scales or sizes, {len(image)} of them")
        factors = [float(scale) for scale in scales]
        return [_scaled(n, factor) for n, factor in zip(image, factors, strict=True)], list(factors)
    wanted = list(ints(sizes))
    if len(wanted) != len(image):
        raise OnnxError(f"Resize: needs {len(image)} sizes, not {len(wanted)}")
    if policy == "stretch":
        return wanted, [None] * len(image)
    if any(isinstance(n, Dim) for n in (*image, *wanted)):
        raise OnnxError(f"Resize: which size is {policy} can't be told of sizes that are not known")
    pick = min if policy == "not_larger" else max
    scale = pick(new / old for new, old in zip(wanted, image, strict=True))
    return [int(scale * n + 0.5) for n in image], [scale] * len(image)


def _scaled(size: Any, factor: float) -> Any:
    if not 0 < factor < math.inf:
        raise OnnxError(f"Resize: a scale must be above 0, not {factor}")
    if not isinstance(size, Dim):
        return math.floor(size * factor)
    top, bottom = factor.as_integer_ratio()
    return size * top // bottom


def _regions(roi: Any, count: int) -> list[tuple[float, float]]:
    if roi is None or not roi.size:
        return [(0.0, 1.0)] * count
    return [(float(roi[i]), float(roi[count + i])) for i in range(count)]


def _places(x: Any, axis: Axis, how: How) -> Any:
    """Where on x's axis each element of the result is."""
    size, into, scale = _number(x, x.shape[axis.number]), axis.into, axis.scale
    i = ops.arange(0, into, dtype="float64", like=x)
    width = _number(x, into) if scale is None else size * scale
    one = isinstance(width, (int, float)) and width == 1
    if how.coordinates == "align_corners":
        if one:
            return i * 0
        return i * (size - 1) / (width - 1)
    if how.coordinates == "tf_crop_and_resize":
        start, end = axis.roi
        if one:
            return i * 0 + (start + end) * (size - 1) / 2
        return i * (end - start) * (size - 1) / (width - 1) + start * (size - 1)
    if how.coordinates == "asymmetric":
        return i * size / into if scale is None else i / scale
    at = ((i + 0.5) * size / into if scale is None else (i + 0.5) / scale) - 0.5
    if how.coordinates == "half_pixel":
        return at
    if how.coordinates == "pytorch_half_pixel":
        return i * 0 - 0.5 if one else at
    if how.coordinates == "half_pixel_symmetric":
        return at if scale is None else at + size / 2 * (1 - _number(x, into) / width)
    raise OnnxError(f"Resize: there is no coordinate_transformation_mode {how.coordinates!r}")


def _number(x: Any, size: Any) -> Any:
    """A size as a number to compute with."""
    return ops.ones((), "float64", like=x) * size if isinstance(size, Dim) else size


def _resized(x: Any, axis: Axis, how: How) -> Any:
    """x with one axis resized."""
    size, number = x.shape[axis.number], axis.number
    at = _places(x, axis, how)
    apart = (axis.into, *(1,) * (len(x.shape) - 1 - number))
    if how.mode == "nearest":
        y = ops.take(x, ops.clip(ops.cast(_nearest(at, how.nearest), "int64"), 0, size - 1), number)
    elif how.antialias and _shrinks(axis, size):
        y = _smoothed(x, at, axis, how)
    else:
        before = ops.floor(at)
        t, before = at - before, ops.cast(before, "int64")
        first, weights = (-1, cubic_weights(t, how.cubic)) if how.mode == "cubic" else (0, [1 - t, t])
        places = [before + step for step in range(first, first + len(weights))]
        if how.outside:
            within = [ops.logical_and(ops.greater_equal(p, 0), ops.less(p, size)) for p in places]
            weights = [ops.where(held, w, 0.0) for held, w in zip(within, weights, strict=True)]
            total = sum(weights[1:], weights[0])
            weights = [w / total for w in weights]
        y = None
        for place, weight in zip(places, weights, strict=True):
            part = ops.take(x, ops.clip(place, 0, size - 1), number) * ops.reshape(
                ops.cast(weight, x.dtype), apart
            )
            y = part if y is None else y + part
    if how.coordinates == "tf_crop_and_resize":
        inside = ops.logical_and(ops.greater_equal(at, 0), ops.less_equal(at, size - 1))
        y = ops.where(ops.reshape(inside, apart), y, np.asarray(how.beyond, y.dtype))
    return y


def _nearest(at: Any, how: str) -> Any:
    if how == "round_prefer_floor":
        return ops.ceil(at - 0.5)
    if how == "round_prefer_ceil":
        return ops.floor(at + 0.5)
    return ops.floor(at) if how == "floor" else ops.ceil(at)


def _shrinks(axis: Axis, size: Any) -> bool:
    if axis.scale is not None:
        return axis.scale < 1
    return isinstance(size, Dim) or isinstance(axis.into, Dim) or axis.into < size


def _smoothed(x: Any, at: Any, axis: Axis, how: How) -> Any:
    """x with an axis made smaller by a kernel as wide as the new elements: a product with a matrix of
    weights. What is beyond x's ends is like its outermost elements, or has no weight.
    """
    size, into = x.shape[axis.number], axis.into
    if isinstance(size, Dim) or isinstance(into, Dim):
        raise OnnxError("Resize: with antialias, sizes must be known when the graph is built")
    scale = min(axis.scale if axis.scale is not None else into / size, 1.0)
    reach = math.ceil((2 if how.mode == "cubic" else 1) / scale) + 1
    places = np.arange(-reach, size + reach)
    d = (
        np.abs((places[None] - np.asarray(at)[:, None]) * scale)
        if isinstance(at, np.ndarray)
        else ops.abs((places[None] - ops.expand_dims(at, 1)) * scale)
    )
    if how.mode == "cubic":
        a = how.cubic
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        weight = ops.where(d <= 1, near, ops.where(d < 2, far, 0.0))
    else:
        weight = ops.clip(1 - d, 0.0, 1.0)
    if how.outside:
        weight = ops.where((places >= 0) & (places < size), weight, 0.0)
    weight = ops.cast(weight / ops.sum(weight, axis=1, keepdims=True), x.dtype)
    rows = ops.moveaxis(ops.take(x, np.clip(places, 0, size - 1), axis.number), axis.number, -1)
    return ops.moveaxis(ops.matmul(rows, ops.swapaxes(weight, 0, 1)), -1, axis.number)
