"""Layers over images N C H W."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.nn.initial import fan_in, fill, uniform_fan_in
from shared.nn.module import Module
from shared.nn.simple import known_size
from shared.ops.convolution import Pair, pair
from shared.state import Parameter


class Conv2d(Module):
    """2-d convolution as `torch.nn.Conv2d`: (N, in, H, W) to (N, out, OH, OW).

    `in_channels` None is learnt at the first call. weight (out, in / groups, KH, KW), bias
    (out,), both float32, uniform within 1 / sqrt(in / groups * KH * KW).
    """

    def __init__(
        self, in_channels: int | None, out_channels: int, kernel_size: int | Pair,
        stride: int | Pair = 1, padding: int | Pair = 0, dilation: int | Pair = 1,
        groups: int = 1, bias: bool = True,
    ) -> None:  # fmt: skip
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size, 1)
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.weight = Parameter(None)
        self.bias = Parameter(None) if bias else None
        if in_channels is not None:
            self._make(in_channels)

    def _make(self, in_channels: int) -> None:
        self.in_channels = in_channels
        shape = (self.out_channels, in_channels // self.groups, *self.kernel_size)
        fill(self.weight, shape, uniform_fan_in)
        if self.bias is not None:
            fill(self.bias, shape[:1], lambda s, rng: uniform_fan_in(s, rng, fan_in(shape)))

    def settings(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"

    def forward(self, x: Any) -> Any:
        if self.weight.data is None:
            self._make(known_size("Conv2d", x.shape[1]))
        return ops.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class MaxPool2d(Module):
    """The largest element of each window; see `ops.max_pool2d`."""

    def __init__(
        self, kernel_size: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def settings(self) -> str:
        return f"{self.kernel_size}"

    def forward(self, x: Any) -> Any:
        return ops.max_pool2d(x, self.kernel_size, self.stride, self.padding)
