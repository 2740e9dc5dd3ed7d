"""A recurrent network that foretells a sine."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from comparisons.training.task import Task
from shared import nn, ops, optim
from shared.data import Split, load_sine_curve

WINDOW = 27


class Foreteller(nn.Module):
    """A curve (N, T, 1) to the same curve one point later."""

    def __init__(self) -> None:
        self.rnn = nn.RNN(1, 48, batch_first=True)
        self.head = nn.Linear(48, 1)

    def forward(self, x: Any) -> Any:
        h, _ = self.rnn(x)
        return self.head(h)


def windows() -> Split:
    """Training: a window from every point of the noisy sine. Test: the cosine, cut into windows."""
    train_x, train_y, test_x, test_y = load_sine_curve()
    slide = partial(np.lib.stride_tricks.sliding_window_view, window_shape=WINDOW, axis=0)
    rows = len(test_x) // WINDOW
    return Split(
        *(np.ascontiguousarray(slide(part).swapaxes(1, 2)) for part in (train_x, train_y)),
        *(part[: rows * WINDOW].reshape(rows, WINDOW, 1) for part in (test_x, test_y)),
    )


def show(answers: Any, task: Task) -> dict[str, Any]:
    """What was foretold for the cosine, beside the cosine."""
    return {
        "kind": "curve",
        "says": f"A cosine, which the model has never met, foretold point by point. Every {WINDOW} points it "
        "begins anew from an empty state, and has to find out where it is.",
        "truth": task.examples.test_y.ravel().round(4).tolist(),
        "answers": answers.ravel().round(4).tolist(),
    }


TASK = Task(
    name="rnn_sine",
    title="A recurrent network on a sine",
    short="the RNN",
    about=f"From a noisy sine, read point by point, the next point. The loop over the {WINDOW} points of a "
    "window is Python's own on both sides: dynamic runs it in every step, static once, while the graph is "
    "built, which then holds every turn.",
    model=Foreteller,
    optimizer=lambda parameters: optim.Adam(parameters, lr=2e-3),
    data=windows,
    batch_size=32,
    steps=300,
    full_steps=800,
    loss=ops.mse_loss,
    guess=lambda foretold: foretold,
    counted=None,
    show=show,
    kin="rnn",
    unlike="The task reads one number at a time instead of a character, in 27 steps, and is trained by "
    "Adam on one output.",
)
