"""Pooling over images N C H W and sequences N C L."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.nn.module import Module

Sizes = int | tuple[int, int]


class MaxPool2d(Module):
    """The largest element of each window; see `ops.max_pool2d`."""

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.ceil_mode = dilation, ceil_mode

    def settings(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"

    def forward(self, x: Any) -> Any:
        return ops.max_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        )


class MaxPool1d(Module):
    """The largest element of each window over sequences N C L; see `ops.max_pool1d`."""

    def __init__(
        self, kernel_size: int, stride: int | None = None, padding: int = 0, dilation: int = 1,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.ceil_mode = dilation, ceil_mode

    def settings(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"

    def forward(self, x: Any) -> Any:
        return ops.max_pool1d(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        )


class AvgPool1d(Module):
    """The mean of each window over sequences N C L; see `ops.avg_pool1d`."""

    def __init__(
        self, kernel_size: int, stride: int | None = None, padding: int = 0, count_include_pad: bool = True
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.count_include_pad = count_include_pad

    def settings(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"

    def forward(self, x: Any) -> Any:
        return ops.avg_pool1d(
            x, self.kernel_size, self.stride, self.padding, count_include_pad=self.count_include_pad
        )


class AvgPool2d(Module):
    """The mean of each window; see `ops.avg_pool2d`."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.count_include_pad = count_include_pad

    def settings(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"

    def forward(self, x: Any) -> Any:
        return ops.avg_pool2d(
            x, self.kernel_size, self.stride, self.padding, count_include_pad=self.count_include_pad
        )


class AdaptiveAvgPool2d(Module):
    """Means over as many even windows as `output_size` asks for; see `ops.adaptive_avg_pool2d`."""

    def __init__(self, output_size: Sizes) -> None:
        self.output_size = output_size

    def settings(self) -> str:
        return f"{self.output_size}"

    def forward(self, x: Any) -> Any:
        return ops.adaptive_avg_pool2d(x, self.output_size)
