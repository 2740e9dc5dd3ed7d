"""Convolutions over sequences N C L and images N C H W."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from shared import ops
from shared.errors import SettingError
from shared.nn.initial import (
    Initialiser,
    settle,
    size_of,
    unsettled,
    waiting,
    within_fan,
    within_fan_in,
)
from shared.nn.initial import fans as fans_of
from shared.nn.module import Module
from shared.nn.simple import known_size

Sizes = int | Sequence[int]


class _Convolution(Module):
    """What they share. `turned`: the weight is (in, out / groups, ...), not (out, in / groups, ...)."""

    axes = 2
    turned = False

    def __init__(
        self, in_channels: int | None, out_channels: int, kernel_size: Sizes,
        stride: Sizes = 1, padding: Sizes = 0, dilation: Sizes = 1, groups: int = 1,
        bias: bool = True, initialiser: Initialiser | None = None,
        bias_initialiser: Initialiser | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(groups, int) or groups < 1:
            raise SettingError(f"{type(self).__name__}: groups must be at least 1, not {groups!r}")
        for count, what in ((in_channels, "in_channels"), (out_channels, "out_channels")):
            if count is not None and (count < 1 or count % groups):
                raise SettingError(
                    f"{type(self).__name__}: {what} {count} must be a multiple of groups, {groups}"
                )
        self.out_channels, self.groups = out_channels, groups
        self.kernel_size = self._sizes("kernel_size", kernel_size)
        self.stride = self._sizes("stride", stride)
        self.padding = self._sizes("padding", padding)
        self.dilation = self._sizes("dilation", dilation)
        self.weight = waiting(self._weight_shape(in_channels), initialiser)
        self.bias = waiting((out_channels,), bias_initialiser) if bias else None
        if in_channels is not None:
            self._make(in_channels)

    def _sizes(self, name: str, value: Sizes) -> Any:
        sizes = tuple(value) if isinstance(value, Iterable) else (value,) * self.axes
        if len(sizes) != self.axes or not all(hasattr(size, "__index__") for size in sizes):
            raise SettingError(
                f"{type(self).__name__}: {name} must be an int or {self.axes} of them, not {value!r}"
            )
        return sizes

    def _weight_shape(self, in_channels: int | None) -> tuple[int | None, ...]:
        if self.turned:
            return (in_channels, self.out_channels // self.groups, *self.kernel_size)
        each = None if in_channels is None else in_channels // self.groups
        return (self.out_channels, each, *self.kernel_size)

    def _make(self, in_channels: int) -> None:
        shape = self._weight_shape(in_channels)
        settle(self.weight, shape, within_fan_in())  # type: ignore[arg-type]
        if self.bias is not None:
            settle(self.bias, (self.out_channels,), within_fan(fans_of(shape)[0]))  # type: ignore[arg-type]

    @property
    def in_channels(self) -> int | None:
        """The input's channels; None until they are known."""
        each = size_of(self.weight, 0 if self.turned else 1)
        return each if each is None or self.turned else each * self.groups

    def settings(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"]
        usual = {"stride": 1, "padding": 0, "dilation": 1}
        for name, value in usual.items():
            if getattr(self, name) != (value,) * self.axes:
                parts.append(f"{name}={getattr(self, name)}")
        parts += [f"groups={self.groups}"] * (self.groups != 1) + ["bias=False"] * (self.bias is None)
        return ", ".join(parts)

    def _ready(self, x: Any) -> None:
        if unsettled(self.weight, self.bias):
            self._make(known_size(type(self).__name__, x.shape[1]))


class Conv2d(_Convolution):
    """2-d convolution as `torch.nn.Conv2d`: (N, in, H, W) to (N, out, OH, OW).

    `in_channels` None is learnt at the first call. weight (out, in / groups, KH, KW), bias
    (out,), both float32 and, unless the initialisers say otherwise, uniform within
    1 / sqrt(in / groups * KH * KW). For sizes see `ops.conv2d`.
    """

    def forward(self, x: Any) -> Any:
        self._ready(x)
        return ops.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class Conv1d(_Convolution):
    """1-d convolution as `torch.nn.Conv1d`: (N, in, L) to (N, out, OL). Else as Conv2d."""

    axes = 1

    def forward(self, x: Any) -> Any:
        self._ready(x)
        return ops.conv1d(
            x, self.weight, self.bias,
            self.stride[0], self.padding[0], self.dilation[0], self.groups,
        )  # fmt: skip


class ConvTranspose2d(_Convolution):
    """Transposed 2-d convolution as `torch.nn.ConvTranspose2d`: (N, in, H, W) to (N, out, OH, OW).

    What the gradient of Conv2d by its input computes; undoes its change of size where
    `output_padding` makes up for what the stride rounded off. weight (in, out / groups, KH, KW),
    bias (out,).
    """

    turned = True

    def __init__(
        self, in_channels: int | None, out_channels: int, kernel_size: Sizes,
        stride: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0, groups: int = 1,
        bias: bool = True, dilation: Sizes = 1, initialiser: Initialiser | None = None,
        bias_initialiser: Initialiser | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            initialiser, bias_initialiser,
        )  # fmt: skip
        self.output_padding = self._sizes("output_padding", output_padding)

    def forward(self, x: Any) -> Any:
        self._ready(x)
        return ops.conv_transpose2d(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding,
            output_padding=self.output_padding, groups=self.groups, dilation=self.dilation,
        )  # fmt: skip
