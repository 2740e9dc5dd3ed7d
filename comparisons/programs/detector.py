"""A detector, whose loss is of the boxes that it has found itself.

As many boxes as there are things in the images, matched to the predictions by their overlap, in NumPy; as
hard negatives the three worst of the other cells for each; then boxes that overlap are dropped in a `while`.
What is indexed, and how many rows it has, is another in each step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim

GRID = 4
CENTRES = np.stack(np.meshgrid(*[np.arange(GRID) * 4 + 2.0] * 2), axis=-1).reshape(-1, 2).astype("float32")


def scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An image of 16 by 16, and its one to three boxes: x, y, width, height."""
    image = 0.3 * rng.standard_normal((1, 16, 16)).astype("float32")
    boxes = []
    for _ in range(rng.integers(1, 4)):
        w, h = rng.integers(3, 7, 2)
        x, y = rng.integers(0, 17 - w), rng.integers(0, 17 - h)
        image[0, y : y + h, x : x + w] += 1
        boxes.append((x + w / 2, y + h / 2, w, h))
    return image, np.array(boxes, "float32")


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """What each of some boxes shares with each of others, as a part of both."""
    a, b = a[:, None], b[None]
    low = np.maximum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = np.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    return both / (np.prod(a[..., 2:], axis=-1) + np.prod(b[..., 2:], axis=-1) - both)


class Detector(nn.Module):
    """Of each of 16 cells whether there is a thing, and its box."""

    def __init__(self) -> None:
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 5, 3, padding=1),
        )  # fmt: skip

    def forward(self, image: Any) -> tuple[Any, Any]:
        y = ops.transpose(ops.reshape(self.features(image), (5, GRID * GRID)))
        centre = y[:, 1:3] * 4 + CENTRES
        size = ops.softplus(y[:, 3:] + 3) + 1
        return y[:, 0], ops.concatenate([centre, size], axis=1)


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Detector()
    opt = optim.Adam(model.parameters(), lr=1e-2)

    def step() -> Any:
        image, truth = scene(rng)
        scores, boxes = model(dynamic.tensor(image[None]))
        shared = overlaps(boxes.numpy(), truth)
        found = np.unique(shared.argmax(axis=0))
        goals = truth[shared[found].argmax(axis=1)]
        others = np.setdiff1d(np.arange(GRID * GRID), found)
        hard = others[np.argsort(-scores.numpy()[others])][: 3 * len(found)]

        wanted = np.r_[np.ones(len(found)), np.zeros(len(hard))].astype("float32")
        loss = ops.binary_cross_entropy_with_logits(scores[np.r_[found, hard]], wanted)
        loss = loss + 0.1 * ops.smooth_l1_loss(boxes[found], goals)
        opt.zero_grad()
        loss.backward()
        opt.step()

        left, kept = np.argsort(-scores.numpy())[: int((scores > 0).sum().item())], 0
        while len(left):
            best, kept = boxes.numpy()[left[:1]], kept + 1
            left = left[overlaps(best, boxes.numpy()[left])[0] < 0.5]
        if kept == len(truth):
            print(f"all {kept} found")
        return loss

    return step, [model, opt]
