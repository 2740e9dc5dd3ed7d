"""`static.function`: what a trace would freeze without being a name is refused by name, and what is given
back is as Python gives it."""

from __future__ import annotations

import cProfile
import datetime
import gc
import itertools
import logging
import random
import secrets
import sys
import threading
import time
import types
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops
from shared.errors import SettingError, ShapeError, SymbolicValueError

ONE = np.ones(1, "float32")


def traced(f: Any) -> int:
    return sum(map(len, f.traces.values()))


# --- what is taken from outside --------------------------------------------------------------

rng = np.random.default_rng(0)
OUTSIDE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "the legacy state": (lambda x: x + np.random.rand(), "numpy.random"),
    "the second of two normals": (lambda x: x + np.random.standard_normal(), "numpy.random"),
    "the state of random": (lambda x: x + random.random(), "or random"),
    "a generator": (lambda x: x + rng.random(), "from rng, a NumPy generator"),
    "the system's": (lambda x: x + secrets.randbelow(5), "system's own randomness"),
    "an identifier": (lambda x: x + uuid.uuid4().int % 5, "system's own randomness"),
    "a generator without a seed": (lambda x: x + np.random.default_rng().random(), "system's own randomness"),
    "a clock": (lambda x: x + time.monotonic() % 1, r"asks the time, with time\.monotonic"),
    "today": (lambda x: x + datetime.datetime.now().second, r"asks the time, with datetime\.now"),
}


def test_what_the_garbage_collector_calls_is_not_the_functions() -> None:
    """As a profiler of collections does, that asks the time at each."""

    def timed(phase: str, info: Any) -> None:
        time.perf_counter()

    before = gc.get_threshold()
    gc.callbacks.append(timed)
    gc.set_threshold(1, 1, 1)
    try:
        y = static.function(lambda x: x + len([time.perf_counter, *([] for _ in range(9))]))(ONE)
    finally:
        gc.callbacks.remove(timed)
        gc.set_threshold(*before)
    assert y == 11 and gc.isenabled()


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_a_trace_would_freeze_is_refused(name: str) -> None:
    call, words = OUTSIDE[name]
    np.random.standard_normal()
    for _ in range(2):
        with pytest.raises(SymbolicValueError, match=words) as caught:
            static.function(call)(ONE)
        assert caught.value.line is not None and caught.value.line.file == __file__


MOVING: dict[str, Callable[[], Any]] = {
    "list": lambda: iter([1.0, 2.0]),
    "tuple": lambda: iter((1.0, 2.0)),
    "dict": lambda: iter({1.0: 0}),
    "generator": lambda: (x for x in (1.0, 2.0)),
    "range": lambda: iter(range(2)),
    "zip": lambda: zip([1.0], [2.0], strict=True),
    "map": lambda: map(float, [1, 2]),
    "enumerate": lambda: enumerate([1.0]),
    "filter": lambda: filter(None, [1.0]),
    "reversed": lambda: reversed([1.0]),
    "count": lambda: itertools.count(),
    "chain": lambda: itertools.chain([1.0], [2.0]),
    "islice": lambda: itertools.islice(itertools.count(), 5),
    "delegating": lambda: delegating(),
}


def delegating() -> Any:
    yield from [1.0, 2.0]


@pytest.mark.parametrize("place", ["closure", "argument", "attribute"])
@pytest.mark.parametrize("kind", MOVING)
def test_the_next_of_an_iterator_is_refused(kind: str, place: str) -> None:
    moving = MOVING[kind]()
    holder = types.SimpleNamespace(moving=moving)
    taken: dict[str, Callable[..., Any]] = {
        "closure": lambda x: (next(moving), x)[1],
        "argument": lambda x, moving: (next(moving), x)[1],
        "attribute": lambda x: (next(holder.moving), x)[1],
    }
    with pytest.raises(SymbolicValueError, match="takes the next of"):
        static.function(taken[place])(ONE, *[moving] * (place == "argument"))


def test_what_is_the_same_in_each_call_is_none_of_that() -> None:
    """A seed within, a log with the time in it, an iterator that is not moved."""
    log, idle = logging.getLogger(__name__), iter([1.0])

    @static.function
    def step(x: Any) -> Any:
        log.warning("traced at %s", idle)
        return x + np.random.default_rng(3).random() + random.Random(3).random()

    want = np.float32(1 + np.random.default_rng(3).random() + random.Random(3).random())
    log.disabled = True
    assert [step(ONE).item() for _ in range(2)] == pytest.approx([want] * 2)
    assert next(idle) == 1.0
    assert sys.getprofile() is None


