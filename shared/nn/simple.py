"""Layers without memory or neighbours: Linear and Bilinear, and what only changes shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared import ops
from shared.dims import Dim
from shared.errors import SettingError
from shared.nn.initial import (
    Initialiser,
    parameter,
    settle,
    size_of,
    unsettled,
    waiting,
    within_fan,
    within_fan_in,
)
from shared.nn.module import Module
from shared.spec import in_short


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
    weight (out_features, in_features), bias (out_features,), both float32 and, unless the
    initialisers say otherwise, uniform within 1 / sqrt(in_features).
    """

    def __init__(
        self,
        in_features: int | None,
        out_features: int | None = None,
        bias: bool = True,
        initialiser: Initialiser | None = None,
        bias_initialiser: Initialiser | None = None,
    ) -> None:
        if out_features is None:
            in_features, out_features = None, in_features
        if out_features is None or out_features < 1 or (in_features is not None and in_features < 1):
            raise SettingError(
                f"Linear: sizes must be at least 1, not {in_features!r} and {out_features!r}"
            )
        self.out_features: int = out_features
        self.weight = waiting((out_features, in_features), initialiser)
        self.bias = waiting((out_features,), bias_initialiser) if bias else None
        if in_features is not None:
            self._make(in_features)

    def _make(self, in_features: int) -> None:
        settle(self.weight, (self.out_features, in_features), within_fan_in())
        if self.bias is not None:
            settle(self.bias, (self.out_features,), within_fan(in_features))

    @property
    def in_features(self) -> int | None:
        """The input size; None until it is known."""
        return size_of(self.weight, 1)

    def settings(self) -> str:
        return f"{self.in_features}, {self.out_features}" + (", bias=False" if self.bias is None else "")

    def forward(self, x: Any) -> Any:
        if unsettled(self.weight, self.bias):
            self._make(known_size("Linear", x.shape[-1]))
        return ops.linear(x, self.weight, self.bias)


class Bilinear(Module):
    """`x1 @ weight[o] @ x2 + bias[o]` for each output: (..., in1_features) and (..., in2_features) to
    (..., out_features); see `ops.bilinear`.

    weight (out_features, in1_features, in2_features), bias (out_features,), both float32 and uniform within
    1 / sqrt(in1_features).
    """

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True) -> None:
        for size in (in1_features, in2_features, out_features):
            if size < 1:
                raise SettingError(f"Bilinear: sizes must be at least 1, not {size!r}")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        within = within_fan(in1_features)
        self.weight = parameter((out_features, in1_features, in2_features), within)
        self.bias = parameter((out_features,), within) if bias else None

    def settings(self) -> str:
        sizes = f"{self.in1_features}, {self.in2_features}, {self.out_features}"
        return sizes + (", bias=False" if self.bias is None else "")

    def forward(self, x1: Any, x2: Any) -> Any:
        return ops.bilinear(x1, x2, self.weight, self.bias)


class Flatten(Module):
    """The axes from `start_axis` to `end_axis` made one; as it stands, (N, ...) to (N, features)."""

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        self.start_axis, self.end_axis = start_axis, end_axis

    def settings(self) -> str:
        return "" if (self.start_axis, self.end_axis) == (1, -1) else f"{self.start_axis}, {self.end_axis}"

    def forward(self, x: Any) -> Any:
        return ops.flatten(x, self.start_axis, self.end_axis)


class Unflatten(Module):
    """One axis made several, of these sizes, one of which may be -1: `Unflatten(1, (3, 32, 32))`."""

    def __init__(self, axis: int, unflattened_size: Sequence[int]) -> None:
        self.axis, self.unflattened_size = axis, tuple(unflattened_size)

    def settings(self) -> str:
        return f"{self.axis}, {self.unflattened_size}"

    def forward(self, x: Any) -> Any:
        return ops.unflatten(x, self.axis, self.unflattened_size)


class Lambda(Module):
    """A function as a layer, for a place in Sequential: `Lambda(lambda x: x[:, -1])`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function) or isinstance(function, type):
            raise SettingError(f"Lambda: takes a function, not {in_short(function)}")
        self.function = function

    def settings(self) -> str:
        return getattr(self.function, "__name__", "") or in_short(self.function)

    def forward(self, *xs: Any) -> Any:
        return self.function(*xs)


class Identity(Module):
    """Gives what it is given; takes the place of a layer that is left out."""

    def forward(self, x: Any) -> Any:
        return x
