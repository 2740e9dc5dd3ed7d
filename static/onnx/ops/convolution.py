"""Rows for convolutions, and for the columns of images that they can be made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Dim
from static.onnx.writer import Row, Writer


def _conv2d(
    w: Writer, x: Any, weight: Any, bias: Any = None, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> str:
    given = w.given(*(v for v in (x, weight, bias) if v is not None))
    return w("Conv", *given, strides=stride, pads=padding * 2, dilations=dilation, group=groups)


def _conv2d_input(
    w: Writer, g: Any, weight: Any, *, size: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> str:
    """The transposed convolution. What a stride rounded off is padding of the output."""
    spans = [dilation[i] * (weight.shape[2 + i] - 1) + 1 for i in (0, 1)]
    extra = [size[i] - (g.shape[2 + i] - 1) * stride[i] + 2 * padding[i] - spans[i] for i in (0, 1)]
    if any(isinstance(part, Dim) for part in extra):
        raise w.refusal("how much a stride rounded off is not known; give the images a fixed size")
    return w(
        "ConvTranspose", *w.given(g, weight), strides=stride, pads=padding * 2, dilations=dilation,
        group=groups, output_padding=extra,
    )  # fmt: skip


def _im2col(w: Writer, x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """A convolution whose kernels each pick one place of one channel."""
    channels, taps = x.shape[1], kernel[0] * kernel[1]
    if isinstance(channels, Dim) or isinstance(taps, Dim):
        raise w.refusal(f"the number of channels, {channels}, or the kernel, {kernel}, is not known; fix it")
    picks = w.constant(np.tile(np.eye(taps, dtype=w.dtype).reshape(taps, 1, *kernel), (channels, 1, 1, 1)))
    y = w("Conv", w.one(x), picks, strides=stride, pads=padding * 2, dilations=dilation, group=channels)
    return w("Reshape", y, w.integers([0, channels * taps, -1]))


def _col2im(
    w: Writer, columns: Any, *, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> str:
    if any(isinstance(part, Dim) for part in kernel):
        raise w.refusal(f"the kernel, {kernel}, is not known; give a fixed one")
    given = w.one(columns), w.shape(size), w.integers(kernel)
    return w("Col2Im", *given, strides=stride, pads=padding * 2, dilations=dilation)


CONVOLUTION: dict[str, Row] = {
    "conv2d": _conv2d, "conv2d_input": _conv2d_input, "im2col": _im2col, "col2im": _col2im,
}  # fmt: skip
