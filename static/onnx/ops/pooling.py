"""Rows for pooling."""

from __future__ import annotations

from typing import Any

from shared.dims import Dim, same_shape, same_size
from static.onnx.writer import Row, Writer


def _max_pool2d(
    w: Writer, x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> list[str]:
    move = {"kernel_shape": kernel, "strides": stride, "pads": padding * 2, "dilations": dilation}
    if w.node.outputs[1] not in w.used:
        return [w("MaxPool", w.one(x), **move, ceil_mode=int(ceil))]
    y, index = w("MaxPool", w.one(x), **move, ceil_mode=int(ceil), outputs=2)
    return [y, w("Mod", index, w.scalar(x.shape[2] * x.shape[3]))]  # ONNX counts through all images


def _tap_index(w: Writer, taps: Any, **move: Any) -> str:
    """What ONNX's pooling gives instead of taps is an index already."""
    if taps.node.op.name != "max_pool2d":
        raise w.refusal("ONNX knows where the largest element stood only in the pooling that found it")
    return w.one(taps)


def _sum_pool2d(w: Writer, x: Any, *, kernel: Any, stride: Any, padding: Any) -> str:
    mean = w(
        "AveragePool", w.one(x), kernel_shape=kernel, strides=stride, pads=padding * 2, count_include_pad=1
    )
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


POOLING: dict[str, Row] = {
    "max_pool2d": _max_pool2d, "tap_index": _tap_index, "sum_pool2d": _sum_pool2d,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d,
}  # fmt: skip
