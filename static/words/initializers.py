"""Initialisers as objects: called with a shape, they give an array to start from. Fans are counted as
TensorFlow 1 does: a weight is (*kernel, in, out).

seed: None draws from the graph's seed, and so on in the order in which variables are made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.casting import check_holds
from shared.errors import SettingError
from shared.spec import as_dtype
from static.graph.graph import get_default_graph

Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]


class Initializer:
    """What all of them are. dtype: of the array, where the call names none."""

    def __init__(self, dtype: Any = "float32") -> None:
        self.dtype = as_dtype(dtype)

    def values(self, shape: tuple[int, ...]) -> Any:
        """The numbers, in any dtype."""
        raise NotImplementedError

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        sizes = tuple(int(size) for size in shape)
        kind, numbers = self.dtype if dtype is None else as_dtype(dtype), np.asarray(self.values(sizes))
        if kind.kind in "iu" and numbers.size:
            check_holds(type(self).__name__, kind, numbers.min(), numbers.max())
        return numbers.astype(kind)


class Zeros(Initializer):
    """Zeros."""

    def values(self, shape: tuple[int, ...]) -> Any:
        return np.zeros(shape)


class Ones(Initializer):
    """Ones."""

    def values(self, shape: tuple[int, ...]) -> Any:
        return np.ones(shape)


class Constant(Initializer):
    """One number everywhere, or these numbers in their order."""

    def __init__(self, value: Any = 0, dtype: Any = "float32", verify_shape: bool = False) -> None:
        super().__init__(dtype)
        self.value = value

    def values(self, shape: tuple[int, ...]) -> Any:
        numbers = np.asarray(self.value)
        return np.full(shape, numbers) if numbers.ndim == 0 else numbers.reshape(shape)


class _Drawn(Initializer):
    def __init__(self, seed: int | None, dtype: Any) -> None:
        super().__init__(dtype)
        self.seed = seed

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        raise NotImplementedError

    def values(self, shape: tuple[int, ...]) -> Any:
        seed = get_default_graph().root().next_seed() if self.seed is None else self.seed
        return self.draw(np.random.default_rng(seed), shape)


class RandomUniform(_Drawn):
    """Evenly from [minval, maxval)."""

    def __init__(
        self, minval: float = 0.0, maxval: float = 1.0, seed: int | None = None, dtype: Any = "float32"
    ) -> None:
        super().__init__(seed, dtype)
        self.minval, self.maxval = minval, maxval

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        return rng.uniform(self.minval, self.maxval, shape)


class RandomNormal(_Drawn):
    """From a normal distribution."""

    def __init__(
        self, mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = "float32"
    ) -> None:
        super().__init__(seed, dtype)
        self.mean, self.stddev = mean, stddev

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        return rng.standard_normal(shape) * self.stddev + self.mean


class TruncatedNormal(RandomNormal):
    """The same, but none further from the mean than two deviations: such are drawn anew."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        state = rng.integers(2**63, size=2, dtype=np.uint64)
        return ops.truncated_normal(state, shape, "float64")[0] * self.stddev + self.mean


class VarianceScaling(_Drawn):
    """With a variance of scale / fan; mode: "fan_in", "fan_out" or "fan_avg"; distribution: "normal", which
    is truncated, or "uniform". Of a truncated normal the deviation is made up for, as TensorFlow 1 does."""

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: int | None = None,
        dtype: Any = "float32",
    ) -> None:  # fmt: skip
        super().__init__(seed, dtype)
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise SettingError(f"variance_scaling: mode is 'fan_in', 'fan_out' or 'fan_avg', not {mode!r}")
        if distribution not in ("normal", "truncated_normal", "untruncated_normal", "uniform"):
            raise SettingError(
                f"variance_scaling: distribution is 'normal' or 'uniform', not {distribution!r}"
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        into, out = fans(shape)
        fan = {"fan_in": into, "fan_out": out, "fan_avg": (into + out) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            return rng.uniform(-math.sqrt(3) * deviation, math.sqrt(3) * deviation, shape)
        if self.distribution == "untruncated_normal":
            return rng.standard_normal(shape) * deviation
        return TruncatedNormal(stddev=deviation / 0.87962566103423978).draw(rng, shape)


class Orthogonal(_Drawn):
    """An orthogonal matrix times gain, of the last axis by all others (Saxe et al. 2014)."""

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(seed, dtype)
        self.gain = gain

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


def fans(shape: Sequence[int]) -> tuple[float, float]:
    """How many inputs each output of a weight (*kernel, in, out) sums, and how many outputs each input goes
    to."""
    if len(shape) < 2:
        return (float(shape[0]),) * 2 if shape else (1.0, 1.0)
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)


def glorot_uniform(seed: int | None = None, dtype: Any = "float32") -> Initializer:
    """Glorot and Bengio 2010, evenly."""
    return VarianceScaling(1.0, "fan_avg", "uniform", seed, dtype)


def glorot_normal(seed: int | None = None, dtype: Any = "float32") -> Initializer:
    """Glorot and Bengio 2010, normal."""
    return VarianceScaling(1.0, "fan_avg", "normal", seed, dtype)


def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = "float32") -> Initializer:
    """The same two."""
    return glorot_uniform(seed, dtype) if uniform else glorot_normal(seed, dtype)


def he_normal(seed: int | None = None, dtype: Any = "float32") -> Initializer:
    """He et al. 2015, normal."""
    return VarianceScaling(2.0, "fan_in", "normal", seed, dtype)


def he_uniform(seed: int | None = None, dtype: Any = "float32") -> Initializer:
    """He et al. 2015, evenly."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed, dtype)


def variance_scaling_initializer(
    factor: float = 2.0, mode: str = "FAN_IN", uniform: bool = False, seed: int | None = None,
    dtype: Any = "float32",
) -> Initializer:  # fmt: skip
    """`contrib.layers`' words for VarianceScaling."""
    return VarianceScaling(factor, mode.lower(), "uniform" if uniform else "normal", seed, dtype)


# --- regularizers ----------------------------------------------------------------------------------


def l2_regularizer(scale: float) -> Callable[[Any], Any]:
    """scale sum(w * w) / 2, as a function of a variable."""
    return lambda weights: ops.sum(ops.square(weights.value())) * (scale / 2)


def l1_regularizer(scale: float) -> Callable[[Any], Any]:
    """scale sum(|w|), as a function of a variable."""
    return lambda weights: ops.sum(ops.abs(weights.value())) * scale
