"""Convolutions and poolings as TensorFlow 1 has them: channels last, padding "SAME" or "VALID".

The ops have channels second, so each call turns the image there and back. "SAME" gives ceil(size / stride)
places, and where an odd number has to be padded, the end gets one more than the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim
from shared.errors import SettingError, UnknownSizeError
from static.graph.operands import as_tensor

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]


def pair(call: str, name: str, given: Any, channels: int = 3) -> Pair:
    """Height and width of a window: of an int, of two, or of four, those of batch and channels being 1."""
    sizes = (given, given) if isinstance(given, int) else tuple(given)
    if len(sizes) == 4 and sizes[0] == sizes[channels] == 1:
        sizes = sizes[1:3] if channels == 3 else sizes[2:]
    if len(sizes) != 2:
        raise SettingError(f"{call}: {name} is [1, height, width, 1], two ints or one, not {given!r}")
    return int(sizes[0]), int(sizes[1])


def channels_of(call: str, data_format: str | None) -> int:
    """The axis of channels."""
    formats = {None: 3, "NHWC": 3, "channels_last": 3, "NCHW": 1, "channels_first": 1}
    if data_format not in formats:
        raise SettingError(f"{call}: data_format is 'NHWC' or 'NCHW', not {data_format!r}")
    return formats[data_format]


def _with_channels_second(x: Any, channels: int, work: Callable[[Any], Any]) -> Any:
    """`work` on an image whose channels stand second, its result as the image was."""
    if channels == 1:
        return work(x)
    return ops.transpose(work(ops.transpose(x, (0, 3, 1, 2))), (0, 2, 3, 1))


def pads_of(call: str, padding: str, image: Sequence[Any], span: Pair, stride: Pair) -> Pads:
    """How much is put before and behind height and width, for windows that span so much."""
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise SettingError(f"{call}: padding is 'SAME' or 'VALID', not {padding!r}; ops.pad puts any there")
    if padding.upper() == "VALID":
        return (0, 0), (0, 0)
    found = []
    for size, k, s in zip(image, span, stride, strict=True):
        if isinstance(size, Dim) and s > 1:
            raise UnknownSizeError(
                f"{call}: how much 'SAME' pads before a stride of {s} hangs on the size {size}, which only a "
                "run knows; give the placeholder its size, or pad by ops.pad and say 'VALID'"
            )
        total = k - 1 if isinstance(size, Dim) else max((math.ceil(size / s) - 1) * s + k - size, 0)
        found.append((total // 2, total - total // 2))
    return found[0], found[1]


def _padded(x: Any, pads: Pads, value: float) -> tuple[Any, Pair]:
    """The image with what one padding for both ends can not say put around it, and that padding."""
    (top, bottom), (left, right) = pads
    if top == bottom and left == right:
        return x, (top, left)
    return ops.pad(x, ((0, 0), (0, 0), *pads), value=value), (0, 0)


def conv2d(
    x: Any, weight: Any, strides: Any = 1, padding: str = "VALID", data_format: str = "NHWC",
    dilations: Any = 1,
) -> Any:  # fmt: skip
    """Cross-correlation of images (N, H, W, C) with a filter (KH, KW, C, O); gives (N, OH, OW, O)."""
    x, weight, channels = as_tensor(x), as_tensor(weight), channels_of("conv2d", data_format)
    stride = pair("conv2d", "strides", strides, channels)
    dilation = pair("conv2d", "dilations", dilations, channels)
    height, width = ((int(k) - 1) * d + 1 for k, d in zip(weight.shape[:2], dilation, strict=True))

    def work(image: Any) -> Any:
        pads = pads_of("conv2d", padding, image.shape[2:], (height, width), stride)
        padded, around = _padded(image, pads, 0.0)
        return ops.conv2d(padded, ops.transpose(weight, (3, 2, 0, 1)), None, stride, around, dilation)

    return _with_channels_second(x, channels, work)


def conv2d_transpose(
    x: Any, weight: Any, output_shape: Any = None, strides: Any = 1, padding: str = "SAME",
    data_format: str = "NHWC",
) -> Any:  # fmt: skip
    """The gradient of `conv2d` by its input: images (N, H, W, C), a filter (KH, KW, O, C), and gives
    (N, OH, OW, O) with the height and width of `output_shape`; without one, H stride for "SAME"."""
    call = "conv2d_transpose"
    x, weight, channels = as_tensor(x), as_tensor(weight), channels_of(call, data_format)
    stride, span = pair(call, "strides", strides, channels), (int(weight.shape[0]), int(weight.shape[1]))

    def work(image: Any) -> Any:
        given = image.shape[2:]
        size = tuple(n * s for n, s in zip(given, stride, strict=True))
        if padding.upper() == "VALID":
            size = tuple(n + max(k - s, 0) for n, k, s in zip(size, span, stride, strict=True))
        if output_shape is not None:
            size = tuple(tuple(output_shape)[1:3] if channels == 3 else tuple(output_shape)[2:])
        y = ops.conv_transpose2d(image, ops.transpose(weight, (3, 2, 0, 1)), None, stride)
        cut, more = [], []
        for n, whole, k, s in zip(size, given, span, stride, strict=True):
            full = (whole - 1) * s + k
            over = full - n
            if isinstance(over, Dim):
                raise UnknownSizeError(f"{call}: give the output's size {n}, or {whole}: it is not known")
            start = max(over, 0) // 2 if padding.upper() == "SAME" else 0
            cut.append(slice(start, start + n if over > 0 else None))
            more.append((0, max(-over, 0)))
        y = y[(slice(None), slice(None), *cut)]
        return ops.pad(y, ((0, 0), (0, 0), *more)) if any(end for _, end in more) else y

    return _with_channels_second(x, channels, work)


def _pool(
    call: str, x: Any, ksize: Any, strides: Any, padding: str, data_format: str | None, pool: Any
) -> Any:
    channels = channels_of(call, data_format)
    kernel, stride = (pair(call, k, v, channels) for k, v in (("ksize", ksize), ("strides", strides)))
    return _with_channels_second(
        as_tensor(x), channels,
        lambda image: pool(image, kernel, stride, pads_of(call, padding, image.shape[2:], kernel, stride)),
    )  # fmt: skip


def max_pool(x: Any, ksize: Any, strides: Any, padding: str = "VALID", data_format: str = "NHWC") -> Any:
    """The largest element of each window."""

    def pool(image: Any, kernel: Pair, stride: Pair, pads: Pads) -> Any:
        least = -math.inf if image.dtype.kind == "f" else int(np.iinfo(image.dtype).min)
        padded, around = _padded(image, pads, least)
        return ops.max_pool2d(padded, kernel, stride, around)

    return _pool("max_pool", x, ksize, strides, padding, data_format, pool)


def avg_pool(x: Any, ksize: Any, strides: Any, padding: str = "VALID", data_format: str = "NHWC") -> Any:
    """The mean of each window; what is padded does not count."""

    def pool(image: Any, kernel: Pair, stride: Pair, pads: Pads) -> Any:
        padded, around = _padded(image, pads, 0.0)
        if padded is image:
            return ops.avg_pool2d(image, kernel, stride, around, count_include_pad=False)
        there = ops.pad(ops.ones((1, 1, *image.shape[2:]), image.dtype), ((0, 0), (0, 0), *pads))
        return ops.avg_pool2d(padded, kernel, stride) / ops.avg_pool2d(there, kernel, stride)

    return _pool("avg_pool", x, ksize, strides, padding, data_format, pool)


def lrn(
    input: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5  # noqa: A002
) -> Any:
    """x / (bias + alpha s)^beta, where s is the sum of squares over the channels at most depth_radius away
    (Krizhevsky, Sutskever and Hinton 2012), of images (N, H, W, C)."""
    size = 2 * depth_radius + 1
    return _with_channels_second(
        as_tensor(input), 3, lambda x: ops.local_response_norm(x, size, alpha * size, beta, bias)
    )


# --- sizes of images -------------------------------------------------------------------------------


def resize_images(images: Any, size: Sequence[int], method: Any = 0, align_corners: bool = False) -> Any:
    """Images (N, H, W, C) or (H, W, C) in another size, bilinear (method 0) or nearest (1): a product with a
    matrix from the left and one from the right. Sizes have to be known; gives float32 for 0."""
    if method not in (0, 1, "bilinear", "nearest"):
        raise SettingError(f"resize_images: method is 0 (bilinear) or 1 (nearest), not {method!r}")
    x, nearest = as_tensor(images), method in (1, "nearest")
    height, width = x.shape[-3:-1]
    rows, columns = (
        _resizing(int(a), int(b), nearest, align_corners)
        for a, b in zip((height, width), size, strict=True)
    )  # fmt: skip
    y = ops.einsum("ah,...hwc->...awc", rows, ops.cast(x, "float32"))
    y = ops.einsum("bw,...awc->...abc", columns, y)
    return ops.cast(y, x.dtype) if nearest else y


def _resizing(before: int, after: int, nearest: bool, align: bool) -> Any:
    """The matrix (after, before) that makes another size of a row."""
    scale = (before - 1) / (after - 1) if align and after > 1 else before / after
    places = np.minimum(np.arange(after) * scale, before - 1)
    low = np.rint(places) if nearest and align else np.floor(places)
    share = np.zeros(after) if nearest else places - low
    matrix = np.zeros((after, before), np.float32)
    at = np.arange(after)
    matrix[at, low.astype(int)] = 1 - share
    matrix[at, np.minimum(low.astype(int) + 1, before - 1)] += share
    return matrix
