"""Task: what is trained, without a word about the engine that trains it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

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
    optimizer   makes the optimiser of some parameters; None where the scripts use none
    data        loads the examples
    batch_size  rows per step; 0 where there are none
    steps       how many steps make a whole training run
    full_steps  how many in a long one
    loss        (model's output, labels) -> a 0-d Tensor
    guess       (model's output) -> the answer to be judged: by default the class
    counted     what the answers are that can be right or wrong; None if they are none of both
    goal        test accuracy that a whole run must reach
    loop        which pair of training scripts drives it: `comparisons/training/loops/{loop}_{engine}.py`
    order       (inputs, labels, batch_size, seed) -> batches without end
    extra       more inputs that the trained model is asked about, for `show`
    show        (answers, task) -> what is worth looking at when training is over, as JSON: one of
                the kinds that `report/look/shown.py` knows
    tolerance   how far the losses may lie apart, as a share, where static needs another encoding
                of the task than dynamic; None: bit for bit
    quick       whether it is run when nobody names it
    device      where it is trained: "cpu" or "cuda"
    fetched     the data set, by the name that `fetch` knows, that must have been downloaded before;
                "" where the data comes with what is installed
    kin         the bench's workload that is most like it, in which other systems are raced; "" if none is
    unlike      in what the task differs from that workload, in a sentence
    """

    name: str
    title: str
    short: str
    about: str
    model: Callable[[], nn.Module]
    optimizer: Callable[[Iterable[nn.Parameter]], optim.Optimizer] | None
    data: Callable[[], Split]
    batch_size: int
    steps: int
    full_steps: int
    loss: Callable[[Any, Any], Any] = ops.cross_entropy
    guess: Callable[[Any], Any] = lambda logits: logits.argmax(axis=-1)
    counted: str | None = "test examples"
    goal: float | None = None
    loop: str = "supervised"
    order: Callable[..., Iterator[tuple[Any, ...]]] = batches
    extra: Callable[[], Any] | None = None
    show: Callable[[Any, Task], dict[str, Any]] | None = None
    tolerance: float | None = None
    quick: bool = False
    device: str = "cpu"
    fetched: str = ""
    kin: str = ""
    unlike: str = ""

    @property
    def examples(self) -> Split:
        """The data, loaded once per process."""
        return _loaded(self.data)

    @property
    def asked(self) -> Any:
        """What the trained model is asked: the test examples, and behind them what `extra` adds."""
        test = self.examples.test_x
        return test if self.extra is None else np.concatenate([test, self.extra()])

    @property
    def moments(self) -> tuple[int, ...]:
        """After how many steps a script that looks at its model while it trains does so: sooner at
        first, when most is learnt, and when training is over."""
        return tuple(sorted({max(self.steps // part, 1) for part in (30, 8, 3, 1)}))

    def batches(self, seed: int) -> Iterator[tuple[Any, ...]]:
        """As many batches as there are steps, in an order that the seed alone decides."""
        train_x, train_y, _, _ = self.examples
        return itertools.islice(self.order(train_x, train_y, self.batch_size, seed), self.steps)

    def with_steps(self, steps: int) -> Task:
        """The same task, trained for another number of steps."""
        return replace(self, steps=steps)

    def on(self, device: str) -> Task:
        """The same task, trained on another device."""
        return replace(self, device=device)

    def full(self) -> Task:
        """The same task, trained for long."""
        return self.with_steps(self.full_steps)


_loaded = lru_cache(maxsize=8)(lambda load: load())
