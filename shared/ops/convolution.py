"""2-d convolution as three ops, each the derivative of the others.

    conv2d(x, w)            what the layer computes
    conv2d_input(g, w)      its gradient by x (the transposed convolution)
    conv2d_weight(x, g)     its gradient by w

All three are bilinear, so their rules close over each other and every order of derivative
exists. Arrays are N C H W, weights O C KH KW (C over groups), in C order.

Large ones are left to `shared.kernels.convolving`. For all others, what the window sees of some images is
laid out as columns (C KH KW, N OH OW), so that each of the three is a matrix product per group. Columns
hold every pixel KH KW times over, so they are made for a block of images after the other, in the same
memory, which stays in the processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from shared.dims import Dim
from shared.errors import SettingError, ShapeError
from shared.kernels import convolving, plain
from shared.kernels.convolution import Geometry
from shared.kernels.scatter import zeroed
from shared.op import Op, PlannerHints, Rule, array_module
from shared.ops.padding import _pad
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like
from shared.ops.windows import Margins, Pair, Window, fold, margins, pair, unbatched, unfold
from shared.spec import Operand, Spec, promote, sizes_match, str_shape

# --- the three products --------------------------------------------------------------------

BLOCK = 1 << 21
"""Bytes of the columns of one block of images and of their product: what caches hold beside."""
PLACES = 1024
"""How many of the window's places a product has at least, if there are as many: with fewer, calls
and the adding up of products (of the weight) cost more than memory in the cache saves."""


def _blocks(n: int, rows: int, output: Pair, dtype: Any) -> Iterator[slice]:
    """The images unfold into blocks; `rows`: of the columns and of the product. By sizes alone, so
    that every sum has one order on every machine."""
    area = output[0] * output[1]
    size = max(BLOCK // max(rows * area * dtype.itemsize, 1), -(-PLACES // area))
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _columns(x: Any, geometry: Geometry, o: int, groups: int) -> Iterator[tuple[slice, Any]]:
    """Blocks of images, and what the window sees of each: (groups, C / groups KH KW, N OH OW).
    The memory is that of the block before, or the image itself where the window sees it as it lies."""
    n, c = x.shape[:2]
    rows = c * math.prod(geometry.kernel)
    columns, as_it_lies = None, geometry.is_pointwise() and x.flags.c_contiguous
    for block in _blocks(n, rows + o, geometry.output, x.dtype):
        count = block.stop - block.start
        if count == 1 and as_it_lies:
            yield block, x[block].reshape(groups, rows // groups, -1)
            continue
        if columns is None or columns.shape[3] != count:
            columns = array_module(x).empty((c, *geometry.kernel, count, *geometry.output), x.dtype)
        unfold(x[block], _window_of(geometry), columns.transpose(3, 0, 1, 2, 4, 5))
        yield block, columns.reshape(groups, rows // groups, count * math.prod(geometry.output))


def _rows(g: Any, groups: int) -> Any:
    """(N, O, OH, OW) as matrices (groups, O / groups, N OH OW)."""
    n, o, oh, ow = g.shape
    return g.transpose(1, 0, 2, 3).reshape(groups, o // groups, n * oh * ow)


def _matrices(w: Any, groups: int) -> Any:
    """(O, C / groups, KH, KW) as matrices (groups, O / groups, C / groups KH KW)."""
    o, c, kh, kw = w.shape
    return w.reshape(groups, o // groups, c * kh * kw)


def _block_bytes(n: int, rows: int, kept: int, output: Pair, dtype: Any) -> int:
    """What one block takes: the rows of its columns and product, and those that are `kept` of the
    block before while the next ones are made."""
    count = next((block.stop for block in _blocks(n, rows, output, dtype)), 0)
    held = rows + (kept if count < n else 0)
    return int(held * count * output[0] * output[1] * dtype.itemsize)


def _compute_conv2d(x: Any, w: Any, b: Any = None, *, groups: int, out: Any = None, **window: Pair) -> Any:
    geometry = _known_geometry("conv2d", x.shape[2:], w.shape[2:], **window)
    dtype = promote(x, w) if b is None else promote(x, w, b)
    y = array_module(x).empty((x.shape[0], w.shape[0], *geometry.output), dtype) if out is None else out
    if alike(x, w, y) and geometry.suits(x, w, groups):
        b = None if b is None else plain(b, dtype)
        return convolving.convolve(plain(x), plain(w), b, geometry, groups, y)
    matrices = _matrices(w, groups)
    for block, columns in _columns(x, geometry, w.shape[0], groups):
        part = y[block]
        if len(part) == 1 and part.flags.c_contiguous:
            array_module(x).matmul(matrices, columns, out=part.reshape(groups, *matrices.shape[1:2], -1))
            if b is not None:
                part += b[:, None, None]
            continue
        product = (matrices @ columns).reshape(w.shape[0], len(part), *geometry.output).transpose(1, 0, 2, 3)
        if b is None:
            part[...] = product
        else:
            np.add(product, b[:, None, None], out=part)
    return y


def _conv2d_work(x: Operand, w: Operand, b: Operand = None, *, groups: int, **window: Pair) -> int:
    geometry = geometry_of("conv2d", x.shape[2:], w.shape[2:], **window)
    if geometry.suits(x, w, groups):
        return convolving.bytes_to_convolve(x, w, geometry, groups)
    o, rows = w.shape[0], x.shape[1] * math.prod(geometry.kernel)
    return _block_bytes(x.shape[0], rows + o, o, geometry.output, x.dtype)


def _compute_conv2d_input(g: Any, w: Any, *, size: Pair, groups: int, out: Any = None, **window: Pair) -> Any:
    geometry = _known_geometry("conv_transpose2d", size, w.shape[2:], **window)
    shape, dtype = (g.shape[0], w.shape[1] * groups, *size), promote(g, w)
    if alike(g, w, g if out is None else out) and convolving.suits_input(geometry, g, w, groups):
        x = np.empty(shape, dtype) if out is None else out
        return convolving.convolve_input(plain(g), plain(w), geometry, groups, x)
    x = zeroed(array_module(g), shape, dtype, out)
    matrices = _matrices(w, groups).swapaxes(1, 2)
    for block in _blocks(len(g), shape[1] * math.prod(geometry.kernel) + w.shape[0], geometry.output, dtype):
        part = x[block]
        columns = matrices @ _rows(g[block], groups)
        columns = columns.reshape(shape[1], *geometry.kernel, len(part), *geometry.output)
        fold(columns.transpose(3, 0, 1, 2, 4, 5), _window_of(geometry), part)
    return x


def _conv2d_input_work(g: Operand, w: Operand, *, size: Pair, groups: int, **window: Pair) -> int:
    geometry = geometry_of("conv_transpose2d", size, w.shape[2:], **window)
    if convolving.suits_input(geometry, g, w, groups):
        return convolving.bytes_to_convolve_input(g, w, geometry, groups)
    rows = w.shape[1] * groups * math.prod(geometry.kernel)
    return _block_bytes(g.shape[0], rows + w.shape[0], rows, geometry.output, g.dtype)


def _compute_conv2d_weight(
    x: Any, g: Any, *, kernel: Pair, groups: int, out: Any = None, **window: Pair
) -> Any:
    """By columns, the product is made as its transpose, columns @ rows, which OpenBLAS does faster."""
    geometry = _known_geometry("conv2d", x.shape[2:], kernel, **window)
    c, o = x.shape[1] // groups, g.shape[1]
    dtype = promote(x, g)
    y = array_module(x).empty((o, c, *kernel), dtype) if out is None else out
    if alike(x, g, y) and geometry.suits(x, Spec((o, c, *kernel), g.dtype), groups):
        return convolving.convolve_weight(plain(x), plain(g), geometry, groups, y)
    total = array_module(x).zeros((groups, c * math.prod(kernel), o // groups), dtype)
    for block, columns in _columns(x, geometry, o, groups):
        total += columns @ _rows(g[block], groups).swapaxes(1, 2)
    y.reshape(groups, o // groups, -1)[...] = total.swapaxes(1, 2)
    return y


def _conv2d_weight_work(x: Operand, g: Operand, *, kernel: Pair, groups: int, **window: Pair) -> int:
    geometry = geometry_of("conv2d", x.shape[2:], kernel, **window)
    if geometry.suits(x, Spec((g.shape[1], x.shape[1] // groups, *kernel), g.dtype), groups):
        return convolving.bytes_to_convolve_weight(x, g, geometry, groups)
    rows = x.shape[1] * math.prod(kernel)
    products = 2 * rows * g.shape[1] // groups * g.dtype.itemsize
    return products + _block_bytes(x.shape[0], rows + g.shape[1], 0, geometry.output, g.dtype)


def geometry_of(call: str, image: Any, kernel: Any, stride: Pair, padding: Pair, dilation: Pair) -> Geometry:
    """A window over images of this size; ShapeError, in the words of a call, if it does not fit."""
    output = Window(kernel, stride, padding, dilation).output_size(call, image)
    return Geometry(tuple(kernel), stride, padding, dilation, tuple(image), output)


_known_geometry = lru_cache(maxsize=1024)(geometry_of)
"""The same of sizes that are numbers, as those of arrays are."""


def _window_of(geometry: Geometry) -> Window:
    return Window(geometry.kernel, geometry.stride, geometry.padding, geometry.dilation)


def alike(*arrays: Any) -> bool:
    """Whether these are NumPy's arrays, all of one dtype."""
    return all(type(array) is np.ndarray and array.dtype == arrays[0].dtype for array in arrays)


