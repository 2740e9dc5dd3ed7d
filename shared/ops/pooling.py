"""Pooling over images N C H W, and over sequences N C L as images of height 1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import Dim, Size
from shared.errors import DTypeError, SettingError, ShapeError
from shared.kernels.pooling import pool, unpool, worth_pooling
from shared.kernels.scatter import zeroed
from shared.numerics.summing import average
from shared.op import ZERO, Op, Rule, array_module
from shared.ops.choosing import floating
from shared.ops.creation import ones
from shared.ops.shapes import as_tensor_like, expand_dims, squeeze
from shared.ops.windows import Pair, Window, fold, pair
from shared.spec import Operand, Spec, str_shape


def _check_image(call: str, x: Operand) -> None:
    if len(x.shape) != 4:
        raise ShapeError(f"{call}: x {str_shape(x.shape)} needs 4 axes, N C H W; add a batch axis?")


def _window(call: str, kernel: Any, stride: Any, padding: Any) -> tuple[Pair, Pair, Pair]:
    kernel, padding = pair(call, "kernel_size", kernel, 1), pair(call, "padding", padding, 0)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise SettingError(
            f"{call}: padding {padding} is more than half of the kernel {kernel}, so some windows "
            "would hold padding alone"
        )
    return kernel, kernel if stride is None else pair(call, "stride", stride, 1), padding


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
    _check_image("max_pool2d", x)
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
            lambda g, y, x, **geometry: _max_unpool2d(g[0], y[1], size=x.shape[2:], **geometry),
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


_max_unpool2d = Op(
    "max_unpool2d",
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
            lambda g, y, x, taps, **geometry: _max_unpool2d(g, taps, size=x.shape[2:], **geometry),
            reads="taps",
        ),
        ZERO,
    ],
    doc="Of each window over x the element that `taps` names: the adjoint of max_unpool2d.",
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


def max_pool2d(
    x: Any, kernel_size: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0,
    dilation: int | Pair = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window, as `torch.nn.functional.max_pool2d`.

    x (N, C, H, W), any real dtype; `stride` is the kernel's size unless given; padding counts as
    minus infinity. With `ceil_mode` a last window may hang over the edge. Of equal elements the
    first one gets the gradient; NaN is larger than all. With `return_indices`, also where each
    one stood in its flattened H*W image (int64).
    """
    kernel, step, padding = _window("max_pool2d", kernel_size, stride, padding)
    x, dilation = as_tensor_like(x), pair("max_pool2d", "dilation", dilation, 1)
    geometry = {
        "kernel": kernel, "stride": step, "padding": padding, "dilation": dilation, "ceil": bool(ceil_mode),
    }  # fmt: skip
    y, taps = _max_pool2d(x, **geometry)
    return (y, _tap_index(taps, size=x.shape[2:], **geometry)) if return_indices else y


# --- the mean ------------------------------------------------------------------------------


def _compute_sum_pool2d(x: Any, **geometry: Any) -> Any:
    window, image = Window(**geometry), x.shape[2:]
    output = window.output_size("avg_pool2d", image)
    y = array_module(x).zeros((*x.shape[:2], *output), x.dtype)
    for tap in window.taps(image, output):
        y[tap.output] += x[tap.image]
    return y


def _infer_sum_pool2d(x: Operand, **geometry: Any) -> Spec:
    _check_image("avg_pool2d", x)
    return Spec((*x.shape[:2], *Window(**geometry).output_size("avg_pool2d", x.shape[2:])), x.dtype)


def _compute_sum_unpool2d(g: Any, *, size: Pair, **geometry: Any) -> Any:
    n, c, *output = g.shape
    xp, window = array_module(g), Window(**geometry)
    columns = xp.broadcast_to(g[:, :, None, None], (n, c, *window.kernel, *output))
    return fold(columns, window, xp.zeros((n, c, *size), g.dtype))


