"""ResNet: He, Zhang, Ren and Sun 2016, with the stride in the 3x3 convolution. Names as
torchvision's, whose checkpoints load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared import ops
from shared.nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Linear, MaxPool2d, Module, Sequential, init


def _convolution(channels: int, out: int, kernel: int, stride: int = 1) -> Conv2d:
    he = init.kaiming_normal(mode="fan_out", nonlinearity="relu")
    return Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=False, initialiser=he)


class BasicBlock(Module):
    """Two 3x3 convolutions, and the input added to what they give."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        self.conv1 = _convolution(channels, width, 3, stride)
        self.bn1 = BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3)
        self.bn2 = BatchNorm2d(width)
        self.downsample = _shortcut(channels, width * self.expansion, stride)

    def forward(self, x: Any) -> Any:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return ops.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(Module):
    """A 3x3 convolution between two 1x1 ones, and the input added to what they give."""

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        self.conv1 = _convolution(channels, width, 1)
        self.bn1 = BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3, stride)
        self.bn2 = BatchNorm2d(width)
        self.conv3 = _convolution(width, width * self.expansion, 1)
        self.bn3 = BatchNorm2d(width * self.expansion)
        self.downsample = _shortcut(channels, width * self.expansion, stride)

    def forward(self, x: Any) -> Any:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = ops.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return ops.relu(y + (x if self.downsample is None else self.downsample(x)))


def _shortcut(channels: int, out: int, stride: int) -> Sequential | None:
    """What makes the input fit the output; None if it does already."""
    if stride == 1 and channels == out:
        return None
    return Sequential(_convolution(channels, out, 1, stride), BatchNorm2d(out))


class ResNet(Module):
    """Four stages of residual blocks: images (N, channels, H, W) to (N, classes).

    block   BasicBlock or Bottleneck
    blocks  how many in each stage
    width   channels of the first stage; each next one has twice as many, at half the size
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        blocks: Sequence[int],
        classes: int = 1000,
        channels: int = 3,
        width: int = 64,
    ) -> None:
        self.conv1 = _convolution(channels, width, 7, 2)
        self.bn1 = BatchNorm2d(width)
        self.maxpool = MaxPool2d(3, 2, 1)
        before = width
        for stage, count in enumerate(blocks):
            size = width * 2**stage
            layers = []
            for index in range(count):
                layers.append(block(before, size, 2 if stage and index == 0 else 1))
                before = size * block.expansion
            setattr(self, f"layer{stage + 1}", Sequential(*layers))
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc = Linear(before, classes)
        self.stages = len(blocks)

    def forward(self, x: Any) -> Any:
        x = self.maxpool(ops.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(ops.flatten(self.avgpool(x), 1))


class ResNet18(ResNet):
    """18 layers: 11.7 million parameters."""

    def __init__(self, classes: int = 1000, channels: int = 3, width: int = 64) -> None:
        super().__init__(BasicBlock, (2, 2, 2, 2), classes, channels, width)


class ResNet50(ResNet):
    """50 layers: 25.6 million parameters."""

    def __init__(self, classes: int = 1000, channels: int = 3, width: int = 64) -> None:
        super().__init__(Bottleneck, (3, 4, 6, 3), classes, channels, width)


class ResNet101(ResNet):
    """101 layers: 44.5 million parameters."""

    def __init__(self, classes: int = 1000, channels: int = 3, width: int = 64) -> None:
        super().__init__(Bottleneck, (3, 4, 23, 3), classes, channels, width)


class ResNet152(ResNet):
    """152 layers: 60.2 million parameters."""

    def __init__(self, classes: int = 1000, channels: int = 3, width: int = 64) -> None:
        super().__init__(Bottleneck, (3, 8, 36, 3), classes, channels, width)
