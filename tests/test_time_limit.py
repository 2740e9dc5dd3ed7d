"""A block that runs too long ends in the error, also where the alarm meets a finalizer."""

from __future__ import annotations

import contextlib
import gc
import time
import weakref

import pytest

from tests.time_limit import time_limit


class Late(BaseException):
    """What the blocks end in."""


def spins(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@pytest.mark.parametrize("cpu", [False, True])
def test_a_block_that_runs_on_ends(cpu: bool) -> None:
    with pytest.raises(Late), time_limit(0.02, Late(), cpu):
        spins(60)
    spins(0.05)  # nothing comes afterwards


def test_an_alarm_while_an_object_goes_away_comes_after_it() -> None:
    class Thing:
        pass

    gone: list[str] = []

    def goes() -> None:
        spins(0.2)
        gone.append("whole")

    def block() -> None:
        thing = Thing()
        weakref.finalize(thing, goes)
        del thing
        spins(60)

    with pytest.raises(Late), time_limit(0.05, Late()):
        block()
    assert gone == ["whole"]


def test_an_alarm_while_the_garbage_collector_calls_comes_after_it() -> None:
    called: list[str] = []

    def calls(phase: str, info: dict[str, int]) -> None:
        spins(0.1)
        called.append(phase)

    def block() -> None:
        gc.collect()
        spins(60)

    gc.callbacks.append(calls)
    try:
        with pytest.raises(Late), time_limit(0.05, Late()):
            block()
    finally:
        gc.callbacks.remove(calls)
    assert called == ["start", "stop"]


def test_an_error_that_was_lost_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.time_limit.LOST", 0.05)

    def block() -> None:
        with contextlib.suppress(Late):  # as where it comes while Python drops errors
            spins(60)
        spins(60)

    with pytest.raises(Late), time_limit(0.05, Late()):
        block()


def test_a_block_in_time_is_left_alone() -> None:
    with time_limit(60, Late()):
        spins(0.01)
