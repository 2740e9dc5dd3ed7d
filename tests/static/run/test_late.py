"""Settings that change after a graph was built: sessions follow rates, and warn, once, of what they can not
follow, with the user's line and the cure."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import static
from shared import nn, ops, optim
from static.run.late import LateSettingWarning

X = np.float32([[1, 2, 3], [4, 5, 7]])


class Training:
    """A model, what trains it, and a session that has begun to."""

    def __init__(self, opt: Callable[..., Any] = optim.SGD, **settings: Any) -> None:
        self.x = static.placeholder("float32", (None, 3))
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        self.opt = opt(self.model.parameters(), lr=0.5, **settings)
        self.y = self.model(self.x)
        self.loss = ops.sum(self.y)
        self.step = self.opt.minimize(self.loss)
        self.session = static.Session()
        self.session.run(static.global_variables_initializer())
        self.run()

    def run(self) -> None:
        self.session.run(self.step, {self.x: X})


def moved(training: Training) -> float:
    """By how much the last bias, whose gradient is 2, is changed in a step."""
    bias = training.model[2].bias
    before = float(training.session.run(bias)[0])
    training.run()
    return before - float(training.session.run(bias)[0])


CHANGES: dict[str, Callable[[Any], Any]] = {
    "lr.assign": lambda opt: opt.lr.assign(0.125), "lr =": lambda opt: setattr(opt, "lr", 0.125),
    "the array": lambda opt: opt.lr.data.fill(0.125),
    "the group": lambda opt: setattr(opt.groups[0], "lr", 0.125),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_rate_that_is_set_is_the_rate_of_the_next_step(change: Callable[[Any], Any]) -> None:
    t = Training()
    assert moved(t) == pytest.approx(1)
    change(t.opt)
    assert moved(t) == pytest.approx(0.25)


def test_whoever_sets_a_rate_last_has_set_it(tmp_path: Path) -> None:
    t = Training()
    rate = t.session.graph.lifted[id(t.opt.lr)]
    saver = static.Saver()
    path = saver.save(t.session, tmp_path / "saved")
    t.opt.lr = 0.25
    assert moved(t) == pytest.approx(0.5)
    saver.restore(t.session, path)  # with the rate of then
    assert moved(t) == pytest.approx(1)
    t.session.hold({rate: np.float64(2)})
    assert moved(t) == pytest.approx(4)
    t.session.store(t.opt)
    assert float(t.opt.lr.data) == 2 and moved(t) == pytest.approx(4)
    t.session.load(t.opt)
    assert moved(t) == pytest.approx(4)
    with static.Session() as other:  # which has a rate of its own
        other.run(static.global_variables_initializer())
        assert float(other.run(t.opt.lr)) == 2
        other.hold({rate: np.float64(3)})
    assert moved(t) == pytest.approx(4)


def eval_(t: Training) -> None:
    t.model.eval()


def drop(t: Training) -> None:
    t.model[1].p = 0.1


def freeze(t: Training) -> None:
    t.model[0].requires_grad_(False)


def momentum(t: Training) -> None:
    t.opt.groups[0].settings.momentum = 0.5


def weights(t: Training) -> None:
    t.model.load_state_dict(t.model.state_dict())


LATE = {
    eval_: ("Dropout.training = False", "built with True", "call the model once more in that mode"),
    drop: ("Dropout.p = 0.1", "built with 0.5", "call the model once more"),
    freeze: ("requires_grad = False of 0.weight", "do as before", r"call opt.minimize\(loss\) once more"),
    momentum: ("momentum = 0.5", "made with 0.9", r"call opt.minimize\(loss\) once more"),
    weights: ("a new value of 0.weight", "one of its own", r"session.load\(model\)"),
}  # fmt: skip


@pytest.mark.parametrize("change", LATE, ids=lambda change: change.__name__)
def test_what_a_graph_can_not_follow_is_said_once(change: Callable[[Training], None]) -> None:
    t = Training(optim.SGD, momentum=0.9)
    change(t)
    with pytest.warns(LateSettingWarning) as told:
        t.run()
    assert len(told) == 1 and Path(told[0].filename).name == "test_late.py"
    for words in (*LATE[change], r"your line: test_late\.py:\d+"):
        assert re.search(words, str(told[0].message)), words
    t.run()  # no more of it


CURES: dict[Callable[[Training], None], Callable[[Training], Any]] = {
    eval_: lambda t: t.model(t.x),
    drop: lambda t: t.model(t.x),
    momentum: lambda t: t.opt.minimize(t.loss),
    weights: lambda t: t.session.load(t.model),
}


@pytest.mark.parametrize("change", CURES, ids=lambda change: change.__name__)
def test_a_change_that_is_followed_by_its_cure_is_no_matter(change: Callable[[Training], None]) -> None:
    t = Training(optim.SGD, momentum=0.9)
    change(t)
    CURES[change](t)
    t.run()


def test_what_changes_nothing_or_goes_back_is_no_matter() -> None:
    t = Training()
    with nn.evaluating(t.model):
        pass
    t.model[0].eval()  # a Linear is the same in either mode
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        t.run()
