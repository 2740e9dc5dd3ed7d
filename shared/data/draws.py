"""Random numbers for transforms: the same for an example whenever, and wherever, it is made.

Inside a loader a draw depends on the seeds, the epoch, the example's index and how many draws it
has had, and on nothing else: not on a thread, nor on whether the epoch was resumed half way.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import numpy as np

from shared.durable.interrupts import within
from shared.spec import as_seed


class _Example:
    """Which example is being made, and how many draws it has had."""

    def __init__(self, seed: int, epoch: int, index: int) -> None:
        self.seed, self.epoch, self.index, self.draws = seed, epoch, index, 0


_example: ContextVar[_Example | None] = ContextVar("example", default=None)


def making(seed: int, epoch: int, index: int) -> within:
    """Within the block, draws are those of this example in this epoch."""
    return within((_example, _Example(seed, epoch, index)))


class Draws:
    """A source of generators, one for each draw. Outside a loader it counts its own draws."""

    def __init__(self, seed: int) -> None:
        self.seed = as_seed("transform", seed)
        self._own = _Example(0, 0, 0)

    def next(self) -> Any:
        """A fresh `numpy.random.Generator`."""
        example = _example.get() or self._own
        example.draws += 1
        key = [self.seed % 2**64, example.seed % 2**64]
        counter = [0, example.draws, example.index, example.epoch]
        return np.random.Generator(np.random.Philox(key=np.array(key, np.uint64), counter=counter))
