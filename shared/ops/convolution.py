"""2-d convolution as three ops, each the derivative of the others.

    conv2d(x, w)            what the layer computes
    conv2d_input(g, w)      its gradient by x (the transposed convolution)
    conv2d_weight(x, g)     its gradient by w

All three are bilinear, so their rules close over each other and every order of derivative
exists. Arrays are N C H W, weights O C KH KW (C over groups), in C order.

The columns of an image (im2col) are laid out (C*KH*KW, N*OH*OW), so that each of the three is
one matrix product per group over the whole batch, not one per image.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shared.dims import Dim, Size
from shared.errors import SettingError, ShapeError
from shared.op import Op, Rule, array_module
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like
from shared.spec import Operand, Spec, promote, sizes_match, str_shape

Pair = tuple[int, int]


def pair(call: str, name: str, value: Any, least: int) -> Pair:
    """A setting for height and width: one int for both, or a pair."""
    both = (value, value) if isinstance(value, int) else tuple(value)
    if len(both) != 2 or any(isinstance(v, bool) or not isinstance(v, int) or v < least for v in both):
        raise SettingError(f"{call}: {name} must be an int or a pair, each at least {least}, not {value!r}")
    return both


class Window(NamedTuple):
    """How a window moves over an image."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)

    def out_size(self, size: Size, axis: int) -> Size:
        """How many places the window takes along an axis (0 height, 1 width)."""
        span = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        return (size + 2 * self.padding[axis] - span) // self.stride[axis] + 1

    def taps(self, oh: int, ow: int) -> Any:
        """For each place in the kernel: (kh, kw) and the strided part of the padded image."""
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.stride, self.dilation
        for i in range(kh):
            for j in range(kw):
                rows = slice(i * dh, i * dh + (oh - 1) * sh + 1, sh)
                cols = slice(j * dw, j * dw + (ow - 1) * sw + 1, sw)
                yield (i, j), (Ellipsis, rows, cols)


def pad_image(x: Any, padding: Pair, value: float) -> Any:
    """`x` with `value` around its last two axes; `x` itself where there is no padding."""
    ph, pw = padding
    if ph == 0 and pw == 0:
        return x
    n, c, h, w = x.shape
    padded = array_module(x).full((n, c, h + 2 * ph, w + 2 * pw), value, x.dtype)
    padded[:, :, ph : ph + h, pw : pw + w] = x
    return padded


def _columns(x: Any, window: Window, oh: int, ow: int) -> Any:
    """im2col: (C*KH*KW, N*OH*OW)."""
    n, c = x.shape[:2]
    padded = pad_image(x, window.padding, 0).transpose(1, 0, 2, 3)
    columns = array_module(x).empty((c, *window.kernel, n, oh, ow), x.dtype)
    for (i, j), part in window.taps(oh, ow):
        columns[:, i, j] = padded[part]
    return columns.reshape(-1, n * oh * ow)


def _image(columns: Any, window: Window, n: int, c: int, size: Pair, oh: int, ow: int) -> Any:
    """col2im: what `_columns` took apart, added up again; (N, C, H, W)."""
    (h, w), (ph, pw) = size, window.padding
    parts = columns.reshape(c, *window.kernel, n, oh, ow)
    xp = array_module(columns)
    padded = xp.zeros((c, n, h + 2 * ph, w + 2 * pw), columns.dtype)
    for (i, j), part in window.taps(oh, ow):
        padded[part] += parts[:, i, j]
    inner = padded[:, :, ph : ph + h, pw : pw + w]
    return xp.ascontiguousarray(inner.transpose(1, 0, 2, 3))


