"""Where a gradient may be asked for: also where none goes on from. The right values are written by hand;
TensorFlow 2.21 gives the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import UnknownSizeError

X, WHOLE = 3.0, 4


def slopes(build: Any) -> list[Any]:
    """The gradients that `build`, given x and an integer, asks for; None where there is none."""
    with static.Graph().as_default():
        x, i = static.placeholder("float64", (), name="x"), static.placeholder("int64", ())
        found = build(x, i)
        with static.Session(optimize="exact") as session:
            session.run(static.global_variables_initializer())
            return [None if g is None else float(session.run(g, {x: X, i: WHOLE})) for g in found]


def stopped(x: Any) -> Any:
    return static.stop_gradient(x)


def called(x: Any) -> Any:
    return static.py_func(lambda v: v, [x], "float64", ())


@pytest.mark.parametrize("end", [stopped, called])
def test_a_gradient_can_be_asked_for_where_none_goes_on(end: Any) -> None:
    assert slopes(lambda x, i: static.gradients((z := end(x)) * z, [z])) == [6.0]
    assert slopes(lambda x, i: static.gradients((z := end(x)) * z, [x])) == [None]
    assert slopes(lambda x, i: static.gradients((z := end(x)) * z, [z, x])) == [6.0, None]
    assert slopes(lambda x, i: static.gradients((z := end(x)) * x, [z, x])) == [3.0, 3.0]
    assert slopes(lambda x, i: static.gradients(z := end(x), [x, z])) == [None, 1.0]
    assert slopes(lambda x, i: static.gradients(end(x), [x], unconnected="zero")) == [0.0]
    assert slopes(lambda x, i: static.gradients([end(x), x * x], [x])) == [6.0]
    assert slopes(lambda x, i: static.gradients(static.gradients((z := end(x)) ** 3, [z])[0], [z])) == [18.0]


@pytest.mark.parametrize("end", [stopped, called])
def test_it_can_be_asked_for_through_loops_and_branches(end: Any) -> None:
    def looped(x: Any, i: Any) -> Any:
        z = end(x)
        return static.gradients(static.scan(lambda c, e: (c * z + e, ()), x, ops.stack([x, z]))[0], [z, x])

    def repeated(x: Any, i: Any) -> Any:
        z = end(x)
        y = static.while_loop(lambda k, c: k < 3, lambda k, c: (k + 1, c * z), [i * 0, x])[1]
        return static.gradients(y, [z, x])

    def chosen(x: Any, i: Any) -> Any:
        z = end(x)
        return static.gradients(static.cond(x > 0, lambda: z * z * x, lambda: x), [z, x])

    def inside(x: Any, i: Any) -> Any:
        def body(e: Any) -> Any:
            z = end(e)
            return static.gradients(z * z * x, [z])[0]

        return [static.map_fn(body, ops.stack([x, x + 1]))[1]]

    assert slopes(looped) == [2 * X * X + X + 1, X * X + X]  # (x z + x) z + z, by z and by x
    assert slopes(repeated) == [3 * X**3, X**3]
    assert slopes(chosen) == [2 * X * X, X * X]
    assert slopes(inside) == [2 * (X + 1) * X]


def test_what_is_drawn_or_kept_beside_a_value_can_be_asked_for() -> None:
    def drawn(x: Any, i: Any) -> Any:
        noise = static.random_normal((), dtype="float64")
        return static.gradients(noise * x * x, [noise])

    def statistics(x: Any, i: Any) -> Any:
        rows = ops.stack([x, x + 2, x + 4])[:, None]
        _, mean, _ = ops.batch_norm(rows, None, None, np.zeros(1), np.ones(1), 1.0)
        by_mean, by_x = static.gradients(ops.sum(mean * mean * x), [mean, x])
        return [by_mean[0], by_x]

    assert slopes(drawn) == [9.0]
    assert slopes(statistics) == [2 * 5.0 * X, 25.0]


def test_what_is_no_float_has_no_gradient_and_what_is_made_of_it_has_one() -> None:
    assert slopes(lambda x, i: static.gradients(ops.cast(i, "float64") * x, [i])) == [None]
    assert slopes(lambda x, i: static.gradients((c := ops.cast(i, "float64")) * x, [c])) == [3.0]
    assert slopes(lambda x, i: static.gradients(ops.where(p := x > 1, x, 2 * x), [p])) == [None]
    assert slopes(lambda x, i: static.gradients(x * x, [static.Variable(np.int64(1))])) == [None]
    with pytest.raises(RuntimeError, match="carries no gradient; use a float"):
        slopes(lambda x, i: static.gradients(i * i, [x]))


def test_on_dynamic_a_detached_value_that_requires_a_gradient_is_a_leaf_as_in_pytorch() -> None:
    x = dynamic.tensor(X, requires_grad=True)
    z = x.detach()
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        dynamic.grad(z * x, [z])
    z.requires_grad_()
    assert [g.item() for g in dynamic.grad(z * z * x, [z, x])] == [2 * X * X, X * X]
    assert dynamic.grad(z * z, [x], allow_unused=True) == [None]


def test_a_value_of_unknown_rank_has_no_gradient_until_its_shape_is_said() -> None:
    x = static.placeholder("float32", (3,))
    y = static.py_func(lambda v: v, [x], "float32")
    for z in (y, y * 2):
        for given in (None, [np.ones(3, "float32")]):
            with pytest.raises(UnknownSizeError, match=r"gradients: how many axes .*set_shape.*shapes="):
                static.gradients(z, [x], given)
    y.set_shape((3,))
    (slope,) = static.gradients(y * x, [x])
    with static.Session() as session:
        np.testing.assert_array_equal(session.run(slope, {x: np.arange(3, dtype="float32")}), [0, 1, 2])
