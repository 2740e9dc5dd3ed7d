"""The paths that calls of a function have taken: a tree of events, and the programs between its points.

A path that was taken before is compared with what happens now, event by event, by a function that is written
for each (`matcher`): of a call of an op that is all that is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import RLock
from typing import Any, NamedTuple

import numpy as np

from dynamic.node import Leaf
from dynamic.operands import operand
from dynamic.pending import Pending, Read, Remembered, array_of, edge_in
from dynamic.tensors import Tensor
from shared.dispatch import compiler
from shared.errors import DiptychError
from shared.op import TABLE, Op
from shared.spec import is_weak
from shared.state import State
from shared.touched import Waiting
from shared.trace import Applied, Assigned, Differentiated, Event, Known, New, Path, Stepped, Stretch

EVENTS = 20_000
"""How many events a call may have, and a tree."""
PROGRAMS = 8
"""How many programs may end at one point, for what is looked at may differ."""


class Point:
    """A place in the tree: after some events, before others.

    event   what led here; `before`, from where
    work    about how many ops have been done; `turned`, how many when backward was last gone
    count   how many Tensors have been met
    made    whether one of them came from outside with a history of its own
    freed   the numbers of those whose history was freed
    after   where calls have gone on
    known   the numbers of Tensors, met before, that the event is given; `new`, what it met; `states`, the
            States that it reads or assigns; `outputs`, of each output its Spec and whether it has a history
    match   of an op, what says whether a call of it is this one: see `matcher`
    programs  by the point where a stretch begins, the programs that end here; `last`, the one that ran last
    """

    __slots__ = (
        "event", "before", "depth", "work", "turned", "count", "made", "freed", "after", "known", "new",
        "states", "outputs", "match", "programs", "last",
    )  # fmt: skip

    def __init__(self, event: Event | None = None, before: Point | None = None) -> None:
        self.event, self.before = event, before
        self.depth: int = 0 if before is None else before.depth + 1
        self.work: int = 0 if before is None else before.work + _work(event, before)
        self.turned: int = 0 if before is None else before.turned
        if isinstance(event, Differentiated) and not event.way.keeps:
            self.turned = self.work
        self.count: int = 0 if before is None else before.count
        self.made: bool = False if before is None else before.made
        self.freed: frozenset[int] = frozenset() if before is None else before.freed
        self.after: list[Point] = []
        self.programs: dict[Point, list[Stretch]] = {}
        self.last: Found | None = None
        self.match: Callable[..., Any] | None = None
        self.known: tuple[int, ...] = ()
        self.new: tuple[New, ...] = ()
        self.states: tuple[State, ...] = ()
        self.outputs: tuple[Any, ...] = ()
        if event is not None:
            first = 0 if before is None else before.count
            numbers = [x.number for x in event.arguments() if isinstance(x, Known)]
            self.known = tuple([number for number in numbers if number < first])
            self.states = tuple(dict.fromkeys(states_of(event)))
            self.outputs = tuple(zip(event.outputs, event.history, strict=True))
            self.new = tuple([x for x in event.arguments() if isinstance(x, New)])
            self.count = event.first + len(event.outputs)
            self.made = self.made or any([x.made for x in self.new])
            if isinstance(event, Applied):
                self.match = matcher(event)

    @property
    def told(self) -> Any:
        """What led here, of a point that is not the root."""
        return self.event

    def path(self, begin: Point | None = None) -> list[Point]:
        """The points behind `begin` (the root, if None) up to this one."""
        points: list[Point] = []
        point: Point | None = self
        while point is not None and point is not begin and point.before is not None:
            points.append(point)
            point = point.before
        return points[::-1]

    def leads_through(self, other: Point) -> bool:
        """Whether another point is this one, or lies on the way here."""
        point: Point | None = self
        while point is not None and point.depth > other.depth:
            point = point.before
        return point is other

    def maker(self, number: int) -> Event:
        """The event on the way here that gave the Tensor of a number."""
        point = self
        while point.before is not None and point.before.count > number:
            point = point.before
        assert point.event is not None
        return point.event

    def ordered(self, number: int) -> bool:
        """Whether a Tensor met on the way here comes from outside, or was in C order."""
        event = self.maker(number)
        return number < event.first or event.ordered[number - event.first]

    def comes_from_outside(self, number: int) -> bool:
        """Whether a Tensor met on the way here was not made on it."""
        return number < self.maker(number).first

    def fresh(self, number: int) -> bool:
        """Whether a Tensor made on the way here has its memory for itself; of one from outside, True."""
        event = self.maker(number)
        return number < event.first or event.fresh[number - event.first]

    def ends(self) -> Iterator[Point]:
        """Where the paths end that lead through here."""
        stack = [self]
        while stack:
            point = stack.pop()
            if not point.after:
                yield point
            stack.extend(point.after)


class Found(NamedTuple):
    """A program that served a stretch.

    begin   where the stretch began; `live`, the numbers of the Tensors that were to be given
    views   those of them that are views, which are made of others; `steps`, how (`dynamic.views`)
    needs   the numbers of the Tensors whose arrays there must be beforehand
    """

    begin: Point
    live: list[int]
    program: Stretch
    views: list[int]
    steps: list[Any]
    needs: tuple[int, ...]


def states_of(event: Any) -> Sequence[State]:
    """The States that an event reads or assigns."""
    if isinstance(event, Applied):
        return [x for x in event.args if isinstance(x, State)]
    if isinstance(event, Assigned):
        return [event.state]
    if isinstance(event, Stepped):
        optimizer = event.optimizer
        slots = [state for p in event.parameters for state in optimizer.slots(p).values()]
        return [*event.parameters, *slots, optimizer.steps, *optimizer.learning_rates()]
    return ()


def _work(event: Any, before: Point) -> int:
    """About how many ops an event is: to differentiate as many as were done since it was done last."""
    if isinstance(event, Differentiated):
        return before.work - before.turned
    return 3 * len(event.parameters) if isinstance(event, Stepped) else 1


class Tree:
    """All paths of one function.

    level   "exact" or "fast"
    events  how many there are
    call    the call in progress; `waiting`, what stands in the place of the arrays of States meanwhile;
            `lock`, under which it goes on and is computed, for that other threads ask for
    graphs  by its last point, each path that was made a graph of; `grew`, whether one was in this call
    failure what went wrong last with a program, if anything did; the events were done one by one instead
    """

    def __init__(self, level: str) -> None:
        self.level = level
        self.call: Any = None
        self.lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.root, self.events = Point(), 0
        self.graphs: dict[Point, Path] = {}
        self.grew = False
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

    def program(self, begin: Point, end: Point, known: set[int], live: Sequence[int], ordered: bool) -> Any:
        """The program of the events between two points that gives the Tensors which are `live`, fed some of
        those that are `known`; None if there are too many already."""
        found = end.programs.setdefault(begin, [])
        for program in found:
            if known.issuperset(program.feeds) and set(live) <= set(program.gives) and (
                ordered or not program.ordered
            ):
                return program
        if len(found) >= PROGRAMS:
            return None
        wanted = set(live)
        kept = {number for number in range(end.count) if end.ordered(number)}
        for last in list(end.ends())[:PROGRAMS]:
            path = self._graph(last)
            if last is not end:
                reached = path.needed(end.depth, last.depth, kept)
                wanted |= {number for number in reached if begin.count <= number}
        path = self._graph(end)
        inputs = {x.number for p in end.path(begin) for x in p.told.arguments() if isinstance(x, New)}
        program = path.stretch(begin.depth, end.depth, known, sorted(wanted - inputs), ordered)
        found.append(program)
        return program

    def _graph(self, end: Point) -> Path:
        """The path to a point, or one that goes on from there, as a graph."""
        for last, path in self.graphs.items():
            if last.leads_through(end):
                return path
        path = self.graphs[end] = compiler().path([p.event for p in end.path()], self.level)
        self.grew = True
        return path

    def rest(self) -> None:
        """A call is over: graphs are kept for as long as calls add to them."""
        if self.graphs and not self.grew:
            self.graphs = {}
        self.grew = False


# --- is it the same call? ------------------------------------------------------------------------


def matcher(event: Applied) -> Callable[..., Any]:
    """A function of (call, arguments, settings) that says whether this is the event again: None if not, else
    the Tensors and arrays among its arguments that are met for the first time."""
    names = [f"a{i}" for i in range(len(event.args))]
    lines = ["def match(call, args, settings):", f"    if len(args) != {len(names)}: return None"]
    if names:
        lines += [f"    {', '.join(names)}, = args", "    values = call.values"]
    space: dict[str, Any] = {"fits": fits, "edge_in": edge_in, "settings_are": exactly, "S": event.settings}
    new, leaves = list[str](), list[str]()
    fresh: dict[int, str] = {}  # by number, those that are met in this very event
    for i, (name, argument) in enumerate(zip(names, event.args, strict=True)):
        if isinstance(argument, Known) and argument.number in fresh:
            test = f"{name} is not {fresh[argument.number]}"
        elif isinstance(argument, Known):
            number = argument.number
            test = f"{name} is not values[{number}] and not call.holds({number}, {name})"
        elif isinstance(argument, New):
            space[f"n{i}"] = argument
            new.append(name)
            fresh[argument.number] = name
            test = f"not fits({name}, n{i}, call)"
            if argument.leaf:
                test += "".join([f" or edge_in({name})[0] is edge_in({leaf})[0]" for leaf in leaves])
                leaves.append(name)
        elif isinstance(argument, State):
            space[f"s{i}"], space[f"r{i}"] = argument, argument.requires_grad
            space[f"shape{i}"], space[f"dtype{i}"] = argument.shape, argument.dtype
            test = (
                f"{name} is not s{i} or s{i}.requires_grad is not r{i} or s{i}._data.shape != shape{i} "
                f"or s{i}._data.dtype is not dtype{i}"
            )
        else:
            space[f"v{i}"] = argument
            test = f"not settings_are({name}, v{i})"
            if type(argument) in (int, str) or argument is None:
                test = f"type({name}) is not {type(argument).__name__} or {name} != v{i}"
                space["NoneType"] = type(None)
            elif type(argument) is float and argument == argument and argument != 0:
                test = f"type({name}) is not float or {name} != v{i}"
        lines.append(f"    if {test}: return None")
    lines.append("    if settings and not settings_are(settings, S): return None" if event.settings else
                 "    if settings: return None")  # fmt: skip
    lines.append(f"    return ({''.join(f'{name}, ' for name in new)})")
    exec("\n".join(lines), space)
    return space["match"]


TAKE_NUMBERS = (
    "add", "sub", "mul", "div", "maximum", "minimum", "greater", "greater_equal", "less", "less_equal",
    "equal", "not_equal",
)  # fmt: skip
"""Ops to which a number is what an array of the other argument's dtype with that number in it is."""