_sum_pool2d = Op(
    "sum_pool2d",
    _compute_sum_pool2d,
    _infer_sum_pool2d,
    [Rule(lambda g, y, x, **geometry: _sum_unpool2d(g, size=x.shape[2:], **geometry))],
)

_sum_unpool2d = Op(
    "sum_unpool2d",
    _compute_sum_unpool2d,
    lambda g, *, size, **geometry: Spec((*g.shape[:2], *size), g.dtype),
    [Rule(lambda g, y, x, *, size, **geometry: _sum_pool2d(g, **geometry))],
)


def avg_pool2d(
    x: Any, kernel_size: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of each window, as `torch.nn.functional.avg_pool2d`.

    x (N, C, H, W); integers give float64. `stride` is the kernel's size unless given. Padding
    counts as zeros, or, without `count_include_pad`, does not count.
    """
    x = floating(x)
    kernel, step, padding = _window("avg_pool2d", kernel_size, stride, padding)
    geometry = {"kernel": kernel, "stride": step, "padding": padding}
    total = _sum_pool2d(x, **geometry)
    if count_include_pad or padding == (0, 0):
        return total / (kernel[0] * kernel[1])
    return total / _sum_pool2d(ones((1, 1, *x.shape[2:]), total.dtype, like=x), **geometry)


def _windows(size: int, count: int) -> list[slice]:
    """`count` windows that cover an axis evenly: from floor(i size / count) to the ceiling of
    (i + 1) size / count. Neighbours may share an element."""
    return [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


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
    _check_image("adaptive_avg_pool2d", x)
    if any(not isinstance(size, Dim) and size == 0 for size in x.shape[2:]):
        raise ShapeError(f"adaptive_avg_pool2d: x {str_shape(x.shape)} holds no pixels to take means of")
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


def adaptive_avg_pool2d(x: Any, output_size: int | tuple[int | None, int | None]) -> Any:
    """Means over OH x OW windows that cover the image evenly, whatever its size, as
    `torch.nn.functional.adaptive_avg_pool2d`.

    x (N, C, H, W), integers give float64; output_size OH, OW: one int for both or a pair, None
    for a size that shall stay. `adaptive_avg_pool2d(x, 1)` is global average pooling.
    """
    x = floating(x)
    call = "adaptive_avg_pool2d"
    asked = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    known = pair(call, "output_size", tuple(1 if size is None else size for size in asked), 1)
    _check_image(call, x)
    places: tuple[Size, ...] = tuple(x.shape[2 + i] if asked[i] is None else known[i] for i in (0, 1))
    return _adaptive_avg_pool2d(x, places=places)


# --- over sequences ------------------------------------------------------------------------


def _check_sequence(call: str, x: Operand) -> None:
    if len(x.shape) != 3:
        raise ShapeError(f"{call}: x {str_shape(tuple(x.shape))} needs 3 axes, N C L; add a batch axis?")


def max_pool1d(
    x: Any, kernel_size: int, stride: int | None = None, padding: int = 0, dilation: int = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of a sequence, as `torch.nn.functional.max_pool1d`.

    x (N, C, L). It is `max_pool2d` over images of height 1.
    """
    x = as_tensor_like(x)
    _check_sequence("max_pool1d", x)
    pooled = max_pool2d(
        expand_dims(x, 2), (1, kernel_size), None if stride is None else (1, stride), (0, padding),
        (1, dilation), ceil_mode, return_indices,
    )  # fmt: skip
    return tuple(squeeze(part, 2) for part in pooled) if return_indices else squeeze(pooled, 2)


def avg_pool1d(
    x: Any, kernel_size: int, stride: int | None = None, padding: int = 0,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of each window of a sequence, as `torch.nn.functional.avg_pool1d`.

    x (N, C, L). It is `avg_pool2d` over images of height 1.
    """
    x = as_tensor_like(x)
    _check_sequence("avg_pool1d", x)
    step = None if stride is None else (1, stride)
    return squeeze(avg_pool2d(expand_dims(x, 2), (1, kernel_size), step, (0, padding), count_include_pad), 2)