# --- what comes out ------------------------------------------------------------------------


def check_weight(given: str, w: Operand, groups: int, b: Operand | None, channels: Any) -> None:
    """ShapeError unless the weight goes into groups and the bias has a number for each channel."""
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
    check_weight(given, w, groups, b, w.shape[0])
    output = Window(w.shape[2:], stride, padding, dilation).output_size("conv2d", x.shape[2:])
    return Spec((x.shape[0], w.shape[0], *output), promote(x, w) if b is None else promote(x, w, b))


def _infer_conv2d_input(g: Operand, w: Operand, *, size: Any, groups: int, **geometry: Any) -> Spec:
    if not sizes_match(g.shape[1], w.shape[0]):
        raise ShapeError(
            f"conv_transpose2d: x {str_shape(g.shape)} with weight {str_shape(w.shape)}: x has "
            f"{g.shape[1]} channels, the weight takes {w.shape[0]}"
        )
    Window(w.shape[2:], **geometry).output_size("conv_transpose2d", size)
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
            lambda g, y, x, w, b=None, **geometry: _conv2d_input(g, w, size=x.shape[2:], **geometry),
            reads="w",
        ),
        Rule(
            lambda g, y, x, w, b=None, **geometry: _conv2d_weight(x, g, kernel=w.shape[2:], **geometry),
            reads="x",
        ),
        Rule(lambda g, y, x, w, b=None, **geometry: sum(g, (0, 2, 3))),
    ],
    out=True,
    hints=PlannerHints(workspace=_conv2d_work),
    check=True,
)

