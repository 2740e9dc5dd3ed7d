"""Gradients and variables that change inside loops and branches: as in a straight line of code, no gradient
flows through an assignment, and all reads of a variable share one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops

X = np.float32([1, 2, 3])


def step(v: Any, w: Any, q: Any) -> Any:
    """A value before v changes, and one after."""
    before = v * q
    v.assign(ops.tanh(w * v + q))
    return before + v * 3 * w * w


def scan(v: Any, w: Any, x: Any) -> Any:
    return ops.sum(ops.scan(lambda c, q: (c, step(v, w, q)), (), x)[1])


def while_loop(v: Any, w: Any, x: Any) -> Any:
    first = ops.cast(x[0] * 0, "int64"), x[0] * 0
    return ops.while_loop(lambda i, t: i < 3, lambda i, t: (i + 1, t + step(v, w, x[i])), first)[1]


def conds(v: Any, w: Any, x: Any) -> Any:
    return sum(ops.cond(q > 0, lambda q=q: step(v, w, q), lambda: x[0]) for q in (x[0], x[1], x[2]))


def cond_in_scan(v: Any, w: Any, x: Any) -> Any:
    return ops.sum(ops.scan(lambda c, q: (c, ops.cond(q > 0, lambda: step(v, w, q), lambda: q)), (), x)[1])


def scan_in_scan(v: Any, w: Any, x: Any) -> Any:
    def inner(q: Any) -> Any:
        return ops.scan(lambda c, q: (c, step(v, w, q)), (), ops.reshape(q, (1,)))[1]

    return ops.sum(ops.scan(lambda c, q: (c, inner(q)), (), x)[1])


class Stepping(nn.Module):
    """The same in a module, whose States are updated."""

    def __init__(self, v: Any, w: Any) -> None:
        self.v, self.w = v, w

    def forward(self, q: Any) -> Any:
        return step(self.v, self.w, q)


def updates(v: Any, w: Any, x: Any) -> Any:
    module = Stepping(v, w)
    return ops.sum(ops.scan(lambda c, q: (c, module(q)), (), x)[1])


def unrolled(v: Any, w: Any, x: Any) -> Any:
    module = Stepping(v, w)
    return module(x[0]) + module(x[1]) + module(x[2])


FORMS = (unrolled, updates, scan, while_loop, conds, cond_in_scan, scan_in_scan)


def right() -> list[float]:
    """The sum, its derivatives by v and w, and by w twice, in float64: each v is a number."""
    v, w, loss, dv, dw, dww = 0.5, 0.7, 0.0, 0.0, 0.0, 0.0
    for q in X.astype(float):
        after = np.tanh(w * v + q)
        loss, dv = loss + v * q + 3 * after * w * w, dv + q + 3 * w * w
        dw, dww, v = dw + 6 * after * w, dww + 6 * after, after
    return [loss, dv, dw, dww]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_no_gradient_flows_through_an_assignment_and_all_reads_share_one(form: Callable[..., Any]) -> None:
    v, w = nn.Parameter(np.float32(0.5), "v"), nn.Parameter(np.float32(0.7), "w")
    x = static.placeholder("float32", (3,))
    loss = form(v, w, x)
    dv, dw = static.gradients(loss, [v, w])
    (dww,) = static.gradients(dw, [w])
    for level in ("exact", "fast"):
        with static.Session(optimize=level) as session:
            session.run(static.global_variables_initializer())
            np.testing.assert_allclose(session.run([loss, dv, dw, dww], {x: X}), right(), rtol=1e-6)
    loss = form(v, w, dynamic.tensor(X))
    dv, dw = dynamic.grad(loss, [v, w], create_graph=True)
    (dww,) = dynamic.grad(dw, [w])
    np.testing.assert_allclose([y.item() for y in (loss, dv, dw, dww)], right(), rtol=1e-6)


def test_what_assign_gives_is_the_value_itself_with_its_gradient() -> None:
    x = static.placeholder("float32", ())
    v = static.Variable(np.float32(2))
    y = ops.scan(lambda c, q: (c * v.assign(v * q), c), ops.ones_like(x), ops.stack([x, x + 1]))[0]
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        # (2 x) (6 (x + 1)), for the second 6 is what v holds, a number
        assert session.run([y, static.gradients(y, [x])[0]], {x: 3}) == [144, 2 * 24 + 6 * 6]
