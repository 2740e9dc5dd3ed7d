"""A residual network, of which each step leaves blocks out by chance.

Stochastic depth (Huang et al. 2016): Python's `random` decides in each step which blocks there are. The rate
is a Python float that a list of past losses brings down, and every tenth step looks at a loss to print it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim
from shared.models import BasicBlock


class ResNet(nn.Module):
    """A stem, three residual blocks, a head."""

    def __init__(self) -> None:
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.blocks = nn.ModuleList([BasicBlock(6, 6), BasicBlock(6, 12, 2), BasicBlock(12, 12)])
        self.head = nn.Linear(12, 3)

    def forward(self, x: Any, left_out: set[int]) -> Any:
        x = ops.relu(self.stem(x))
        for number, block in enumerate(self.blocks):
            if number not in left_out:
                x = block(x)
        return self.head(x.mean(axis=(2, 3)))


def stripes(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images of 8 by 8 with lines across, lines down, or squares."""
    labels = rng.integers(0, 3, count)
    row, column = np.indices((8, 8)) % 2
    patterns = np.stack([row, column, row ^ column]).astype("float32")
    noise = rng.standard_normal((count, 1, 8, 8)).astype("float32")
    return patterns[labels][:, None] + noise, labels


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    model = ResNet()
    opt = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses: list[float] = []

    def step() -> Any:
        x, y = stripes(rng, 4)
        left_out = {2} if chance.random() < 0.5 else set()
        loss = ops.cross_entropy(model(dynamic.tensor(x), left_out), y)
        opt.zero_grad()
        loss.backward()
        if losses and loss > 2 * min(losses):
            opt.lr = 0.05 / np.sqrt(len(losses)).item()
        opt.step()
        losses.append(loss.item())
        if len(losses) % 10 == 0:
            print(f"step {len(losses)}: {np.mean(losses[-10:]):.3f}")
        return loss

    return step, [model, opt]
