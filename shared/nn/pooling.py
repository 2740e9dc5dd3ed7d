"""Pooling over sequences N C L, images N C H W and volumes N C D H W; each layer takes one without N too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from shared import ops
from shared.nn.module import Module

Sizes = int | tuple[int, ...]


class _Pooling(Module):
    """What they share: an op, and the settings that it is called with, in its order."""

    operation: ClassVar[Callable[..., Any]]
    shown: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding")

    def settings(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _MaxPool(_Pooling):
    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Any = 0, dilation: Sizes = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.return_indices, self.ceil_mode = dilation, return_indices, ceil_mode

    def forward(self, x: Any) -> Any:
        return type(self).operation(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class MaxPool2d(_MaxPool):
    """The largest element of each window; see `ops.max_pool2d`."""

    operation = staticmethod(ops.max_pool2d)


class MaxPool1d(_MaxPool):
    """The largest element of each window over sequences N C L; see `ops.max_pool1d`."""

    operation = staticmethod(ops.max_pool1d)


class MaxPool3d(_MaxPool):
    """The largest element of each window over volumes N C D H W; see `ops.max_pool3d`."""

    operation = staticmethod(ops.max_pool3d)


class AvgPool2d(_Pooling):
    """The mean of each window; see `ops.avg_pool2d`."""

    operation: ClassVar[Callable[..., Any]] = staticmethod(ops.avg_pool2d)

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Any:
        return type(self).operation(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


class AvgPool3d(AvgPool2d):
    """The mean of each window over volumes N C D H W; see `ops.avg_pool3d`."""

    operation = staticmethod(ops.avg_pool3d)


class AvgPool1d(_Pooling):
    """The mean of each window over sequences N C L; see `ops.avg_pool1d`."""

    operation: ClassVar[Callable[..., Any]] = staticmethod(ops.avg_pool1d)

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, x: Any) -> Any:
        return type(self).operation(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


# --- what undoes them ----------------------------------------------------------------------


class MaxUnpool2d(_Pooling):
    """The elements that `MaxPool2d` with `return_indices` found, put back, zeros elsewhere; called on both,
    and on the size to come out, if that is not the usual one. See `ops.max_unpool2d`."""

    operation: ClassVar[Callable[..., Any]] = staticmethod(ops.max_unpool2d)

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Any:
        settings = self.kernel_size, self.stride, self.padding
        return type(self).operation(x, indices, *settings, output_size)


class MaxUnpool1d(MaxUnpool2d):
    """The same over sequences N C L; see `ops.max_unpool1d`."""

    operation = staticmethod(ops.max_unpool1d)


class MaxUnpool3d(MaxUnpool2d):
    """The same over volumes N C D H W; see `ops.max_unpool3d`."""

    operation = staticmethod(ops.max_unpool3d)


# --- power averages ------------------------------------------------------------------------


class LPPool2d(_Pooling):
    """The norm of each window; see `ops.lp_pool2d`."""

    operation: ClassVar[Callable[..., Any]] = staticmethod(ops.lp_pool2d)
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, x: Any) -> Any:
        return type(self).operation(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(LPPool2d):
    """The norm of each window over sequences N C L; see `ops.lp_pool1d`."""

    operation = staticmethod(ops.lp_pool1d)


class LPPool3d(LPPool2d):
    """The norm of each window over volumes N C D H W; see `ops.lp_pool3d`."""

    operation = staticmethod(ops.lp_pool3d)


# --- of a size that is asked for -----------------------------------------------------------


class AdaptiveAvgPool2d(_Pooling):
    """Means over as many even windows as `output_size` asks for; see `ops.adaptive_avg_pool2d`."""

    operation: ClassVar[Callable[..., Any]] = staticmethod(ops.adaptive_avg_pool2d)

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def settings(self) -> str:
        return f"{self.output_size}"

    def forward(self, x: Any) -> Any:
        return type(self).operation(x, self.output_size)


class AdaptiveAvgPool1d(AdaptiveAvgPool2d):
    """The same over sequences N C L; see `ops.adaptive_avg_pool1d`."""

    operation = staticmethod(ops.adaptive_avg_pool1d)


class AdaptiveAvgPool3d(AdaptiveAvgPool2d):
    """The same over volumes N C D H W; see `ops.adaptive_avg_pool3d`."""

    operation = staticmethod(ops.adaptive_avg_pool3d)


class AdaptiveMaxPool2d(_Pooling):
    """The largest elements of as many even windows as `output_size` asks for; see
    `ops.adaptive_max_pool2d`."""

    operation: ClassVar[Callable[..., Any]] = staticmethod(ops.adaptive_max_pool2d)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        self.output_size, self.return_indices = output_size, return_indices

    def settings(self) -> str:
        return f"{self.output_size}"

    def forward(self, x: Any) -> Any:
        return type(self).operation(x, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(AdaptiveMaxPool2d):
    """The same over sequences N C L; see `ops.adaptive_max_pool1d`."""

    operation = staticmethod(ops.adaptive_max_pool1d)


class AdaptiveMaxPool3d(AdaptiveMaxPool2d):
    """The same over volumes N C D H W; see `ops.adaptive_max_pool3d`."""

    operation = staticmethod(ops.adaptive_max_pool3d)
