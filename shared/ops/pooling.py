"""The largest element of each window: over images N C H W, sequences (images of height 1), and volumes
N C D H W, whose slices are pooled first, and what comes out then along the depth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, product
from shared.errors import DTypeError, SettingError, ShapeError
from shared.kernels.pooling import pool, unpool, worth_pooling
from shared.kernels.scatter import zeroed
from shared.op import ZERO, Op, Rule, array_module
from shared.ops.creation import arange
from shared.ops.lookup import gather
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, squeeze
from shared.ops.windows import Margins, Pair, Window, in_a_row, margins, pair, unbatched
from shared.spec import Operand, Spec, str_shape

SEQUENCES, IMAGES, VOLUMES = "N C L", "N C H W", "N C D H W"
Triple = tuple[int, int, int]


def check_axes(call: str, x: Operand, axes: str) -> None:
    """ShapeError unless x has axes of these names."""
    count = len(axes.split())
    if len(x.shape) != count:
        shape = str_shape(tuple(x.shape))
        raise ShapeError(f"{call}: x {shape} needs {count} axes, {axes}; add a batch axis?")


def pooling_window(
    call: str, image: Shape, kernel: Any, stride: Any, padding: Any, dilation: Any = 1
) -> tuple[Any, Any, Margins, Any]:
    """Kernel, stride, padding and dilation of a pooling over an image of that many axes."""
    axes = len(image)
    kernel = pair(call, "kernel_size", kernel, 1, axes)
    step = kernel if stride is None or stride == () else pair(call, "stride", stride, 1, axes)
    dilation = pair(call, "dilation", dilation, 1, axes)
    around = margins(call, padding, image, kernel, step, dilation)
    if padding != 0 and not isinstance(padding, str) and any(
        p + q > k if p == q else max(p, q) >= k for p, q, k in zip(*around, kernel, strict=True)
    ):
        listed = around.before if around.even else tuple(around)
        raise SettingError(
            f"{call}: padding {listed} is more than half of the kernel {kernel}, so some windows "
            "would hold padding alone"
        )
    return kernel, step, around, dilation


# --- the largest ---------------------------------------------------------------------------


def _lowest(dtype: np.dtype[Any]) -> float:
    """What padding must hold so that it is never larger than an element."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _compute_max_pool2d(x: Any, *, out: Any = (None, None), **geometry: Any) -> tuple[Any, Any]:
    xp, window = array_module(x), Window(**geometry)
    n, c, h, w = x.shape
    oh, ow = window.output_size("max_pool2d", (h, w))
    y = xp.empty((n, c, oh, ow), x.dtype) if out[0] is None else out[0]
    if worth_pooling(x, window):
        argmax = np.empty(y.shape, np.uint8) if out[1] is None else out[1]
        pool(x, window, y, argmax)
        return y, argmax
    taps = list(window.taps((h, w), (oh, ow)))
    y[...] = _lowest(x.dtype)
    for tap in taps:
        part = y[tap.output]
        np.maximum(part, x[tap.image], out=part)

    # Which one is the largest: the number of taps before the first that equals it.
    nans = x.dtype.kind == "f" and bool((y != y).any())
    chosen = zeroed(xp, y.shape, _tap_dtype(window), out[1])
    missed, unlike = xp.ones(y.shape, bool), xp.empty(y.shape, bool)
    for tap in taps[:-1]:
        values, part = x[tap.image], unlike[tap.output]
        if part.size != unlike.size:
            unlike[...] = True
        np.not_equal(values, y[tap.output], out=part)
        if nans:  # the first NaN is the largest
            part &= values == values
        missed &= unlike
        chosen += missed
    return y, chosen


def _tap_dtype(window: Window) -> np.dtype[Any]:
    """The smallest dtype that counts the elements of a kernel: mostly a byte."""
    return np.min_scalar_type(math.prod(window.kernel) - 1)


