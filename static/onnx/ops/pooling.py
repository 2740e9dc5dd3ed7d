"""Rows for pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Dim, same_shape, same_size
from static.onnx.writer import Row, Writer


def _max_pool2d(
    w: Writer, x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, far: Any = None
) -> list[str]:
    indexed = w.node.outputs[1] in w.used
    if indexed and any(isinstance(part, Dim) for part in (*padding, *(far or ()))):
        raise w.refusal("how much an image is padded is not known, nor so the places in it; fix its size")
    ahead = False
    if ceil and not any(isinstance(n, Dim) for n in (*x.shape[2:], *padding, *(far or ()))):
        behind, counted = _hanging_over(w, x, kernel, stride, padding, dilation)
        small = all(pad < k for pad, k in zip(behind, kernel, strict=True))  # larger ones runtimes refuse
        if small or not indexed:
            far, ceil, ahead = behind, False, not small
        elif not counted:
            raise w.refusal(
                f"a window that hangs {behind} over the edge is more than ONNX pads for a kernel {kernel}, "
                "and in an image that is padded before all places are others; leave out return_indices"
            )
    image, pads = _padded(w, x, padding, far, -np.inf, ahead)
    move = {"kernel_shape": kernel, "strides": stride, "pads": pads, "dilations": dilation}
    if not indexed:
        return [w("MaxPool", image, **move, ceil_mode=int(ceil))]
    y, index = w("MaxPool", image, **move, ceil_mode=int(ceil), outputs=2)
    return [y, w("Mod", index, w.scalar(x.shape[2] * x.shape[3]))]  # ONNX counts through all images


def _hanging_over(
    w: Writer, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> tuple[tuple[int, ...], bool]:
    """How far the last windows go on behind an image, and whether ONNX's checker counts as many of them: by
    its `ceil_mode` also one that would begin there."""
    behind, agrees = [], True
    sizes = w.node.outputs[0].shape[2:], x.shape[2:], kernel, stride, padding, dilation
    for count, n, k, s, p, d in zip(*sizes, strict=True):
        span = d * (k - 1) + 1
        behind.append(max((count - 1) * s + span - n - p, 0))
        agrees = agrees and count == -(-(n + 2 * p - span) // s) + 1
    return tuple(behind), agrees


def _tap_index(w: Writer, taps: Any, **move: Any) -> str:
    """What ONNX's pooling gives instead of taps is an index already."""
    if taps.node.op.name != "max_pool2d":
        raise w.refusal("ONNX knows where the largest element stood only in the pooling that found it")
    return w.one(taps)


def _padded(
    w: Writer, x: Any, padding: Any, far: Any, value: float, ahead: bool = False
) -> tuple[str, Any]:
    """The images, and how pooling is to pad them: before all axes, then behind. If a run alone knows how
    much, or `ahead`, they are padded before it."""
    far = padding if far is None else far
    if not ahead and not any(isinstance(part, Dim) for part in padding + far):
        return w.one(x), padding + far
    return w("Pad", w.one(x), w.shape((0, 0, *padding, 0, 0, *far)), w.one(value)), (0,) * 4


def _sum_pool2d(w: Writer, x: Any, *, kernel: Any, stride: Any, padding: Any, far: Any = None) -> str:
    image, pads = _padded(w, x, padding, far, 0.0)
    mean = w("AveragePool", image, kernel_shape=kernel, strides=stride, pads=pads, count_include_pad=1)
    return w("Mul", mean, w.one(kernel[0] * kernel[1]))


def _adaptive_avg_pool2d(w: Writer, x: Any, *, places: Any) -> str:
    """Window by window, first down the image and then across it."""
    y = w.one(x)
    if same_shape(places, (1, 1)):
        return w("GlobalAveragePool", y)
    for axis, size, count in zip((2, 3), x.shape[2:], places, strict=True):
        if same_size(count, size):
            continue
        if isinstance(count, Dim):
            raise w.refusal(f"the number of windows, {count}, is not known; give a fixed one")
        means = []
        for i in range(count):
            ends = w.size(i * size // count), w.size(-(-(i + 1) * size // count))
            window = w("Slice", y, *ends, w.integers([axis]))
            means.append(w("ReduceMean", window, w.integers([axis]), keepdims=1))
        y = w("Concat", *means, axis=axis)
    return y


def _adaptive_max_pool2d(w: Writer, x: Any, *, places: Any) -> Any:
    """Window by window, first across the image and then down it, with the places of the largest."""
    y, at = w.one(x), ""
    for axis, size, count in zip((3, 2), x.shape[:1:-1], places[::-1], strict=True):
        if same_size(count, size):  # each window is one element
            every = w("Range", w.scalar(0), w.scalar(size), w.scalar(1))
            found = w("Expand", w("Unsqueeze", every, w.integers(range(1, 4 - axis))), w("Shape", y))
        elif isinstance(count, Dim):
            raise w.refusal(f"the number of windows, {count}, is not known; give a fixed one")
        else:
            largest, chosen = [], []
            for i in range(count):
                start, stop = w.size(i * size // count), w.size(-(-(i + 1) * size // count))
                window = w("Slice", y, start, stop, w.integers([axis]))
                first = w("ArgMax", window, axis=axis, keepdims=1)
                largest.append(w("GatherElements", window, first, axis=axis))
                chosen.append(w("Add", first, start))
            y, found = w("Concat", *largest, axis=axis), w("Concat", *chosen, axis=axis)
        if axis == 3:
            at = found
        else:
            column = w("GatherElements", at, found, axis=2)
            at = w("Add", w("Mul", found, w.size(x.shape[3])), column)
    return [y, at]


POOLING: dict[str, Row] = {
    "max_pool2d": _max_pool2d, "tap_index": _tap_index, "sum_pool2d": _sum_pool2d,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d, "adaptive_max_pool2d": _adaptive_max_pool2d,
}  # fmt: skip