def _grouped(a: Any, b: Any, groups: int) -> Any:
    """`a @ b` with the rows of `a` and of `b` cut into groups; the results under each other."""
    if groups == 1:
        return a @ b
    rows = a.reshape(groups, a.shape[0] // groups, -1) @ b.reshape(groups, b.shape[0] // groups, -1)
    return rows.reshape(-1, b.shape[1])


def _channels_first(y: Any) -> Any:
    """(N, O, OH, OW) as a matrix (O, N*OH*OW)."""
    return y.transpose(1, 0, 2, 3).reshape(y.shape[1], -1)


def _compute_conv2d(x: Any, w: Any, b: Any = None, *, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Any:
    window = Window(w.shape[2:], stride, padding, dilation)
    oh, ow = window.out_size(x.shape[2], 0), window.out_size(x.shape[3], 1)
    y = _grouped(w.reshape(w.shape[0], -1), _columns(x, window, oh, ow), groups)
    if b is not None:
        y = np.add(y, b[:, None], out=y if b.dtype == y.dtype else None)
    y = y.reshape(w.shape[0], x.shape[0], oh, ow)
    return array_module(x).ascontiguousarray(y.transpose(1, 0, 2, 3))


def _infer_conv2d(
    x: Operand, w: Operand, b: Operand | None = None,
    *, stride: Pair, padding: Pair, dilation: Pair, groups: int,
) -> Spec:  # fmt: skip
    given = f"conv2d: x {str_shape(x.shape)} with weight {str_shape(w.shape)}"
    if len(x.shape) != 4 or len(w.shape) != 4:
        raise ShapeError(f"{given}: both need 4 axes, N C H W and O C KH KW; add a batch axis?")
    if not sizes_match(x.shape[1], w.shape[1] * groups):
        raise ShapeError(
            f"{given}: x has {x.shape[1]} channels, the weight takes {w.shape[1] * groups} "
            f"({w.shape[1]} in each of {groups} group(s))"
        )
    if w.shape[0] % groups:
        raise ShapeError(f"{given}: {w.shape[0]} output channels do not go into {groups} groups")
    if b is not None and tuple(b.shape) != (w.shape[0],):
        raise ShapeError(f"{given}: bias {str_shape(b.shape)} must have shape ({w.shape[0]},)")
    window = Window(w.shape[2:], stride, padding, dilation)
    oh, ow = window.out_size(x.shape[2], 0), window.out_size(x.shape[3], 1)
    if any(not isinstance(size, Dim) and size < 1 for size in (oh, ow)):
        raise ShapeError(
            f"{given}: the kernel does not fit into the image with padding {padding} and "
            f"dilation {dilation}; pad more, or use a smaller kernel"
        )
    dtype = promote(x, w) if b is None else promote(x, w, b)
    return Spec((x.shape[0], w.shape[0], oh, ow), dtype)


def _compute_conv2d_input(
    g: Any, w: Any, *, size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Any:
    window = Window(w.shape[2:], stride, padding, dilation)
    n, _, oh, ow = g.shape
    o, c = w.shape[0], w.shape[1] * groups
    turned = w.reshape(groups, o // groups, -1).swapaxes(1, 2)
    turned = turned[0] if groups == 1 else turned.reshape(-1, o // groups)
    return _image(_grouped(turned, _channels_first(g), groups), window, n, c, size, oh, ow)


def _compute_conv2d_weight(
    x: Any, g: Any, *, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Any:
    window = Window(kernel, stride, padding, dilation)
    columns, rows = _columns(x, window, *g.shape[2:]), _channels_first(g)
    o, c = g.shape[1], x.shape[1] // groups
    if groups == 1:
        return (rows @ columns.T).reshape(o, c, *kernel)
    rows = rows.reshape(groups, o // groups, -1)
    columns = columns.reshape(groups, c * kernel[0] * kernel[1], -1)
    return (rows @ columns.swapaxes(1, 2)).reshape(o, c, *kernel)


_conv2d = Op(
    "conv2d",
    _compute_conv2d,
    _infer_conv2d,
    [
        Rule(
            lambda g, y, x, w, b=None, **move: _conv2d_input(g, w, size=x.shape[2:], **move),
            reads="w",
        ),
        Rule(
            lambda g, y, x, w, b=None, **move: _conv2d_weight(x, g, kernel=w.shape[2:], **move),
            reads="x",
        ),
        Rule(lambda g, y, x, w, b=None, **move: sum(g, (0, 2, 3))),
    ],
)

_conv2d_input = Op(
    "conv2d_input",
    _compute_conv2d_input,
    lambda g, w, *, size, groups, **_: Spec((g.shape[0], w.shape[1] * groups, *size), promote(g, w)),
    [
        Rule(lambda gx, y, g, w, *, size, **move: _conv2d(gx, w, **move), reads="w"),
        Rule(
            lambda gx, y, g, w, *, size, **move: _conv2d_weight(gx, g, kernel=w.shape[2:], **move),
            reads="g",
        ),
    ],
)

_conv2d_weight = Op(
    "conv2d_weight",
    _compute_conv2d_weight,
    lambda x, g, *, kernel, groups, **_: Spec(
        (g.shape[1], x.shape[1] // groups, *kernel), promote(x, g)
    ),
    [
        Rule(
            lambda gw, y, x, g, *, kernel, **move: _conv2d_input(g, gw, size=x.shape[2:], **move),
            reads="g",
        ),
        Rule(lambda gw, y, x, g, *, kernel, **move: _conv2d(x, gw, **move), reads="x"),
    ],
)


def conv2d(
    x: Any, weight: Any, bias: Any = None, stride: int | Pair = 1, padding: int | Pair = 0,
    dilation: int | Pair = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Cross-correlation over images, as `torch.nn.functional.conv2d`.

    x (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) or None; gives (N, O, OH, OW)
    with OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1, and OW alike. ShapeError
    where channels do not agree or the kernel does not fit; SettingError for settings.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    if not isinstance(groups, int) or groups < 1:
        raise SettingError(f"conv2d: groups must be an int of at least 1, not {groups!r}")
    move = {
        "stride": pair("conv2d", "stride", stride, 1),
        "padding": pair("conv2d", "padding", padding, 0),
        "dilation": pair("conv2d", "dilation", dilation, 1),
        "groups": groups,
    }
    arrays = (x, weight) if bias is None else (x, weight, bias)
    return _conv2d(*arrays, **move)
