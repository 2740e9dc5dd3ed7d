"""Runs that are captured on a GPU, tried on a stand-in whose streams compute nothing while they capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import static
from shared import nn, ops, optim
from shared.errors import EngineError, RangeError, SettingError
from tests import standin


@pytest.fixture(autouse=True)
def cupy() -> Iterator[Any]:
    with standin.installed() as module:
        yield module


RNG = np.random.default_rng(0)
BATCHES = [
    (RNG.standard_normal((n, 8)).astype("float32"), RNG.integers(0, 3, n)) for n in (4, 4, 4, 3, 4, 3, 3)
]
OPTIMISERS: dict[str, Callable[[Any], Any]] = {
    "Adam": lambda parameters: optim.Adam(parameters, lr=0.01, clip_norm=1.0),
    "SGD": lambda parameters: optim.SGD(parameters, lr=optim.ExponentialLR(0.1, 0.9), momentum=0.9),
}


class Training:
    """A model with running statistics, a step of its training, and a session."""

    def __init__(self, optimiser: str = "Adam", **settings: Any) -> None:
        nn.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, 3))
        self.optimiser = OPTIMISERS[optimiser](self.net.parameters())
        graph = static.Graph()
        with graph.as_default():
            self.x, self.y = static.placeholder("float32", (None, 8)), static.placeholder("int64", (None,))
            self.loss = ops.cross_entropy(self.net(self.x), self.y)
            self.train = self.optimiser.minimize(self.loss)
            start = static.global_variables_initializer()
        self.session = static.Session(graph=graph, device="cuda", **settings)
        self.session.run(start)

    def step(self, x: Any, y: Any) -> float:
        return self.session.run([self.loss, self.train], {self.x: x, self.y: y})[0].item()

    def values(self) -> list[Any]:
        self.session.store(self.net, self.optimiser)
        return [np.asarray(s.data) for _, s in self.net.named_states()]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_captured_training_is_the_same(optimiser: str) -> None:
    plain, captured = Training(optimiser), Training(optimiser, capture=True)
    for x, y in BATCHES:
        assert captured.step(x, y) == plain.step(x, y)
    for ours, theirs in zip(captured.values(), plain.values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_is_launched_and_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(capture=True)
    x, y = BATCHES[0]
    for _ in range(2):
        training.step(x, y)
    monkeypatch.setattr("static.compile.program.Program.__call__", None)
    training.step(x, y)


def test_what_is_set_between_runs_is_seen() -> None:
    plain, captured = Training("Adam"), Training("Adam", capture=True)
    for training in (plain, captured):
        for x, y in BATCHES[:3]:
            training.step(x, y)
        training.optimiser.lr = 0.5
        training.net[0].weight.data = np.ones((16, 8), "float32")
        training.session.load(training.net)
    for x, y in BATCHES:
        assert captured.step(x, y) == plain.step(x, y)


def test_what_an_op_refuses_is_an_error_and_changes_nothing() -> None:
    training = Training(capture=True)
    x, y = BATCHES[0]
    for _ in range(3):
        training.step(x, y)
    before = training.values()
    with pytest.raises(RangeError, match=r"label 5 \(at position 3\) is out of range for 3 classes"):
        training.step(x, np.array([0, 1, 2, 5]))
    for old, new in zip(before, training.values(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_labels_that_are_ignored_count_for_nothing() -> None:
    plain, captured = Training(), Training(capture=True)
    x, y = BATCHES[0]
    for labels in (y, y, np.array([-100, 1, -100, 2]), np.full(4, -100), y):
        np.testing.assert_array_equal(captured.step(x, labels), plain.step(x, labels))


def test_a_variable_that_is_stored_and_not_read() -> None:
    graph = static.Graph()
    with graph.as_default():
        x = static.placeholder("float32", (2,))
        last = static.Variable(np.zeros(2, "float32"), name="last")
        keep = last.assign(x * 2)
    with static.Session(graph=graph, device="cuda", capture=True) as session:
        for i in range(4):
            session.run(keep, {x: np.full(2, i, "float32")})
            assert session.run(last).tolist() == [2 * i] * 2


@pytest.mark.parametrize(
    "make", [lambda x: nn.Dropout(0.5)(x), lambda x: ops.cond(ops.sum(x) > 0, lambda: x, lambda: -x)]
)
def test_what_waits_for_the_gpu_is_refused_with_the_way_out(make: Any, cupy: Any) -> None:
    graph = static.Graph()
    with graph.as_default():
        x = static.placeholder("float32", (2,))
        y = make(x)
        start = static.global_variables_initializer()
    with static.Session(graph=graph, device="cuda", capture=True) as session:
        session.run(start)
        session.run(y, {x: np.ones(2, "float32")})
        with pytest.raises(EngineError, match=r"waits for the GPU .* leave out capture=True"):
            session.run(y, {x: np.ones(2, "float32")})
        assert session.run(x + 1, {x: np.ones(2, "float32")}).tolist() == [2, 2]


def test_there_is_nothing_to_capture_on_the_cpu() -> None:
    with pytest.raises(SettingError, match=r"say device='cuda'"):
        static.Session(graph=static.Graph(), capture=True)
