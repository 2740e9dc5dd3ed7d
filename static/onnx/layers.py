"""Rows for what layers are made of: products, windows over images, normalisation, cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.dims import Dim, Shape, product

if TYPE_CHECKING:
    from static.onnx.writer import Writer

# --- products ------------------------------------------------------------------


def _linear(w: Writer, x: Any, weight: Any, bias: Any = None) -> str:
    given = w.given(*(v for v in (x, weight, bias) if v is not None))
    if x.ndim == 2 and w.dtype.kind == "f":
        return w("Gemm", *given, transB=1)
    y = w("MatMul", given[0], w("Transpose", given[1], perm=[1, 0]))
    return y if bias is None else w("Add", y, given[2])


def _linear_weight(w: Writer, x: Any, g: Any) -> str:
    rows, columns = (
        w("Reshape", name, w.shape((product(value.shape[:-1]), value.shape[-1])))
        for name, value in zip(w.given(x, g), (x, g), strict=True)
    )
    return w("MatMul", w("Transpose", columns, perm=[1, 0]), rows)


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
    if places == (1, 1):
        return w("GlobalAveragePool", y)
    for axis, size, count in zip((2, 3), x.shape[2:], places, strict=True):
        if count == size:
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


def _layer_norm(
    w: Writer, x: Any, weight: Any = None, bias: Any = None, *, shape: Shape, eps: float
) -> list[str]:
    if weight is None:
        one = w.constant(np.ones(1, w.dtype))
        given = [w.one(x), w("Expand", one, w.shape(shape))]
    else:
        given = w.given(*(v for v in (x, weight, bias) if v is not None))
    return [w("LayerNormalization", *given, axis=-len(shape), epsilon=eps)]


def _im2col(w: Writer, x: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """A convolution whose kernels each pick one place of one channel."""
    channels, taps = x.shape[1], kernel[0] * kernel[1]
    if isinstance(channels, Dim):
        raise w.refusal(f"the number of channels, {channels}, is not known; give a fixed one")
    picks = w.constant(np.tile(np.eye(taps, dtype=w.dtype).reshape(taps, 1, *kernel), (channels, 1, 1, 1)))
    y = w("Conv", w.one(x), picks, strides=stride, pads=padding * 2, dilations=dilation, group=channels)
    return w("Reshape", y, w.integers([0, channels * taps, -1]))


def _col2im(
    w: Writer, columns: Any, *, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> str:
    given = w.one(columns), w.shape(size), w.integers(kernel)
    return w("Col2Im", *given, strides=stride, pads=padding * 2, dilations=dilation)


def _einsum(w: Writer, *xs: Any, subscripts: str) -> str:
    """A size of 1 is stretched beforehand: ONNX's labels have one size each."""
    terms = subscripts.partition("->")[0].split(",")
    sizes: dict[str, Any] = {}
    for x, term in zip(xs, terms, strict=True):
        sizes.update((c, n) for c, n in zip(term, x.shape, strict=True) if sizes.get(c, 1) == 1)
    names = w.given(*xs)
    for i, (x, term) in enumerate(zip(xs, terms, strict=True)):
        full = tuple(sizes[c] for c in term)
        if full != x.shape:
            names[i] = w("Expand", names[i], w.shape(full))
    return w("Einsum", *names, equation=subscripts)


LAYERS: dict[str, Callable[..., Any]] = {
    "linear": _linear, "linear_input": lambda w, g, weight: w("MatMul", *w.given(g, weight)),
    "linear_weight": _linear_weight, "conv2d": _conv2d, "conv2d_input": _conv2d_input,
    "max_pool2d": _max_pool2d, "sum_pool2d": _sum_pool2d, "adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "layer_norm": _layer_norm, "im2col": _im2col, "col2im": _col2im, "einsum": _einsum,
    "tap_index": _tap_index,
    "tril": lambda w, x, *, diagonal: w("Trilu", w.one(x), w.scalar(diagonal), upper=0),
    "triu": lambda w, x, *, diagonal: w("Trilu", w.one(x), w.scalar(diagonal), upper=1),
}  # fmt: skip

# --- cells ---------------------------------------------------------------------------------


def _parts(w: Writer, z: str, count: int) -> list[str]:
    """The gates, which stand side by side."""
    return w("Split", z, axis=-1, num_outputs=count, outputs=count)


def _rnn_cell(w: Writer, zx: Any, zh: Any = None, *, nonlinearity: str) -> str:
    z = w.one(zx) if zh is None else w("Add", *w.given(zx, zh))
    return w("Tanh" if nonlinearity == "tanh" else "Relu", z)


def _lstm_cell(w: Writer, z: Any, c: Any) -> list[str]:
    z, c = w.given(z, c)
    i, f, n, o = _parts(w, z, 4)
    i, f, n, o = w("Sigmoid", i), w("Sigmoid", f), w("Tanh", n), w("Sigmoid", o)
    c_next = w("Add", w("Mul", f, c), w("Mul", i, n))
    return [w("Mul", o, w("Tanh", c_next)), c_next]


def _gru_cell(w: Writer, zx: Any, zh: Any, h: Any) -> list[str]:
    zx, zh, h = w.given(zx, zh, h)
    (xr, xu, xn), (hr, hu, hn) = _parts(w, zx, 3), _parts(w, zh, 3)
    r, u = w("Sigmoid", w("Add", xr, hr)), w("Sigmoid", w("Add", xu, hu))
    n = w("Tanh", w("Add", xn, w("Mul", r, hn)))
    return [w("Add", n, w("Mul", u, w("Sub", h, n)))]


LAYERS |= {"rnn_cell": _rnn_cell, "lstm_cell": _lstm_cell, "gru_cell": _gru_cell}
