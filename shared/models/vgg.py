"""VGG16: Simonyan and Zisserman 2015, configuration D. Names as torchvision's."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    init,
)

STAGES = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))
"""For each stage the channels, in units of `width`, and the number of convolutions."""


class VGG16(Module):
    """Thirteen 3x3 convolutions and three dense layers: (N, channels, H, W) to (N, classes).

    width       channels of the first stage; the last has eight times as many
    hidden      size of the dense layers between
    batch_norm  a BatchNorm2d behind each convolution (torchvision's vgg16_bn)
    """

    def __init__(
        self,
        classes: int = 1000,
        channels: int = 3,
        width: int = 64,
        hidden: int = 4096,
        dropout: float = 0.5,
        batch_norm: bool = False,
    ) -> None:
        layers: list[Module] = []
        for factor, count in STAGES:
            for _ in range(count):
                layers.append(_convolution(channels, factor * width))
                layers += [BatchNorm2d(factor * width)] * batch_norm + [ReLU()]
                channels = factor * width
            layers.append(MaxPool2d(2))
        self.features = Sequential(*layers)
        self.avgpool = AdaptiveAvgPool2d(7)
        self.classifier = Sequential(
            _dense(channels * 7 * 7, hidden), ReLU(), Dropout(dropout),
            _dense(hidden, hidden), ReLU(), Dropout(dropout),
            _dense(hidden, classes),
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        return self.classifier(ops.flatten(self.avgpool(self.features(x)), 1))


def _convolution(channels: int, out: int) -> Conv2d:
    he = init.kaiming_normal(mode="fan_out", nonlinearity="relu")
    return Conv2d(channels, out, 3, padding=1, initialiser=he, bias_initialiser=init.zeros())


def _dense(size: int, out: int) -> Linear:
    return Linear(size, out, initialiser=init.normal(0, 0.01), bias_initialiser=init.zeros())
