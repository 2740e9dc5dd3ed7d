"""Convolutions over sequences N C L and volumes N C D H W, and transposed ones: made of those over images.

A volume is a row of images. What a window sees along the depth is laid out as more channels (C KD), so that
one convolution over images (N OD) does the rest.
"""

from __future__ import annotations

import operator
from typing import Any

from shared.dims import Dim, Size, same_size
from shared.errors import SettingError, ShapeError
from shared.ops.convolution import _conv2d_input, check_weight, conv2d, moves
from shared.ops.padding import _pad, pad
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, squeeze, transpose
from shared.ops.windows import Pair, Window, _col2im, _im2col, in_a_row, margins, pair, unbatched
from shared.spec import sizes_match, str_shape

# --- over sequences ------------------------------------------------------------------------


@unbatched(3)
def conv1d(
    x: Any, weight: Any, bias: Any = None, stride: int = 1, padding: Any = 0, dilation: int = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """Cross-correlation over sequences, as `torch.nn.functional.conv1d`.

    x (N, C, L) or one (C, L), weight (O, C / groups, K), bias (O,) or None; gives (N, O, OL). It is
    `conv2d` over images of height 1, in whose words the other errors speak.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    if len(x.shape) != 3 or len(weight.shape) != 3:
        raise ShapeError(
            f"conv1d: x {str_shape(tuple(x.shape))} with weight {str_shape(tuple(weight.shape))}: "
            "both need 3 axes, N C L and O C K; add a batch axis?"
        )
    y = conv2d(
        expand_dims(x, 2), expand_dims(weight, 2), bias, in_a_row(stride, 1), in_a_row(padding, 0),
        in_a_row(dilation, 1), groups,
    )  # fmt: skip
    return squeeze(y, 2)


@unbatched(3)
def conv_transpose1d(
    x: Any, weight: Any, bias: Any = None, stride: int = 1, padding: int = 0, output_padding: int = 0,
    groups: int = 1, dilation: int = 1,
) -> Any:  # fmt: skip
    """Transposed convolution over sequences, as `torch.nn.functional.conv_transpose1d`.

    x (N, C, L) or one (C, L), weight (C, O / groups, K), bias (O,) or None; gives (N, O, OL). It is
    `conv_transpose2d` over images of height 1.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    if len(x.shape) != 3 or len(weight.shape) != 3:
        raise ShapeError(
            f"conv_transpose1d: x {str_shape(tuple(x.shape))} with weight {str_shape(tuple(weight.shape))}: "
            "both need 3 axes, N C L and C O K; add a batch axis?"
        )
    y = conv_transpose2d(
        expand_dims(x, 2), expand_dims(weight, 2), bias, in_a_row(stride, 1), in_a_row(padding, 0),
        in_a_row(output_padding, 0), groups, in_a_row(dilation, 1),
    )  # fmt: skip
    return squeeze(y, 2)


# --- transposed, over images ---------------------------------------------------------------


@unbatched(4)
def conv_transpose2d(
    x: Any, weight: Any, bias: Any = None, stride: int | Pair = 1, padding: int | Pair = 0,
    output_padding: int | Pair = 0, groups: int = 1, dilation: int | Pair = 1,
) -> Any:  # fmt: skip
    """Transposed convolution, as `torch.nn.functional.conv_transpose2d`: the gradient of `conv2d`
    by its input, so it undoes that change of shape (Zeiler et al. 2010).

    x (N, C, H, W) or one (C, H, W), weight (C, O / groups, KH, KW), bias (O,) or None; gives (N, O, OH,
    OW) with OH = (H - 1) stride - 2 padding + dilation (KH - 1) + 1 + output_padding, and OW alike.
    `output_padding`, less than the stride or the dilation, chooses among the sizes that a strided
    convolution makes the same. ShapeError where channels do not agree or nothing would be left.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    bias = None if bias is None else as_tensor_like(bias)
    geometry = moves("conv_transpose2d", stride, dilation, groups)
    margin = pair("conv_transpose2d", "padding", padding, 0)
    extra = extras("conv_transpose2d", output_padding, geometry)
    given = f"conv_transpose2d: x {str_shape(tuple(x.shape))} with weight {str_shape(tuple(weight.shape))}"
    if len(x.shape) != 4 or len(weight.shape) != 4:
        raise ShapeError(f"{given}: both need 4 axes, N C H W and C O KH KW; add a batch axis?")
    channels = weight.shape[1] * groups
    check_weight(given, weight, groups, bias, channels)
    beyond = any(map(operator.ge, extra, geometry["stride"]))  # places that no window of the stride begins at
    window = Window(weight.shape[2:], geometry["stride"], (0, 0) if beyond else margin, geometry["dilation"])
    size = tuple(
        (x.shape[2 + i] - 1) * window.stride[i] - 2 * window.padding[i] + window.span(i)
        + (0 if beyond else extra[i])
        for i in (0, 1)
    )  # fmt: skip
    left = [n + e - 2 * p if beyond else n for n, e, p in zip(size, extra, margin, strict=True)]
    if any(not isinstance(part, Dim) and part < 1 for part in left):
        raise ShapeError(f"{given}: padding {margin} takes all of it away; use less")
    y = _conv2d_input(x, weight, size=size, **geometry, padding=window.padding)
    if beyond:
        y = pad(y, ((0, 0), (0, 0), *((-p, e - p) for p, e in zip(margin, extra, strict=True))))
    return y if bias is None else y + reshape(bias, (1, channels, 1, 1))


def extras(call: str, output_padding: Any, geometry: dict[str, Any]) -> tuple[int, ...]:
    """What `output_padding` asks for on each axis; SettingError if it is more than makes sense."""
    stride, dilation = geometry["stride"], geometry["dilation"]
    extra: tuple[int, ...] = pair(call, "output_padding", output_padding, 0, len(stride))
    if any(more >= max(step, apart) for more, step, apart in zip(extra, stride, dilation, strict=True)):
        raise SettingError(
            f"{call}: output_padding {extra} must be less than the stride {stride} or the dilation "
            f"{dilation}; it makes up for what a stride rounds off, and is no more than that"
        )
    return extra


# --- over volumes --------------------------------------------------------------------------

Triple = tuple[int, int, int]


@unbatched(5)
def conv3d(
    x: Any, weight: Any, bias: Any = None, stride: int | Triple = 1, padding: Any = 0,
    dilation: int | Triple = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Cross-correlation over volumes, as `torch.nn.functional.conv3d`.

    x (N, C, D, H, W) or one (C, D, H, W), weight (O, C / groups, KD, KH, KW), bias (O,) or None; gives
    (N, O, OD, OH, OW). Sizes, `padding` and errors are as those of `conv2d`.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    step, apart, groups = moves("conv3d", stride, dilation, groups, 3).values()
    given = _check_volumes("conv3d", x, weight, "O C KD KH KW")
    n, c, d, h, w = x.shape
    o, each, kd, *kernel = weight.shape
    if not sizes_match(c, each * groups):
        raise ShapeError(f"{given}: x has {c} channels, the weight takes {each * groups}")
    around = margins("conv3d", padding, x.shape[2:], weight.shape[2:], step, apart)
    (before, *_), (behind, *_) = around
    if not same_size(before, behind):
        x = _pad(x, widths=((0, 0), (0, 0), (before, behind), (0, 0), (0, 0)), value=0)
        d, before = d + before + behind, 0
    move = _along_depth(kd, step, before, apart)
    depth, _ = Window(**move).output_size("conv3d", (d, h * w))
    seen = reshape(_im2col(reshape(x, (n, c, d, h * w)), **move), (n, c, kd, depth, h, w))
    images = reshape(transpose(seen, (0, 3, 1, 2, 4, 5)), (n * depth, c * kd, h, w))
    rest = padding if isinstance(padding, str) else tuple(zip(*around, strict=True))[1:]
    y = conv2d(images, reshape(weight, (o, each * kd, *kernel)), bias, step[1:], rest, apart[1:], groups)
    return transpose(reshape(y, (n, depth, *y.shape[1:])), (0, 2, 1, 3, 4))


@unbatched(5)
def conv_transpose3d(
    x: Any, weight: Any, bias: Any = None, stride: int | Triple = 1, padding: int | Triple = 0,
    output_padding: int | Triple = 0, groups: int = 1, dilation: int | Triple = 1,
) -> Any:  # fmt: skip
    """Transposed convolution over volumes, as `torch.nn.functional.conv_transpose3d`.

    x (N, C, D, H, W) or one (C, D, H, W), weight (C, O / groups, KD, KH, KW), bias (O,) or None; gives
    (N, O, OD, OH, OW). Sizes and errors are as those of `conv_transpose2d`.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    geometry = moves("conv_transpose3d", stride, dilation, groups, 3)
    extra = extras("conv_transpose3d", output_padding, geometry)
    margin = pair("conv_transpose3d", "padding", padding, 0, 3)
    given = _check_volumes("conv_transpose3d", x, weight, "C O KD KH KW")
    step, apart, groups = geometry.values()
    bias = None if bias is None else as_tensor_like(bias)
    n, c, d, h, w = x.shape
    each, kd, *kernel = weight.shape[1:]
    o = each * groups
    check_weight(given, weight, groups, bias, o)
    images = reshape(transpose(x, (0, 2, 1, 3, 4)), (n * d, c, h, w))
    y = conv_transpose2d(
        images, reshape(weight, (weight.shape[0], each * kd, *kernel)), None, step[1:], margin[1:],
        (extra[1], extra[2]), groups, apart[1:],
    )  # fmt: skip
    oh, ow = y.shape[2:]
    seen = transpose(reshape(y, (n, d, o, kd, oh, ow)), (0, 2, 3, 1, 4, 5))
    depth = (d - 1) * step[0] + apart[0] * (kd - 1) + 1
    left = depth - 2 * margin[0] + extra[0]
    if not isinstance(left, Dim) and left < 1:
        raise ShapeError(f"{given}: padding {margin} takes all of it away; use less")
    move = _along_depth(kd, step, 0, apart)
    y = _col2im(reshape(seen, (n, o * kd, d * oh * ow)), size=(depth, oh * ow), **move)
    y = reshape(y, (n, o, depth, oh, ow))
    if margin[0] or extra[0]:
        y = pad(y, ((0, 0), (0, 0), (-margin[0], extra[0] - margin[0]), (0, 0), (0, 0)))
    return y if bias is None else y + reshape(bias, (1, o, 1, 1, 1))


def _check_volumes(call: str, x: Any, weight: Any, axes: str) -> str:
    """What an error says that they were; ShapeError unless both have the axes of volumes."""
    given = f"{call}: x {str_shape(tuple(x.shape))} with weight {str_shape(tuple(weight.shape))}"
    if len(x.shape) != 5 or len(weight.shape) != 5:
        raise ShapeError(f"{given}: both need 5 axes, N C D H W and {axes}; add a batch axis?")
    return given


def _along_depth(kernel: Size, stride: Triple, padding: Size, dilation: Triple) -> dict[str, Any]:
    """A window along the depth of volumes that lie as images (D, H W)."""
    return {
        "kernel": (kernel, 1), "stride": (stride[0], 1), "padding": (padding, 0),
        "dilation": (dilation[0], 1),
    }  # fmt: skip
