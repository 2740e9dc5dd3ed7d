"""Images that are changed by what the network sees in them.

The gradient by an image says where the network looks; there, in NumPy, the image is blotted out, if the
network was sure of its answer, and else mixed with another one; then it is learnt from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim


def crosses(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images of 8 by 8 with a plus or a times sign somewhere, and which it is."""
    plus = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], "float32")
    times = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], "float32")
    x = 0.1 * rng.standard_normal((count, 1, 8, 8)).astype("float32")
    y = rng.integers(0, 2, count)
    for image, kind in zip(x, y, strict=True):
        row, column = rng.integers(0, 6, 2)
        image[0, row : row + 3, column : column + 3] += times if kind else plus
    return x, y


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2)
    )
    opt = optim.AdamW(model.parameters(), lr=1e-2)
    blotted = 0

    def changed(x: Any, y: np.ndarray) -> np.ndarray:
        """The images, each without the place that decided, or mixed with its neighbour."""
        nonlocal blotted
        losses = ops.cross_entropy(model(x), y, reduction="none")
        losses.sum().backward()
        looked = np.abs(x.grad.numpy())[:, 0]
        images = x.numpy().copy()
        for i, loss in enumerate(losses):
            if loss < 0.5:
                row, column = np.unravel_index(looked[i].argmax(), (8, 8))
                images[i, 0, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = 0
                blotted += 1
            elif rng.random() < 0.3:
                images[i] = 0.8 * images[i] + 0.2 * images[i - 1]
        return images

    def step() -> Any:
        x, y = crosses(rng, 6)
        images = changed(dynamic.tensor(x, requires_grad=True), y)
        loss = ops.cross_entropy(model(dynamic.tensor(images)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if blotted and blotted % 7 == 0:
            print(f"{blotted} blotted out, {loss.item():.3f}")
        return loss

    return step, [model, opt]
