"""Images and volumes read at places of one's choice: grid_sample, affine_grid, roi_align.

Places are read by indexing, and weighed by how near they are, so gradients by image and by place follow.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Size, same_size
from shared.errors import SettingError, ShapeError
from shared.op import ZERO, Op, array_module
from shared.ops.choosing import (
    cast,
    clip,
    equal,
    floating,
    gate,
    greater_equal,
    isnan,
    less,
    less_equal,
    logical_and,
    maximum,
    minimum,
    where,
)
from shared.ops.creation import arange, full
from shared.ops.elementwise import add, ceil, floor, mul, reciprocal, round
from shared.ops.indexing import EVERY, getitem
from shared.ops.joining import concatenate
from shared.ops.ranges import at_least
from shared.ops.reductions import sum
from shared.ops.resizing import cubic_weights
from shared.ops.shapes import as_sizes, expand_dims, reshape, sized, transpose
from shared.ops.windows import Pair, pair
from shared.spec import Spec, as_number, sizes_match, str_shape

# --- grid_sample ---------------------------------------------------------------------------

SAMPLES = {"bilinear": (2, 3), "nearest": (2, 3), "bicubic": (2,)}
"""How many axes beside N C each mode is for."""
OUTSIDE = ("zeros", "border", "reflection")


def _extents(image: Any, dtype: Any, like: Any) -> list[Any]:
    """The sizes of an image as numbers beside it, with which places can be compared that are no Tensors."""
    return [full((), size, dtype, like=like) for size in image]


def _brought_in(at: Any, size: Any, outside: str, aligned: bool) -> Any:
    """Coordinates of an axis, those outside brought back unless zeros stand there. At the edges and beyond
    no gradient goes to the place, as in PyTorch."""
    if outside == "zeros":
        return at
    if outside == "reflection":
        low, span = (0.0, maximum(size - 1, 1)) if aligned else (-0.5, size)
        way = where(less(at, low), low - at, at - low)
        turns = floor(way / span)
        rest = way - turns * span
        at = where(equal(turns - floor(turns / 2) * 2, 0), rest, span - rest) + low
    return where(less_equal(at, 0), 0.0, where(less(at, size - 1), at, size - 1))


def grid_sample(
    x: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool = False
) -> Any:
    """`x` read at the places that `grid` names, as `torch.nn.functional.grid_sample` (Jaderberg et al. 2015).

    x (N, C, H, W) and grid (N, OH, OW, 2), or (N, C, D, H, W) and (N, OD, OH, OW, 3); gives (N, C, OH, OW)
    or (N, C, OD, OH, OW). A place is (across, down), or (across, down, deep), from -1 to 1: the edges
    of the image or, with `align_corners`, the centres of its outer elements; NaN is taken as -1.

    mode          "bilinear" (of volumes trilinear), "nearest" (halves to even), or, of images, "bicubic"
    padding_mode  what is outside: "zeros", the "border", or the image's "reflection"

    Integers give float64. Has gradients by x and by grid. Raises ShapeError where the two do not go
    together, SettingError for modes.
    """
    x, grid = floating(x), floating(grid)
    axes = len(x.shape) - 2
    given = f"grid_sample: x {str_shape(tuple(x.shape))} with grid {str_shape(tuple(grid.shape))}"
    if axes not in (2, 3) or len(grid.shape) != axes + 2 or not sizes_match(grid.shape[-1], axes):
        raise ShapeError(f"{given}: they must be N C H W and N OH OW 2, or N C D H W and N OD OH OW 3")
    if not sizes_match(x.shape[0], grid.shape[0]):
        raise ShapeError(f"{given}: there must be a grid for each image; broadcast_to one for all?")
    grid = sized("grid_sample: grid", grid, -1, axes)
    if axes not in SAMPLES.get(mode, ()) or padding_mode not in OUTSIDE:
        modes = ", ".join(name for name, ranks in SAMPLES.items() if axes in ranks)
        raise SettingError(
            f"grid_sample: mode must be one of {modes} and padding_mode one of {', '.join(OUTSIDE)}, "
            f"not {mode!r} and {padding_mode!r}"
        )
    n, image = x.shape[0], _extents(x.shape[2:], grid.dtype, x)
    rows = transpose(x, (0, *range(2, axes + 2), 1))
    batch = reshape(arange(n, like=x), (n, *(1,) * axes))
    grid = where(isnan(grid), -1.0, grid)
    at = []
    for axis, size in enumerate(image):
        part = getitem(grid, (..., axes - 1 - axis)) + 1
        if not same_size(n, grid.shape[0]):  # a run finds out
            part = reshape(part, (n, *part.shape[1:]))
        at.append(part * (size - 1) / 2 if align_corners else (part * size - 1) / 2)

    def brought_in(places: Sequence[Any]) -> list[Any]:
        return [_brought_in(p, n, padding_mode, align_corners) for p, n in zip(places, image, strict=True)]

    def read(places: Sequence[Any]) -> Any:
        index = [cast(clip(p, 0, n - 1), np.int64) for p, n in zip(places, image, strict=True)]
        seen = getitem(rows, (batch, *index))
        if padding_mode != "zeros":
            return seen
        within = [logical_and(greater_equal(p, 0), less(p, n)) for p, n in zip(places, image, strict=True)]
        return gate(seen, expand_dims(functools.reduce(logical_and, within), -1))

    if mode == "nearest":
        y = read([round(place) for place in brought_in(at)])
    else:
        at = at if mode == "bicubic" else brought_in(at)
        before = [floor(place) for place in at]
        apart = [place - low for place, low in zip(at, before, strict=True)]
        if mode == "bicubic":
            weights = [dict(enumerate(cubic_weights(t), -1)) for t in apart]
        else:
            weights = [{0: 1 - t, 1: t} for t in apart]
        terms = []
        for steps in itertools.product(*weights):
            places = [low + step for low, step in zip(before, steps, strict=True)]
            weight = functools.reduce(mul, [w[step] for w, step in zip(weights, steps, strict=True)])
            seen = read(brought_in(places) if mode == "bicubic" else places)
            terms.append(seen * expand_dims(weight, -1))
        y = functools.reduce(add, terms)
    return transpose(y, (0, axes + 1, *range(1, axes + 1)))


def affine_grid(theta: Any, size: Sequence[Size], align_corners: bool = False) -> Any:
    """The places at which `grid_sample` reads an image that an affine map moves, as
    `torch.nn.functional.affine_grid`.

    theta (N, 2, 3), size (N, C, OH, OW), gives (N, OH, OW, 2); of volumes theta (N, 3, 4), size (N, C, OD,
    OH, OW), gives (N, OD, OH, OW, 3). Each place is theta times (across, down, 1) of the result's own.
    """
    theta, sizes = floating(theta), as_sizes("affine_grid", size)
    axes = len(sizes) - 2
    fits = axes in (2, 3) and len(theta.shape) == 3
    if not fits or not all(map(sizes_match, theta.shape, (sizes[0], axes, axes + 1))):
        raise ShapeError(
            f"affine_grid: theta {str_shape(tuple(theta.shape))} and size {str_shape(sizes)} must be "
            "(N, 2, 3) and (N, C, H, W), or (N, 3, 4) and (N, C, D, H, W)"
        )
    for axis, count in enumerate((sizes[0], axes, axes + 1)):
        theta = sized("affine_grid: theta", theta, axis, count)
    ends = (theta.shape[0], *(1,) * axes, axes)
    y = reshape(getitem(theta, (EVERY, EVERY, axes)), ends)
    for axis, count in enumerate(sizes[2:]):
        i = arange(0, count, dtype=theta.dtype, like=theta)
        line = (i * 2 - (count - 1)) / (at_least(count - 1, 1) if align_corners else count)
        moved = reshape(getitem(theta, (EVERY, EVERY, axes - 1 - axis)), ends)
        y = y + moved * reshape(line, (count, *(1,) * (axes - axis)))
    return y


# --- regions of interest -------------------------------------------------------------------


def _compute_up_to(counts: Any) -> Any:
    return array_module(counts).arange(int(counts.max()) if counts.size else 0)


up_to = Op(
    "up_to",
    _compute_up_to,
    lambda counts: Spec((Dim(),), np.dtype(np.int64)),
    [ZERO],
    doc="The integers from 0 up to, and without, the largest of `counts`; how many, only a run knows.",
)


def _samples(start: Any, length: Any, places: int, ratio: int, size: Any) -> list[tuple[Any, Any]]:
    """Where an axis of that size is read for K regions on it, and by what weights: for the elements before
    and behind each sample, (K, places, S). A region is divided in `places`, and each of them in `ratio`
    samples, or, if that is not above 0, in as many as it is elements long."""
    start, step = (reshape(part, (-1, 1, 1)) for part in (start, length / places))
    p = reshape(arange(0, places, dtype=start.dtype, like=start), (places, 1))
    if ratio > 0:
        s, count = arange(0, ratio, dtype=start.dtype, like=start), ratio
        share = full((), 1 / ratio, start.dtype, like=start)
    else:
        counts = cast(ceil(step), np.int64)
        s, count = cast(up_to(counts), start.dtype), maximum(cast(counts, start.dtype), 1)
        share = where(less(s, counts), reciprocal(count), 0.0)
    at = start + step * (p + (s + 0.5) / count)
    share = where(logical_and(greater_equal(at, -1), less_equal(at, size)), share, 0.0)
    at = clip(at, 0, size - 1)
    before = floor(at)
    low, high = (cast(place, np.int64) for place in (before, minimum(before + 1, size - 1)))
    return [(low, (1 - (at - before)) * share), (high, (at - before) * share)]


def roi_align(
    x: Any, boxes: Any, output_size: int | Pair, spatial_scale: float = 1.0, sampling_ratio: int = -1,
    aligned: bool = False,
) -> Any:  # fmt: skip
    """Regions of images, each as one small image of the same size, as `torchvision.ops.roi_align` (He et
    al. 2017, Mask R-CNN).

    x (N, C, H, W); boxes (K, 5), rows (number of the image, x1, y1, x2, y2), or for each image (L, 4); gives
    (K, C, OH, OW). Coordinates are multiplied by `spatial_scale`. Each of OH x OW bins is the mean of
    `sampling_ratio` samples each way, or, if that is not above 0, of as many as the bin is pixels long; a
    sample is bilinear, and 0 beyond a pixel outside of the image. With `aligned` pixels' centres are at
    halves; without it a box is at least a pixel long. Has gradients by x and by the corners of boxes, which
    torchvision leaves out. Raises RangeError for an image that is not there.
    """
    x = floating(x)
    if isinstance(boxes, (tuple, list)) and boxes and all(hasattr(part, "shape") for part in boxes):
        each = [(i, floating(part)) for i, part in enumerate(boxes)]
        boxes = concatenate(
            [concatenate([full((b.shape[0], 1), i, b.dtype, like=b), b], axis=1) for i, b in each]
        )
    boxes = floating(boxes)
    if len(x.shape) != 4 or len(boxes.shape) != 2 or not sizes_match(boxes.shape[1], 5):
        raise ShapeError(
            f"roi_align: x {str_shape(tuple(x.shape))} and boxes {str_shape(tuple(boxes.shape))} must be "
            "(N, C, H, W) and (K, 5), or for each image (L, 4)"
        )
    boxes = sized("roi_align: boxes", boxes, 1, 5)
    places = pair("roi_align", "output_size", output_size, 1)
    scale, shift = as_number("roi_align", "spatial_scale", spatial_scale), 0.5 if aligned else 0.0
    if isinstance(sampling_ratio, bool) or not isinstance(sampling_ratio, (int, np.integer)):
        raise SettingError(f"roi_align: sampling_ratio must be an int, not {sampling_ratio!r}")

    image = _extents(x.shape[2:], boxes.dtype, x)

    def on(axis: int) -> list[tuple[Any, Any]]:
        start, end = (getitem(boxes, (EVERY, i)) * scale - shift for i in (2 - axis, 4 - axis))
        length = end - start if aligned else maximum(end - start, 1.0)
        return _samples(start, length, places[axis], int(sampling_ratio), image[axis])

    rows = transpose(x, (0, 2, 3, 1))
    number = reshape(cast(getitem(boxes, (EVERY, 0)), np.int64), (-1, 1, 1, 1, 1))
    terms = []
    for (row, of_row), (column, of_column) in itertools.product(on(0), on(1)):
        seen = getitem(rows, (number, expand_dims(row, (3, 4)), expand_dims(column, (1, 2))))
        terms.append(seen * expand_dims(of_row, (3, 4, 5)) * expand_dims(of_column, (1, 2, 5)))
    return transpose(sum(functools.reduce(add, terms), (2, 4)), (0, 3, 1, 2))
