"""Newton's method in Rosenbrock's valley: second derivatives, and no network."""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.training.task import Task
from shared import nn, ops
from shared.data import Split

START, GOAL = (0.0, 2.0), (1.0, 1.0)
BEYOND = (-0.6, 1.6), (-0.8, 2.4)


def height(x: Any, y: Any) -> Any:
    """Rosenbrock 1960: a narrow, bent valley whose lowest point is (1, 1)."""
    return 100 * (y - x * x) ** 2 + (1 - x) ** 2


class Valley(nn.Module):
    """A place in the valley, float64. Called, it gives the height there."""

    def __init__(self) -> None:
        self.place = nn.Parameter(np.array(START))

    def forward(self) -> Any:
        return height(self.place[0], self.place[1])

    def step(self, slope: Any, hessian: Any) -> Any:
        """The step that solves hessian @ step = slope, for the two rows of a 2 by 2 Hessian."""
        (a, b), (c, d) = ((row[0], row[1]) for row in hessian)
        u, v = slope[0], slope[1]
        return ops.stack([d * u - b * v, a * v - c * u]) / (a * d - b * c)


def ends() -> Split:
    """Where it starts and where it should end."""
    start, goal = np.array([START]), np.array([GOAL])
    return Split(start, goal, start, goal)


def show(answers: Any, task: Task) -> dict[str, Any]:
    """The way down, in a map of the valley."""
    x, y = (np.linspace(*edges, 81) for edges in BEYOND)
    return {
        "kind": "path",
        "says": "The way from the start (ring) to the lowest point (dot), a place for each step. The lines "
        "are of equal height, each ten times as high as the one inside it.",
        "x": x.round(3).tolist(),
        "y": y.round(3).tolist(),
        "heights": height(x, y[:, None]).round(4).tolist(),
        "path": answers.tolist(),
    }


TASK = Task(
    name="newton",
    title="Newton's method on Rosenbrock's valley",
    short="Newton's method",
    about="No network and no data: a place that walks down a bent valley, by steps that the first and second "
    "derivatives give. Dynamic differentiates the derivative anew in every step, static once.",
    model=Valley,
    optimizer=None,
    data=ends,
    batch_size=0,
    steps=7,
    full_steps=7,
    counted=None,
    loop="newton",
    show=show,
)
