"""One small training problem, run on either engine: what each step leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import dynamic
import static
from shared import ops, optim
from shared.state import Parameter

Make = Callable[[list[Parameter]], optim.Optimizer]


def start(dtype: str = "float64") -> list[Any]:
    """The values that the two weights and the bias start from."""
    rng = np.random.default_rng(7)
    return [rng.standard_normal(shape).astype(dtype) for shape in ((4, 5), (5,), (5, 2))]


def parameters(dtype: str = "float64") -> list[Parameter]:
    return [Parameter(value, name) for value, name in zip(start(dtype), ("w", "b", "v"), strict=True)]


def batches(steps: int, dtype: str = "float64") -> Iterator[tuple[Any, Any]]:
    rng = np.random.default_rng(11)
    for _ in range(steps):
        yield rng.standard_normal((6, 4)).astype(dtype), rng.standard_normal((6, 2)).astype(dtype)


def loss_of(w: Any, b: Any, v: Any, x: Any, y: Any) -> Any:
    """A two-layer network's squared error, a smooth function that is not convex."""
    return ops.mean(ops.square(ops.tanh(x @ w + b) @ v - y))


def on_dynamic(make: Make, steps: int = 50, dtype: str = "float64") -> list[list[Any]]:
    """The parameters after each step."""
    ps = parameters(dtype)
    opt = make(ps)
    found = []
    for x, y in batches(steps, dtype):
        opt.zero_grad()
        loss_of(*ps, dynamic.tensor(x), dynamic.tensor(y)).backward()
        opt.step()
        found.append([np.array(p.data) for p in ps])
    return found


def on_static(make: Make, steps: int = 50, dtype: str = "float64") -> list[list[Any]]:
    """The parameters after each step."""
    ps = parameters(dtype)
    opt = make(ps)
    with static.Graph().as_default() as graph:
        x_in, y_in = static.placeholder(dtype, (None, 4)), static.placeholder(dtype, (None, 2))
        train = opt.minimize(loss_of(*ps, x_in, y_in))
    with static.Session(graph=graph, optimize="exact") as session:
        session.load(opt, *ps)
        found = []
        for x, y in batches(steps, dtype):
            session.run(train, {x_in: x, y_in: y})
            found.append(session.run(list(ps)))
    return found


def assert_same_bits(a: list[list[Any]], b: list[list[Any]]) -> None:
    for step, (these, those) in enumerate(zip(a, b, strict=True)):
        for this, that in zip(these, those, strict=True):
            assert this.dtype == that.dtype
            assert this.tobytes() == that.tobytes(), f"different after step {step + 1}"
