"""State in a graph: what reads see, what is stored, and that both engines agree on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.state import Buffer


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def run(fetches: Any, feeds: Any = None, init: bool = True) -> Any:
    with static.Session() as session:
        if init:
            session.run(static.global_variables_initializer())
        return session.run(fetches, feeds)


def test_a_read_sees_the_last_assignment_before_it_in_the_program() -> None:
    v = static.Variable(1.0)
    before = v + 0
    assigned = v.assign(v + 10)
    after = v + 0
    assert run([before, assigned, after]) == [1, 11, 11]


def test_a_read_does_not_see_an_assignment_that_the_run_leaves_out() -> None:
    v = static.Variable(1.0)
    v.assign(v + 10)
    after = v + 0
    assert run(after) == 1


def test_assignments_of_one_variable_happen_in_program_order_and_none_is_merged() -> None:
    v = static.Variable(1.0)
    steps = [v.assign(v * 2), v.assign(v * 2), v.assign(v + 3)]
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        assert session.run(list(reversed(steps))) == [7, 4, 2]
        assert session.run(v) == 7
        session.run(steps[1])
        assert session.run(v) == 14


def test_fetching_a_variable_gives_its_value_after_the_runs_assignments() -> None:
    v = static.Variable(1.0)
    assert run([v, v.assign(v + 1)]) == [2, 2]


def test_a_failed_run_changes_nothing() -> None:
    v = static.Variable(np.zeros(3))
    x = static.placeholder("int64", (None,))
    first = v.assign(v + 1)
    bad = ops.getitem(static.constant(np.arange(3)), x)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        with pytest.raises(IndexError):
            session.run([first, bad], {x: [7]})
        assert (session.run(v) == 0).all()


def test_a_run_that_needs_more_memory_than_there_is_says_so_and_changes_nothing() -> None:
    v, x = static.Variable(1.0), static.placeholder("float32", (None,))
    with static.Session() as session:
        session.run(v.initializer)
        with pytest.raises(MemoryError, match=r"Unable to allocate .*while running node"):
            session.run([v.assign_add(1.0), ops.tile(x, 2**30) + 1.0], {x: np.ones(2**22, np.float32)})
        assert session.run(v) == 1


def test_a_stored_value_is_never_the_callers_array() -> None:
    v = static.Variable(np.zeros(3, np.float32))
    x = static.placeholder("float32", (3,))
    put = v.assign(x)
    with static.Session() as session:
        fed = np.ones(3, np.float32)
        got = session.run(put, {x: fed})
        fed[:] = 7
        got[:] = 8
        again = session.run(v)
        again[:] = 9
        assert (session.run(v) == 1).all()


def test_dropout_twice_in_one_graph_draws_two_masks_as_dynamic_does() -> None:
    def model() -> nn.Module:
        nn.manual_seed(3)
        return nn.Dropout(0.5)

    layer, x = model(), static.placeholder("float32", (None, 50))
    once, twice = layer(x), layer(x)
    ones = np.ones((4, 50), np.float32)
    a, b = run([once, twice], {x: ones})
    eager = model()
    assert (a != b).any()
    assert (a == eager(dynamic.tensor(ones)).numpy()).all()
    assert (b == eager(dynamic.tensor(ones)).numpy()).all()


def test_only_what_is_fetched_moves_a_generator_on() -> None:
    layer, linear = nn.Dropout(0.5), nn.Linear(50, 1)
    x = static.placeholder("float32", (None, 50))
    y = layer(x)
    train = optim.SGD(linear.parameters(), lr=0.1).minimize(ops.mean(linear(y)))
    ones = np.ones((1, 50), np.float32)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        first = session.run(y, {x: ones})
        assert (session.run(y, {x: ones}) == first).all()
        session.run(train, {x: ones})
        assert (session.run(y, {x: ones}) != first).any()


def test_training_in_one_branch_leaves_evaluation_in_another_free_of_it() -> None:
    """A graph of both modes: evaluation reads the stored statistics and needs no training feed."""
    nn.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(3))
    x, seen = (static.placeholder("float32", (None, 1, 4, 4)) for _ in range(2))
    loss = ops.mean(ops.square(model(x)))
    train = optim.SGD(model.parameters(), lr=0.1).minimize(loss)
    with nn.evaluating(model):
        judged = model(seen)
    data = np.random.default_rng(0).standard_normal((6, 1, 4, 4)).astype(np.float32)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        before = session.run(judged, {seen: data})
        assert (before == session.run(judged, {seen: data})).all()
        session.run(train, {x: data})
        assert (before != session.run(judged, {seen: data})).any()
        assert (session.run(model[1].running_mean) != 0).all()


def test_fetching_the_loss_alone_updates_no_statistics() -> None:
    model = nn.BatchNorm2d(2)
    x = static.placeholder("float32", (None, 2, 3, 3))
    loss = ops.mean(model(x))
    data = np.random.default_rng(0).standard_normal((6, 2, 3, 3)).astype(np.float32)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(loss, {x: data})
        assert (session.run(model.running_mean) == 0).all()


def test_a_module_called_twice_updates_its_statistics_twice_as_dynamic_does() -> None:
    a, b = (np.random.default_rng(i).standard_normal((6, 2, 3, 3)).astype(np.float32) for i in (0, 1))
    eager = nn.BatchNorm2d(2)
    eager(dynamic.tensor(a))
    eager(dynamic.tensor(b))
    layer = nn.BatchNorm2d(2)
    xa, xb = (static.placeholder("float32", (None, 2, 3, 3)) for _ in range(2))
    loss = ops.mean(layer(xa) + layer(xb))
    train = optim.SGD(layer.parameters(), lr=0.1).minimize(loss)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(train, {xa: a, xb: b})
        assert (session.run(layer.running_mean) == eager.running_mean.data).all()
        assert (session.run(layer.running_var) == eager.running_var.data).all()


def test_a_users_own_counting_layer_counts_on_both_engines() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            self.calls = Buffer(np.float32(0))

        def forward(self, x: Any) -> Any:
            self.calls.assign(self.calls + 1)
            return x * self.calls

    eager = Counting()
    two = [eager(dynamic.tensor([1.0])).item() for _ in range(2)]
    layer, x = Counting(), static.placeholder("float32", (1,))
    assert [float(v[0]) for v in run([layer(x), layer(x)], {x: [1.0]})] == two == [1, 2]
