"""Effects in loops and branches: what stands there and what was made around and is waited for there
runs, as in TensorFlow 2's graphs; nothing is printed or checked twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import static
from shared import ops


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def x() -> Any:
    return static.constant([1.0, 2.0, 3.0])


def counted(wait: Callable[[Any], Any]) -> dict[str, Any]:
    """Control flow of each kind in whose bodies `wait` says of a value that it waits."""
    zero = static.constant(0)
    return {
        "scan": static.scan(lambda c, e: (c, wait(e)), x()[0], x())[1],
        "map": static.map_fn(wait, x()),
        "taken": static.cond(ops.sum(x()) > 0, lambda: wait(x()), lambda: x()),
        "left": static.cond(ops.sum(x()) < 0, lambda: wait(x()), lambda: x()),
        "while": static.while_loop(lambda i: i < 3, lambda i: wait(i) + 1, [zero])[0],
        "no trip": static.while_loop(lambda i: i < 0, lambda i: wait(i) + 1, [zero])[0],
        "inner": static.map_fn(lambda e: static.map_fn(lambda d: wait(e * d), x()), x()),
        "inmost": static.map_fn(lambda e: static.cond(e > 2, lambda: wait(e), lambda: e), x()),
    }


def waits_for(operation: Any) -> Callable[[Any], Any]:
    def wait(value: Any) -> Any:
        with static.control_dependencies([operation]):
            return static.identity(value)

    return wait


KINDS = ("scan", "map", "taken", "left", "while", "no trip", "inner", "inmost")


@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_made_around_a_body_and_waited_for_inside_runs_once_with_the_node(kind: str) -> None:
    v = static.Variable(1.0)
    y = counted(waits_for(static.group(v.assign(v * 2))))[kind]
    failing = counted(waits_for(static.Assert(v > 100, [v], "v is small")))[kind]
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(y)
        assert session.run(v) == 2
        with pytest.raises(AssertionError, match="v is small; data: 2"):
            session.run(failing)


@pytest.mark.parametrize("kind", KINDS)
def test_operations_grouped_inside_a_body_run_with_it(kind: str) -> None:
    v = static.Variable(1.0)
    add = static.group(v.assign(v + 1))
    y = counted(lambda value: waits_for(static.group(add))(value))[kind]
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(y)
        assert session.run(v) == 2


def test_an_operation_of_an_outer_body_is_waited_for_in_an_inner_one_at_each_step() -> None:
    def outer(e: Any) -> Any:
        small = static.Assert(e < 2.5, [e], "too large")
        return static.map_fn(lambda d: waits_for(small)(d * e), x())

    y = static.map_fn(outer, x())
    with static.Session() as session, pytest.raises(AssertionError, match="too large; data: 3"):
        session.run(y)


def test_an_operation_of_a_body_can_not_be_waited_for_outside_of_it() -> None:
    made: list[Any] = []

    def body(e: Any) -> Any:
        made.append(static.Assert(e > 0, [e]))
        return e

    static.map_fn(body, x())
    with pytest.raises(ValueError, match=r"control_dependencies.*wait for what the loop gives"):
        waits_for(made[0])(x())


@pytest.mark.parametrize("optimize", ["exact", "fast"])
def test_a_loop_that_does_more_than_compute_runs_whole_if_it_is_waited_for(
    optimize: str, capsys: Any
) -> None:
    kinds = counted(lambda value: static.Print(value, [value], "saw "))
    waiting = [waits_for(kinds[kind])(1.0) for kind in ("scan", "map", "taken", "while")]
    with static.Session(optimize=optimize) as session:
        for y, times in zip(waiting, (3, 3, 1, 3), strict=True):
            session.run(y)
            assert capsys.readouterr().err.count("saw") == times


@pytest.mark.parametrize("kind", ["scan", "map", "taken", "while", "ragged", "inner"])
def test_a_gradient_looks_at_no_value_a_second_time(kind: str, capsys: Any) -> None:
    p = static.placeholder("float64", (3,))

    def seen(e: Any) -> Any:
        with static.control_dependencies([static.Assert(e < 10, [e])]):
            return static.check_numerics(static.Print(e, [e], "saw "), "e") * 2

    y = {
        "scan": lambda: static.scan(lambda c, e: (c * seen(e), ()), p[0], p)[0],
        "map": lambda: static.map_fn(seen, p),
        "taken": lambda: static.cond(p[0] > 0, lambda: seen(p), lambda: p),
        "while": lambda: static.while_loop(lambda i, e: i < 3, lambda i, e: (i + 1, seen(e)), [0, p])[1],
        "ragged": lambda: static.map_fn(lambda e: ops.sum(seen(p)[p > e] ** 2), p),
        "inner": lambda: static.map_fn(lambda e: ops.sum(static.map_fn(lambda d: seen(d * e), p[p > e])), p),
    }[kind]()
    (slope,) = static.gradients(y, [p])
    (curve,) = static.gradients(ops.sum(slope * slope), [p], unconnected="zero")
    with static.Session() as session:
        session.run(y, {p: [0.1, 0.2, 0.3]})
        once = capsys.readouterr().err.count("saw")
        session.run([y, slope, curve], {p: [0.1, 0.2, 0.3]})
        assert capsys.readouterr().err.count("saw") == once > 0
