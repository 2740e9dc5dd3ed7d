"""Two networks against each other, where the judge learns for as long as it is fooled.

A `while` on the judge's own loss decides how many steps it makes before the maker makes one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim


def ring(rng: np.random.Generator, count: int) -> np.ndarray:
    """Points about a circle."""
    angle = rng.uniform(0, 2 * np.pi, count)
    near = 2 + 0.1 * rng.standard_normal(count)
    return np.stack([near * np.cos(angle), near * np.sin(angle)], axis=1).astype("float32")


def layers(*sizes: int) -> nn.Sequential:
    """Dense layers of some sizes."""
    made: list[nn.Module] = []
    for before, after in pairwise(sizes):
        made += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*made[:-1])


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    maker, judge = layers(4, 24, 24, 24, 2), layers(2, 24, 24, 24, 1)
    of_maker = optim.Adam(maker.parameters(), lr=2e-3, betas=(0.5, 0.999))
    of_judge = optim.Adam(judge.parameters(), lr=2e-3, betas=(0.5, 0.999))
    real, made = np.ones((16, 1), "float32"), np.zeros((16, 1), "float32")

    def noise() -> Any:
        return dynamic.tensor(rng.standard_normal((16, 4)).astype("float32"))

    def judging() -> Any:
        with dynamic.no_grad():
            fakes = maker(noise())
        loss = ops.binary_cross_entropy_with_logits(judge(dynamic.tensor(ring(rng, 16))), real)
        loss = loss + ops.binary_cross_entropy_with_logits(judge(fakes), made)
        of_judge.zero_grad()
        loss.backward()
        of_judge.step()
        return loss

    def step() -> Any:
        rounds = 1
        while (judged := judging()) > 1.35 and rounds < 3:
            rounds += 1
        loss = ops.binary_cross_entropy_with_logits(judge(maker(noise())), real)
        of_maker.zero_grad()
        loss.backward()
        of_maker.step()
        if rounds == 3:
            print(f"the judge is fooled: {judged.item():.3f}")
        return judged, loss

    return step, [maker, judge, of_maker, of_judge]
