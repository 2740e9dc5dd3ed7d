"""What an entry of the table of layers is, and inputs to make one of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared import nn

rng = np.random.default_rng(11)


def normal(*shape: int) -> np.ndarray:
    """Standard normal float32."""
    return rng.standard_normal(shape).astype(np.float32)


def integers(high: int, *shape: int) -> np.ndarray:
    """From 0 up to, and without, `high`."""
    return rng.integers(0, high, shape)


@dataclass(frozen=True)
class Entry:
    """A layer and a call of it.

    layer    the class
    make     makes one
    inputs   what it is called on; gradients are taken by the floating ones
    unknown  the inputs' shapes as placeholders get them, where they may be unknown; by default
             axis 0 of each has one unknown size that they share
    calling  how to call it on the inputs, and PyTorch's twin alike, unless one by one
    torch    makes PyTorch's twin, given the module `torch.nn`; None where there is none
    torch_calling  how to call the twin, if otherwise
    random   whether it draws random numbers, so that the twin can not agree in training
    """

    layer: type
    make: Callable[[], nn.Module]
    inputs: Sequence[np.ndarray]
    unknown: Sequence[Sequence[Any]] | None = None
    calling: Callable[..., Any] = lambda module, *xs: module(*xs)
    torch: Callable[[Any], Any] | None = None
    torch_calling: Callable[..., Any] | None = None
    random: bool = False
    name: str = ""

    def __str__(self) -> str:
        return self.layer.__name__ + (f"-{self.name}" if self.name else "")

    def call(self, model: nn.Module, xs: Sequence[Any]) -> list[Any]:
        """The outputs, as a flat list."""
        return flat(self.calling(model, *xs))

    def call_twin(self, twin: Any, xs: Sequence[Any]) -> list[Any]:
        """The same of PyTorch's."""
        return flat((self.torch_calling or self.calling)(twin, *xs))

    def placeholder_shapes(self) -> list[tuple[Any, ...]]:
        """For each input."""
        if self.unknown is not None:
            return [tuple(shape) for shape in self.unknown]
        return [("N", *x.shape[1:]) for x in self.inputs]


def flat(value: Any) -> list[Any]:
    """Tensors in nested tuples, in order; None left out."""
    if value is None:
        return []
    if isinstance(value, (tuple, list)):
        return [part for inner in value for part in flat(inner)]
    return [value]


def twin(layer: type, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """A layer and PyTorch's of the same name and settings."""
    return {
        "layer": layer,
        "make": lambda: layer(*args, **kwargs),
        "torch": lambda t: getattr(t, layer.__name__)(*args, **kwargs),
    }
