"""How Parameters start, and the generator that draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.ops.random import generator_state
from shared.state import Buffer, Parameter

Initialiser = Callable[[tuple[int, ...], np.random.Generator], Any]


class _Source:
    """The generator that layers made from now on draw from."""

    generator = np.random.default_rng(0)


def manual_seed(seed: int) -> None:
    """Start the drawing of initial values, and of layers' generators, anew from `seed`."""
    _Source.generator = np.random.default_rng(seed)


def parameter(shape: Sequence[int], initialiser: Initialiser, dtype: Any = np.float32) -> Parameter:
    """A Parameter with drawn values."""
    return Parameter(np.asarray(initialiser(tuple(shape), _Source.generator), dtype))


def fill(target: Parameter, shape: Sequence[int], initialiser: Initialiser, dtype: Any = np.float32) -> None:
    """Give a Parameter whose shape was not known its values."""
    target.data = np.asarray(initialiser(tuple(shape), _Source.generator), dtype)


def generator() -> Buffer:
    """A generator's state for a layer that draws random numbers of its own."""
    return Buffer(generator_state(int(_Source.generator.integers(2**63))))


def fan_in(shape: tuple[int, ...]) -> int:
    """How many inputs each output of a weight (out, in, ...) sums."""
    return math.prod(shape[1:])


def uniform_fan_in(shape: tuple[int, ...], rng: np.random.Generator, fan: int | None = None) -> Any:
    """Uniform within 1 / sqrt(fan in): PyTorch's default for Linear and Conv."""
    bound = 1 / math.sqrt(max(fan if fan is not None else fan_in(shape), 1))
    return rng.uniform(-bound, bound, shape)
