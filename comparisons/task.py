"""Task: what is trained, without a word about the engine that trains it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from shared import nn, ops, optim
from shared.data import Split, batches


@dataclass(frozen=True)
class Task:
    """Data, model, loss and optimiser.

    name        what the command line calls it
    title       what a page calls it
    short       what a sentence calls it
    about       one or two sentences for a reader who has never seen it
    model       makes the model; initial values come from `nn.manual_seed`
    optimizer   makes the optimiser of some parameters
    data        loads the examples
    batch_size  rows per step
    steps       how many steps make a whole training run
    full_steps  how many in a long one
    loss        (model's output, labels) -> a 0-d Tensor
    goal        test accuracy that a whole run must reach
    loop        which pair of training scripts drives it: `comparisons/loops/{loop}_{engine}.py`
    """

    name: str
    title: str
    short: str
    about: str
    model: Callable[[], nn.Module]
    optimizer: Callable[[Iterable[nn.Parameter]], optim.Optimizer]
    data: Callable[[], Split]
    batch_size: int
    steps: int
    full_steps: int
    loss: Callable[[Any, Any], Any] = ops.cross_entropy
    goal: float | None = None
    loop: str = "supervised"

    @property
    def examples(self) -> Split:
        """The data, loaded once per process."""
        return _loaded(self.data)

    def batches(self, seed: int) -> Iterator[tuple[Any, Any]]:
        """As many batches as there are steps, in an order that the seed alone decides."""
        train_x, train_y, _, _ = self.examples
        return itertools.islice(batches(train_x, train_y, self.batch_size, seed), self.steps)

    def with_steps(self, steps: int) -> Task:
        """The same task, trained for another number of steps."""
        return replace(self, steps=steps)

    def full(self) -> Task:
        """The same task, trained for long."""
        return self.with_steps(self.full_steps)


_loaded = lru_cache(maxsize=8)(lambda load: load())
