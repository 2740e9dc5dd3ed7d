"""The points of the paths that calls of a function have taken, and the programs between them.

A path that was taken before is compared with what happens now, event by event, by a function that is written
for each (`dynamic.matching`): of a call of an op that is all that is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from dynamic.matching import taker
from shared.op import Op
from shared.spec import Spec
from shared.state import State
from shared.trace import Applied, Assigned, Differentiated, Event, Known, New, Stepped, Stretch


class Point:
    """A place in the tree: after some events, before others.

    event   what led here; `before`, from where
    work    about how many ops have been done; `turned`, how many when backward was last gone
    count   how many Tensors have been met
    made    whether one of them came from outside with a history of its own
    freed   the numbers of those whose history was freed
    after   where calls have gone on
    worth   whether the way here is compiled and followed; `next`, those of `after` of which that is so
    visits  how many calls have ended here, those of long ago counting less; `used`, which one was the last
    took    how long those took that ran plainly
    known   the numbers of Tensors, met before, that the event is given; `new`, what it met; `states`, the
            States that it reads or assigns; `outputs`, of each output its Spec and whether it has a history
    op      the one that is called, if it is that; `recording`, whether the mode records; `take`, what takes
            a call of it for this one, if it is worth it: see `taker`
    programs  by the point where a stretch begins, the programs that end here; `last`, the one that ran last
    """

    __slots__ = (
        "event", "before", "depth", "work", "turned", "count", "made", "freed", "after", "next", "worth",
        "visits", "used", "took", "known", "new", "states", "outputs", "op", "recording", "take", "programs",
        "last",
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
        self.next: list[Point] = []
        self.worth = False
        self.visits, self.used = 0.0, 0
        self.took: float | None = None
        self.programs: dict[Point, list[Stretch]] = {}
        self.last: Found | None = None
        self.op: Op | None = None
        self.recording = False
        self.take: Callable[..., Any] | None = None
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
                self.op, self.recording = event.op, event.recording

    @property
    def told(self) -> Any:
        """What led here, of a point that is not the root."""
        return self.event

    def follow(self) -> None:
        """Calls that come this way are to be compared with it."""
        for point in self.path():
            if not point.worth and point.before is not None:
                point.worth = True
                point.before.next.append(point)
                if point.op is not None:
                    point.take = taker(point)

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

    def spec(self, argument: Any) -> Any:
        """What is known beforehand of an argument of the event: a number as it stands."""
        if isinstance(argument, Known):
            event = self.maker(argument.number)
            if argument.number >= event.first:
                return event.outputs[argument.number - event.first]
            argument = next(x for x in event.arguments() if type(x) is New and x.number == argument.number)
        if isinstance(argument, State):
            return Spec(argument.shape, argument.dtype)
        return argument.spec if isinstance(argument, New) else argument

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

    def goals(self) -> Iterator[Point]:
        """Those of them that are worth it."""
        stack = [self]
        while stack:
            point = stack.pop()
            if not point.next:
                yield point
            stack.extend(point.next)


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
