"""One model, two engines: an engine switch in the middle of a run changes not one bit."""

from __future__ import annotations

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim

STEPS = 12


def batch(step):
    random = np.random.RandomState(step)
    return random.normal(size=(6, 1, 8, 8)).astype(np.float32), random.randint(0, 4, 6)


class Run:
    """A model with running statistics and masks, its Adam, and the losses so far."""

    def __init__(self):
        nn.manual_seed(7)
        self.model = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Dropout(0.5), nn.Linear(36, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 4),
        )  # fmt: skip
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.01)
        self.losses = []

    def on_dynamic(self, steps):
        for step in steps:
            x, y = batch(step)
            loss = ops.cross_entropy(self.model(dynamic.tensor(x)), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())

    def on_static(self, steps):
        graph = static.Graph()
        with graph.as_default():
            x_in = static.placeholder("float32", (None, 1, 8, 8))
            y_in = static.placeholder("int64", (None,))
            loss = ops.cross_entropy(self.model(x_in), y_in)
            train = self.optimizer.minimize(loss)
        with static.Session(graph=graph, optimize="exact") as session:
            session.load(self.model, self.optimizer)
            for step in steps:
                x, y = batch(step)
                value, _ = session.run([loss, train], {x_in: x, y_in: y})
                self.losses.append(value.item())
            session.store(self.model, self.optimizer)

    def states(self):
        found = {f"model {name}": state for name, state in self.model.named_states()}
        found |= {f"optimizer {name}": state for name, state in self.optimizer.named_states()}
        return {name: (state.value().dtype, state.value().tobytes()) for name, state in found.items()}


def run(*parts):
    """A run over all steps; each part is an engine and how many steps it makes."""
    found, at = Run(), 0
    for engine, steps in parts:
        getattr(found, f"on_{engine}")(range(at, at + steps))
        at += steps
    assert at == STEPS
    return found


@pytest.mark.parametrize(
    "parts",
    [
        [("static", STEPS)],
        [("dynamic", 5), ("static", 7)],
        [("static", 5), ("dynamic", 7)],
        [("dynamic", 4), ("static", 4), ("dynamic", 4)],
        [("static", 3), ("dynamic", 3), ("static", 3), ("dynamic", 3)],
    ],
    ids=lambda parts: "-".join(f"{engine}{steps}" for engine, steps in parts),
)
def test_a_switch_of_engines_in_the_middle_of_an_adam_run_changes_no_bit(parts):
    whole, switched = run(("dynamic", STEPS)), run(*parts)
    assert switched.losses == whole.losses
    assert switched.states() == whole.states()
    assert len(set(whole.losses)) == STEPS


def test_a_switch_that_left_the_moments_behind_would_be_noticed():
    whole, broken = run(("dynamic", STEPS)), Run()
    broken.on_dynamic(range(5))
    broken.optimizer = optim.Adam(broken.model.parameters(), lr=0.01)
    broken.on_static(range(5, STEPS))
    assert broken.losses[:6] == whole.losses[:6]
    assert broken.losses[6:] != whole.losses[6:]
