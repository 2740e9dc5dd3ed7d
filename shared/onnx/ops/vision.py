"""Images: places to read them at, regions, boxes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from shared import ops
from shared.errors import OnnxError
from shared.onnx.table import onnx_op
from shared.onnx.values import ints
from shared.ops.sampling import grid_sample as sampled

MODES = {"linear": "bilinear", "cubic": "bicubic", "bilinear": "bilinear", "bicubic": "bicubic"}


@onnx_op("GridSample", since=16)
def grid_sample(
    x: Any, grid: Any, *, align_corners: int = 0, mode: str = "linear", padding_mode: str = "zeros"
) -> Any:
    """Elements of images, or volumes, at places from -1 to 1."""
    return ops.cast(sampled(x, grid, MODES.get(mode, mode), padding_mode, bool(align_corners)), x.dtype)


@onnx_op("AffineGrid", since=20, known=("size",))
def affine_grid(theta: Any, size: Any, *, align_corners: int = 0) -> Any:
    """The places at which a moved image is read."""
    return ops.affine_grid(theta, ints(size), bool(align_corners))


@onnx_op("RoiAlign", since=10)
def old_roi_align(
    x: Any, boxes: Any, numbers: Any, *, mode: str = "avg", output_height: int = 1, output_width: int = 1,
    sampling_ratio: int = 0, spatial_scale: float = 1.0,
) -> Any:  # fmt: skip
    """With pixels' corners at whole numbers."""
    return roi_align(
        x, boxes, numbers, coordinate_transformation_mode="output_half_pixel", mode=mode,
        output_height=output_height, output_width=output_width, sampling_ratio=sampling_ratio,
        spatial_scale=spatial_scale,
    )  # fmt: skip


@onnx_op("RoiAlign", since=16)
def roi_align(
    x: Any, boxes: Any, numbers: Any, *, coordinate_transformation_mode: str = "half_pixel",
    mode: str = "avg", output_height: int = 1, output_width: int = 1, sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
) -> Any:  # fmt: skip
    """Regions of images as small images of one size (He et al. 2017)."""
    if mode != "avg":
        raise OnnxError(f"RoiAlign: the mode {mode!r} has no words here; the mean, 'avg', has")
    rows = ops.concatenate([ops.cast(ops.expand_dims(numbers, 1), boxes.dtype), boxes], 1)
    return ops.roi_align(
        x, rows, (output_height, output_width), spatial_scale, sampling_ratio if sampling_ratio > 0 else -1,
        coordinate_transformation_mode == "half_pixel",
    )  # fmt: skip


