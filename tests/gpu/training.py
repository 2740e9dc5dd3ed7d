"""A task of the report on both engines on a GPU, beside the same on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.tasks import TASKS
from comparisons.training.drive import ENGINES, FAST, Training
from comparisons.training.task import Task

STEPS = 5
APART = 1e-3
"""How far a loss may lie from the CPU's, as a share; both compute in float32, and add up in other orders."""


def losses(task: Task, engine: str, **settings: Any) -> list[float]:
    """Those of all of a task's steps."""
    training = Training(task, engine, **settings)
    while training.advance() is not None:
        pass
    return training.losses


def main(seconds: float, name: str) -> dict[str, Any]:
    """How far the losses of some steps lie from the CPU's, by engine and level."""
    task = TASKS[name].with_steps(STEPS)
    expected = losses(task, "dynamic")
    ways = {engine: (engine, {}) for engine in ENGINES} | {"static fast": ("static", {"level": FAST})}
    apart = {
        way: float(np.max(np.abs(np.divide(losses(task.on("cuda"), engine, **settings), expected) - 1)))
        for way, (engine, settings) in ways.items()
    }
    return {**apart, "failed": [way for way, share in apart.items() if not share <= APART]}
