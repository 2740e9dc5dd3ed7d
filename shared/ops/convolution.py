"""2-d convolution as three ops, each the derivative of the others.

    conv2d(x, w)            what the layer computes
    conv2d_input(g, w)      its gradient by x (the transposed convolution)
    conv2d_weight(x, g)     its gradient by w

All three are bilinear, so their rules close over each other and every order of derivative
exists. Arrays are N C H W, weights O C KH KW (C over groups), in C order.

What the window sees of some images is laid out as columns (C KH KW, N OH OW), so that each of
the three is a matrix product per group. Columns hold every pixel KH KW times over, so they are made
for a block of images after the other, in the same memory, which stays in the processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from shared.dims import Dim
from shared.errors import SettingError, ShapeError
from shared.kernels.scatter import zeroed
from shared.op import Op, Rule, array_module
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, squeeze
from shared.ops.windows import Pair, Window, cut, glue, pair
from shared.spec import Operand, Spec, promote, sizes_match, str_shape

# --- the three products --------------------------------------------------------------------

BLOCK = 1 << 21
"""Bytes of the columns of one block of images and of their product: what caches hold beside."""
PLACES = 1024
"""How many of the window's places a product has at least, if there are as many: with fewer, calls
and the adding up of products (of the weight) cost more than memory in the cache saves."""


def _blocks(n: int, rows: int, places: Pair, dtype: Any) -> Iterator[slice]:
    """The images cut into blocks; `rows`: of the columns and of the product. By sizes alone, so
    that every sum has one order on every machine."""
    area = places[0] * places[1]
    size = max(BLOCK // max(rows * area * dtype.itemsize, 1), -(-PLACES // area))
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _columns(x: Any, window: Window, places: Pair, o: int, groups: int) -> Iterator[tuple[slice, Any]]:
    """Blocks of images, and what the window sees of each: (groups, C / groups KH KW, N OH OW).
    The memory is that of the block before."""
    n, c = x.shape[:2]
    rows = c * math.prod(window.kernel)
    columns = None
    for block in _blocks(n, rows + o, places, x.dtype):
        count = block.stop - block.start
        if columns is None or columns.shape[3] != count:
            columns = array_module(x).empty((c, *window.kernel, count, *places), x.dtype)
        cut(x[block], window, columns.transpose(3, 0, 1, 2, 4, 5))
        yield block, columns.reshape(groups, rows // groups, count * places[0] * places[1])


def _rows(g: Any, groups: int) -> Any:
    """(N, O, OH, OW) as matrices (groups, O / groups, N OH OW)."""
    n, o, oh, ow = g.shape
    return g.transpose(1, 0, 2, 3).reshape(groups, o // groups, n * oh * ow)


def _matrices(w: Any, groups: int) -> Any:
    """(O, C / groups, KH, KW) as matrices (groups, O / groups, C / groups KH KW)."""
    o, c, kh, kw = w.shape
    return w.reshape(groups, o // groups, c * kh * kw)


def _block_bytes(n: int, rows: int, kept: int, places: Pair, dtype: Any) -> int:
    """What one block takes: the rows of its columns and product, and those that are `kept` of the
    block before while the next ones are made."""
    count = next((block.stop for block in _blocks(n, rows, places, dtype)), 0)
    held = rows + (kept if count < n else 0)
    return int(held * count * places[0] * places[1] * dtype.itemsize)


def _conv2d_work(x: Operand, w: Operand, b: Operand = None, *, groups: int, **move: Any) -> int:
    places = Window(w.shape[2:], **move).places("conv2d", x.shape[2:])
    o, rows = w.shape[0], x.shape[1] * math.prod(w.shape[2:])
    return _block_bytes(x.shape[0], rows + o, o, places, x.dtype)


def _conv2d_input_work(g: Operand, w: Operand, *, groups: int, **_: Any) -> int:
    rows = w.shape[1] * groups * math.prod(w.shape[2:])
    return _block_bytes(g.shape[0], rows + w.shape[0], rows, g.shape[2:], g.dtype)


def _conv2d_weight_work(x: Operand, g: Operand, *, kernel: Pair, groups: int, **_: Any) -> int:
    rows = x.shape[1] * math.prod(kernel)
    products = 2 * rows * g.shape[1] // groups * g.dtype.itemsize
    return products + _block_bytes(x.shape[0], rows + g.shape[1], 0, g.shape[2:], g.dtype)


def _compute_conv2d(
    x: Any, w: Any, b: Any = None, *, stride: Pair, padding: Pair, dilation: Pair, groups: int,
    out: Any = None,
) -> Any:  # fmt: skip
    window = Window(w.shape[2:], stride, padding, dilation)
    places = window.places("conv2d", x.shape[2:])
    matrices = _matrices(w, groups)
    dtype = promote(x, w) if b is None else promote(x, w, b)
    y = array_module(x).empty((x.shape[0], w.shape[0], *places), dtype) if out is None else out
    for block, columns in _columns(x, window, places, w.shape[0], groups):
        part = y[block]
        product = (matrices @ columns).reshape(w.shape[0], len(part), *places).transpose(1, 0, 2, 3)
        if b is None:
            part[...] = product
        else:
            np.add(product, b[:, None, None], out=part)
    return y


def _compute_conv2d_input(
    g: Any, w: Any, *, size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int,
    out: Any = None,
) -> Any:  # fmt: skip
    window = Window(w.shape[2:], stride, padding, dilation)
    n, _, *places = g.shape
    channels = w.shape[1] * groups
    matrices = _matrices(w, groups).swapaxes(1, 2)
    x = zeroed(array_module(g), (n, channels, *size), promote(g, w), out)
    for block in _blocks(n, channels * math.prod(window.kernel) + w.shape[0], places, x.dtype):
        part = x[block]
        columns = (matrices @ _rows(g[block], groups)).reshape(channels, *window.kernel, len(part), *places)
        glue(columns.transpose(3, 0, 1, 2, 4, 5), window, part)
    return x


def _compute_conv2d_weight(
    x: Any, g: Any, *, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Any:
    """The product is made as its transpose, columns @ rows, which OpenBLAS does faster."""
    window = Window(kernel, stride, padding, dilation)
    c, o = x.shape[1] // groups, g.shape[1]
    total = array_module(x).zeros((groups, c * math.prod(kernel), o // groups), promote(x, g))
    for block, columns in _columns(x, window, g.shape[2:], o, groups):
        total += columns @ _rows(g[block], groups).swapaxes(1, 2)
    return array_module(x).ascontiguousarray(total.swapaxes(1, 2)).reshape(o, c, *kernel)


# --- what comes out ------------------------------------------------------------------------


def _check_weight(given: str, w: Operand, groups: int, b: Operand | None, channels: Any) -> None:
    if not isinstance(w.shape[0], Dim) and w.shape[0] % groups:
        raise ShapeError(f"{given}: {w.shape[0]} weights do not go into {groups} groups")
    if b is not None and not (len(b.shape) == 1 and sizes_match(b.shape[0], channels)):
        raise ShapeError(f"{given}: bias {str_shape(b.shape)} must have shape ({channels},)")


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
    _check_weight(given, w, groups, b, w.shape[0])
    places = Window(w.shape[2:], stride, padding, dilation).places("conv2d", x.shape[2:])
    return Spec((x.shape[0], w.shape[0], *places), promote(x, w) if b is None else promote(x, w, b))


def _infer_conv2d_input(g: Operand, w: Operand, *, size: Any, groups: int, **move: Any) -> Spec:
    if not sizes_match(g.shape[1], w.shape[0]):
        raise ShapeError(
            f"conv_transpose2d: x {str_shape(g.shape)} with weight {str_shape(w.shape)}: x has "
            f"{g.shape[1]} channels, the weight takes {w.shape[0]}"
        )
    Window(w.shape[2:], **move).places("conv_transpose2d", size)
    return Spec((g.shape[0], w.shape[1] * groups, *size), promote(g, w))


def _infer_conv2d_weight(x: Operand, g: Operand, *, kernel: Any, groups: int, **_: Any) -> Spec:
    return Spec((g.shape[1], x.shape[1] // groups, *kernel), promote(x, g))


# --- the ops -------------------------------------------------------------------------------

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
    out=True,
    workspace=_conv2d_work,
    check=True,
)

_conv2d_input = Op(
    "conv2d_input",
    _compute_conv2d_input,
    _infer_conv2d_input,
    [
        Rule(lambda gx, y, g, w, *, size, **move: _conv2d(gx, w, **move), reads="w"),
        Rule(
            lambda gx, y, g, w, *, size, **move: _conv2d_weight(gx, g, kernel=w.shape[2:], **move),
            reads="g",
        ),
    ],
    out=True,
    workspace=_conv2d_input_work,
    check=True,
)

_conv2d_weight = Op(
    "conv2d_weight",
    _compute_conv2d_weight,
    _infer_conv2d_weight,
    [
        Rule(
            lambda gw, y, x, g, *, kernel, **move: _conv2d_input(g, gw, size=x.shape[2:], **move),
            reads="g",
        ),
        Rule(lambda gw, y, x, g, *, kernel, **move: _conv2d(x, gw, **move), reads="x"),
    ],
    workspace=_conv2d_weight_work,
)

# --- what users call -----------------------------------------------------------------------


def _move(call: str, stride: Any, padding: Any, dilation: Any, groups: Any) -> dict[str, Any]:
    if isinstance(groups, bool) or not isinstance(groups, (int, np.integer)) or groups < 1:
        raise SettingError(f"{call}: groups must be an int of at least 1, not {groups!r}")
    return {
        "stride": pair(call, "stride", stride, 1),
        "padding": pair(call, "padding", padding, 0),
        "dilation": pair(call, "dilation", dilation, 1),
        "groups": int(groups),
    }


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
    move = _move("conv2d", stride, padding, dilation, groups)
    return _conv2d(x, weight, **move) if bias is None else _conv2d(x, weight, as_tensor_like(bias), **move)


def conv1d(
    x: Any, weight: Any, bias: Any = None, stride: int = 1, padding: int = 0, dilation: int = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """Cross-correlation over sequences, as `torch.nn.functional.conv1d`.

    x (N, C, L), weight (O, C / groups, K), bias (O,) or None; gives (N, O, OL). It is `conv2d`
    over images of height 1, in whose words the other errors speak.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    if len(x.shape) != 3 or len(weight.shape) != 3:
        raise ShapeError(
            f"conv1d: x {str_shape(tuple(x.shape))} with weight {str_shape(tuple(weight.shape))}: "
            "both need 3 axes, N C L and O C K; add a batch axis?"
        )
    y = conv2d(
        expand_dims(x, 2), expand_dims(weight, 2), bias,
        (1, stride), (0, padding), (1, dilation), groups,
    )  # fmt: skip
    return squeeze(y, 2)