def _infer_max_pool2d(x: Operand, **geometry: Any) -> tuple[Spec, Spec]:
    check_axes("max_pool2d", x, IMAGES)
    if x.dtype.kind not in "fiu":
        raise DTypeError(f"max_pool2d: x must hold real numbers, not {x.dtype}; cast it first")
    window = Window(**geometry)
    for size, step in zip(x.shape[2:], window.dilation, strict=True):
        if not isinstance(size, Dim) and step > size > 0:
            raise ShapeError(
                f"max_pool2d: dilation {window.dilation} steps over the whole image "
                f"{str_shape(x.shape[2:])}; use a smaller one"
            )
    shape = (*x.shape[:2], *window.output_size("max_pool2d", x.shape[2:]))
    return Spec(shape, x.dtype), Spec(shape, _tap_dtype(window))


_max_pool2d = Op(
    "max_pool2d",
    _compute_max_pool2d,
    _infer_max_pool2d,
    [
        Rule(
            lambda g, y, x, **geometry: _max_pool2d_input(g[0], y[1], size=x.shape[2:], **geometry),
            reads="taps",
        )
    ],
    outputs=("y", "taps"),
    constant=("taps",),
    out=True,
    check=True,
    doc="The largest element of each window, and which one it was, counted through the kernel: what the\n"
    "gradient reads, in a byte where an index into the image takes eight.",
)


def _compute_max_pick2d(x: Any, taps: Any, **geometry: Any) -> Any:
    xp = array_module(x)
    y = xp.zeros(taps.shape, x.dtype)
    for k, tap in enumerate(Window(**geometry).taps(x.shape[2:], taps.shape[2:])):
        chosen, part = taps[tap.output] == k, y[tap.output]
        xp.copyto(part, x[tap.image], where=chosen)
    return y


_max_pool2d_input = Op(
    "max_pool2d_input",
    lambda g, taps, *, size, out=None, **geometry: unpool(g, taps, Window(**geometry), size, out),
    lambda g, taps, *, size, **geometry: Spec((*g.shape[:2], *size), g.dtype),
    [Rule(lambda gx, y, g, taps, *, size, **geometry: _max_pick2d(gx, taps, **geometry), reads="taps"), ZERO],
    out=True,
    doc="Each element of g added to the element of an image (N, C, *size) that its window chose.",
)

_max_pick2d = Op(
    "max_pick2d",
    _compute_max_pick2d,
    lambda x, taps, **geometry: Spec(taps.shape, x.dtype),
    [
        Rule(
            lambda g, y, x, taps, **geometry: _max_pool2d_input(g, taps, size=x.shape[2:], **geometry),
            reads="taps",
        ),
        ZERO,
    ],
    doc="Of each window over x the element that `taps` names: the adjoint of max_pool2d_input.",
)


def _compute_tap_index(taps: Any, *, size: Pair, **geometry: Any) -> Any:
    xp, window = array_module(taps), Window(**geometry)
    oh, ow = taps.shape[2:]
    (down, across), (rows, columns) = window.corners((oh, ow)), window.offsets()
    index = xp.take(xp.asarray(rows * size[1] + columns), taps)
    index += xp.asarray(down * size[1])[:, None] + xp.asarray(across)
    return index


_tap_index = Op(
    "tap_index",
    _compute_tap_index,
    lambda taps, *, size, **geometry: Spec(taps.shape, np.dtype(np.int64)),
    [ZERO],
    doc="Where the element that a window chose stands in its flattened H*W image.",
)


