"""Whether it pays to follow the calls of a function and to compile what they do: an account of time.

Following costs time where nothing is compiled yet, and so does compiling; what was compiled saves some in
each call. What a call would have taken plainly is known from those that ran plainly, in proportion to their
ops. So there is a balance: a function gets a small advance, a small part of all plain time, and what it has
saved; if it has used that up it runs plainly until there is some again. What compiling takes is a loan that
savings pay back (whether to rent or to buy: Karlin et al. 1988). It is granted where those to be expected do
so within some hundred calls, or where it is little beside all time so far.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from statistics import median

clock = time.thread_time
"""Seconds of this thread's own; tests put another clock in its place."""

ADVANCE = 4.0
"""How many plain calls' time may be lost to begin with;"""
LENT = 6.0
"""and how many more, of what is compiled."""
EARNED = 0.025
"""What part of all plain time may be lost later; of which so many plain calls' may be saved up:"""
SAVED_UP = 2.0
HORIZON = 75
"""Within so many calls savings are to pay for what is compiled, or"""
OF_ALL = 0.05
"""it is to be no more than this part of all plain time so far."""
MISSED = 0.4
"""What part of its plain time a call costs beside that where it takes a path that is not compiled."""
EXPECTED = {"exact": 0.2, "fast": 0.3}
"""What part of its plain time a call is expected to save, by level, until that is known."""
MEMORY = 64
"""So many calls count in full among those that are followed, half as much what was before."""


class Compiling:
    """What compiling takes here, in seconds for each op of a stretch: learnt from what is compiled."""

    def __init__(self, seconds: float, ops: int) -> None:
        self.seconds, self.ops = seconds, ops

    def learn(self, seconds: float, ops: int) -> None:
        self.seconds += seconds
        self.ops += ops

    def cost(self, ops: int) -> float:
        return self.seconds / self.ops * ops


compiling = Compiling(0.035, 100)


class Account:
    """The account of one function.

    plain    seconds of the last calls that ran plainly; `usual`, how many ops a call has, about
    balance  seconds that may be lost at the moment; None before anything is known
    loan     seconds of compiling that have not been paid back
    saves    what part of its plain time a call saves that runs in programs
    total    seconds of plain time that all calls would have taken so far, about
    at_once  whether time is no object: what comes again is compiled, and nothing is given up
    """

    at_once = False

    def __init__(self, level: str) -> None:
        self.plain: deque[float] = deque(maxlen=5)
        self.usual, self.calls = 0.0, 0
        self.balance: float | None = None
        self.loan, self.total = 0.0, 0.0
        self.saves = EXPECTED[level]

    @property
    def call(self) -> float:
        """What a call takes plainly."""
        return median(self.plain) if self.plain else 0.0

    def ran_plainly(self, seconds: float) -> None:
        """A call took so long."""
        self.plain.append(seconds)

    def watched(self, seconds: float, ops: int) -> None:
        """A call of so many ops took so long, which were watched alone."""
        if ops and self.usual:
            self.plain.append(seconds * self.usual / ops)

    def rests(self, calls: int) -> None:
        """So many calls will run plainly."""
        self._earn(calls * self.call)

    def followed(self, seconds: float, compiled: float, ops: int, whole: bool) -> None:
        """A call of so many ops took so long, some of it to compile; whether all of it ran in programs."""
        self.calls += 1
        self.usual += (ops - self.usual) / min(self.calls, MEMORY)
        plainly = self.call * ops / self.usual if self.usual else 0.0
        saved = plainly - (seconds - compiled)
        if whole and plainly and not compiled:
            self.saves += (saved / plainly - self.saves) / 8
        paid = min(self.loan, max(saved, 0.0))
        self.loan += compiled - paid
        self._earn(plainly, saved - paid)

    def _earn(self, seconds: float, saved: float = 0.0) -> None:
        """So much plain time has gone by, and so much was saved of it."""
        self.total += seconds
        held = ADVANCE * self.call if self.balance is None else self.balance
        self.balance = min(held + EARNED * seconds + saved, max(held, SAVED_UP * self.call))

    def debt(self) -> int:
        """How many plain calls it takes until nothing is owed."""
        if self.at_once or not self.call or self.balance is None or self.balance >= 0:
            return 0
        return math.ceil(-self.balance / (EARNED * self.call))

    def choose(self, paths: Sequence[tuple[float, int]], known: float) -> int:
        """How many of some paths to compile, the first ones, of each of which it is given in what part of the
        calls it was taken, and how many of its ops are not compiled. known: the part of those that are."""
        if self.at_once:
            return len(paths)
        best, chosen = -math.inf, 0
        cost, taken = self.loan, known
        room = max(self.balance or 0.0, 0.0) + LENT * self.call
        later = max(HORIZON, self.total / self.call) if self.call else HORIZON
        for count, (part, ops) in enumerate(paths, 1):
            cost += compiling.cost(ops)
            taken += part
            gain = self.call * (taken * self.saves - (1 - taken) * MISSED)
            granted = cost <= room + HORIZON * gain or cost <= OF_ALL * self.total
            if gain > 0 and granted and later * gain - cost > best:
                best, chosen = later * gain - cost, count
        return chosen
