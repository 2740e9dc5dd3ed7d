"""Activations that are cut and bent at other places than 0, and one whose bend is learnt, as layers."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.nn.activation import Activation
from shared.nn.initial import constant, parameter
from shared.nn.module import Module


class Hardtanh(Module):
    """x held between `min_val` and `max_val`."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        self.min_val, self.max_val = min_val, max_val

    def settings(self) -> str:
        return f"{self.min_val}, {self.max_val}"

    def forward(self, x: Any) -> Any:
        return ops.hardtanh(x, self.min_val, self.max_val)


class ReLU6(Activation):
    """x held between 0 and 6."""

    def forward(self, x: Any) -> Any:
        return ops.relu6(x)


class Hardsigmoid(Activation):
    """(x + 3) / 6 held between 0 and 1."""

    def forward(self, x: Any) -> Any:
        return ops.hardsigmoid(x)


class Hardswish(Activation):
    """x times Hardsigmoid of it: Howard and others 2019."""

    def forward(self, x: Any) -> Any:
        return ops.hardswish(x)


class Hardshrink(Module):
    """x, or 0 where |x| <= `lambd`."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def settings(self) -> str:
        return f"{self.lambd}"

    def forward(self, x: Any) -> Any:
        return ops.hardshrink(x, self.lambd)


class Softshrink(Hardshrink):
    """x moved towards 0 by `lambd`, and 0 where it is no further away."""

    def forward(self, x: Any) -> Any:
        return ops.softshrink(x, self.lambd)


class Threshold(Module):
    """x where it is above `threshold`, else `value`."""

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold, self.value = threshold, value

    def settings(self) -> str:
        return f"{self.threshold}, {self.value}"

    def forward(self, x: Any) -> Any:
        return ops.threshold(x, self.threshold, self.value)


class PReLU(Module):
    """x, times `weight` where it is negative: one number, or one for each channel, axis 1. See `ops.prelu`.

    weight (num_parameters,) starts as `init`. He, Zhang, Ren and Sun 2015.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.weight = parameter((num_parameters,), constant(init))

    def settings(self) -> str:
        return f"{self.weight.shape[0]}"

    def forward(self, x: Any) -> Any:
        return ops.prelu(x, self.weight)