def conv_transpose2d(
    x: Any, weight: Any, bias: Any = None, stride: int | Pair = 1, padding: int | Pair = 0,
    output_padding: int | Pair = 0, groups: int = 1, dilation: int | Pair = 1,
) -> Any:  # fmt: skip
    """Transposed convolution, as `torch.nn.functional.conv_transpose2d`: the gradient of `conv2d`
    by its input, so it undoes that change of shape (Zeiler et al. 2010).

    x (N, C, H, W), weight (C, O / groups, KH, KW), bias (O,) or None; gives (N, O, OH, OW) with
    OH = (H - 1) stride - 2 padding + dilation (KH - 1) + 1 + output_padding, and OW alike.
    `output_padding`, less than the stride, chooses among the sizes that a strided convolution
    makes the same. ShapeError where channels do not agree or nothing would be left.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    bias = None if bias is None else as_tensor_like(bias)
    move = _move("conv_transpose2d", stride, padding, dilation, groups)
    extra = pair("conv_transpose2d", "output_padding", output_padding, 0)
    if any(more >= step for more, step in zip(extra, move["stride"], strict=True)):
        raise SettingError(
            f"conv_transpose2d: output_padding {extra} must be less than the stride {move['stride']}; "
            "it makes up for what a stride rounds off, and is no more than that"
        )
    given = f"conv_transpose2d: x {str_shape(tuple(x.shape))} with weight {str_shape(tuple(weight.shape))}"
    if len(x.shape) != 4 or len(weight.shape) != 4:
        raise ShapeError(f"{given}: both need 4 axes, N C H W and C O KH KW; add a batch axis?")
    channels = weight.shape[1] * groups
    _check_weight(given, weight, groups, bias, channels)
    window = Window(weight.shape[2:], move["stride"], move["padding"], move["dilation"])
    size = tuple(
        (x.shape[2 + i] - 1) * window.stride[i] - 2 * window.padding[i] + window.span(i) + extra[i]
        for i in (0, 1)
    )
    if any(not isinstance(part, Dim) and part < 1 for part in size):
        raise ShapeError(f"{given}: padding {window.padding} takes all of it away; use less")
    y = _conv2d_input(x, weight, size=size, **move)
    return y if bias is None else y + reshape(bias, (1, channels, 1, 1))
