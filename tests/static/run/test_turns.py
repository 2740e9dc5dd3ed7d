"""Threads that share a session: no update is lost, nobody waits for nothing, and nothing stands still."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import static
from shared.errors import SessionError

LONG = 20.0
"""Seconds that nothing here takes, unless it stands still."""


@pytest.fixture(autouse=True)
def take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(*works: Callable[[], None]) -> None:
    """All at once, each in a thread; the first error that one has raised."""
    errors: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive(), "it stands still"
    if errors:
        raise errors[0]


def by_python(x: Any, work: Callable[[], Any]) -> Any:
    """x, with `work` done when it runs."""

    def compute(array: Any) -> Any:
        work()
        return array

    return static.py_func(compute, [x], "float64", shapes=())


def held(session: Any, *variables: Any) -> list[float]:
    return [float(value) for value in session.run(list(variables))]


def started() -> static.Session:
    session = static.Session()
    session.run(static.global_variables_initializer())
    return session


WAYS: dict[str, Callable[[Any, Any], Callable[[], Any]]] = {
    "run": lambda session, step: lambda: session.run(step),
    "make_callable": lambda session, step: session.make_callable(step),
    "traced": lambda session, step: lambda: session.run(step, options=static.RunOptions(trace=True)),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_update_of_any_thread_is_lost(way: str) -> None:
    v, w = static.Variable(np.float64(0), name="v"), static.Variable(np.float64(0), name="w")
    slow = by_python(v.value(), lambda: time.sleep(1e-4))
    both = static.group(v.assign(slow + 1), w.assign(w + 2))
    with started() as session:
        call = WAYS[way](session, both)
        together(*[lambda: [call() for _ in range(20)]] * 5)
        assert held(session, v, w) == [100, 200]


def test_who_reads_does_not_wait_and_sees_all_of_an_update_or_none() -> None:
    v, w = static.Variable(np.float64(0)), static.Variable(np.float64(0))
    inside, go_on = threading.Event(), threading.Event()
    slow = by_python(v.value(), lambda: (inside.set(), go_on.wait(LONG)))
    step = static.group(v.assign(slow + 1), w.assign(w + 1))
    with started() as session:
        seen = []

        def read() -> None:
            assert inside.wait(LONG)
            seen.append(held(session, v, w))
            go_on.set()

        together(lambda: session.run(step), read)
        assert seen == [[0, 0]] and held(session, v, w) == [1, 1]


def test_runs_of_other_variables_do_not_wait() -> None:
    v, w = static.Variable(np.float64(0)), static.Variable(np.float64(0))
    other_done = threading.Event()
    slow = v.assign(by_python(v.value(), lambda: other_done.wait(LONG)) + 1)
    quick = w.assign(w + 1)
    with started() as session:
        together(lambda: session.run(slow), lambda: (session.run(quick), other_done.set()))
        assert held(session, v, w) == [1, 1]


def test_a_run_that_fails_lets_go() -> None:
    v = static.Variable(np.float64(1))
    bad = v.assign(by_python(v.value(), lambda: 1 / 0))
    with started() as session:
        with pytest.raises(SessionError, match="ZeroDivisionError"):
            session.run(bad)
        together(lambda: session.run(v.assign(v * 2)))
        assert held(session, v) == [2]


def test_python_inside_a_run_may_run_the_session() -> None:
    v, w = static.Variable(np.float64(1), name="v"), static.Variable(np.float64(1), name="w")
    with started() as session:
        other = w.assign(w + v)
        step = v.assign(by_python(v.value(), lambda: (session.run(other), session.run(v))) + 1)
        session.run(step)
        assert held(session, v, w) == [2, 2]
        again = v.assign(by_python(v.value(), lambda: session.run(v.assign(v + 5))) + 1)
        with pytest.raises(SessionError, match=r"py_func runs the session to store 'v'.*when it is over"):
            session.run(again)
        assert held(session, v, w) == [2, 2]


def test_runs_that_would_wait_for_each_other_are_told_so() -> None:
    v, w = static.Variable(np.float64(0)), static.Variable(np.float64(0))
    meet = threading.Barrier(2)
    with started() as session:
        more_v, more_w = v.assign(v + 1), w.assign(w + 1)

        def inner(step: Any) -> Callable[[], None]:
            return lambda: (meet.wait(LONG), session.run(step))

        one = v.assign(by_python(v.value(), inner(more_w)))
        two = w.assign(by_python(w.value(), inner(more_v)))
        with pytest.raises(SessionError, match="wait for each other's variables"):
            together(lambda: session.run(one), lambda: session.run(two))
        together(lambda: session.run(more_v))


def test_values_that_are_loaded_are_not_stored_over_by_a_run_that_began_before() -> None:
    v = static.Variable(np.float64(0))
    inside = threading.Event()
    step = v.assign(by_python(v.value(), lambda: (inside.set(), time.sleep(0.02))) + 1)
    with started() as session:
        together(lambda: session.run(step), lambda: (inside.wait(LONG), session.hold({v: np.float64(100)})))
        assert held(session, v) == [100]


def test_a_part_stores_over_nothing_that_changed_since_another_part_read_it() -> None:
    x = static.placeholder("float64", ())
    v = static.Variable(np.float64(1), name="v")
    read = v.value() * 10
    step = v.assign(read + x)
    with started() as session:
        handle = session.partial_run_setup([read, step], [x])
        assert session.partial_run(handle, read) == 10
        session.run(v.assign(v + 1))
        with pytest.raises(SessionError, match="another run has changed 'v' since a part read it"):
            session.partial_run(handle, step, {x: 1.0})
        handle = session.partial_run_setup([read, step], [x])
        session.partial_run(handle, read)
        assert session.partial_run(handle, step, {x: 1.0}) == 21
        assert held(session, v) == [21]


def test_one_program_serves_every_order_of_a_feed_dict() -> None:
    xs = [static.placeholder("float32", (), name=f"x{i}") for i in range(3)]
    y = xs[0] * 100 + xs[1] * 10 + xs[2]
    with static.Session() as session:
        for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
            assert session.run(y, {xs[i]: i + 1 for i in order}) == 123
        assert session.make_callable(y, [xs[2], xs[0], xs[1]])(3, 1, 2) == 123
        assert len(session._programs) == 2  # a callable takes its feeds as they come


def test_a_session_keeps_no_more_programs_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("static.run.session.PROGRAMS_KEPT", 3)
    x = static.placeholder("float32", ())
    ys = [x * i for i in range(5)]
    with static.Session() as session:
        for _ in range(2):
            assert [session.run(y, {x: 2}) for y in ys] == [0, 2, 4, 6, 8]
        assert len(session._programs) == 3
