"""Where parts meet: scopes and updates, bodies and what is around them, the program and its caller."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def started() -> static.Session:
    session = static.Session()
    session.run(static.global_variables_initializer())
    return session


def test_an_assignment_in_a_name_scope_is_no_update_of_a_module() -> None:
    v, layer = static.Variable(1.0), nn.Linear(2, 1)
    x = static.placeholder("float32", (None, 2))
    with static.name_scope("m"):
        loss = ops.sum(layer(x))
        v.assign(100.0)
    after = v + 0.0
    train = optim.SGD(layer.parameters(), lr=0.1).minimize(loss)
    session = started()
    assert session.run([train, after], {x: np.ones((1, 2))})[1] == 1 and session.run(v) == 1


def test_a_read_shared_by_several_uses_waits_for_nothing_that_only_one_of_them_waits_for() -> None:
    step, w = static.Variable(0.0), static.Variable(2.0)
    with static.control_dependencies([step.assign_add(1.0)]):
        a, held = w * 2, w.value()
    b = w * 3
    session = started()
    assert session.run(b) == 6 and session.run(step) == 0
    assert session.run([a, held]) == [4, 2] and session.run(step) == 1


def test_a_group_of_groups_keeps_what_they_wait_for() -> None:
    step = static.Variable(0.0)
    with static.control_dependencies([step.assign_add(1.0)]):
        inner = static.group()
    session = started()
    session.run(static.group(inner))
    assert session.run(step) == 1


def test_steps_of_different_shapes_are_refused_as_dynamic_refuses_them() -> None:
    data = np.array([[1, 2, 3], [-1, 5, -1]], np.float32)

    def positive(x: Any) -> Any:
        return ops.scan(lambda c, row: (c, row[row > 0]), x[0, 0] * 0, x)[1]

    with pytest.raises(ValueError, match="stack"):
        positive(dynamic.tensor(data))
    x = static.placeholder("float32", (None, 3))
    with pytest.raises(ValueError, match=r"scan: step 1 gives \(1,\) where the steps before gave \(3,\)"):
        static.Session().run(positive(x), {x: data})


def test_a_scan_over_nothing_has_no_effects() -> None:
    x = static.placeholder("float32", (None,))

    def checked(c: Any, e: Any) -> Any:
        with static.control_dependencies([static.Assert(e > 0, [e])]):
            return c, static.identity(e)

    ys = static.scan(checked, ops.sum(x), x)[1]
    assert static.Session().run(ys, {x: np.ones(0)}).shape == (0,)


def test_gradients_inside_a_body_reach_what_is_around_it() -> None:
    w = static.Variable(np.float64(3))
    x = static.placeholder("float64", (None,))

    def slope(c: Any, e: Any) -> Any:
        (g,) = static.gradients(w * w * e, [w])
        return c, g

    ys = static.scan(slope, ops.sum(x), x)[1]
    assert started().run(ys, {x: [1, 2]}).tolist() == [6, 12]


def test_sizes_from_around_reach_a_body_inside_a_body() -> None:
    x = static.placeholder("float32", (None, 2))
    n = x.shape[0]

    def outer(c: Any, _: Any) -> Any:
        inner = static.scan(lambda d, e: (d + ops.sum(ops.ones((n,), like=d)), None), c, None, length=2)[0]
        return inner, None

    total = static.scan(outer, ops.sum(x) * 0, None, length=3)[0]
    assert static.Session().run(total, {x: np.ones((5, 2))}) == 30


def test_variables_made_inside_a_body_belong_to_the_graph_around_it() -> None:
    x = static.placeholder("float32", (3,))

    def scaled(c: Any, e: Any) -> Any:
        return c, e * static.get_variable("w", (), initializer=np.float32(2))

    ys = static.scan(scaled, x[0], x)[1]
    assert [v.name for v in static.trainable_variables()] == ["w"]
    assert started().run(ys, {x: [1, 2, 3]}).tolist() == [2, 4, 6]


def test_a_condition_that_assigns_is_refused() -> None:
    v = static.Variable(0.0)
    with pytest.raises(ValueError, match="cond assigns 'Variable'"):
        static.while_loop(lambda i: v.assign_add(1.0) + i < 3.0, lambda i: (i + 1,), [v * 0])


@pytest.mark.parametrize("turned", [False, True])
def test_transposed_data_gives_the_same_bits_however_it_comes_in(turned: bool) -> None:
    data = np.random.default_rng(0).standard_normal((300, 70)).astype(np.float32)
    data = data.T if turned else data
    want = ops.sum(dynamic.tensor(data), axis=1).numpy()
    assert (ops.sum(dynamic.tensor(np.zeros_like(data)) + data, axis=1).numpy() == want).all()
    x, v = static.placeholder("float32", data.shape), static.Variable(data)
    put, state = v.assign(x), nn.Buffer(np.zeros(data.shape, np.float32))
    state.assign(data)
    loaded = ops.sum(state * 1.0, axis=1)
    session = started()
    session.load(state)
    sums = [ops.sum(t, axis=1) for t in (x, v.value(), static.constant(data))]
    for value in session.run([*sums, loaded, ops.sum(put, axis=1)], {x: data}):
        assert (value == want).all()
    assert session.run(ops.transpose(x), {x: data}).flags.c_contiguous


def test_what_is_given_out_is_never_held_or_shared() -> None:
    v = static.Variable(np.ones(2, np.float32))
    a, b = static.py_func(lambda q: [q, q], [v], ["float32", "float32"], shapes=[(2,), (2,)])

    def careless(q: Any) -> Any:
        q += 1
        return q

    changed = static.py_func(careless, [v], "float32", shapes=(2,))
    session = started()
    p, q = session.run([a, b])
    p += 7
    assert q.tolist() == [1, 1] and session.run(v).tolist() == [1, 1]
    with pytest.raises(ValueError, match="read-only"):
        session.run(changed)
    y = v * 2
    handle = session.partial_run_setup([y, y + 1], [])
    first = session.partial_run(handle, y)
    first += 100
    (rest,) = [fetch for fetch in handle.fetches if fetch is not y]
    assert session.partial_run(handle, rest).tolist() == [3, 3]


@pytest.mark.parametrize("kind", [np.matrix, np.ma.MaskedArray])
def test_subclasses_of_arrays_are_fed_as_the_arrays_that_they_are(kind: Any) -> None:
    """They would compute in ways of their own: a matrix keeps its two axes."""
    x = static.placeholder("float32", (2, 3))
    ys = [ops.sum(x, axis=1), x * x, ops.mean(x)]
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    with static.Session() as session:
        wanted = session.run(ys, {x: array})
        for run in (lambda fed: session.run(ys, {x: fed}), session.make_callable(ys, [x])):
            for a, b in zip(run(array.view(kind)), wanted, strict=True):
                assert type(a) is np.ndarray
                np.testing.assert_array_equal(a, b)


def test_feeding_twice_is_refused() -> None:
    x = static.placeholder("float32", (), name="x")
    with pytest.raises(ValueError, match="fed twice"):
        static.Session().run(x, {x: 1.0, "x:0": 2.0})


def test_a_fed_size_that_is_an_expression_must_be_what_the_other_feeds_make_of_it() -> None:
    x = static.placeholder("float32", ("N", 2), name="x")
    twice = ops.concatenate([x, x], 0)
    y = twice + ops.concatenate([x, x * 2], 0)
    with static.Session() as session:
        fed = {x: np.ones((3, 2)), twice: np.ones((6, 2))}
        np.testing.assert_array_equal(session.run(y, fed), [[2, 2]] * 3 + [[3, 3]] * 3)
        with pytest.raises(ValueError, match=r"with N = 3 that size is 6, not 1"):
            session.run(y, {x: np.ones((3, 2)), twice: np.ones((1, 2))})


def test_a_variable_keeps_its_shape_whatever_size_a_run_brings() -> None:
    v = static.Variable(np.zeros((3, 2), np.float32), name="v")
    x = static.placeholder("float32", ("N", 2), name="x")
    doubled = v.assign(x * 2)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(doubled, {x: np.ones((3, 2))})
        with pytest.raises(ValueError, match=r"variable 'v' has shape \(3, 2\).* has \(1, 2\) in this run"):
            session.run(doubled, {x: np.ones((1, 2))})
        np.testing.assert_array_equal(session.run(v), np.full((3, 2), 2.0))
