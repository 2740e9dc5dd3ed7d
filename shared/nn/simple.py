"""Layers without memory or neighbours: Linear, Embedding, Flatten, Identity."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.dims import Dim
from shared.errors import SettingError
from shared.nn.initial import (
    Initialiser,
    normal,
    parameter,
    settle,
    size_of,
    unsettled,
    waiting,
    within_fan,
    within_fan_in,
)
from shared.nn.module import Module


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


class Embedding(Module):
    """Rows of a table picked by index: integers (...) to (..., embedding_dim).

    weight (num_embeddings, embedding_dim), float32, standard normal. The row at `padding_idx`
    starts as zeros and gets no gradient.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        initialiser: Initialiser | None = None,
    ) -> None:
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise SettingError(
                f"Embedding: padding_idx {padding_idx} is no row of {num_embeddings}; use one from "
                f"{-num_embeddings} to {num_embeddings - 1}, or None"
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = parameter((num_embeddings, embedding_dim), initialiser or normal())
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def settings(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"

    def forward(self, index: Any) -> Any:
        return ops.embedding(index, self.weight, self.padding_idx)


class Flatten(Module):
    """All axes but the first made one: (N, ...) to (N, features)."""

    def __init__(self, start_axis: int = 1) -> None:
        self.start_axis = start_axis

    def forward(self, x: Any) -> Any:
        return ops.flatten(x, self.start_axis)


class Identity(Module):
    """Gives what it is given; takes the place of a layer that is left out."""

    def forward(self, x: Any) -> Any:
        return x
