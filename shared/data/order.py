"""The order in which training meets its examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from shared.errors import SettingError, ShapeError
from shared.spec import as_seed


def batches(x: Any, y: Any, size: int, seed: int = 0) -> Iterator[tuple[Any, Any]]:
    """Batches of `size` rows of x and y, without end, in an order that `seed` alone decides.

    Each epoch visits the rows in a new shuffle; what does not fill a last batch sits that
    epoch out, so every batch has the same shape. `DataLoader` does this and more.
    """
    if len(x) != len(y):
        raise ShapeError(f"batches: x has {len(x)} rows and y {len(y)}; each row of x goes with one of y")
    if not 1 <= size <= len(x):
        raise SettingError(f"batches: size must lie between 1 and the {len(x)} rows, not {size!r}")
    return _batches(x, y, size, np.random.RandomState(as_seed("batches", seed, 2**32)))


def _batches(x: Any, y: Any, size: int, random: np.random.RandomState) -> Iterator[tuple[Any, Any]]:
    while True:
        order = random.permutation(len(x))
        for start in range(0, len(x) - size + 1, size):
            rows = order[start : start + size]
            yield x[rows], y[rows]


def shuffled(count: int, seed: int, epoch: int = 0) -> Any:
    """The numbers below `count` in an order that seed and epoch decide: int64 (count,).

    RandomState, whose stream NumPy has frozen: the order is the same under every version.
    """
    words = [seed % 2**32, (seed >> 32) % 2**32, epoch]
    return np.random.RandomState(words).permutation(count).astype(np.int64)
