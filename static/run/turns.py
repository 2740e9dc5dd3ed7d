"""Turns: runs that store keep their variables to themselves, from what they read to what they store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Set
from typing import Any, NamedTuple, TypeVar

from shared.errors import SessionError

R = TypeVar("R")


class Turn(NamedTuple):
    """A run that stores. variables: all that it reads or stores, of which it stores `stored`."""

    thread: int
    variables: Set[Any]
    stored: Set[Any]

    def excludes(self, other: Turn) -> bool:
        """Whether the two may not be at one time."""
        return self.thread != other.thread and not self.variables.isdisjoint(other.variables)


class Turns:
    """Who has which variables now. A run waits for those with which it shares one, and has all that it needs
    at once; so two that have none wait for nobody. Runs that only read ask for no turn."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: list[Turn] = []
        self._waiting: list[Turn] = []

    def take(self, variables: Set[Any], stored: Set[Any], work: Callable[[], R]) -> R:
        """What `work` gives, done while nobody else has these variables.

        SessionError where it would wait for ever, and where what it stores the run around it (whose
        py_func runs the session) would store over.
        """
        turn = Turn(threading.get_ident(), variables, stored)
        try:
            self._begin(turn)
            return work()
        finally:
            with self._changed:
                if turn in self._held:
                    self._held.remove(turn)
                if self._waiting:
                    self._changed.notify_all()

    def _begin(self, turn: Turn) -> None:
        with self._changed:
            for other in self._held:
                if other.thread == turn.thread and (lost := other.stored & turn.stored):
                    name = min(variable.name for variable in lost)
                    raise SessionError(
                        f"run: a py_func runs the session to store {name!r}, over which the run around it "
                        "stores when it is over; do it after that run, or let only one of them store it"
                    )
            if any([other.excludes(turn) for other in self._held]):
                self._wait(turn)
            self._held.append(turn)

    def _wait(self, turn: Turn) -> None:
        self._waiting.append(turn)
        try:
            while any([other.excludes(turn) for other in self._held]):
                if self._waits_for_itself(turn):
                    raise SessionError(
                        "run: two runs, each of which runs the session again in a py_func, wait for each "
                        "other's variables; run one after the other, or let the inner ones only read"
                    )
                self._changed.wait()
        finally:
            self._waiting.remove(turn)

    def _waits_for_itself(self, turn: Turn) -> bool:
        """Whether a thread for which this one waits waits, by others or at once, for this one."""
        reached, threads = {turn.thread}, [turn]
        while threads:
            waiting = threads.pop()
            for held in self._held:
                if held.excludes(waiting):
                    if held.thread == turn.thread:
                        return True
                    if held.thread not in reached:
                        reached.add(held.thread)
                        threads += [other for other in self._waiting if other.thread == held.thread]
        return False
