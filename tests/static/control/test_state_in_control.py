"""State in the bodies of loops and branches: layers called there, outside of any module's own call, are
trained, updated and drawn as `dynamic` does it, which runs the same program as plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.state import Buffer

Body = Callable[[Any], Any]
rng = np.random.default_rng(11)
STEPS = rng.standard_normal((4, 3, 5, 6))
"""What four steps of training are fed: (T, N, C)."""


class Layers:
    """A batch norm, a dropout and weights, called one after the other by no module."""

    def __init__(self) -> None:
        nn.manual_seed(7)
        self.linear, self.norm, self.dropout = nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Dropout(0.4)
        self.parameters = [*self.linear.parameters(), *self.norm.parameters()]
        self.kept = [
            self.norm.running_mean, self.norm.running_var, self.norm.num_batches_tracked,
            self.dropout.generator,
        ]  # fmt: skip

    def __call__(self, row: Any) -> Any:
        return self.dropout(self.norm(self.linear(row)))

    def loss(self, program: Any, x: Any) -> Any:
        """It depends on the weights whatever the program does."""
        return ops.mean(ops.square(program(self, x))) + ops.mean(ops.square(self.linear.weight))


def scanned(body: Body, x: Any) -> Any:
    """`body` of each row, in a loop; the carry is read as well."""
    last, ys = ops.scan(lambda c, row: ((y := body(row)) + c * 0.5, y), x[0], x)
    return last + ops.sum(ys, axis=0)


def mapped(body: Body, x: Any) -> Any:
    return ops.sum(ops.scan(lambda c, row: (c, body(row)), (), x)[1], axis=0)


def chosen(body: Body, x: Any) -> Any:
    """`body` where the numbers say so: in some of the steps, and not in others."""
    row = x[0]
    return ops.cond(ops.sum(row) > 0, lambda: body(row), lambda: row * 2)


def repeated(body: Body, x: Any) -> Any:
    """`body` as often as the numbers say, or not at all."""
    times = ops.cast(ops.minimum(ops.abs(ops.sum(x)), 3.0), "int64")
    return ops.while_loop(lambda i, y: i < times, lambda i, y: (i + 1, body(y)), (times * 0, x[0]))[1]


KINDS = {"scan": scanned, "map": mapped, "cond": chosen, "while": repeated}


def nest(*names: str) -> Callable[[Body, Any], Any]:
    """Kinds of control flow inside each other: the inner ones are given two rows."""
    kind = KINDS[names[0]]
    if len(names) == 1:
        return kind
    inner = nest(*names[1:])
    return lambda body, x: kind(lambda row: inner(body, ops.stack([row, row * -0.5])), x)


PROGRAMS = [(a,) for a in KINDS] + [(a, b) for a in KINDS for b in KINDS] + [("scan", "cond", "while")]


def trained_by_dynamic(program: Any) -> tuple[list[Any], list[Any]]:
    layers = Layers()
    opt = optim.SGD(layers.parameters, lr=0.05)
    losses = []
    for x in STEPS:
        loss = layers.loss(program, dynamic.tensor(x, dtype="float32"))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.numpy())
    return losses, [state.numpy() for state in layers.kept]


def trained_by_static(program: Any, optimize: str, by_hand: bool) -> tuple[list[Any], list[Any]]:
    layers = Layers()
    with static.Graph().as_default():
        x = static.placeholder("float32", ("T", 5, 6))
        loss = layers.loss(program, x)
        opt = optim.SGD(layers.parameters, lr=0.05)
        if by_hand:
            pairs = opt.compute_gradients(loss)
            train = [opt.apply_gradients(pairs), *static.get_collection(static.UPDATE_OPS)]
        else:
            train = [opt.minimize(loss)]
        with static.Session(optimize=optimize) as session:
            session.run(static.global_variables_initializer())
            losses = [session.run([loss, *train], {x: step})[0] for step in STEPS]
            return losses, session.run(layers.kept)


@pytest.mark.parametrize("names", PROGRAMS, ids="-".join)
def test_layers_in_bodies_are_trained_as_dynamic_trains_them(names: Any) -> None:
    program = nest(*names)
    losses, kept = trained_by_dynamic(program)
    for by_hand in (False, True):
        got, held = trained_by_static(program, "exact", by_hand)
        assert got[0] == losses[0]
        np.testing.assert_allclose(got, losses, rtol=1e-5)  # sums of gradients: see docs/static.md
        for a, b in zip(held, kept, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        assert (held[2] == kept[2]).all() and (held[3] == kept[3]).all()


def test_a_read_behind_a_loop_sees_what_layers_in_it_have_updated_also_from_a_file(tmp_path: Any) -> None:
    """The loss alone stores nothing."""
    layers = Layers()
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("T", 5, 6), name="x")
        y = scanned(layers, x)
        left = scanned(layers.norm, x)  # not needed by what is asked for below, so nothing sees it
        mean = layers.norm.running_mean + 0.0
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            seen = session.run([y, mean], {x: STEPS[0]})[1]
            assert (session.run(layers.norm.running_mean) == 0).all() and (session.run(mean) == 0).all()
            assert (session.run([y, left, mean], {x: STEPS[0]})[2] != seen).any()
        graph.save(tmp_path / "kept", outputs={"y": y, "mean": mean})
    eager = Layers()
    scanned(eager, dynamic.tensor(STEPS[0], dtype="float32"))
    kept = static.load(tmp_path / "kept")(x=STEPS[0].astype(np.float32))["mean"]
    np.testing.assert_allclose(seen, eager.norm.running_mean.numpy(), rtol=1e-6)
    assert (kept == seen).all()


def test_a_loop_over_nothing_updates_nothing_on_either_engine() -> None:
    layers, x = Layers(), np.zeros((0, 5, 6), np.float32)
    before = [state.numpy().copy() for state in layers.kept]
    ys = ops.scan(lambda c, row: (c, layers(row)), (), dynamic.tensor(x))[1]
    assert ys.shape == (0, 5, 6)
    with static.Graph().as_default():
        p = static.placeholder("float32", ("T", 5, 6))
        train = optim.SGD(layers.parameters, lr=0.1).minimize(ops.sum(mapped(layers, p)))
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            session.run(train, {p: x})
            after = session.run(layers.kept)
    for was, eager, kept in zip(before, layers.kept, after, strict=True):
        assert (was == eager.numpy()).all() and (was == kept).all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_assigned_by_hand_in_a_body_is_stored_whenever_that_runs(kind: str) -> None:
    state = Buffer(np.zeros(6, np.float32))

    def body(row: Any) -> Any:
        state.assign(state + ops.sum(row, axis=0))
        return row * 0.5

    with static.Graph().as_default():
        x = static.placeholder("float32", ("T", 5, 6))
        y = KINDS[kind](body, x)
        with static.Session(optimize="exact") as session:
            session.run(static.global_variables_initializer())
            for step in STEPS:
                session.run(y, {x: step})
            got = session.run(state)
    state.assign(np.zeros(6, np.float32))
    for step in STEPS:
        KINDS[kind](body, dynamic.tensor(step, dtype="float32"))
    assert (got == state.numpy()).all()
