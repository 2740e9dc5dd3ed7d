"""Convolutions over sequences N C L, images N C H W and volumes N C D H W; each takes one without N too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from shared import ops
from shared.dims import Dim
from shared.errors import SettingError
from shared.nn.initial import (
    Initialiser,
    fans as fans_of,
    settle,
    size_of,
    unsettled,
    waiting,
    within_fan,
    within_fan_in,
)
from shared.nn.module import Module
from shared.nn.simple import known_size
from shared.ops.padding import MODES
from shared.ops.windows import margins

Sizes = int | Sequence[int]


class _Convolution(Module):
    """What they share. `turned`: the weight is (in, out / groups, ...), not (out, in / groups, ...);
    `operation`: the op, over so many `axes` beside N C."""

    operation: ClassVar[Callable[..., Any]]
    axes = 2
    turned = False

    def __init__(
        self, in_channels: int | None, out_channels: int, kernel_size: Sizes,
        stride: Sizes = 1, padding: Any = 0, dilation: Sizes = 1, groups: int = 1,
        bias: bool = True, padding_mode: str = "zeros", initialiser: Initialiser | None = None,
        bias_initialiser: Initialiser | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(groups, int) or groups < 1:
            raise SettingError(f"{type(self).__name__}: groups must be at least 1, not {groups!r}")
        for count, what in ((in_channels, "in_channels"), (out_channels, "out_channels")):
            if count is not None and (count < 1 or count % groups):
                raise SettingError(
                    f"{type(self).__name__}: {what} {count} must be a multiple of groups, {groups}"
                )
        if padding_mode != "zeros" and padding_mode not in MODES:
            known = ", ".join(map(repr, ("zeros", *MODES)))
            raise SettingError(
                f"{type(self).__name__}: padding_mode must be one of {known}, not {padding_mode!r}"
            )
        self.out_channels, self.groups, self.padding_mode = out_channels, groups, padding_mode
        self.kernel_size = self._sizes("kernel_size", kernel_size)
        self.stride = self._sizes("stride", stride)
        self.padding = self._padding(padding)
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

    def _padding(self, value: Any) -> Any:
        """As `ops.conv2d` takes it: a word, or for each axis an int or a pair (before, behind)."""
        pairs = isinstance(value, Iterable) and any(isinstance(part, Iterable) for part in value)
        return value if isinstance(value, str) or pairs else self._sizes("padding", value)

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
                parts.append(f"{name}={getattr(self, name)!r}")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode!r}")
        parts += [f"groups={self.groups}"] * (self.groups != 1) + ["bias=False"] * (self.bias is None)
        return ", ".join(parts)

    def forward(self, x: Any) -> Any:
        self._ready(x)
        padding = self.padding
        if self.padding_mode != "zeros":
            around = margins(
                type(self).__name__, padding, x.shape[-self.axes :], self.kernel_size, self.stride,
                self.dilation,
            )  # fmt: skip
            lead = ((0, 0),) * (len(x.shape) - self.axes)
            x, padding = ops.pad(x, (*lead, *zip(*around, strict=True)), self.padding_mode), 0
        return type(self).operation(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _ready(self, x: Any) -> None:
        if unsettled(self.weight, self.bias):
            self._make(known_size(type(self).__name__, x.shape[-self.axes - 1]))


class Conv2d(_Convolution):
    """2-d convolution as `torch.nn.Conv2d`: (N, in, H, W) to (N, out, OH, OW).

    `in_channels` None is learnt at the first call. weight (out, in / groups, KH, KW), bias
    (out,), both float32 and, unless the initialisers say otherwise, uniform within
    1 / sqrt(in / groups * KH * KW). `padding` is of zeros, or, by `padding_mode`, the image goes on
    ("reflect", "replicate" or "circular", see `ops.pad`). For sizes see `ops.conv2d`.
    """

    operation = staticmethod(ops.conv2d)


class Conv1d(_Convolution):
    """1-d convolution as `torch.nn.Conv1d`: (N, in, L) to (N, out, OL). Else as Conv2d."""

    axes = 1
    operation = staticmethod(ops.conv1d)


class Conv3d(_Convolution):
    """3-d convolution as `torch.nn.Conv3d`: (N, in, D, H, W) to (N, out, OD, OH, OW). Else as Conv2d."""

    axes = 3
    operation = staticmethod(ops.conv3d)


class ConvTranspose2d(_Convolution):
    """Transposed 2-d convolution as `torch.nn.ConvTranspose2d`: (N, in, H, W) to (N, out, OH, OW).

    What the gradient of Conv2d by its input computes; undoes its change of size where
    `output_padding` makes up for what the stride rounded off. weight (in, out / groups, KH, KW),
    bias (out,).
    """

    turned = True
    operation: ClassVar[Callable[..., Any]] = staticmethod(ops.conv_transpose2d)

    def __init__(
        self, in_channels: int | None, out_channels: int, kernel_size: Sizes,
        stride: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0, groups: int = 1,
        bias: bool = True, dilation: Sizes = 1, initialiser: Initialiser | None = None,
        bias_initialiser: Initialiser | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, self._sizes("padding", padding), dilation,
            groups, bias, initialiser=initialiser, bias_initialiser=bias_initialiser,
        )  # fmt: skip
        self.output_padding = self._sizes("output_padding", output_padding)

    def forward(self, x: Any, output_size: Any = None) -> Any:
        """`output_size`, known, of all axes or of those behind N C, takes the place of `output_padding`."""
        self._ready(x)
        extra = self.output_padding if output_size is None else self._extra(x, output_size)
        return type(self).operation(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding, output_padding=extra,
            groups=self.groups, dilation=self.dilation,
        )  # fmt: skip

    def _extra(self, x: Any, output_size: Any) -> tuple[int, ...]:
        """How much larger than the smallest result one of that size is."""
        sizes, image = tuple(output_size)[-self.axes :], x.shape[-self.axes :]
        move = zip(image, self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * step - 2 * p + apart * (k - 1) + 1 for n, step, p, apart, k in move]
        extra = tuple(size - small for size, small in zip(sizes, least, strict=True))
        if any(isinstance(more, Dim) or more < 0 for more in extra):
            raise SettingError(
                f"{type(self).__name__}: output_size {tuple(output_size)} must be known, and from "
                f"{tuple(least)} on"
            )
        return extra


class ConvTranspose1d(ConvTranspose2d):
    """Transposed 1-d convolution as `torch.nn.ConvTranspose1d`: (N, in, L) to (N, out, OL). Else as
    ConvTranspose2d."""

    axes = 1
    operation = staticmethod(ops.conv_transpose1d)


class ConvTranspose3d(ConvTranspose2d):
    """Transposed 3-d convolution as `torch.nn.ConvTranspose3d`: (N, in, D, H, W) to (N, out, OD, OH, OW).
    Else as ConvTranspose2d."""

    axes = 3
    operation = staticmethod(ops.conv_transpose3d)
