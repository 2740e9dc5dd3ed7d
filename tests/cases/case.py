"""What a case says, and arrays to say it with."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One way to call an op.

    op         the op that the call must reach (the laws check that it does)
    call       the call, on arrays or on Tensors of either engine; a result or a tuple of them
    args       the arguments; floating ones are tried in float32 and float64, complex ones in such parts,
               others as they are
    torch      the same call on torch Tensors, if PyTorch has the op
    unknown    for each argument its shape as a placeholder gets it: ints, or names for sizes
               that are unknown until run; by default axis 0 of each argument has a size of its own
               (sizes that must agree need the same name)
    composed   the same, out of simpler ops: the oracle of a fused op
    smooth     False if the call has no derivatives to compare with finite differences
    second     False if second derivatives are zero or infinite by nature
    name       what tells this case from the op's others
    """

    op: str
    call: Callable[..., Any]
    args: Sequence[Any]
    torch: Callable[..., Any] | None = None
    unknown: Sequence[Sequence[int | str]] | None = None
    composed: Callable[..., Any] | None = None
    smooth: bool = True
    second: bool = True
    name: str = ""

    def __str__(self) -> str:
        return f"{self.op}-{self.name}" if self.name else self.op

    def arrays(self, dtype: Any) -> list[np.ndarray]:
        """The arguments, floating ones in `dtype`, complex ones in the complex dtype of such parts."""
        kinds = {"f": dtype, "c": np.result_type(dtype, np.complex64)}
        args = [np.asarray(a) for a in self.args]
        return [a.astype(kinds[a.dtype.kind]) if a.dtype.kind in kinds else a for a in args]

    def rng(self) -> np.random.Generator:
        """The same random numbers for this case in every run."""
        return np.random.default_rng(zlib.crc32(str(self).encode()))

    def placeholder_shapes(self, arrays: Sequence[np.ndarray], known: bool) -> list[tuple[Any, ...]]:
        """The arguments' shapes, all sizes known or some of them not."""
        if known:
            return [a.shape for a in arrays]
        if self.unknown is not None:
            return [tuple(shape) for shape in self.unknown]
        return [(f"n{i}", *a.shape[1:]) if a.ndim else () for i, a in enumerate(arrays)]


_rng = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    """Standard normal numbers."""
    return _rng.standard_normal(shape)


def complex_normal(*shape: int) -> np.ndarray:
    """Complex numbers whose parts are standard normal."""
    return _rng.standard_normal(shape) + 1j * _rng.standard_normal(shape)


def positive(*shape: int) -> np.ndarray:
    """Numbers from 0.5 to 2."""
    return _rng.uniform(0.5, 2.0, shape)


def between(low: float, high: float, *shape: int) -> np.ndarray:
    """Numbers evenly drawn from an interval."""
    return _rng.uniform(low, high, shape)


def distinct(*shape: int) -> np.ndarray:
    """Numbers at least 0.1 apart, and as far from zero: no ties, no kinks nearby."""
    size = int(np.prod(shape))
    values = (np.arange(size) - size // 2 + 0.5) * 0.2
    return _rng.permutation(values).reshape(shape)


def integers(low: int, high: int, *shape: int) -> np.ndarray:
    """Integers from `low` up to, and without, `high`."""
    return _rng.integers(low, high, shape)


def booleans(*shape: int) -> np.ndarray:
    """Coin tosses."""
    return _rng.random(shape) < 0.5
