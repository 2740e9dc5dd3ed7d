"""Changes made to one example when it is fetched: `TensorDataset(..., transform=Compose([...]))`.

Images are arrays (C, H, W), or (..., H, W) where channels play no part. A transform is any
callable; those here that draw random numbers take a seed, and inside a loader draw the same for
an example of an epoch whenever it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.data.draws import Draws
from shared.errors import RangeError, SettingError, ShapeError
from shared.spec import as_dtype
from shared.usage.door import methods, public


class Compose:
    """One transform after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]] = ()) -> None:
        self.transforms = list(transforms)

    def __call__(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform(x)
        return x


class AsType:
    """The same values in another dtype."""

    def __init__(self, dtype: Any = "float32") -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, x: Any) -> Any:
        return np.asarray(x).astype(self.dtype)


class ToFloat(AsType):
    """The same values as float32."""

    def __init__(self) -> None:
        super().__init__("float32")


class ToInt(AsType):
    """The same values as int64, rounded towards zero."""

    def __init__(self) -> None:
        super().__init__("int64")


class ToArray:
    """A picture (H, W, C) or (H, W), or whatever NumPy makes one of, as float32 (C, H, W).

    uint8 is scaled from 0..255 to 0..1, as PyTorch's `ToTensor` does.
    """

    def __call__(self, x: Any) -> Any:
        image = np.asarray(x)
        if image.ndim not in (2, 3):
            raise ShapeError(f"ToArray: a picture has 2 or 3 axes, H W and perhaps C, not {image.shape}")
        planes = image[None] if image.ndim == 2 else np.moveaxis(image, -1, 0)
        scale = np.float32(255 if image.dtype == np.uint8 else 1)
        return np.ascontiguousarray(planes, np.float32) / scale


class Normalize:
    """(x - mean) / std, in x's dtype if it is floating, else float32.

    mean and std are numbers, or one number for each channel, the first axis.
    """

    def __init__(self, mean: Any = 0.0, std: Any = 1.0) -> None:
        self.mean, self.std = np.asarray(mean, np.float64), np.asarray(std, np.float64)
        if (self.std == 0).any():
            raise SettingError(f"Normalize: std must not be 0, which it divides by, but is {std!r}")

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x)
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        return (x - self._fit(self.mean, x, dtype)) / self._fit(self.std, x, dtype)

    def _fit(self, value: Any, x: Any, dtype: Any) -> Any:
        if value.ndim and value.shape != x.shape[:1]:
            raise ShapeError(f"Normalize: {value.shape} numbers for the channels of x, which is {x.shape}")
        return value.astype(dtype).reshape(value.shape + (1,) * (x.ndim - 1 if value.ndim else 0))


class Flatten:
    """All axes made one."""

    def __call__(self, x: Any) -> Any:
        return np.asarray(x).reshape(-1)


class OneHot:
    """A class, from 0 to classes - 1, as a vector of zeros with a one in its place."""

    def __init__(self, classes: int, dtype: Any = "float32") -> None:
        self.classes, self.dtype = classes, as_dtype(dtype)

    def __call__(self, x: Any) -> Any:
        index = np.asarray(x)
        if index.size and not (0 <= index.min() and index.max() < self.classes):
            raise RangeError(f"OneHot: {x!r} is not a class from 0 to {self.classes - 1}")
        return (index[..., None] == np.arange(self.classes)).astype(self.dtype)


class RandomHorizontalFlip:
    """The image mirrored left to right, with probability p."""

    def __init__(self, p: float = 0.5, seed: int = 0) -> None:
        if not 0 <= p <= 1:
            raise SettingError(f"RandomHorizontalFlip: p must be a probability from 0 to 1, not {p!r}")
        self.p, self._draws = p, Draws(seed)

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x)
        return np.ascontiguousarray(x[..., ::-1]) if self._draws.next().random() < self.p else x


class CenterCrop:
    """The middle of an image: `size` is (height, width), or one number for both."""

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = _pair("CenterCrop", size)

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x)
        top, left = (round((have - want) / 2) for have, want in _room("CenterCrop", x, self.size))
        return _cut(x, top, left, self.size)


class RandomCrop:
    """A window of an image at a random place, after `padding` zeros were put around it."""

    def __init__(self, size: int | tuple[int, int], padding: int = 0, seed: int = 0) -> None:
        self.size, self.padding, self._draws = _pair("RandomCrop", size), int(padding), Draws(seed)

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x)
        around = (self.padding, self.padding)
        x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [around, around])
        draw = self._draws.next()
        top, left = (int(draw.integers(have - want + 1)) for have, want in _room("RandomCrop", x, self.size))
        return _cut(x, top, left, self.size)


class Resize:
    """An image in another size, bilinearly, averaging where it shrinks (PyTorch's antialias).

    size is (height, width), or one number for the shorter side. uint8 is rounded back to uint8.
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        self.size = size if isinstance(size, int) else _pair("Resize", size)
        if isinstance(size, int) and size < 1:
            raise SettingError(f"Resize: size must be 1 or more, not {size!r}")

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x)
        height, width = x.shape[-2:]
        if isinstance(self.size, int):
            short, long = sorted((height, width))
            other = int(self.size * long / short)
            size = (self.size, other) if height <= width else (other, self.size)
        else:
            size = self.size
        exact = x if x.dtype.kind == "f" else x.astype(np.float32)
        rows, columns = (
            _interpolation(*sizes).astype(exact.dtype) for sizes in ((height, size[0]), (width, size[1]))
        )
        y = rows @ exact @ columns.T
        return y if x.dtype.kind == "f" else np.rint(y).astype(x.dtype)


TRANSFORMS = (
    Compose, AsType, ToArray, Normalize, Flatten, OneHot, RandomHorizontalFlip, CenterCrop, RandomCrop,
    Resize,
)  # fmt: skip

for _kind in TRANSFORMS:
    methods(_kind, "__call__")
public(globals(), [kind.__name__ for kind in (*TRANSFORMS, ToFloat, ToInt)])


def _interpolation(old: int, new: int) -> Any:
    """The matrix (new, old) of a triangle filter around each new point's place among the old."""
    scale = old / new
    reach = max(scale, 1.0)
    centres = (np.arange(new) + 0.5) * scale
    distance = np.abs(np.arange(old) + 0.5 - centres[:, None]) / reach
    weights = np.maximum(1 - distance, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def _pair(call: str, size: int | tuple[int, int]) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or min(pair) < 1:
        raise SettingError(f"{call}: size must be a number, or (height, width), of 1 or more, not {size!r}")
    return pair


def _room(call: str, x: Any, size: tuple[int, int]) -> list[tuple[int, int]]:
    if x.ndim < 2 or x.shape[-2] < size[0] or x.shape[-1] < size[1]:
        raise ShapeError(f"{call}: an image of shape {x.shape} has no window of {size[0]} by {size[1]}")
    return list(zip(x.shape[-2:], size, strict=True))


def _cut(x: Any, top: int, left: int, size: tuple[int, int]) -> Any:
    return np.ascontiguousarray(x[..., top : top + size[0], left : left + size[1]])
