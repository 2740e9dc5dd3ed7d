"""All paths of a function: a tree of events, and the programs that are made of stretches of them.

A program is made bit by bit, in the time that calls which run plainly can spare for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from threading import RLock
from typing import Any

from dynamic import account
from dynamic.paths import Point
from shared.device.memory import uncollected
from shared.dispatch import compiler
from shared.slices import Slices
from shared.state import State
from shared.touched import Waiting
from shared.trace import Event, New, Path, Stretch

EVENTS = 20_000
"""How many events a call may have, and a tree."""
RECENT = 64
"""So many calls count in full when it is asked how often which path is taken."""
PROGRAMS = 8
"""How many programs may end at one point, for what is looked at may differ."""


class Making:
    """A program of the events between two points, which is made bit by bit; `seconds`, what that has taken so
    far; `made`, the program, once it is done."""

    def __init__(self, begin: Point, end: Point, work: Slices[Stretch]) -> None:
        self.begin, self.end, self.work = begin, end, work
        self.ops = end.work - begin.work
        self.seconds = 0.0
        self.made: Stretch | None = None

    def go(self, seconds: float) -> None:
        """Go on for about so many seconds, or until it is done."""
        start = now = account.clock()
        try:
            with uncollected():
                while now - start <= seconds:
                    next(self.work)
                    now = account.clock()
        except StopIteration as done:
            self.made = done.value
            self.end.programs.setdefault(self.begin, []).append(done.value)
        finally:
            self.seconds += account.clock() - start


class Tree:
    """All paths of one function.

    level   "exact" or "fast"
    events  how many there are
    call    the call in progress; `waiting`, what stands in the place of the arrays of States meanwhile;
            `lock`, under which it goes on and is computed, for that other threads ask for
    calls   how many have come this way; `visits`, the same, those of long ago counting less; `visited`, the
            points where they ended
    graphs  by its last point, each path that was made a graph of; `grew`, whether there will be more to do
            with them
    queue   the programs that are to be made, one after the other; `at_once`, whether a call waits for that
    compiled seconds that were spent on compiling in this call
    failure what went wrong last with a program, if anything did; the events were done one by one instead
    """

    def __init__(self, level: str, at_once: bool = False) -> None:
        self.level, self.at_once = level, at_once
        self.call: Any = None
        self.lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.root, self.events = Point(), 0
        self.visits, self.calls = 0.0, 0
        self.visited: dict[Point, None] = {}
        self.graphs: dict[Point, Path] = {}
        self.queue: list[Making] = []
        self.grew = False
        self.compiled = 0.0
        self.failure: Exception | None = None
        self.waiting: dict[State, Waiting] = {}

    def settle(self, state: State) -> Any:
        """Compute what the call in progress keeps waiting; what the State then holds."""
        with self.lock:  # so that the call, in a thread of its own, lets it wait no more until it is told
            if self.call is not None:
                self.call.flush()
            return state._data

    def grow(self, point: Point, event: Event) -> Point:
        """The point behind one more event."""
        made = Point(event, point)
        point.after.append(made)
        self.events += 1
        return made

    def visit(self, point: Point) -> None:
        """A call ended there."""
        self.calls += 1
        self.visits += 1
        point.visits, point.used = point.visits + 1, self.calls
        self.visited[point] = None
        if self.visits > RECENT:
            self.visits /= 2
            for end in self.visited:
                end.visits /= 2
        if self.events > EVENTS // 2:
            self._forget()

    def _forget(self) -> None:
        """Forget the paths that were not taken for longest, until half of the room is free."""
        self.queue = []
        for end in sorted(self.visited, key=lambda end: end.used):
            if self.events <= EVENTS // 4:
                return
            del self.visited[end]
            end.visits = 0
            while end.before is not None and not end.after and end not in self.visited:
                end.before.after.remove(end)
                if end.worth:
                    end.before.next.remove(end)
                self.events -= 1
                end = end.before

    def program(self, begin: Point, end: Point, known: set[int], live: Sequence[int], ordered: bool) -> Any:
        """The program of the events between two points that gives the Tensors which are `live`, fed some of
        those that are `known`; None if there are too many already, or it is not done yet."""

        def serves(program: Stretch) -> bool:
            fits = known.issuperset(program.feeds) and set(live) <= set(program.gives)
            return fits and (ordered or not program.ordered)

        found = end.programs.setdefault(begin, [])
        for program in found:
            if serves(program):
                return program
        if len(found) < PROGRAMS:
            making = next((one for one in self.queue if one.begin is begin and one.end is end), None)
            if making is None:
                making = Making(begin, end, self._work(begin, end, known, live, ordered))
                self.queue.append(making)
            if self.at_once:
                while making in self.queue:
                    self.go_on(math.inf)
                if making.made is not None and serves(making.made):
                    return making.made
        return None

    def go_on(self, seconds: float) -> float:
        """Go on for so long with what is to be compiled, the first of it; how long that took, without what is
        spent once for all."""
        making = self.queue[0]
        before, done = making.seconds, False
        try:
            making.go(seconds)
            done = making.made is not None
        except BaseException:
            done = True  # it can't be gone on with
            raise
        finally:
            spent = making.seconds - before
            self.compiled += spent
            self.grew = True
            if done and making in self.queue:
                self.queue.remove(making)
        if done:
            account.compiling.learn(making.seconds, making.ops)
        return min(spent, account.compiling.most(making.ops))

    def _work(
        self, begin: Point, end: Point, known: set[int], live: Sequence[int], ordered: bool
    ) -> Slices[Stretch]:
        """How such a program is made."""
        wanted = set(live)
        kept = {number for number in range(end.count) if end.ordered(number)}
        for last in list(end.goals())[:PROGRAMS]:
            path = yield from self._graph(last)
            if last is not end:
                reached = path.needed(end.depth, last.depth, kept)
                wanted |= {number for number in reached if begin.count <= number}
        path = yield from self._graph(end)
        inputs = {x.number for p in end.path(begin) for x in p.told.arguments() if isinstance(x, New)}
        gives = sorted(wanted - inputs - known)
        return (yield from path.stretch(begin.depth, end.depth, known, gives, ordered))

    def _graph(self, end: Point) -> Slices[Path]:
        """The path to a point, or one that goes on from there, as a graph."""
        for last, path in self.graphs.items():
            if last.leads_through(end):
                return path
        points, forked = end.path(), None
        events = [point.told for point in points]
        if self.graphs:  # the one that goes the same way for longest
            last = max(self.graphs, key=lambda last: _together(last, points))
            together = _together(last, points)
            forked = yield from self.graphs[last].fork(together, events[together:])
        path = self.graphs[end] = forked or (yield from compiler().path(events, self.level))
        return path

    def rest(self) -> None:
        """A call is over: graphs are kept for as long as there is more to do with them."""
        if self.graphs and not self.grew and not self.queue:
            self.graphs = {}
        self.grew, self.compiled = False, 0.0


def _together(last: Point, points: Sequence[Point]) -> int:
    """How many of some points lie on the way to another one."""
    point: Point | None = last
    while point is not None and point.before is not None:
        if point.depth <= len(points) and points[point.depth - 1] is point:
            return point.depth
        point = point.before
    return 0