@onnx_op("Col2Im", since=18, known=("image_shape", "block_shape"))
def col2im(
    x: Any,
    image_shape: Any,
    block_shape: Any,
    *,
    dilations: Any = None,
    pads: Any = None,
    strides: Any = None,
) -> Any:
    """The sum of blocks, each put where it was taken from: (N, C * block, L), of any number of axes."""
    image, block = ints(image_shape), ints(block_shape)
    axes = len(image)
    holes, steps = dilations or (1,) * axes, strides or (1,) * axes
    around = pads or (0,) * 2 * axes
    padded = [image[i] + around[i] + around[axes + i] for i in range(axes)]
    count = [(padded[i] - holes[i] * (block[i] - 1) - 1) // steps[i] + 1 for i in range(axes)]
    n, size = x.shape[0], int(np.prod(block))
    channels = x.shape[1] // size
    places = np.zeros((1,) * 2 * axes, np.int64)  # block's axes, then those of the blocks' places
    for i in range(axes):
        shape = [1] * 2 * axes
        shape[i], shape[axes + i] = block[i], count[i]
        along = np.arange(block[i])[:, None] * holes[i] + np.arange(count[i])[None] * steps[i]
        places = places * padded[i] + along.reshape(shape)
    flat = ops.reshape(x, (n, channels, -1))
    whole = ops.zeros((n, channels, int(np.prod(padded))), x.dtype, like=x)
    index = ops.zeros((n, channels, 1), "int64", like=x) + places.reshape(1, 1, -1)
    y = ops.reshape(ops.scatter_add(whole, index, flat, 2), (n, channels, *padded))
    widths = [(0, 0), (0, 0), *((-around[i], -around[axes + i]) for i in range(axes))]
    return ops.pad(y, widths)


@onnx_op("NonMaxSuppression", since=10)
def non_max_suppression(
    boxes: Any,
    scores: Any,
    most: Any = None,
    overlap: Any = None,
    least: Any = None,
    *,
    center_point_box: int = 0,
) -> Any:
    """Boxes in the order of their scores, without those that cover too much of a better one: rows (image,
    class, box).
    """
    if most is None:
        return np.zeros((0, 3), np.int64)
    order = ops.argsort(scores, -1, True)
    ranked = ops.gather(scores, order, 2)
    corners = _corners(boxes, bool(center_point_box))
    n, classes, count = scores.shape
    places = ops.reshape(order, (n, classes * count, 1))
    sorted_boxes = ops.gather(corners, ops.broadcast_to(places, (n, classes * count, 4)), 1)
    sorted_boxes = ops.reshape(sorted_boxes, (n, classes, count, 4))
    limit = ops.reshape(ops.cast(most, "int64"), ())
    shared = np.zeros((), scores.dtype) if overlap is None else ops.reshape(overlap, ())
    good = ops.equal(ranked, ranked) if least is None else ops.greater(ranked, ops.reshape(least, ()))

    def step(carry: Any, given: Any) -> Any:
        kept, number = carry
        box, fits, i = given
        covered = ops.greater(_overlap(ops.expand_dims(box, 2), sorted_boxes), shared)
        free = ops.logical_not(ops.any(ops.logical_and(covered, kept), -1))
        taken = ops.logical_and(ops.logical_and(fits, free), ops.less(number, limit))
        here = ops.equal(ops.arange(count, dtype="int64", like=box), i)
        kept = ops.logical_or(kept, ops.logical_and(here, ops.expand_dims(taken, -1)))
        return [kept, number + ops.cast(taken, "int64")], []

    steps = ops.arange(count, dtype="int64", like=scores)
    none = ops.not_equal(scores, scores)
    first = [ops.logical_and(none, ops.logical_not(none)), ops.zeros((n, classes), "int64", like=scores)]
    xs = (ops.moveaxis(sorted_boxes, 2, 0), ops.moveaxis(good, 2, 0), steps)
    (kept, _), _ = ops.scan(step, first, xs)
    image, kind, place = ops.nonzero(kept)
    return ops.stack([image, kind, ops.getitem(order, (image, kind, place))], 1)


def _corners(boxes: Any, centred: bool) -> Any:
    """(y1, x1, y2, x2), the smaller first; of (x, y, width, height), halves of the size around the centre."""
    a, b = ops.getitem(boxes, (..., slice(0, 2))), ops.getitem(boxes, (..., slice(2, 4)))
    if centred:
        a, b = ops.sub(a, ops.div(b, 2)), ops.add(a, ops.div(b, 2))
    return ops.concatenate([ops.minimum(a, b), ops.maximum(a, b)], -1)


def _overlap(a: Any, b: Any) -> Any:
    """The area that boxes share, as a part of what both cover; 0 where one has none."""

    def end(x: Any, i: int) -> Any:
        return ops.getitem(x, (..., i))

    def area(x: Any) -> Any:
        return (end(x, 2) - end(x, 0)) * (end(x, 3) - end(x, 1))

    down = ops.minimum(end(a, 2), end(b, 2)) - ops.maximum(end(a, 0), end(b, 0))
    across = ops.minimum(end(a, 3), end(b, 3)) - ops.maximum(end(a, 1), end(b, 1))
    both = ops.maximum(down, 0) * ops.maximum(across, 0)
    union = area(a) + area(b) - both
    real = ops.greater(both, 0)
    return ops.where(real, both, 0.0) / ops.where(real, union, 1.0)


@onnx_op("DeformConv", since=19, weights=("weight", "bias"))
def deform_conv(
    x: Any, weight: Any, offset: Any, bias: Any = None, mask: Any = None, *, dilations: Any = None,
    group: int = 1, kernel_shape: Any = None, offset_group: int = 1, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """A convolution whose taps are moved (Dai et al. 2017), and weighted by `mask` (Zhu et al. 2019)."""
    kernel = tuple(weight.shape[2:])
    if len(kernel) != 2:
        raise OnnxError(f"DeformConv: has words here for images, not for {len(kernel)} axes")
    (kh, kw), (sh, sw), (dh, dw) = kernel, strides or (1, 1), dilations or (1, 1)
    top, left = (pads or (0,) * 4)[:2]
    n, channels, height, width = x.shape
    oh, ow = offset.shape[2:]
    moved = ops.reshape(offset, (n, offset_group, kh * kw, 2, oh, ow))
    taps = np.stack(np.meshgrid(np.arange(kh) * dh, np.arange(kw) * dw, indexing="ij"), -1).reshape(-1, 2)
    rows = ops.reshape(ops.arange(oh, dtype=x.dtype, like=x), (-1, 1)) * sh - top
    columns = ops.arange(ow, dtype=x.dtype, like=x) * sw - left
    at_y = ops.getitem(moved, (slice(None), slice(None), slice(None), 0)) + rows
    at_x = ops.getitem(moved, (slice(None), slice(None), slice(None), 1)) + columns
    at_y = at_y + taps[:, 0].reshape(-1, 1, 1).astype(x.dtype)
    at_x = at_x + taps[:, 1].reshape(-1, 1, 1).astype(x.dtype)
    rows = ops.reshape(x, (n, offset_group, channels // offset_group, height * width))
    read = _bilinear(rows, at_y, at_x, height, width)
    if mask is not None:
        read = read * ops.reshape(mask, (n, offset_group, 1, kh * kw, oh, ow))
    parts = ops.reshape(read, (n, group, channels // group * kh * kw, oh * ow))
    w = ops.reshape(weight, (1, group, weight.shape[0] // group, channels // group * kh * kw))
    y = ops.reshape(ops.matmul(w, parts), (n, weight.shape[0], oh, ow))
    return y if bias is None else y + ops.reshape(bias, (1, -1, 1, 1))


def _bilinear(rows: Any, y: Any, x: Any, height: Any, width: Any) -> Any:
    """Images (N, G, C, H W) at places (N, G, taps, OH, OW): 0 outside of them."""
    low_y, low_x = ops.floor(y), ops.floor(x)
    total: Any = None
    for step_y in (0, 1):
        for step_x in (0, 1):
            at_y, at_x = low_y + step_y, low_x + step_x
            weight = (1 - ops.abs(y - at_y)) * (1 - ops.abs(x - at_x))
            inside = [ops.greater_equal(p, 0) for p in (at_y, at_x)]
            inside += [ops.less(at_y, height), ops.less(at_x, width)]
            weight = ops.where(functools.reduce(ops.logical_and, inside), weight, 0.0)
            place = ops.clip(at_y, 0, height - 1) * width + ops.clip(at_x, 0, width - 1)
            place = ops.reshape(ops.cast(place, "int64"), (*place.shape[:2], 1, -1))
            seen = ops.gather(rows, ops.broadcast_to(place, (*rows.shape[:3], place.shape[3])), 3)
            seen = ops.reshape(seen, (*rows.shape[:3], *y.shape[2:])) * ops.expand_dims(weight, 2)
            total = seen if total is None else total + seen
    return total
