"""Whether it pays to follow the calls of a function and to compile what they do: an account of time.

Following costs time where a call takes a path that is not compiled; what was compiled saves some in each
call. What it would have taken plainly is known from calls that ran plainly, in proportion to their ops. So
there is a balance: a function gets a small advance, a small part of all plain time, and what it has saved; if
it has used that up it runs plainly until there is some again. What is expected to save more than it takes to
compile is compiled (whether to rent or to buy: Karlin et al. 1988), in calls that run plainly, each of which
spends a small part of its time on it: so no hundred calls take much longer than they would without.
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

ADVANCE = 1.2
"""How many plain calls' time may be lost to begin with."""
EARNED = 0.025
"""What part of all plain time may be lost later; of which so many plain calls' may be saved up:"""
SAVED_UP = 1.2
HORIZON = 100
"""Within so many calls savings are to pay for what is compiled, or"""
OF_ALL = 0.05
"""it is to be no more than this part of all plain time by when it is done."""
PACE = 0.04
"""What part of the time that calls take plainly they may take longer because something is compiled."""
RECORDING = 3.0
"""How many plain calls' time it has cost before to record what is compiled: that is spared first."""
SLICE = 5.0
"""So many plain calls are counted for what was compiled in one, at most: what is more was loaded, once."""
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

    def learn(self, seconds: float, ops: int) -> None:
        """So many ops took so long."""
        self.seconds += min(seconds, self.most(ops))
        self.ops += ops + BESIDE

    def most(self, ops: int) -> float:
        """What so many take at most: what is more is loaded the first time, and kept for all others."""
        return 2 * self.cost(ops)

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
    credit   seconds that may be spent on compiling at the moment; None before anything is compiled
    saves    what part of its plain time a call saves that runs in programs
    total    seconds of plain time that all calls would have taken so far, about
    at_once  whether time is no object: what comes again is compiled, and nothing is given up
    """

    at_once = False

    def __init__(self, level: str) -> None:
        self.plain: deque[float] = deque(maxlen=16)
        self.each, self.usual, self.calls = 0.0, 0.0, 0
        self.balance: float | None = None
        self.credit: float | None = None
        self.total = 0.0
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

    def followed(self, seconds: float, ops: float, whole: bool, took: float | None) -> None:
        """A call of so many ops took so long, beside what it compiled; whether all of it ran in programs:
        only then it can have saved anything, and what else seems saved is that calls differ. took: what one
        of the same path took plainly, if that is known."""
        plainly = self._one_more(ops)
        if took is not None:
            plainly = took
        saved = max(plainly - seconds, -WORST * plainly)
        if not whole:
            saved = min(saved, 0.0)
        elif plainly:
            self.saves += (saved / plainly - self.saves) / 8
        self._earn(plainly, saved)

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

    def debt(self) -> int:
        """How many plain calls it takes until nothing is owed."""
        if self.at_once or not self.call or self.balance is None:
            return 0
        return math.ceil(max(-self.balance / EARNED, 0.0) / self.call)

    def spare(self, seconds: float) -> float:
        """After a plain call that took so long: how many seconds may be spent on compiling now, if any."""
        self.credit = PACE * seconds + (-RECORDING * self.call if self.credit is None else self.credit)
        return self.credit

    def compiled(self, seconds: float) -> None:
        """So many were."""
        self.credit = (self.credit or 0.0) - min(seconds, SLICE * self.call)

    def until_compiled(self, ops: Sequence[int]) -> int:
        """How many plain calls it takes, about, until so many ops of stretches are."""
        if not self.call:
            return 1
        spared = -RECORDING * self.call if self.credit is None else self.credit
        return math.ceil((sum(map(compiling.cost, ops)) - spared) / PACE / self.call)

    def choose(self, paths: Sequence[tuple[float, int]], known: float) -> int:
        """How many of some paths to compile, the first ones, of each of which it is given in what part of the
        calls it was taken, and how many of its ops are not compiled. known: the part of those that are."""
        if self.at_once:
            return len(paths)
        if compiling.total < compiling.loading():
            return 0
        best, chosen, granted = -math.inf, 0, False
        cost, taken = 0.0, known
        for count, (part, ops) in enumerate(paths, 1):
            cost += compiling.cost(ops)
            taken += part
            gain = self.call * (taken * self.saves - (1 - taken) * MISSED)
            if gain > 0 and LATER * gain - cost > best:
                best, chosen = LATER * gain - cost, count
                granted = cost <= HORIZON * gain or cost <= OF_ALL * (self.total + cost / PACE)
        return chosen if granted else 0
