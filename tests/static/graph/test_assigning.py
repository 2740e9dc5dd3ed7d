"""What a variable takes: its own shape, and of other dtypes what loses no more than rounding does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import static
from shared import ops
from shared.errors import DTypeError, FeedTypeError, ShapeError
from shared.state import Buffer


def ran(step: Any, variable: Any, feeds: dict[Any, Any] | None = None) -> Any:
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(step, feeds)
        return session.run(variable)


DTYPES = ["bool", "uint8", "int8", "int32", "int64", "uint64", "float16", "float32", "float64"]


@pytest.mark.parametrize("given", DTYPES)
@pytest.mark.parametrize("held", DTYPES)
def test_a_tensor_is_assigned_where_numpy_finds_no_loss(held: str, given: str) -> None:
    """By NumPy's own tables."""
    fits = np.can_cast(given, held, "same_kind" if held.startswith("float") else "safe")
    v, x = static.Variable(np.zeros(2, held)), static.placeholder(given, (2,))
    array = np.array([0, 1], given)
    if fits:
        for step in (v.assign(x), static.scatter_update(v, [0, 1], x)):
            np.testing.assert_array_equal(ran(step, v, {x: array}), array.astype(held))
        return
    calls: tuple[Callable[[], Any], ...] = (
        lambda: v.assign(x), lambda: v.assign_add(x), lambda: v.assign_sub(x),
        lambda: static.scatter_update(v, [0, 1], x),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(DTypeError, match=rf"'Variable' is {held}, and {given} does not go into it"):
            call()


def test_a_number_must_be_one_that_the_variable_holds() -> None:
    small, real = static.Variable(np.int8([3, 4]), name="small"), static.Variable(np.float32(1), name="real")
    for value in (0.5, 300, -129, [1, 0.5], np.float64(2.5), 1 + 2j, np.array([1000, 2])):
        with pytest.raises(DTypeError, match=r"'small' is int8, which does not hold"):
            small.assign_add(value) if np.ndim(value) < 1 else small.assign(value)
    with pytest.raises(DTypeError, match="'real' is float32, which does not hold 1e"):
        real.assign(1e300)
    np.testing.assert_array_equal(ran(small.assign(np.array([5, 6])), small), np.int8([5, 6]))
    np.testing.assert_array_equal(ran(small.assign_add(1), small), np.int8([4, 5]))
    assert ran(real.assign(0.1), real) == np.float32(0.1) and ran(real.assign_sub(2), real) == -1
    x = static.placeholder("float32", (None,))
    count = static.Variable(np.int64(1))
    assert ran(count.assign_add(x.shape[0]), count, {x: np.zeros(7)}) == 8


def test_updates_of_rows_are_rows_or_one_number() -> None:
    v = static.Variable(np.zeros((4, 2), np.float32), name="v")
    want = np.float32([[0, 0], [5, 5], [0, 0], [5, 5]])
    np.testing.assert_array_equal(ran(static.scatter_update(v, [1, 3], 5), v), want)
    np.testing.assert_array_equal(ran(static.scatter_update(v, 1, [5, 5]), v)[1], [5, 5])
    for indices, rows in (([1, 3], [5.0, 6.0]), ([1, 3], [[1.0], [2.0]]), ([1], np.ones((3, 2))), (1, [1.0])):
        with pytest.raises(ShapeError, match=r"scatter_update: .* take updates of shape"):
            static.scatter_update(v, indices, rows)
    with pytest.raises(DTypeError, match="indices are integers, not float32"):
        static.scatter_update(v, [1.0], [[1.0, 2.0]])
    at, rows = static.placeholder("int64", (None,)), static.placeholder("float32", (None, None))
    step = static.scatter_update(v, at, rows)
    assert ran(step, v, {at: [0], rows: [[1, 2]]}).tolist()[0] == [1, 2]
    with pytest.raises(ShapeError, match=r"\(2,\) indices .* take updates of shape \(2, 2\)"):
        ran(step, v, {at: [0, 1], rows: [[1.0, 2.0]]})
    with pytest.raises(ShapeError, match=r"assign_add: .* more axes"):
        v.assign_add(np.ones((3, 4, 2)))


def test_feeds_lose_nothing_either() -> None:
    i, f = static.placeholder("int32", ()), static.placeholder("float32", ())
    with static.Session() as session:
        assert session.run([i + 0, f + 0], {i: np.int64(7), f: 2}) == [7, 2]
        assert session.run(i + 0, {i: np.float64(3)}) == 3  # a whole number, though a float
        for key, value in ((i, 0.5), (i, 2**40), (f, 1e300), (f, 1j), (i, np.inf), (i, np.nan)):
            with pytest.raises(FeedTypeError, match="is not compatible"):
                session.run(key + 0, {key: value})
        assert np.isinf(session.run(f + 0, {f: np.inf}))


def test_states_are_assigned_by_the_same_rule() -> None:
    state = Buffer(np.int64([1, 2]), "counts")
    state.assign([3, 4])
    for value in ([0.5, 1], np.float32([1, 2]), ops.ones((2,), "float32")):
        with pytest.raises(DTypeError, match="counts is int64"):
            state.assign(value)
    assert state.numpy().tolist() == [3, 4]


@pytest.mark.parametrize("level", ["exact", "fast"])
@pytest.mark.parametrize("change", [static.scatter_add, static.scatter_sub])
def test_rows_of_an_unknown_size_are_not_stretched(change: Callable[..., Any], level: str) -> None:
    """One row of updates went to both indices, or one number to a whole row."""
    v, at = static.Variable(np.zeros((2, 3))), static.placeholder("int64", (None,))
    rows = static.placeholder("float64", (None, None))
    step, one = change(v, at, rows), change(v, at, static.placeholder_with_default(np.float64(2), ()))
    with static.Session(optimize=level) as session:
        session.run(static.global_variables_initializer())
        for shape in ((1, 3), (2, 1), (1, 1)):
            with pytest.raises(ShapeError, match=rf"{change.__name__}: .* take updates of shape"):
                session.run(step, {at: [0, 1], rows: np.ones(shape)})
        assert not session.run(v).any()
        session.run(step, {at: [1, 1], rows: [[1, 2, 3], [10, 20, 30]]})
        sign = 1 if change is static.scatter_add else -1
        np.testing.assert_array_equal(session.run(v), np.multiply([[0, 0, 0], [11, 22, 33]], sign))
        session.run(one, {at: [0]})
        np.testing.assert_array_equal(session.run(v)[0], np.multiply([2, 2, 2], sign))
