"""Padding as layers: sequences, images and volumes with something around them, behind axes N C or C alone."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.errors import SettingError, ShapeError
from shared.nn.module import Module
from shared.spec import str_shape


class _Padding(Module):
    """What they share. `padding`: an int for all ends, or for each axis, from the last one on, what comes
    before and what behind: (left, right, top, bottom, front, back). Negative widths crop."""

    axes = 2
    mode = "constant"
    value: float = 0.0

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        widths = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * (2 * self.axes)
        if len(widths) != 2 * self.axes:
            raise SettingError(
                f"{type(self).__name__}: padding must be an int or {2 * self.axes} of them, not {padding!r}"
            )
        self.padding = widths

    def settings(self) -> str:
        return f"{self.padding}"

    def forward(self, x: Any) -> Any:
        lead = len(x.shape) - self.axes
        if lead < 0:
            raise ShapeError(
                f"{type(self).__name__}: x {str_shape(tuple(x.shape))} needs {self.axes} axes at least"
            )
        ends = zip(self.padding[::2], self.padding[1::2], strict=True)
        return ops.pad(x, (*((0, 0),) * lead, *reversed(list(ends))), self.mode, self.value)


class ConstantPad2d(_Padding):
    """`value` around an image, as `torch.nn.ConstantPad2d`."""

    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def settings(self) -> str:
        return f"{self.padding}, {self.value}"


class ConstantPad1d(ConstantPad2d):
    """`value` around a sequence, as `torch.nn.ConstantPad1d`."""

    axes = 1


class ConstantPad3d(ConstantPad2d):
    """`value` around a volume, as `torch.nn.ConstantPad3d`."""

    axes = 3


class ZeroPad2d(_Padding):
    """Zeros around an image, as `torch.nn.ZeroPad2d`."""


class ZeroPad1d(ZeroPad2d):
    """Zeros around a sequence, as `torch.nn.ZeroPad1d`."""

    axes = 1


class ZeroPad3d(ZeroPad2d):
    """Zeros around a volume, as `torch.nn.ZeroPad3d`."""

    axes = 3


class ReflectionPad2d(_Padding):
    """An image mirrored in its outer elements, as `torch.nn.ReflectionPad2d`."""

    mode = "reflect"


class ReflectionPad1d(ReflectionPad2d):
    """A sequence mirrored in its outer elements, as `torch.nn.ReflectionPad1d`."""

    axes = 1


class ReflectionPad3d(ReflectionPad2d):
    """A volume mirrored in its outer elements, as `torch.nn.ReflectionPad3d`."""

    axes = 3


class ReplicationPad2d(_Padding):
    """An image whose outer elements go on, as `torch.nn.ReplicationPad2d`."""

    mode = "edge"


class ReplicationPad1d(ReplicationPad2d):
    """A sequence whose outer elements go on, as `torch.nn.ReplicationPad1d`."""

    axes = 1


class ReplicationPad3d(ReplicationPad2d):
    """A volume whose outer elements go on, as `torch.nn.ReplicationPad3d`."""

    axes = 3


class CircularPad2d(_Padding):
    """An image that starts anew at its ends, as `torch.nn.CircularPad2d`."""

    mode = "wrap"


class CircularPad1d(CircularPad2d):
    """A sequence that starts anew at its ends, as `torch.nn.CircularPad1d`."""

    axes = 1


class CircularPad3d(CircularPad2d):
    """A volume that starts anew at its ends, as `torch.nn.CircularPad3d`."""

    axes = 3
