"""Our define-and-run engine, called as a function: `static.function`."""

from collections.abc import Iterator
from typing import Any

import static
from comparisons.bench import models
from comparisons.bench.workloads import Workload

VERSION = models.VERSION


def train(workload: Workload, style: str) -> Iterator[str | float]:
    """Yields "build", then the loss of a step after each."""
    net = models.model(workload, style)
    optimizer = models.optimiser(workload, net)
    x, y = workload.data()

    @static.function
    def step(x: Any, y: Any) -> Any:
        loss = net(x, y)
        optimizer.minimize(loss)
        return loss

    yield "build"
    while True:
        yield step(x, y).item()
