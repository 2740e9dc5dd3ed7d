"""Our define-by-run engine."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import dynamic
from comparisons.bench import models
from comparisons.bench.workloads import Workload

VERSION = models.VERSION


def train(workload: Workload, style: str) -> Iterator[str | float]:
    """Yields "build", then the loss of a step after each. style: of the model, and behind it the level at
    which the step is decorated, if it is to be."""
    of_model, _, level = style.partition(" ")
    net = models.model(workload, of_model)
    optimizer = models.optimiser(workload, net)
    x, y = (dynamic.tensor(array) for array in workload.data())

    def step(x: Any, y: Any) -> Any:
        loss = net(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    if level:
        step = dynamic.function(step, optimize=level, at_once=True)
    yield "build"
    while True:
        yield step(x, y).item()


def chain(count: int) -> Callable[[], tuple[float, float]]:
    """A function that applies `count` ops to one-element tensors and gives the seconds for that
    and for the way back."""
    x, a, b = (dynamic.tensor([value], requires_grad=True) for value in (1.0, 0.999, 0.001))

    def run() -> tuple[float, float]:
        start = perf_counter()
        y = x
        for _ in range(count // 2):
            y = y * a
            y = y + b
        middle = perf_counter()
        y.backward()
        return middle - start, perf_counter() - middle

    return run
