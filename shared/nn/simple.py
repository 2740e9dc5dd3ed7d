"""Layers without memory or neighbours: Linear, Flatten."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.dims import Dim
from shared.errors import SettingError
from shared.nn.initial import fill, uniform_fan_in
from shared.nn.module import Module
from shared.state import Parameter


def known_size(layer: str, size: Any) -> int:
    """The size that a lazy layer learns from its first input; it must be known by then."""
    if isinstance(size, Dim):
        raise SettingError(
            f"{layer}: its input size is {size}, not known until run, so the weight has no shape; "
            f"give the placeholder a fixed size there, or the layer its input size"
        )
    return int(size)


class Linear(Module):
    """`x @ weight.T + bias` over the last axis: (..., in_features) to (..., out_features).

    `Linear(10)` is short for `Linear(None, 10)`: the input size is learnt at the first call.
    weight (out_features, in_features), bias (out_features,), both float32, uniform within
    1 / sqrt(in_features).
    """

    def __init__(
        self, in_features: int | None, out_features: int | None = None, bias: bool = True
    ) -> None:
        if out_features is None:
            in_features, out_features = None, in_features
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(None)
        self.bias = Parameter(None) if bias else None
        if in_features is not None:
            self._make(in_features)

    def _make(self, in_features: int) -> None:
        self.in_features = in_features
        fill(self.weight, (self.out_features, in_features), uniform_fan_in)
        if self.bias is not None:
            fill(self.bias, (self.out_features,), lambda s, rng: uniform_fan_in(s, rng, in_features))

    def settings(self) -> str:
        return f"{self.in_features}, {self.out_features}" + (", bias=False" if self.bias is None else "")

    def forward(self, x: Any) -> Any:
        if self.weight.data is None:
            self._make(known_size("Linear", x.shape[-1]))
        return ops.linear(x, self.weight, self.bias)


class Flatten(Module):
    """All axes but the first made one: (N, ...) to (N, features)."""

    def __init__(self, start_axis: int = 1) -> None:
        self.start_axis = start_axis

    def forward(self, x: Any) -> Any:
        return ops.flatten(x, self.start_axis)