_conv2d_input = Op(
    "conv2d_input",
    _compute_conv2d_input,
    _infer_conv2d_input,
    [
        Rule(lambda gx, y, g, w, *, size, **geometry: _conv2d(gx, w, **geometry), reads="w"),
        Rule(
            lambda gx, y, g, w, *, size, **geometry: _conv2d_weight(gx, g, kernel=w.shape[2:], **geometry),
            reads="g",
        ),
    ],
    out=True,
    hints=PlannerHints(workspace=_conv2d_input_work),
    check=True,
)

_conv2d_weight = Op(
    "conv2d_weight",
    _compute_conv2d_weight,
    _infer_conv2d_weight,
    [
        Rule(
            lambda gw, y, x, g, *, kernel, **geometry: _conv2d_input(g, gw, size=x.shape[2:], **geometry),
            reads="g",
        ),
        Rule(lambda gw, y, x, g, *, kernel, **geometry: _conv2d(x, gw, **geometry), reads="x"),
    ],
    out=True,
    hints=PlannerHints(workspace=_conv2d_weight_work),
)

# --- what users call -----------------------------------------------------------------------


def moves(call: str, stride: Any, dilation: Any, groups: Any, axes: int = 2) -> dict[str, Any]:
    """The settings of a convolution over so many axes, but for its padding."""
    if isinstance(groups, bool) or not isinstance(groups, (int, np.integer)) or groups < 1:
        raise SettingError(f"{call}: groups must be an int of at least 1, not {groups!r}")
    return {
        "stride": pair(call, "stride", stride, 1, axes),
        "dilation": pair(call, "dilation", dilation, 1, axes),
        "groups": int(groups),
    }


@unbatched(4)
def conv2d(
    x: Any, weight: Any, bias: Any = None, stride: int | Pair = 1, padding: Any = 0,
    dilation: int | Pair = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Cross-correlation over images, as `torch.nn.functional.conv2d`.

    x (N, C, H, W) or one (C, H, W), weight (O, C / groups, KH, KW), bias (O,) or None; gives (N, O, OH,
    OW) with OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1, and OW alike. `padding`, of zeros,
    is an int, or for height and width an int or a pair (before, behind); "valid", which is none; or
    "same", which gives OH = ceil(H / stride), the odd zero behind. ShapeError where channels do not
    agree or the kernel does not fit; SettingError for settings.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    geometry = moves("conv2d", stride, dilation, groups)
    biases = () if bias is None else (as_tensor_like(bias),)
    if len(x.shape) == 4 and len(weight.shape) == 4:
        sizes = x.shape[2:], weight.shape[2:], geometry["stride"], geometry["dilation"]
        around = margins("conv2d", padding, *sizes)
        if not around.even:
            x = _pad(x, widths=((0, 0), (0, 0), *zip(*around, strict=True)), value=0)
            around = Margins((0, 0), (0, 0))
        geometry["padding"] = around.before
    else:  # the op says what is amiss
        geometry["padding"] = (0, 0)
    return _conv2d(x, weight, *biases, **geometry)
