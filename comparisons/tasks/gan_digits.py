"""Two networks that play against each other for digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.training.task import Task
from shared import nn, ops, optim
from shared.data import Split, load_digits
from shared.nn.initial import generator

LATENT = 16
SHOWN = 24


class Noise(nn.Module):
    """As many rows of standard normal numbers as x has, from a generator that the layer holds."""

    def __init__(self) -> None:
        self.generator = generator()

    def forward(self, x: Any) -> Any:
        noise, moved = ops.normal(self.generator, (x.shape[0], LATENT))
        self.generator.assign(moved)
        return noise


class GAN(nn.Module):
    """Goodfellow et al. 2014. `maker` makes images of noise, `judge` gives the logit that an image is
    real. Each network's step has noise of its own: two draws from one generator in one graph
    would follow each other, also where a run asks for the second alone.
    """

    def __init__(self) -> None:
        self.maker = nn.Sequential(nn.Linear(LATENT, 96), nn.ReLU(), nn.Linear(96, 64), nn.Sigmoid())
        self.judge = nn.Sequential(nn.Linear(64, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 1))
        self.noise_for_maker, self.noise_for_judge = Noise(), Noise()


def surely(scores: Any, real: bool) -> Any:
    """How little the judge's scores believe the truth, on average."""
    truth = ops.ones_like(scores) if real else ops.zeros_like(scores)
    return ops.binary_cross_entropy_with_logits(scores, truth)


def images() -> Split:
    """Digits as rows of 64 pixels; in the place of tests, noise to look at the maker with."""
    train_x, train_y, _, _ = load_digits()
    noise = np.random.RandomState(0).standard_normal((SHOWN, LATENT)).astype(np.float32)
    return Split(train_x.reshape(-1, 64), train_y, noise, noise)


def show(answers: Any, task: Task) -> dict[str, Any]:
    """What the maker makes."""
    made = answers.reshape(2, SHOWN // 2, 8, 8).astype(float).round(2).tolist()
    real = task.examples.train_x[: SHOWN // 2].reshape(-1, 8, 8).astype(float).round(2).tolist()
    return {
        "kind": "digits",
        "says": "Digits of the training set, and below them what the maker makes of noise.",
        "rows": [{"label": "real", "images": real}, *({"label": "made", "images": row} for row in made)],
    }


TASK = Task(
    name="gan_digits",
    title="Two networks against each other",
    short="the GAN",
    about="One network makes digits of noise, another tells them from real ones; each has an optimiser of "
    "its own and learns at the other's cost. What is plotted is the sum of the two losses.",
    model=GAN,
    optimizer=lambda parameters: optim.Adam(parameters, lr=1e-3, betas=(0.5, 0.999)),
    data=images,
    batch_size=50,
    steps=600,
    full_steps=3000,
    loss=surely,
    guess=lambda image: image,
    counted=None,
    loop="adversarial",
    show=show,
)