def varying(event: Any, op: Op, args: Sequence[Any], settings: dict[str, Any]) -> set[int]:
    """The positions of the Python floats in which alone a call of an op differs from an event: they change
    from call to call, and are to be fed."""
    if type(event) is not Applied or event.op is not op or op.name not in TAKE_NUMBERS:
        return set()
    if len(args) != len(event.args) or not exactly(settings, event.settings):
        return set()
    return {
        i for i, (x, y) in enumerate(zip(args, event.args, strict=True))
        if type(x) is type(y) is float and getattr(getattr(args[1 - i], "dtype", None), "kind", "") == "f"
    }  # fmt: skip


def exactly(a: Any, b: Any) -> bool:
    """Whether two settings or numbers are the same, type and sign included."""
    if a is b:
        return True
    if type(a) is not type(b) or isinstance(a, (State, Tensor)):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all([exactly(a[key], b[key]) for key in a])
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all([exactly(x, y) for x, y in zip(a, b, strict=True)])
    if isinstance(a, slice):
        return exactly((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if isinstance(a, (float, complex)):
        return repr(a) == repr(b)
    return bool(a == b)


def fits(x: Any, new: New, call: Any) -> bool:
    """Whether an argument may stand where `new` was met."""
    kind = type(x)
    if kind is float or new.weak:
        return kind is float and new.weak
    if kind is Tensor or kind is Remembered:
        array, edge = x.array, edge_in(x)
        node = None if edge is None else edge[0] if kind is Tensor else edge
        leaf = isinstance(node, Leaf) and not call.has_met(node)
        if leaf is not new.leaf or (node is not None and not leaf) is not new.made:
            return False
    elif kind is Read:
        array, edge = array_of(x), edge_in(x)
        if edge is not None or new.leaf or new.made:
            return False
    elif kind is Pending or isinstance(x, (State, Tensor)) or new.leaf or new.made:
        return False
    else:
        try:
            array = x if kind is np.ndarray else operand(TABLE["add"], x)
        except DiptychError:  # the op itself says it in the words of its call
            return False
        if is_weak(array):
            return False
    spec = new.spec
    return array.shape == spec.shape and array.dtype == spec.dtype