def test_a_profiler_goes_on_behind_it() -> None:
    """cProfile, too, which is written in C."""

    def after() -> None:
        pass

    @static.function
    def step(x: Any) -> Any:
        return x * (2 if time is None else 3)  # "time" has it watched for clocks, which it never asks

    profile = cProfile.Profile()
    assert profile.runcall(lambda: (step(ONE), after())[0]).item() == 3
    assert after.__code__ in {entry.code for entry in profile.getstats()}  # type: ignore[attr-defined]


def test_another_thread_may_draw_meanwhile() -> None:
    """From a generator that the function does not know of."""
    others, stop = np.random.default_rng(1), threading.Event()

    def draw() -> None:
        while not stop.is_set():
            others.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for k in range(5):
            static.function(lambda x, k=k: x * k)(ONE)
    finally:
        stop.set()
        thread.join()


STATE = nn.Buffer(np.float32([2.0]), name="count")
ALONE: dict[str, tuple[Callable[..., Any], str]] = {
    "numpy": (lambda x: x * STATE.numpy(), "looks at the values of count"),
    "data": (lambda x: x * STATE.data, "looks at the values of count"),
    "an array": (lambda x: x * np.asarray(STATE), "looks at the values of count"),
    "a plain value": (lambda x: (STATE.assign(np.float32([2.0])), x)[1], "puts plain values into count"),
    "plain data": (lambda x: (setattr(STATE, "data", np.float32([2.0])), x)[1], "plain values into count"),
    "an argument that grows": (lambda x: (x.append(1), x[0])[1], "changes a list or dict that is"),
    "an iterator": (lambda x: iter([x]), "gives back a list_iterator"),
    "a generator": (lambda x: (x for _ in range(2)), "gives back a generator"),
}


@pytest.mark.parametrize("name", ALONE)
def test_what_would_be_done_while_tracing_alone_is_refused(name: str) -> None:
    call, words = ALONE[name]
    with pytest.raises(SymbolicValueError, match=words) as caught:
        static.function(call)([ONE] if "argument" in name else ONE)
    assert caught.value.line is not None and caught.value.line.file == __file__


def test_generators_and_coroutines_are_refused() -> None:
    def generator() -> Any:
        yield 1

    async def coroutine() -> None:
        pass

    for fn in (generator, coroutine):
        with pytest.raises(SettingError, match="decorate what it calls"):
            static.function(fn)


# --- what is given back ----------------------------------------------------------------------


def test_an_exception_leaves_what_was_changed_until_then() -> None:
    count = nn.Buffer(np.float32([0.0]))

    @static.function
    def step(x: Any, stop: bool) -> Any:
        count.assign(count + x)
        if stop:
            raise KeyError("stop")
        count.assign(count * 2)
        return x

    for x in (ONE, dynamic.tensor(ONE)):
        count.assign(np.float32([0.0]))
        for want in (1.0, 2.0):
            with pytest.raises(KeyError, match="stop"):
                step(x, stop=True)
            assert count.numpy().item() == want
        step(x, stop=False)
        assert count.numpy().item() == 6.0


def test_a_refusal_leaves_everything_as_it_was() -> None:
    count = nn.Buffer(np.float32([0.0]))

    @static.function
    def step(x: Any) -> Any:
        count.assign(count + 1)
        return ops.matmul(x, np.ones((3, 3), "float32"))

    with pytest.raises(ShapeError):
        step(np.ones((2, 2), "float32"))
    assert count.numpy().item() == 0


def test_a_view_of_an_argument_is_one() -> None:
    """As line by line: of the argument itself, of views of views, and of what has a gradient."""

    @static.function
    def views(x: Any) -> Any:
        return x, x[1:].reshape(-1), x.T, x * 1

    array = np.arange(6, dtype="float32").reshape(2, 3)
    same, part, turned, copy = views(array)
    assert same is array
    part[0], copy[0, 0] = 7.0, 9.0
    assert array[1, 0] == 7 and turned[0, 1] == 7 and array[0, 0] == 0
    x = dynamic.tensor(array, requires_grad=True)
    _, part, turned, _ = views(x)
    (part.sum() * 2 + turned.sum()).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[1, 1, 1], [3, 3, 3]])


def test_an_array_that_python_makes_is_another_in_each_call() -> None:
    table = np.ones(2)
    fn = static.function(lambda x: (x, np.zeros(2), table))
    fn(ONE)[1][0] = 7
    assert fn(ONE)[1][0] == 0 and fn(ONE)[2] is table


def test_warnings_are_no_part_of_a_call_that_changes_nothing() -> None:
    fn = static.function(lambda x: x * STATE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(20):
            fn(ONE)
