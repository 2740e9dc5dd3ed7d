"""What passes must not do: each of these programs was wrong with one guard of a pass taken away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import static
from shared import ops
from shared.op import TABLE
from static.compile.passes.forms import form_of


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def both(fetches: Any, feeds: Any) -> tuple[list[Any], list[Any]]:
    """What the two levels give."""
    with static.Session(optimize="exact") as exact, static.Session(optimize="fast") as fast:
        return exact.run(fetches, feeds), fast.run(fetches, feeds)


def agree(fetches: Any, feeds: Any, rtol: float = 1e-5) -> None:
    for want, got in zip(*both(fetches, feeds), strict=True):
        np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-7)


def rows(*shape: int) -> Any:
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


def test_what_is_added_keeps_the_sign_of_a_zero() -> None:
    x = static.placeholder("float64", (2,))
    numbers = (0.0, -0.0)
    fetches = [y for n in numbers for y in (x + n, x - n, n + x, n - x)]
    data = np.array([0.0, -0.0])
    want = [y for n in numbers for y in (data + n, data - n, n + data, n - data)]
    for made in both(fetches, {x: data}):
        assert [np.signbit(y).tolist() for y in made] == [np.signbit(y).tolist() for y in want]


def test_a_quotient_by_sums_that_lie_across_is_no_softmax() -> None:
    x = static.placeholder("float32", (3, 3))
    agree([ops.exp(x) / ops.sum(ops.exp(x), axis=axis) for axis in (0, 1)], {x: rows(3, 3)})


@pytest.mark.parametrize("power", [-2.0, -1.0, -0.5, 0.5, 2.0])
def test_the_logarithm_of_a_power_has_its_sign(power: float) -> None:
    x = static.placeholder("float64", (2, 3))
    far = np.array([[-900.0, 3.0, 0.5], [800.0, -2.0, 1.0]])
    shifted = far - far.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    with static.Session(optimize="fast") as session:
        soft, sigmoid = session.run(
            [ops.log(ops.softmax(x, axis=1) ** power), ops.log(ops.sigmoid(x) ** power)], {x: far}
        )
    np.testing.assert_allclose(soft, power * logs, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(sigmoid, power * -np.logaddexp(0, -far), rtol=1e-12, atol=1e-300)


def test_what_goes_along_the_first_axis_of_a_step_stays_in_the_loop() -> None:
    """Outside, the first axis is that of the steps."""
    x, w = static.placeholder("float32", (4, 3, 3)), static.placeholder("float32", (3, 3))

    def step(c: Any, row: Any) -> Any:
        made = [ops.softmax(row, axis=0), ops.cumsum(row, axis=0), ops.flip(row, axis=0), w @ row, row @ w]
        return c + ops.sum(row), ops.stack(made)

    agree(static.scan(step, static.constant(np.float32(0)), x), {x: rows(4, 3, 3), w: rows(3, 3)})


def test_what_waits_in_a_loop_makes_what_it_waits_for_run_in_each_step(capfd: Any) -> None:
    x, w = static.placeholder("float32", (3,)), static.placeholder("float32", (2,))

    def step(c: Any, row: Any) -> Any:
        with static.control_dependencies([static.Print(row, [row], "seen ")]):
            return c, w * 2.0

    ys = static.scan(step, static.constant(np.float32(0)), x)[1]
    for level in ("exact", "fast"):
        with static.Session(optimize=level) as session:
            session.run(ys, {x: rows(3), w: rows(2)})
        assert capfd.readouterr().err.count("seen") == 3


def test_no_op_of_the_table_does_more_than_compute_but_those_that_talk_to_other_ranks() -> None:
    """So they stay in their loop, and are not computed again."""
    assert {op.name for op in TABLE.values() if not op.pure} == {
        "all_reduce", "all_reduce_weighted", "all_reduce_extreme", "broadcast", "reduce", "all_gather",
        "reduce_scatter", "rows_before",
    }  # fmt: skip


def test_products_of_one_weight_keep_their_own_biases() -> None:
    x, z, w = (static.placeholder("float32", shape) for shape in ((2, 3), (2, 3), (4, 3)))
    a, b = static.placeholder("float32", (4,)), static.placeholder("float32", (4,))
    feeds = {x: rows(2, 3), z: rows(2, 3) + 1, w: rows(4, 3), a: rows(4), b: rows(4) - 2}
    agree([ops.linear(x, w, a), ops.linear(z, w, b), ops.linear(x * 2, w)], feeds)


def test_effects_keep_their_order_where_one_waits_for_a_product_that_came_to_stand_later(capfd: Any) -> None:
    x, v, u, w = (static.placeholder("float32", shape) for shape in ((2, 3), (2,), (2, 3), (4, 3)))
    h = ops.linear(x, w)
    first = static.Print(h, [], "first ")
    second = static.Print(v, [], "second ")
    other = ops.linear(ops.tanh(u), w)
    y = ops.sum(first) + ops.sum(second) + ops.sum(other)
    with static.Session(optimize="fast") as session:
        assert "products in one" in session.explain(y)
        session.run(y, {x: rows(2, 3), v: rows(2), u: rows(2, 3), w: rows(4, 3)})
    told = capfd.readouterr().err
    assert told.index("first") < told.index("second")


def test_parts_that_are_joined_and_fetched_are_arrays_of_their_own() -> None:
    x = static.placeholder("float32", (3, 4))
    parts = [ops.exp(x) * 2, ops.exp(x) + x]
    fetches = [ops.concatenate(parts, axis=1), *parts]
    agree(fetches, {x: rows(3, 4)})
    with static.Session(optimize="fast") as session:
        whole, *made = session.run(fetches, {x: rows(3, 4)})
    assert not any(np.shares_memory(whole, part) for part in made)


def test_whole_numbers_beyond_a_double_are_those_that_exact_takes() -> None:
    x = static.placeholder("float32", (3,))
    number = 2**60 + 2**36 + 1  # rounded twice, by way of a double, it is another float32
    for want, got in zip(*both([x * number, x + number], {x: rows(3)}), strict=True):
        np.testing.assert_array_equal(got, want)


def test_numbers_that_make_a_simpler_product_stand_in_the_code_and_others_are_handed() -> None:
    x = static.placeholder("float32", (3,))
    with static.Session(without=["fuse", "simplify"]) as session:
        def handed(number: float) -> list[float]:
            (step,) = session.block(x * number).steps
            form = form_of(step)
            assert form is not None
            return form.handed(step)

        assert [handed(n) for n in (0, 1, -1, 2, -2, 0.5, -0.5)] == [[]] * 7
        assert handed(3.5) == [3.5] and handed(-3) == [-3.0]


def test_the_sign_of_what_is_positive_is_0_where_that_is_0_and_nan_where_it_is_nan() -> None:
    """Also at `fast`, where it is 1 of what went to 0 by its exponential alone."""
    x = static.placeholder("float32", (4,))
    with static.Session() as session:
        found = session.run(ops.sign(ops.exp(x)), {x: [np.nan, -np.inf, -200.0, np.inf]})
        counted = session.run(ops.sum(ops.sign(ops.softmax(x))), {x: [0.0, 1.0, -np.inf, 0.0]})
    np.testing.assert_array_equal(found, [np.nan, 0, 1, 1])
    assert counted == 3
