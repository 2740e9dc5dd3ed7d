"""A recurrent network that stops reading when it is sure.

The loop over the steps of a sequence ends by a `return` inside it, as soon as every answer of a batch is sure
enough; the wrong ones are told in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim


def walks(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Walks of twelve steps, each with a drift up or down, and which it is."""
    up = rng.integers(0, 2, count)
    drift = np.where(up, 0.6, -0.6)[:, None]
    return np.cumsum(drift + rng.standard_normal((count, 12)), axis=1).astype("float32"), up


class Reader(nn.Module):
    """Reads until it is sure: (N, T) to logits (N, 2), and how much it has read."""

    def __init__(self) -> None:
        self.cell, self.head = nn.GRUCell(1, 16), nn.Linear(16, 2)

    def forward(self, x: Any) -> tuple[Any, int]:
        h = ops.zeros((x.shape[0], 16), like=x)
        for t in range(x.shape[1]):
            h = self.cell(x[:, t : t + 1], h)
            logits = self.head(h)
            if t % 3 == 2 and ops.softmax(logits, -1).max(axis=-1).min() > 0.7:
                return logits, t + 1
        return logits, x.shape[1]


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Reader()
    opt = optim.Adam(model.parameters(), lr=1e-2)
    wrong: list[int] = []

    def step() -> Any:
        x, y = walks(rng, 4)
        logits, read = model(dynamic.tensor(x))
        loss = ops.cross_entropy(logits, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        wrong.extend(int(i) for i in np.flatnonzero(logits.numpy().argmax(axis=1) != y))
        if read < 12:
            print(f"sure after {read}, {len(wrong)} wrong so far")
        return loss

    return step, [model, opt]
