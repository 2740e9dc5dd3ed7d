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
import sys
import time
from collections import deque
from collections.abc import Sequence
from statistics import fmean, median

clock = time.thread_time
"""Seconds of this thread's own; tests put another clock in its place."""

ADVANCE = 4.0
"""How many plain calls' time may be lost to begin with;"""
LENT = 6.0
"""and how many more, of what is compiled."""
EARNED = 0.025
"""What part of all plain time may be lost later; of which so many plain calls' may be saved up:"""
SAVED_UP = 2.0
HORIZON = 100
"""Within so many calls savings are to pay for what is compiled, or"""
OF_ALL = 0.05
"""it is to be no more than this part of all plain time so far."""
PACE = 0.1
"""What is lent is no more than this part of the plain time of the calls between it and what is lent next."""
LATER = 1000
"""For how many calls it is chosen which paths to compile."""
MISSED = 0.4
"""What part of its plain time a call costs beside that where it takes a path that is not compiled."""
EXPECTED = {"exact": 0.25, "fast": 0.35}
"""What part of its plain time a call is expected to save, by level, until that is known."""
WORST = 3.0
"""What it costs at most, in plain calls: what takes longer has to do with other things."""
WATCHED = 0.03
"""What part of its time a call costs beside that to be watched."""
MEMORY = 64
"""So many calls count in full among those that are followed, half as much what was before."""
LOADED = {"static.bridge.paths": 0.2, "llvmlite": 0.15}
"""What has to be loaded before anything is compiled, once in a process, and about the seconds that it takes:
it is bought when all decorated calls together have taken as long plainly."""
BESIDE = 40
"""What a stretch takes to compile beside its ops, as so many of these."""


class Compiling:
    """What compiling takes here, in seconds for each op of a stretch: learnt from what is compiled.

    total   seconds of plain time that the calls of all functions would have taken so far, about
    """

    def __init__(self, seconds: float, ops: int) -> None:
        self.seconds, self.ops = seconds, ops
        self.total = 0.0

    def learn(self, seconds: float, ops: int) -> float:
        """So many ops took so long; how much of it they had to take: not what is loaded the first time, and
        kept for all others."""
        seconds = min(seconds, 2 * self.cost(ops))
        self.seconds += seconds
        self.ops += ops + BESIDE
        return seconds

    def cost(self, ops: int) -> float:
        """What so many will take."""
        return self.seconds / self.ops * (ops + BESIDE)

    def loading(self) -> float:
        """What is to be loaded first."""
        return sum([seconds for module, seconds in LOADED.items() if module not in sys.modules])


compiling = Compiling(0.04, 140)


class Account:
    """The account of one function.

    plain    seconds for each op, of the last calls that ran plainly; `each`, what it takes, about
    usual    how many ops a call has, about
    balance  seconds that may be lost at the moment; None before anything is known
    loan     seconds of compiling that have not been paid back
    saves    what part of its plain time a call saves that runs in programs
    total    seconds of plain time that all calls would have taken so far, about
    at_once  whether time is no object: what comes again is compiled, and nothing is given up
    """

    at_once = False

    def __init__(self, level: str) -> None:
        self.plain: deque[float] = deque(maxlen=16)
        self.each, self.usual, self.calls = 0.0, 0.0, 0
        self.balance: float | None = None
        self.loan, self.total = 0.0, 0.0
        self.saves = EXPECTED[level]

    def ran_plainly(self, seconds: float, ops: float | None = None) -> None:
        """A call, of so many ops, took so long."""
        ops = ops or self.usual
        if not ops:
            return
        self.plain.append(seconds / ops)
        most = 2 * median(self.plain)  # what is more has to do with other things
        self.each = fmean([min(seconds, most) for seconds in self.plain])

    @property
    def call(self) -> float:
        """What a call takes plainly."""
        return self.each * self.usual

    def rests(self, calls: int) -> None:
        """So many calls will run plainly."""
        self._earn(calls * self.call)

    def followed(self, seconds: float, lent: float, ops: float, whole: bool, took: float | None) -> None:
        """A call of so many ops took so long, beside what was lent to compile; whether all of it ran in
        programs: only then it can have saved anything, and what else seems saved is that calls differ. took:
        what one of the same path took plainly, if that is known."""
        plainly = self._one_more(ops)
        if took is not None:
            plainly = took
        saved = max(plainly - seconds, -WORST * plainly)
        if not whole:
            saved = min(saved, 0.0)
        elif plainly and not lent:
            self.saves += (saved / plainly - self.saves) / 8
        paid = min(self.loan, max(saved, 0.0))
        self.loan += lent - paid
        self._earn(plainly, saved - paid)

    def watched(self, seconds: float, ops: float) -> None:
        """A call of so many ops took so long, which were watched alone."""
        plainly = self._one_more(ops)
        self.ran_plainly(seconds, ops)
        self._earn(plainly, -WATCHED * seconds)

    def took(self, before: float | None, seconds: float) -> float:
        """What calls of one path take plainly, by one more of them."""
        return seconds if before is None else before + (min(seconds, 2 * before) - before) / 4

    def _one_more(self, ops: float) -> float:
        """What a call of so many ops takes plainly."""
        self.calls += 1
        self.usual += (ops - self.usual) / min(self.calls, MEMORY)
        return self.each * ops

    def _earn(self, seconds: float, saved: float = 0.0) -> None:
        """So much plain time has gone by, and so much was saved of it."""
        if not self.call:
            return  # how long a call takes is not known yet
        self.total += seconds
        compiling.total += seconds
        held = ADVANCE * self.call if self.balance is None else min(self.balance, ADVANCE * self.call)
        self.balance = min(held + EARNED * seconds + saved, max(held, SAVED_UP * self.call))

    def debt(self, lent: float) -> int:
        """How many plain calls it takes until nothing is owed, after a call in which so much was lent and
        after which more will be."""
        if self.at_once or not self.call or self.balance is None:
            return 0
        return math.ceil(max(-self.balance / EARNED, lent / PACE, 0.0) / self.call)

    def choose(self, paths: Sequence[tuple[float, int]], known: float) -> int:
        """How many of some paths to compile, the first ones, of each of which it is given in what part of the
        calls it was taken, and how many of its ops are not compiled. known: the part of those that are."""
        if self.at_once:
            return len(paths)
        if compiling.total < compiling.loading():
            return 0
        best, chosen, granted = -math.inf, 0, False
        cost, taken = self.loan, known
        room = max(self.balance or 0.0, 0.0) + LENT * self.call
        for count, (part, ops) in enumerate(paths, 1):
            cost += compiling.cost(ops)
            taken += part
            gain = self.call * (taken * self.saves - (1 - taken) * MISSED)
            if gain > 0 and LATER * gain - cost > best:
                best, chosen = LATER * gain - cost, count
                granted = cost <= room + HORIZON * gain or cost <= OF_ALL * self.total
        return chosen if granted else 0
