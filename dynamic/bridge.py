"""`dynamic.function`: define-by-run code at the speed of a graph, line by line as before.

After Terra (Kim et al. 2021, arXiv:2201.09210): the function's Python runs in every call; its ops are matched
against the paths of earlier calls, and each stretch between two looks at a value runs as one compiled
program.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from contextvars import Context
from copy import deepcopy
from dataclasses import replace
from functools import update_wrapper
from types import MethodType
from typing import Any

from dynamic import account, gradient_hooks
from dynamic.account import Account
from dynamic.calls import Call
from dynamic.modes import mode
from dynamic.paths import Point
from dynamic.scout import Scout
from dynamic.tree import Tree
from shared.errors import SettingError
from shared.watch import hooks

WORTH = 15
"""The number of ops from which on a path is followed: below, telling it costs what it saves."""
PAUSE, LONGEST = 16, 3200
"""For how many calls a function runs plainly at least when following it was of no use; each time twice as
many, up to this."""
OFTEN, ENOUGH = 2.5, 5
"""How often a path was taken that is compiled, and how many calls were gone along with before any is."""
UNSEEN = 0.3
"""Calls of paths that were never seen, which are reckoned with beforehand."""
SEEN = 32
"""So many calls are watched one after the other; then, if nothing is worth compiling yet, fewer and fewer."""
AGAIN = 64
"""After so many calls one runs plainly, to see how long that takes now."""


class Function:
    """A function whose calls are recorded, compiled and matched. `dynamic.function` makes it.

    fn      the function itself
    tree    the paths that its calls have taken; `account`, what that costs and saves
    counts  how many calls ran plainly, and how many were followed; of the latter, how many events there were,
            and how many of those ran in programs
    """

    def __init__(self, fn: Callable[..., Any], level: str, at_once: bool = False) -> None:
        update_wrapper(self, fn)
        self.name = getattr(fn, "__name__", type(fn).__name__)
        self.fn, self.account = fn, Account(level)
        if at_once:
            self.account.at_once = True
        self.tree = Tree(level, self.account.at_once)
        self._lock = threading.Lock()
        self.plain = 1  # calls to come that run plainly; the first mostly makes slots and shapes
        self._pause, self._lost, self._why = PAUSE, False, "to begin with"
        self.counts = {"plain": 0, "followed": 0, "events": 0, "compiled": 0}

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, *args: Any, **settings: Any) -> Any:
        now = mode.get()
        if now.call is not None or now.tracing or hooks.active or gradient_hooks.hooked:
            return self.fn(*args, **settings)
        if self.plain > 0:
            self.plain -= 1
            self.counts["plain"] += 1
            if self.plain > 0 and not self.tree.queue:
                return self.fn(*args, **settings)
            start = account.clock()
            result = self.fn(*args, **settings)
            seconds = account.clock() - start
            if self._lock.acquire(blocking=False):  # else another thread keeps the account now
                try:
                    self._ran_plainly(seconds)
                finally:
                    self._lock.release()
            return result
        if not self._lock.acquire(blocking=False):  # another thread is in it, and the tree is one
            return self.fn(*args, **settings)
        start = account.clock()
        call = self.tree.call = self._call()
        try:
            token = mode.set(replace(now, call=call))
            try:
                result = self.fn(*args, **settings)
            finally:
                try:
                    call.flush()
                finally:
                    self.tree.call = None
                    mode.reset(token)
            self._judge(call, account.clock() - start)
            return result
        finally:
            call.known, call.silent = False, True  # a task that was begun in it may go on, plainly
            self._lock.release()

    def _ran_plainly(self, seconds: float) -> None:
        """After a plain call that took so long: some of the time that it leaves is for compiling."""
        book, tree = self.account, self.tree
        if self.plain <= 0:
            book.ran_plainly(seconds)
        spare = book.spare(seconds) if tree.queue else 0.0
        if spare <= 0:
            return
        try:
            book.compiled(Context().run(tree.go_on, spare))
        except Exception as error:
            tree.failure = error
        if not tree.queue:
            self.plain = 0

    def __reduce__(self) -> str:
        return self.fn.__qualname__  # as of any function: by its name

    def __deepcopy__(self, memo: Any) -> Function:
        return Function(deepcopy(self.fn, memo), self.tree.level, self.account.at_once)

    def explain(self) -> str:
        """Which paths the calls have taken, what was compiled of them, and what the next call will do."""
        ends, tree = self._ends(), self.tree
        lines = [f"{self.name}: {_many(len(ends), 'path')}, {tree.events} events, optimize={tree.level!r}"]
        counts = self.counts
        if counts["events"]:
            lines.append(
                f"  {counts['followed']} of {_many(counts['followed'] + counts['plain'], 'call')} followed; "
                f"{counts['compiled'] / counts['events']:.0%} of what happened in them ran in programs"
            )
        for end in ends:
            found = {p.depth: sum(map(len, p.programs.values())) for p in end.path()}
            many, looks = sum(found.values()), [str(depth) for depth, count in found.items() if count]
            made = f"compiled to event {', '.join(looks)} ({_many(many, 'program')})" if many else "recorded"
            lines.append(f"  {end.depth} events, about {end.work} ops: {made}")
        if self.plain > 0:
            lines.append(f"plainly run next: {_many(self.plain, 'call')}, {self._why}")
        if self.tree.failure is not None:
            lines.append(f"a program failed, and its events were done one by one: {self.tree.failure}")
        return "\n".join(lines)

    @property
    def paths(self) -> int:
        """How many are known."""
        return len(self._ends())

    def _ends(self) -> list[Point]:
        return list(self.tree.root.ends()) if self.tree.root.after else []

    def _call(self) -> Call | Scout:
        """How the next call is gone along with: compared with what is compiled, recorded, or watched."""
        tree = self.tree
        known = bool(tree.root.next)
        records = self._lost or self.account.at_once or not tree.visited
        return Call(tree, known, records) if known or records else Scout(tree.root, {})

    def _judge(self, call: Any, seconds: float) -> None:
        """After a call that took so long: whether its path is worth compiling, and whether to go on, or run
        plainly for a while."""
        tree, book, counts = self.tree, self.account, self.counts
        scout = call if type(call) is Scout else call.scout
        point = call.point if scout is None else scout.point
        seconds, new, whole = seconds - tree.compiled, 0, False
        self._lost = scout is not None and point not in tree.visited
        ops = book.usual if self._lost else point.work
        if call is scout:
            counts["plain"] += 1
            book.watched(seconds, ops)
            if not self._lost:
                point.took = book.took(point.took, seconds)
        else:
            counts["followed"] += 1
            counts["events"] += point.depth + call.aside
            counts["compiled"] += call.compiled
            tree.rest()
            if scout is None and (call.silent or (not point.worth and point.work < WORTH)):
                self._rest(self._longer(), "as following so few ops is of no use")
                return
            new = call.recorded
            whole = call.known and not call.misses and not call.asked
            if whole:
                self._pause = PAUSE
            book.followed(seconds, ops, whole, point.took)
        if not self._lost:
            tree.visit(point)
            if not point.worth:
                self._choose()
        debt = book.debt()
        if tree.queue:
            self._rest(book.until_compiled([one.ops for one in tree.queue]), "as it is compiled meanwhile")
        elif debt:
            self._rest(max(debt, self._longer()) if new else debt, "as following paths was of no use")
        elif not book.at_once:
            if not tree.root.next:
                self._rest(min(max(tree.calls - SEEN, 0), AGAIN), "as it does not pay to compile yet")
            elif book.calls % AGAIN == 0:
                self._rest(1, "to see how long that takes")

    def _choose(self) -> None:
        """Let paths be compiled from now on, those that are taken most first, if that will pay."""
        tree, book = self.tree, self.account
        least = 1 if book.at_once else OFTEN
        if not book.at_once and tree.visits < ENOUGH:
            return
        paths = [p for p in tree.visited if p.visits >= least and not p.worth]
        paths.sort(key=lambda p: -p.visits)
        known = sum([p.visits for p in tree.visited if p.worth])
        all_calls = tree.visits + UNSEEN
        parts = [(p.visits / all_calls, p.work - _followed_up_to(p)) for p in paths]
        for point in paths[: book.choose(parts, known / all_calls)]:
            point.follow()

    def _rest(self, calls: int, why: str) -> None:
        """Run so many calls plainly."""
        self.plain, self._why = calls, why
        self.account.rests(calls)

    def _longer(self) -> int:
        """For how many calls, twice as many each time."""
        calls, self._pause = self._pause, min(2 * self._pause, LONGEST)
        return calls


def _followed_up_to(point: Point) -> int:
    """How many of the ops on the way to a point are compiled."""
    while not point.worth and point.before is not None:
        point = point.before
    return point.work


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def function(
    fn: Callable[..., Any] | None = None, *, optimize: str = "exact", at_once: bool = False
) -> Any:
    """Run define-by-run code as compiled programs: `@dynamic.function`, on a function or method.

    It gives what the function gives without it: values, gradients, updates, prints and exceptions, in the
    same order, bit for bit at `optimize="exact"`; at "fast" within the tolerance that `static.Session`
    states. Its Python runs in every call, so branches, globals, closures and attributes are what they are at
    that moment.

    The first call runs plainly, the second is recorded, later ones are watched: what comes again and again is
    compiled if that is expected to pay, bit by bit beside plain calls, and then calls are matched against it.
    Where it does not pay (paths that keep changing, functions of few ops) the function runs plainly, and
    tries again after a while. With `at_once`, what comes a second time is compiled whatever that takes: for
    what will be called very often, or is measured.
    """
    if optimize not in ("exact", "fast"):
        raise SettingError(f"function: optimize is 'exact' or 'fast', not {optimize!r}")
    if fn is None:
        return lambda fn: function(fn, optimize=optimize, at_once=at_once)
    if not callable(fn):
        raise SettingError(f"function: {fn!r} is no function; write @dynamic.function above one")
    if inspect.isgeneratorfunction(fn) or inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn):
        return fn  # what it does is spread over the code of others
    return Function(fn, optimize, at_once)
