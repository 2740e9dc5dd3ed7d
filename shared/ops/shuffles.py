"""Channels made of pixels and pixels of channels: elements in another place, nothing computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Dim, Size, divide
from shared.errors import SettingError, ShapeError
from shared.ops.shapes import as_tensor_like, reshape, transpose
from shared.spec import str_shape


def _times(call: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise SettingError(f"{call}: {name} must be an int of at least 1, not {value!r}")
    return int(value)


def _part(call: str, x: Any, size: Size, parts: int) -> Size:
    """A size over the number of parts that it must go into."""
    if not isinstance(size, Dim) and size % parts:
        raise ShapeError(f"{call}: {size} of x {str_shape(tuple(x.shape))} does not go into {parts} parts")
    return divide(size, parts)


def _images(call: str, x: Any) -> tuple[Any, tuple[Size, ...]]:
    """x and its axes before C H W."""
    x = as_tensor_like(x)
    if len(x.shape) < 3:
        raise ShapeError(f"{call}: x {str_shape(tuple(x.shape))} needs 3 axes at least, C H W")
    return x, tuple(x.shape[:-3])


def pixel_shuffle(x: Any, upscale_factor: int) -> Any:
    """r x r channels made r x r pixels, as `torch.nn.functional.pixel_shuffle` (Shi et al. 2016).

    x (..., C r r, H, W), r being `upscale_factor`; gives (..., C, H r, W r), of any dtype. ShapeError where
    the channels do not go into r r parts.
    """
    x, lead = _images("pixel_shuffle", x)
    r = _times("pixel_shuffle", "upscale_factor", upscale_factor)
    channels, h, w = x.shape[-3:]
    c, at = _part("pixel_shuffle", x, channels, r * r), len(lead)
    apart = reshape(x, (*lead, c, r, r, h, w))
    y = transpose(apart, (*range(at), at, at + 3, at + 1, at + 4, at + 2))
    return reshape(y, (*lead, c, h * r, w * r))


def pixel_unshuffle(x: Any, downscale_factor: int) -> Any:
    """r x r pixels made r x r channels, as `torch.nn.functional.pixel_unshuffle`: undoes `pixel_shuffle`.

    x (..., C, H r, W r), r being `downscale_factor`; gives (..., C r r, H, W). ShapeError where height or
    width do not go into r parts.
    """
    x, lead = _images("pixel_unshuffle", x)
    r = _times("pixel_unshuffle", "downscale_factor", downscale_factor)
    (c, *image), at = x.shape[-3:], len(lead)
    h, w = (_part("pixel_unshuffle", x, size, r) for size in image)
    apart = reshape(x, (*lead, c, h, r, w, r))
    y = transpose(apart, (*range(at), at, at + 2, at + 4, at + 1, at + 3))
    return reshape(y, (*lead, c * (r * r), h, w))


def channel_shuffle(x: Any, groups: int) -> Any:
    """Channels dealt out, so that each group of the next convolution sees some of all groups of the last, as
    `torch.nn.functional.channel_shuffle` (Zhang et al. 2018, ShuffleNet).

    x (N, C, ...); gives the same shape: channel i C / groups + j comes to j groups + i. ShapeError where the
    channels do not go into groups.
    """
    x, groups = as_tensor_like(x), _times("channel_shuffle", "groups", groups)
    if len(x.shape) < 3:
        raise ShapeError(f"channel_shuffle: x {str_shape(tuple(x.shape))} needs N C and axes behind them")
    n, c, *image = x.shape
    apart = reshape(x, (n, groups, _part("channel_shuffle", x, c, groups), *image))
    return reshape(transpose(apart, (0, 2, 1, *range(3, len(image) + 3))), x.shape)
