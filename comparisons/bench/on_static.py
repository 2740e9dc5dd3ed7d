"""Our define-and-run engine."""

from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np

import static
from comparisons.bench import models
from comparisons.bench.workloads import Workload

VERSION = models.VERSION


def train(workload: Workload, style: str) -> Iterator[str | float]:
    """Yields "build" and "compile", then the loss of a step after each."""
    level, style = ("exact", "layer") if style == "exact" else ("fast", style)
    net = models.model(workload, style)
    optimizer = models.optimiser(workload, net)
    x, y = workload.data()
    graph = static.Graph()
    with graph.as_default():
        x_in = static.placeholder(x.dtype, x.shape, name="x")
        y_in = static.placeholder(y.dtype, y.shape, name="y")
        loss = net(x_in, y_in)
        train_op = optimizer.minimize(loss)
        start = static.global_variables_initializer()
    yield "build"
    with static.Session(graph=graph, optimize=level) as session:
        session.run(start)
        session.program([loss, train_op], [x_in, y_in])
        yield "compile"
        while True:
            value, _ = session.run([loss, train_op], {x_in: x, y_in: y})
            yield value.item()


def chain(count: int) -> Callable[[], tuple[float, float]]:
    """As `on_dynamic.chain`. The way there is a run of y alone; the way back is what a run of y
    and its gradients takes beyond that."""
    graph = static.Graph()
    with graph.as_default():
        x, a, b = (static.placeholder("float32", (1,), name=name) for name in "xab")
        y = x
        for _ in range(count // 2):
            y = y * a
            y = y + b
        gradients = static.gradients(y, [x, a, b])
    session = static.Session(graph=graph)
    feed = {name: np.array([value], np.float32) for name, value in ((x, 1.0), (a, 0.999), (b, 0.001))}
    session.run(y, feed)
    session.run([y, *gradients], feed)

    def run() -> tuple[float, float]:
        start = perf_counter()
        session.run(y, feed)
        middle = perf_counter()
        session.run([y, *gradients], feed)
        return middle - start, max(perf_counter() - middle - (middle - start), 0.0)

    return run
