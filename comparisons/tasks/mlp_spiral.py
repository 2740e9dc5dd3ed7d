"""A two-layer network that tells the arms of a spiral apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import load_spiral

SIDE = 61
EDGE = 1.15


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3))


def plane() -> Any:
    """A grid of points over the plane, row by row: (SIDE * SIDE, 2)."""
    at = np.linspace(-EDGE, EDGE, SIDE, dtype=np.float32)
    return np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)


def show(answers: Any, task: Task) -> dict[str, Any]:
    """The arm that the model sees at each point of the plane."""
    return {
        "kind": "regions",
        "says": "The plane as the trained model divides it, and the test points of the three arms.",
        "edge": EDGE,
        "plane": answers[len(task.examples.test_y) :].reshape(SIDE, SIDE).tolist(),
        "points": task.examples.test_x.round(3).tolist(),
        "classes": task.examples.test_y.tolist(),
    }


TASK = Task(
    name="mlp_spiral",
    title="A small network on a spiral",
    short="the spiral",
    about="300 points on three arms that wind around each other, told apart by three dense layers. "
    "The arrays are small: a batch is 30 pairs of numbers.",
    model=model,
    optimizer=lambda parameters: optim.Adam(parameters, lr=1e-2),
    data=load_spiral,
    batch_size=30,
    steps=600,
    full_steps=1200,
    extra=plane,
    show=show,
    kin="mlp",
    unlike="The task's network is far smaller (2 inputs, 64 hidden units) and is trained by Adam.",
)
