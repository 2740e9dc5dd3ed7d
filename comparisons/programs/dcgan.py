"""Convolutions that make images, and a judge that also sees what was made earlier.

A pool of earlier images (Shrivastava et al. 2017) is a Python list, which grows, and is drawn from and
written to in each step; the norm of a gradient is looked at, and decides whether the maker's step is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim


def blobs(rng: np.random.Generator, count: int) -> np.ndarray:
    """Images of 8 by 8 with one round spot."""
    centre = rng.uniform(2, 6, (count, 2, 1, 1))
    row, column = np.indices((8, 8))
    far = (row - centre[:, 0]) ** 2 + (column - centre[:, 1]) ** 2
    return (2 * np.exp(-far / 3) - 1)[:, None].astype("float32")


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    maker = nn.Sequential(
        nn.ConvTranspose2d(4, 8, 4, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1), nn.Tanh(),
    )  # fmt: skip
    judge = nn.Sequential(
        nn.Conv2d(1, 8, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.BatchNorm2d(8),
        nn.Conv2d(8, 1, 4), nn.Flatten(),
    )  # fmt: skip
    of_maker = optim.Adam(maker.parameters(), lr=2e-3, betas=(0.5, 0.999))
    of_judge = optim.Adam(judge.parameters(), lr=2e-3, betas=(0.5, 0.999))
    ones, zeros = np.ones((4, 1), "float32"), np.zeros((4, 1), "float32")
    pool: list[Any] = []

    def earlier(images: Any) -> Any:
        """Half of the images, and as many from the pool, into which the others go."""
        pool.append(images[:2])
        if len(pool) == 1:
            return images
        other = pool.pop(0) if len(pool) > 6 else pool[rng.integers(len(pool) - 1)]
        return ops.concatenate([images[2:], other])

    def step() -> Any:
        made = maker(dynamic.tensor(rng.standard_normal((4, 4, 1, 1)).astype("float32")))
        judged = ops.binary_cross_entropy_with_logits(judge(dynamic.tensor(blobs(rng, 4))), ones)
        judged = judged + ops.binary_cross_entropy_with_logits(judge(earlier(made.detach())), zeros)
        of_judge.zero_grad()
        judged.backward()
        of_judge.step()

        loss = ops.binary_cross_entropy_with_logits(judge(made), ones)
        of_maker.zero_grad()
        loss.backward()
        size = optim.clip_grad_norm_(maker.parameters(), 1.0)
        if size > 4:
            print(f"left out, the gradient being {float(size):.2f}")
            return judged, None
        of_maker.step()
        return judged, loss

    return step, [maker, judge, of_maker, of_judge]
