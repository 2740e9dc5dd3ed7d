"""Learning to learn: a gradient through the steps of a training (MAML, Finn et al. 2017).

Of every task the weights are taken one to three steps further, by gradients that are part of the graph, until
that is good enough; the loss of what they have become is what the outer step makes small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim


def wave(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A sine of some height and place: ten points to learn from and ten to be judged by."""
    height, place = rng.uniform(0.5, 2), rng.uniform(0, np.pi)
    x = rng.uniform(-3, 3, (20, 1)).astype("float32")
    y = (height * np.sin(x + place)).astype("float32")
    return x[:10], y[:10], x[10:], y[10:]


def net(weights: list[Any], x: Any) -> Any:
    """Two hidden layers, by weights that are given."""
    *hidden, (w, b) = zip(weights[::2], weights[1::2], strict=True)
    for v, c in hidden:
        x = ops.tanh(x @ v + c)
    return x @ w + b


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    shapes = [(1, 16), (16,), (16, 16), (16,), (16, 1), (1,)]
    weights = nn.ParameterList(
        [nn.Parameter((0.5 * rng.standard_normal(shape)).astype("float32")) for shape in shapes]
    )
    opt = optim.Adam(weights.parameters(), lr=1e-2)

    def adapted(x: Any, y: Any) -> list[Any]:
        """The weights after some steps on a task."""
        fast = list(weights)
        for done in range(3):
            loss = ops.mse_loss(net(fast, x), y)
            if done and loss < 0.5:
                break
            slopes = dynamic.grad(loss, fast, create_graph=True)
            fast = [w - 0.05 * slope for w, slope in zip(fast, slopes, strict=True)]
        return fast

    def step() -> Any:
        losses = []
        for _ in range(2):
            x, y, other_x, other_y = (dynamic.tensor(part) for part in wave(rng))
            losses.append(ops.mse_loss(net(adapted(x, y), other_x), other_y))
        loss = ops.stack(losses).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if loss < 0.5:
            print(f"good: {loss.item():.3f}")
        return loss

    return step, [weights, opt]
