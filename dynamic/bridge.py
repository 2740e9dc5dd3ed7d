"""`dynamic.function`: define-by-run code at the speed of a graph, line by line as before.

After Terra (Kim et al. 2021, arXiv:2201.09210): the function's Python runs in every call; its ops are matched
against the paths of earlier calls, and each stretch between two looks at a value runs as one compiled
program.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import update_wrapper
from types import MethodType
from typing import Any

from dynamic import gradient_hooks
from dynamic.calls import Call
from dynamic.modes import mode
from dynamic.paths import Point, Tree
from shared.errors import SettingError
from shared.watch import hooks

WORTH = 15
"""The number of ops from which on a path is followed: below, telling it costs what it saves."""
PATIENCE = 4
"""After how many calls in a row that were of no use the function runs plainly for a while; a call some of
whose events were of use counts as a part."""
PAUSE, LONGEST = 50, 3200
"""For how many calls; each time twice as many, up to this."""


class Function:
    """A function whose calls are recorded, compiled and matched. `dynamic.function` makes it.

    fn      the function itself
    tree    the paths that its calls have taken
    counts  how many calls ran plainly, and how many were followed; of the latter, how many events there were,
            and how many of those ran in programs
    """

    def __init__(self, fn: Callable[..., Any], level: str) -> None:
        update_wrapper(self, fn)
        self.name = getattr(fn, "__name__", type(fn).__name__)
        self.fn, self.tree = fn, Tree(level)
        self._lock = threading.Lock()
        self.plain = 1  # calls to come that run plainly; the first mostly makes slots and shapes
        self.useless, self._pause = 0.0, PAUSE
        self.counts = {"plain": 0, "followed": 0, "events": 0, "compiled": 0}

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, *args: Any, **settings: Any) -> Any:
        now = mode.get()
        if now.call is not None or now.tracing or hooks.active or gradient_hooks.hooked:
            return self.fn(*args, **settings)
        if self.plain:
            self.plain -= 1
            self.counts["plain"] += 1
            return self.fn(*args, **settings)
        if not self._lock.acquire(blocking=False):  # another thread is in it, and the tree is one
            return self.fn(*args, **settings)
        call = self.tree.call = Call(self.tree, bool(self.tree.root.after))
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
            self._judge(call)
            return result
        finally:
            call.known, call.silent = False, True  # a task that was begun in it may go on, plainly
            self._lock.release()

    def __reduce__(self) -> str:
        return self.fn.__qualname__  # as of any function: by its name

    def __deepcopy__(self, memo: Any) -> Function:
        return Function(deepcopy(self.fn, memo), self.tree.level)

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
        if self.plain:
            lines.append(f"plainly run next: {_many(self.plain, 'call')}, as following paths was of no use")
        if self.tree.failure is not None:
            lines.append(f"a program failed, and its events were done one by one: {self.tree.failure}")
        return "\n".join(lines)

    @property
    def paths(self) -> int:
        """How many are known."""
        return len(self._ends())

    def _ends(self) -> list[Point]:
        return list(self.tree.root.ends()) if self.tree.root.after else []

    def _judge(self, call: Call) -> None:
        """Go on, or run plainly for a while, if following paths is of no use here."""
        self.tree.rest()
        happened = call.point.depth + call.aside
        counts = self.counts
        counts["followed"] += 1
        counts["events"] += happened
        counts["compiled"] += call.compiled
        if call.silent or (call.recorded and call.point.work < WORTH):
            self._rest()
        elif call.misses or call.asked or call.recorded:
            self.useless += min((call.recorded + call.again) / max(happened, 1), 1)
            if self.useless >= PATIENCE:
                self._rest()
        else:
            self.useless = 0

    def _rest(self) -> None:
        self.plain, self.useless = self._pause, 0
        self._pause = min(2 * self._pause, LONGEST)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def function(fn: Callable[..., Any] | None = None, *, optimize: str = "exact") -> Any:
    """Run define-by-run code as compiled programs: `@dynamic.function`, on a function or method.

    It gives what the function gives without it: values, gradients, updates, prints and exceptions, in the
    same order, bit for bit at `optimize="exact"`; at "fast" within the tolerance that `static.Session`
    states. Its Python runs in every call, so branches, globals, closures and attributes are what they are at
    that moment.

    The first call runs plainly, the second is recorded, later ones are matched against what was recorded.
    Where that is of no use (paths that keep changing, functions of few ops) the function runs plainly, and
    tries again after a while.
    """
    if optimize not in ("exact", "fast"):
        raise SettingError(f"function: optimize is 'exact' or 'fast', not {optimize!r}")
    if fn is None:
        return lambda fn: function(fn, optimize=optimize)
    if not callable(fn):
        raise SettingError(f"function: {fn!r} is no function; write @dynamic.function above one")
    if inspect.isgeneratorfunction(fn) or inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn):
        return fn  # what it does is spread over the code of others
    return Function(fn, optimize)
