"""What a loop or a branch carries, and nobody asks for, has no gradient: not zeros, which an infinite slope
further back would make NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops

ROWS = np.array([1.0, 2.0, 4.0])


def scan(unused: Any, w: Any) -> Any:
    _, ys = ops.scan(lambda c, q: (c + q, q * w), unused, ROWS)
    return ops.sum(ys)


def scan_of_two(unused: Any, w: Any) -> Any:
    (_, last), _ = ops.scan(lambda c, q: ((c[0] * q + c[1], c[1] + q * w), None), (unused, w), ROWS)
    return last - w


def nested(unused: Any, w: Any) -> Any:
    def step(c: Any, q: Any) -> Any:
        c, ys = ops.scan(lambda d, r: (d * r, r * w), c, ROWS[:2])
        return c, ops.sum(ys) * q / 3

    _, ys = ops.scan(step, unused, ROWS)
    return ops.sum(ys)


def while_loop(unused: Any, w: Any) -> Any:
    _, _, total = ops.while_loop(
        lambda k, c, total: k < 7, lambda k, c, total: (k + 1, c * 2, total + w), (0, unused, w * 0)
    )
    return total


def branch(unused: Any, w: Any) -> Any:
    def step(c: Any, q: Any) -> Any:
        c, y = ops.cond(q > 1, lambda: (c * 2, q * w), lambda: (c, w * q))
        return c, y

    _, ys = ops.scan(step, unused, ROWS)
    return ops.sum(ys)


def lone_branch(unused: Any, w: Any) -> Any:
    y, _ = ops.cond(w > 1, lambda: (w * 7, unused * 2), lambda: (w, unused))
    return y


@pytest.mark.parametrize("program", [scan, scan_of_two, nested, while_loop, branch, lone_branch])
def test_a_root_of_zero_that_nobody_asks_for_spoils_no_gradient(program: Callable[..., Any]) -> None:
    """Each of them is 7 w, beside which the root of w - w has an infinite slope."""

    def by_w(w: Any) -> Any:
        return program(ops.sqrt(w - 3.0), w)

    w = dynamic.tensor(np.float64(3.0), requires_grad=True)
    y = by_w(w)
    y.backward()
    assert (y.item(), w.grad.item()) == (21.0, 7.0)
    for optimize in ("exact", "fast"):
        with static.Graph().as_default():
            x = static.placeholder("float64", ())
            result = by_w(x)
            (slope,) = static.gradients(result, [x])
            (again,) = static.gradients(slope * x, [x])
            with static.Session(optimize=optimize) as session:
                assert session.run([result, slope, again], {x: 3.0}) == [21.0, 7.0, 7.0]


def test_there_is_no_gradient_by_what_is_carried_and_dropped() -> None:
    """None, as on dynamic; and what is asked for has one."""
    first, w = (static.placeholder("float64", ()) for _ in range(2))
    last, ys = ops.scan(lambda c, q: (c * q, q * w), first, ROWS)
    assert static.gradients(ys, [first]) == [None]
    slopes = static.gradients(last, [first, w])
    assert slopes[1] is None
    with static.Session() as session:
        assert session.run(slopes[0], {first: 1.0, w: 1.0}) == 8.0
