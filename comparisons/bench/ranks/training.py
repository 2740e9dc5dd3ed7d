"""One rank's training, as the user of each system writes it: the same model, and rows of its own.

Each yields "build", and "compile" where that is a phase, then the loss over this rank's rows after each step.
A rank that talks to nobody trains as a process by itself, without a word of data parallelism.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from comparisons.bench.workloads import EVERY, Workload

Training = Iterator[str | float]


@dataclass(frozen=True)
class Share:
    """A workload's rows as one rank has them.

    weak  whether each rank has as many rows as the workload says, else they share them
    talk  whether ranks average their gradients, else each goes its own way
    """

    workload: Workload
    rank: int = 0
    size: int = 1
    weak: bool = True
    talk: bool = True

    @property
    def axis(self) -> int:
        """That of the rows."""
        return 1 if self.workload.recurrent else 0

    @property
    def rows(self) -> int:
        """How many this rank has."""
        return self.workload.batch if self.weak else self.workload.batch // self.size

    def data(self) -> tuple[Any, Any]:
        """This rank's part of what one rank would train on."""
        whole = replace(self.workload, batch=self.rows * self.size).data()
        mine = range(self.rank * self.rows, (self.rank + 1) * self.rows)
        x, y = (np.ascontiguousarray(np.take(array, mine, self.axis)) for array in whole)
        return x, y


def share(workload: str, rank: int, size: int, weak: bool, talk: bool) -> Share:
    """Of a workload by name."""
    return Share(EVERY[workload], rank, size, weak, talk)


def _parallel(mine: Share, net: Any) -> Any:
    from shared import nn, ranks

    talks = mine.talk and mine.size > 1
    return nn.parallel.data_parallel(net, ranks.world(), batch_axis=mine.axis) if talks else net


def on_dynamic(mine: Share) -> Training:
    """Our define-by-run engine."""
    import dynamic
    from comparisons.bench import models

    net = models.model(mine.workload, "layer")
    parallel, optimizer = _parallel(mine, net), models.optimiser(mine.workload, net)
    x, y = (dynamic.tensor(array) for array in mine.data())
    yield "build"
    while True:
        loss = parallel(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def on_static(mine: Share) -> Training:
    """Our define-and-run engine, at its default level."""
    import static
    from comparisons.bench import models

    net = models.model(mine.workload, "layer")
    parallel, optimizer = _parallel(mine, net), models.optimiser(mine.workload, net)
    x, y = mine.data()
    with static.Graph().as_default() as graph:
        x_in, y_in = static.placeholder(x.dtype, x.shape), static.placeholder(y.dtype, y.shape)
        loss = parallel(x_in, y_in)
        train = optimizer.minimize(loss)
        start = static.global_variables_initializer()
    yield "build"
    with static.Session(graph=graph) as session:
        session.run(start)
        session.program([loss, train], [x_in, y_in])
        yield "compile"
        while True:
            value, _ = session.run([loss, train], {x_in: x, y_in: y})
            yield value.item()


def on_torch(mine: Share) -> Training:
    """PyTorch, eager, with nn.LSTM where there is one: DistributedDataParallel, by gloo."""
    from comparisons.bench import on_torch

    x, y = mine.data()
    return on_torch.of_rank(mine.workload, x, y, mine.talk and mine.size > 1)


TRAINED: Mapping[str, Callable[[Share], Training]] = {
    "dynamic": on_dynamic, "static": on_static, "torch-ddp": on_torch
}  # fmt: skip
