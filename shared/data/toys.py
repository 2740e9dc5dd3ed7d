"""Small data sets that are computed: the ones that learning to program a network starts with."""

from __future__ import annotations

import numpy as np

from shared.data.split import Split
from shared.spec import as_seed


def load_spiral() -> Split:
    """Three spiral arms, 100 points each, to train on, and others to test with.

    x float32 (300, 2), y int64 (300,), the arm. After the spiral of Saitoh, Deep Learning from
    Scratch 3, step 48, with its seeds.
    """
    return Split(*_spiral(1984), *_spiral(2020))


def _spiral(seed: int, points: int = 100, arms: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(as_seed("toys", seed, 2**32))
    arm = np.repeat(np.arange(arms), points)
    radius = np.tile(np.arange(points) / points, arms)
    angle = arm * 4.0 + 4.0 * radius + random.randn(points * arms) * 0.2
    x = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    order = random.permutation(points * arms)
    return x[order].astype(np.float32), arm[order].astype(np.int64)


def load_sine_curve(points: int = 1000, noise: float = 0.05, seed: int = 0) -> Split:
    """One period of a noisy sine to train on, of a cosine without noise to test with.

    x float32 (points - 1, 1) is the curve, y the same one step on: what a recurrent network is
    to foretell. After the sine curve of Saitoh, Deep Learning from Scratch 3, step 59.
    """
    at = np.linspace(0, 2 * np.pi, points)
    heard = np.sin(at) + np.random.RandomState(as_seed("toys", seed, 2**32)).uniform(-noise, noise, points)
    train, test = (curve.astype(np.float32)[:, None] for curve in (heard, np.cos(at)))
    return Split(train[:-1], train[1:], test[:-1], test[1:])


def load_noisy_sine(points: int = 100, seed: int = 0) -> Split:
    """Points scattered above one period of a sine, and the sine itself to test with.

    x float32 (points, 1) from 0 to 1; y = sin(2 pi x) plus, in training, noise from [0, 1). After
    the non-linear regression of Saitoh, Deep Learning from Scratch 3, step 43.
    """
    random = np.random.RandomState(as_seed("toys", seed, 2**32))
    x = random.rand(points, 1)
    y = np.sin(2 * np.pi * x) + random.rand(points, 1)
    even = np.linspace(0, 1, points)[:, None]
    return Split(*(part.astype(np.float32) for part in (x, y, even, np.sin(2 * np.pi * even))))
