"""Pooling, over one, two or three axes, and what undoes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.dims import product
from shared.onnx.table import onnx_op
from shared.onnx.values import ints
from shared.onnx.windows import Windows, geometry

MEAN = {1: ops.avg_pool1d, 2: ops.avg_pool2d, 3: ops.avg_pool3d}
MAX = {1: ops.max_pool1d, 2: ops.max_pool2d, 3: ops.max_pool3d}


def single(values: tuple[Any, ...]) -> Any:
    """What pooling takes for each axis: over sequences one number."""
    return values[0] if len(values) == 1 and not isinstance(values[0], tuple) else list(values)


def _covered(x: Any, window: Windows, ceil: int) -> list[int]:
    """How much more has to stand behind x for the last windows, which hang over with `ceil`."""
    more = []
    for n, k, s, d, (before, behind) in zip(
        x.shape[2:], window.kernel, window.strides, window.dilations, window.pads, strict=True
    ):
        span = n + before + behind - d * (k - 1) - 1
        places = span // s
        if ceil:
            places = -(-span // s)
            places = places - (places * s >= n + before)
        more.append((places * s - span) if ceil else 0)
    return more


def _wide(window: Windows) -> bool:
    """Whether more is put around x than half of a window."""
    sides = zip(window.pads, window.kernel, strict=True)
    return any(isinstance(p, int) and p > k // 2 for pads, k in sides for p in pads)


def _bordered(x: Any, window: Windows) -> tuple[Any, Windows]:
    """x with the least of its dtype around it, and the windows that then stand on it."""
    least = -np.inf if x.dtype.kind == "f" else int(np.iinfo(x.dtype).min)
    bare = Windows(window.kernel, window.strides, window.dilations, ((0, 0),) * len(window.kernel))
    return ops.pad(x, [(0, 0), (0, 0), *window.pads], value=least), bare


@onnx_op("MaxPool")
def max_pool(
    x: Any, *, auto_pad: str = "NOTSET", ceil_mode: int = 0, dilations: Any = None, kernel_shape: Any,
    pads: Any = None, storage_order: int = 0, strides: Any = None, outputs: int = 1,
) -> Any:  # fmt: skip
    """The largest element of each window, and where it stood in the whole array."""
    image = tuple(x.shape[2:])
    window = geometry(image, kernel_shape, auto_pad, pads, strides, dilations)
    dtype = x.dtype
    pool = MAX[len(image)]
    if outputs == 1 and _wide(window):  # our pooling has no windows of padding alone
        x, window = _bordered(x, window)
    given = (x, single(window.kernel), single(window.strides), [*window.pads], single(window.dilations))
    made = pool(*given, bool(ceil_mode), outputs > 1)
    y, index = made if outputs > 1 else (made, None)
    y = ops.cast(y, dtype) if y.dtype != dtype else y
    if index is None:
        return y
    if storage_order:  # columns first
        rest, moved, stride = index, 0, 1
        for size in reversed(image):
            part, rest = ops.remainder(rest, size), ops.floor_divide(rest, size)
            moved = moved + part * (product(image) // (stride * size))
            stride = stride * size
        index = moved
    n, c = x.shape[:2]
    starts = ops.reshape(ops.arange(n * c, dtype="int64", like=x), (n, c) + (1,) * len(image))
    return y, ops.add(index, starts * product(image))


def _sums(x: Any, window: Windows, ceil: int) -> Any:
    """The sum of each window, with zeros around x."""
    more = _covered(x, window, ceil)
    widths = [(0, 0), (0, 0), *((a, b + m) for (a, b), m in zip(window.pads, more, strict=True))]
    x = ops.pad(x, widths)
    for axis, (k, s, d) in enumerate(zip(window.kernel, window.strides, window.dilations, strict=True), 2):
        count = (x.shape[axis] - d * (k - 1) - 1) // s + 1
        total: Any = None
        for tap in range(k):
            place: list[Any] = [slice(None)] * len(x.shape)
            place[axis] = slice(tap * d, tap * d + (count - 1) * s + 1, s)
            part = ops.getitem(x, tuple(place))
            total = part if total is None else ops.add(total, part)
        x = total
    return x


@onnx_op("AveragePool")
def average_pool(
    x: Any, *, auto_pad: str = "NOTSET", ceil_mode: int = 0, count_include_pad: int = 0,
    dilations: Any = None, kernel_shape: Any, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """The mean of each window; what is put around x counts with `count_include_pad`."""
    image = tuple(x.shape[2:])
    window = geometry(image, kernel_shape, auto_pad, pads, strides, dilations)
    if not ceil_mode and all(d == 1 for d in window.dilations) and x.dtype.kind == "f" and not _wide(window):
        return MEAN[len(image)](
            x, single(window.kernel), single(window.strides), [*window.pads],
            count_include_pad=bool(count_include_pad),
        )  # fmt: skip
    ones = ops.ones((1, 1, *image), x.dtype, like=x)
    if count_include_pad:
        ones = ops.pad(ones, [(0, 0), (0, 0), *window.pads], value=1)
        bare = Windows(window.kernel, window.strides, window.dilations, ((0, 0),) * len(image))
        whole = ops.pad(ones, [(0, 0), (0, 0), *((0, m) for m in _covered(x, window, ceil_mode))])
        counts = _sums(whole, bare, 0)
    else:
        counts = _sums(ones, window, ceil_mode)
    return ops.div(_sums(x, window, ceil_mode), counts)


@onnx_op("LpPool", since=2)
def lp_pool(
    x: Any, *, auto_pad: str = "NOTSET", ceil_mode: int = 0, dilations: Any = None, kernel_shape: Any,
    p: int = 2, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """The p-norm of each window."""
    window = geometry(tuple(x.shape[2:]), kernel_shape, auto_pad, pads, strides, dilations)
    return ops.pow(_sums(ops.pow(ops.abs(x), p), window, ceil_mode), 1 / p)


def _axes(x: Any) -> tuple[int, ...]:
    return tuple(range(2, len(x.shape)))


@onnx_op("GlobalAveragePool")
def global_average_pool(x: Any) -> Any:
    """The mean of each channel."""
    return ops.mean(x, _axes(x), True)


@onnx_op("GlobalMaxPool")
def global_max_pool(x: Any) -> Any:
    """The largest of each channel."""
    return ops.max(x, _axes(x), True)


@onnx_op("GlobalLpPool", since=2)
def global_lp_pool(x: Any, *, p: int = 2) -> Any:
    """The p-norm of each channel."""
    return ops.pow(ops.sum(ops.pow(ops.abs(x), p), _axes(x), True), 1 / p)


@onnx_op("MaxUnpool", known=("output_shape",))
def max_unpool(
    x: Any, index: Any, output_shape: Any = None, *, kernel_shape: Any, pads: Any = None, strides: Any = None
) -> Any:
    """Zeros, but where MaxPool found its elements."""
    count = len(kernel_shape)
    steps, pads = strides or (1,) * count, pads or (0,) * 2 * count
    sizes = [
        (n - 1) * s + k - pads[i] - pads[count + i]
        for i, (n, s, k) in enumerate(zip(x.shape[2:], steps, kernel_shape, strict=True))
    ]
    made = (*x.shape[:2], *sizes)
    wanted = made if output_shape is None else ints(output_shape)
    index = ops.cast(index, "int64")
    if output_shape is not None:  # the indices are of the smaller image
        rest, stride, moved = index, 1, 0
        for small, large in zip(reversed(made), reversed(wanted), strict=True):
            moved = moved + ops.remainder(rest, small) * stride
            rest, stride = ops.floor_divide(rest, small), stride * large
        index = moved
    nothing = ops.zeros((product(tuple(wanted)),), x.dtype, like=x)
    flat = ops.scatter(nothing, ops.reshape(index, (-1,)), ops.reshape(x, (-1,)), 0)
    return ops.reshape(flat, wanted)