@unbatched(4)
def max_pool2d(
    x: Any, kernel_size: int | Pair, stride: int | Pair | None = None, padding: Any = 0,
    dilation: int | Pair = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window, as `torch.nn.functional.max_pool2d`.

    x (N, C, H, W) or one (C, H, W), any real dtype; `stride` is the kernel's size unless given. Padding,
    which is said as that of `conv2d`, counts as minus infinity. With `ceil_mode` a last window may
    hang over the edge. Of equal elements the first one gets the gradient; NaN is larger than all.
    With `return_indices`, also where each one stood in its flattened H*W image (int64).
    """
    x = as_tensor_like(x)
    check_axes("max_pool2d", x, IMAGES)
    window = pooling_window("max_pool2d", x.shape[2:], kernel_size, stride, padding, dilation)
    y, index = _largest(x, *window, bool(ceil_mode), return_indices)
    return (y, index) if return_indices else y


def _largest(
    x: Any, kernel: Any, stride: Any, around: Margins, dilation: Any, ceil: bool, indexed: bool
) -> tuple[Any, Any]:
    """The largest elements of images, and, if they shall be `indexed`, where they stood."""
    geometry = {
        "kernel": kernel, "stride": stride, "padding": around.before, "dilation": dilation, "ceil": ceil,
        **({} if around.even else {"far": around.behind}),
    }  # fmt: skip
    y, taps = _max_pool2d(x, **geometry)
    return y, _tap_index(taps, size=x.shape[2:], **geometry) if indexed else None


@unbatched(3)
def max_pool1d(
    x: Any, kernel_size: int, stride: int | None = None, padding: Any = 0, dilation: int = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of a sequence, as `torch.nn.functional.max_pool1d`.

    x (N, C, L) or one (C, L). It is `max_pool2d` over images of height 1.
    """
    x = as_tensor_like(x)
    check_axes("max_pool1d", x, SEQUENCES)
    pooled = max_pool2d(
        expand_dims(x, 2), in_a_row(kernel_size, 1), in_a_row(stride, 1), in_a_row(padding, 0),
        in_a_row(dilation, 1), ceil_mode, return_indices,
    )  # fmt: skip
    return tuple([squeeze(part, 2) for part in pooled]) if return_indices else squeeze(pooled, 2)


@unbatched(5)
def max_pool3d(
    x: Any, kernel_size: int | Triple, stride: int | Triple | None = None, padding: Any = 0,
    dilation: int | Triple = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of a volume, as `torch.nn.functional.max_pool3d`.

    x (N, C, D, H, W) or one (C, D, H, W). Else as `max_pool2d`; indices are those in the flattened
    D*H*W volume.
    """
    x = as_tensor_like(x)
    check_axes("max_pool3d", x, VOLUMES)
    kernel, step, (before, behind), apart = pooling_window(
        "max_pool3d", x.shape[2:], kernel_size, stride, padding, dilation
    )
    how = bool(ceil_mode), return_indices

    def within(slices: Any) -> tuple[Any, Any]:
        return _largest(slices, kernel[1:], step[1:], Margins(before[1:], behind[1:]), apart[1:], *how)

    def through(columns: Any) -> tuple[Any, Any]:
        around = Margins((before[0], 0), (behind[0], 0))
        return _largest(columns, (kernel[0], 1), (step[0], 1), around, (apart[0], 1), *how)

    return largest_in_volumes(x, within, through, return_indices)


Pooling = Callable[[Any], tuple[Any, Any]]


def largest_in_volumes(x: Any, within: Pooling, through: Pooling, indexed: bool) -> Any:
    """The largest elements of volumes, and, if they shall be `indexed`, where they stood: `within` finds
    them, and their places, in the slices of a volume, images (N, C D, H, W), `through` among those, images
    (N, C, D, OH OW)."""
    n, c, d, h, w = x.shape
    y, place = within(reshape(x, (n, c * d, h, w)))
    oh, ow = y.shape[2:]
    y, which = through(reshape(y, (n, c, d, oh * ow)))
    shape = (n, c, y.shape[2], oh, ow)
    y = reshape(y, shape)
    if not indexed:
        return y
    slices = reshape(arange(d, like=x), (d, 1)) * (h * w)
    places = reshape(reshape(place, (n, c, d, oh * ow)) + slices, (n, c, d * oh * ow))
    return y, reshape(gather(places, reshape(which, (n, c, product(shape[2:]))), 2), shape)
