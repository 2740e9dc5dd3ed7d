"""Convolutional networks as data, from which each peer builds its own: what the larger workloads train.

A network is a tuple of parts, applied one after the other, that ends in an average over all places and a
linear layer to the classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Conv:
    """A square convolution with padding of half its kernel; without bias, but where no batch norm follows.

    name    of its weights; those of the batch norm behind it are `name`_norm's
    norm, relu   what follows
    """

    name: str
    inputs: int
    outputs: int
    kernel: int = 3
    stride: int = 1
    groups: int = 1
    norm: bool = True
    relu: bool = True

    @property
    def padding(self) -> int:
        return self.kernel // 2


@dataclass(frozen=True)
class Residual:
    """relu(body(x) + shortcut(x)); without a shortcut, x itself (He et al. 2015, arXiv:1512.03385)."""

    body: tuple[Conv, ...]
    shortcut: Conv | None = None

    @property
    def convolutions(self) -> tuple[Conv, ...]:
        return self.body if self.shortcut is None else (*self.body, self.shortcut)


@dataclass(frozen=True)
class Pool:
    """The largest, or the mean, of each window."""

    kind: str
    size: int
    stride: int
    padding: int = 0


@dataclass(frozen=True)
class Net:
    """Images (channels, size, size), the parts, and the features that the linear layer `fc` takes to the
    classes: all that is there, or with `average` each channel's mean."""

    channels: int
    size: int
    parts: tuple[Conv | Residual | Pool, ...]
    features: int
    classes: int = 10
    average: bool = True

    def convolutions(self) -> Iterator[Conv]:
        """All of them, in the order in which they are applied."""
        for part in self.parts:
            if isinstance(part, Conv):
                yield part
            elif isinstance(part, Residual):
                yield from part.convolutions

    def weights(self, draw: np.random.Generator) -> dict[str, Any]:
        """Uniform within 1 / sqrt(fan in); a batch norm starts as none."""

        def uniform(fan: int, *shape: int) -> Any:
            return draw.uniform(-(fan**-0.5), fan**-0.5, shape).astype(np.float32)

        found = {}
        for conv in self.convolutions():
            inputs, kernel = conv.inputs // conv.groups, (conv.kernel, conv.kernel)
            fan = inputs * conv.kernel**2
            found[f"{conv.name}.weight"] = uniform(fan, conv.outputs, inputs, *kernel)
            if conv.norm:
                found[f"{conv.name}_norm.weight"] = np.ones(conv.outputs, np.float32)
                found[f"{conv.name}_norm.bias"] = np.zeros(conv.outputs, np.float32)
            else:
                found[f"{conv.name}.bias"] = uniform(fan, conv.outputs)
        found["fc.weight"] = uniform(self.features, self.classes, self.features)
        found["fc.bias"] = uniform(self.features, self.classes)
        return found


def _basic(name: str, inputs: int, outputs: int, stride: int) -> Residual:
    """Two 3x3 convolutions."""
    return Residual(
        (
            Conv(f"{name}_conv1", inputs, outputs, stride=stride),
            Conv(f"{name}_conv2", outputs, outputs, relu=False),
        ),
        _shortcut(name, inputs, outputs, stride),
    )


def _bottleneck(name: str, inputs: int, width: int, stride: int) -> Residual:
    """1x1 to fewer channels, 3x3, and 1x1 to four times as many."""
    return Residual(
        (
            Conv(f"{name}_conv1", inputs, width, 1),
            Conv(f"{name}_conv2", width, width, stride=stride),
            Conv(f"{name}_conv3", width, 4 * width, 1, relu=False),
        ),
        _shortcut(name, inputs, 4 * width, stride),
    )


def _shortcut(name: str, inputs: int, outputs: int, stride: int) -> Conv | None:
    if (inputs, stride) == (outputs, 1):
        return None
    return Conv(f"{name}_shortcut", inputs, outputs, 1, stride, relu=False)


def _stages(depths: tuple[int, ...], wide: int) -> Iterator[Residual]:
    """Stages of 64, 128, 256 and 512 channels, each but the first at half the size; `wide` times as many
    channels come out of a block."""
    inputs = 64
    for k, depth in enumerate(depths):
        width = 64 << k
        for i in range(depth):
            made = _basic if wide == 1 else _bottleneck
            yield made(f"stage{k + 1}_{i + 1}", inputs, width, 2 if k and not i else 1)
            inputs = width * wide


RESNET18 = Net(3, 32, (Conv("conv1", 3, 64), *_stages((2, 2, 2, 2), 1)), 512)
RESNET50 = Net(
    3, 224, (Conv("conv1", 3, 64, 7, 2), Pool("max", 3, 2, 1), *_stages((3, 4, 6, 3), 4)), 2048, 1000
)
STRIDED = Net(
    3, 32, (Conv("conv1", 3, 32, 3, 2), Conv("conv2", 32, 64, 3, 2), Conv("conv3", 64, 128, 3, 2)), 128
)
DEPTHWISE = Net(
    32, 16,
    (
        Conv("depth1", 32, 32, groups=32), Conv("point1", 32, 64, 1),
        Conv("depth2", 64, 64, groups=64), Conv("point2", 64, 64, 1, norm=False), Pool("mean", 2, 2),
    ),
    64 * 64, average=False,
)  # fmt: skip
