"""One call of a `dynamic.function`: what its code does is compared with what it did before.

As long as a call follows a path that is known, nothing is computed: what ops give are Tensors that wait
(`dynamic.pending`). When somebody looks at a value, and when the call ends, the stretch of events since the
last look is run as one compiled program. Where there is none, or it fails, or the call leaves all known
paths, the same events are done one by one, as they would have been without the decorator, into the same
objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any
from weakref import ref

from dynamic import gradient_hooks
from dynamic.freed import FreedTape
from dynamic.matching import fits
from dynamic.met import HELD, references
from dynamic.modes import Mode
from dynamic.paths import Found, Point
from dynamic.pending import Pending, Remembered, array_of, complete, pending
from dynamic.recording import Recorder
from dynamic.redo import PLAIN, QUIET, put_gradient
from dynamic.scout import Scout
from dynamic.tape import apply
from dynamic.tensors import Tensor
from dynamic.versions import next_order
from dynamic.views import made_by, steps_to
from shared.op import Op
from shared.state import State, averaged
from shared.trace import Applied, Assigned, Differentiated, Known, New, Stepped, Way
from shared.usage import late
from shared.watch import hooks


class Call(Recorder):
    """One call: what happens in it, and when that is computed."""

    # --- what happens ---

    def applied(self, op: Op, args: Sequence[Any], settings: dict[str, Any], now: Mode) -> Any:
        """An op is called."""
        recording = now.recording
        if self.known and not hooks.active and not now.tracing:
            for point in self.point.next:
                if point.op is op and point.recording is recording:
                    y = point.take(self, args, settings)  # type: ignore[misc]
                    if y is not None:
                        return y
        if self.scout is not None:
            return self.scout.applied(op, args, settings, now)
        if hooks.active or now.tracing:
            self.flush()
            return self._plainly(apply, op, args, settings, now=now)
        if self.known:
            if not self._defers(op, args, settings):
                self.flush()
                self.aside += 1
                return self._plainly(apply, op, args, settings, now=now)
            scout = self._leave()
            if scout is not None:
                return scout.applied(op, args, settings, now)
        y = self._plainly(apply, op, args, settings, now=now)
        if not self.silent and self._defers(op, args, settings):
            self._note_applied(op, args, settings, recording, y)
        else:
            self.aside += 1
        return y

    def differentiated(
        self, y: Any, gradient: Any, way: Way, xs: Sequence[Any] | None
    ) -> list[Any] | None:
        """`backward` or `grad` is called: the sums, or the derivatives by the xs (None for one that y does
        not depend on); None if it is still to be done."""
        if self.scout is not None:
            return self.scout.differentiated(y, gradient, way, xs)
        simple = isinstance(y, Tensor) and (gradient is None or isinstance(gradient, Tensor))
        if not simple or self.silent or gradient_hooks.hooked or averaged or self.point.made:
            self.flush()
            return None
        if self.known:
            for point in self.point.next:
                event = point.event
                if isinstance(event, Differentiated) and event.way == way:
                    new = self._same(event, y, gradient, xs)
                    if new is not None:
                        made = self._follow(point, new)
                        if way.adds:
                            for leaf, total in zip(event.leaves, made, strict=True):
                                put_gradient(self._leaf(leaf), total)
                        return made
            scout = self._leave()
            if scout is not None:
                return scout.differentiated(y, gradient, way, xs)
        return self._note_differentiated(y, gradient, way, xs)

    def _same(self, event: Differentiated, y: Tensor, gradient: Any, xs: Any) -> list[Any] | None:
        """What is met for the first time, if the event is this call of `backward` or `grad`; None if not."""
        if not self._is(y, event.y):
            return None
        if xs is not None and not (
            len(xs) == len(event.leaves) and all(map(self._is, xs, event.leaves))
        ):
            return None
        new: list[Any] = []
        before = [self._gradient(leaf) for leaf in event.leaves] if event.way.adds else []
        for x, argument in zip((gradient, *before), (event.seed, *event.before), strict=True):
            if isinstance(argument, New):
                if x is None or not fits(x, argument, self):
                    return None
                new.append(x)
            elif not self._is(x, argument):
                return None
        return new

    def assigned(self, state: State, value: Tensor) -> bool:
        """A Tensor is assigned to a State; whether that is done with."""
        if self.scout is not None:
            return self.scout.assigned(state, value)
        if self.silent:
            return False
        if self.known:
            for point in self.point.next:
                event = point.event
                if isinstance(event, Assigned) and event.state is state and self._is(value, event.value):
                    self._follow(point)
                    return True
            scout = self._leave()
            if scout is not None:
                return scout.assigned(state, value)
        number = self._number(value)
        if number is None:
            return False
        self._note(Assigned(len(self.values), state=state, value=Known(number)))
        with self._plain_mode(QUIET):
            state.assign(value)
        return True

    def stepped(self, optimizer: Any, ready: Sequence[Any]) -> bool:
        """An optimiser makes a step; whether that is done with."""
        if self.scout is not None:
            return self.scout.stepped(optimizer, ready)
        if self.silent:
            return False
        gradients = [p.grad for p in ready]
        guard = optimizer.guard()
        if self.known:
            for point in self.point.next:
                event = point.event
                if (
                    isinstance(event, Stepped) and event.optimizer is optimizer
                    and len(ready) == len(event.parameters)
                    and all([p is q for p, q in zip(ready, event.parameters, strict=True)])
                    and all(map(self._is, gradients, event.gradients)) and event.guard == guard
                ):  # fmt: skip
                    self._follow(point)
                    return True
            scout = self._leave()
            if scout is not None:
                return scout.stepped(optimizer, ready)
        numbers = [self._number(g) for g in gradients]
        if None in numbers:
            self.flush()
            return False
        known = tuple([Known(number) for number in numbers if number is not None])
        self._note(
            Stepped(
                len(self.values), optimizer=optimizer, parameters=tuple(ready), gradients=known, guard=guard
            )
        )
        with self._plain_mode(QUIET):
            optimizer.update(ready)
        return True

    def _follow(self, point: Point, new: Sequence[Any] = ()) -> list[Tensor]:
        """Take an event that is known, and is no call of an op, as having happened. new: what it met."""
        with self.tree.lock:
            for k in point.known:
                x = self.values[k]
                if type(x) is not Pending:
                    self.needs(k)
            for x, argument in zip(new, point.new, strict=True):
                self.read(x, argument)
            for state in point.states:
                if state not in self.waiting:
                    self.hold(state)
            made = [pending(foretold, self) for foretold in point.outputs]
            self.values += made
            self.point = point
            return made

    def admitted(
        self, event: Applied, args: Sequence[Any], judged: Sequence[int], specs: Sequence[Any]
    ) -> bool:
        """Whether an op takes the values that it is given, of those arguments that are judged: it must not be
        found out later that it does not. specs: what stands in the places of the others."""
        values = [*specs]
        for i in judged:
            values[i] = self._array(args[i], event.args[i])
        try:
            event.op.admits(*values, **event.settings)  # type: ignore[misc]
        except Exception:
            return False
        return True

    def _leave(self) -> Scout | None:
        """The call takes a path that is not followed; who goes along with it from here on."""
        self.known = False
        self.flush()
        alive = enumerate([x() if type(x) is ref else x for x in self.values])
        if self.records:
            self.numbers = {id(x): number for number, x in alive if x is not None}
            return None
        self.scout = Scout(self.point, {number: id(x) for number, x in alive if x is not None})
        return self.scout

    def flush(self) -> None:
        """Compute all that waits."""
        with self.tree.lock:
            self._compute()

    def _compute(self) -> None:
        begin, end = self.begin, self.point
        if begin is end:
            self._settle()
            return
        first, values = begin.count, self.values
        held = map(HELD.__lt__, references(values, first, end.count))
        live = [k for k in compress(range(first, end.count), held) if k not in self.inputs]
        now = self._settle()
        waits = bool(now) or any([k not in self.inputs for k in range(first, end.count)])
        self.begin = end
        self.bases.append((end, next_order()))
        with self._plain_mode(PLAIN):
            if waits and (self.taped or not self._run(begin, end, live, now)):
                self.misses += 1
                self.taped = self.taped or any([array_of(self.values[k])[1] for k in live])
                made: dict[int, Any] = {}
                self.again += end.depth - begin.depth
                for point in end.path(begin):
                    self._redo(point.event, made, True)
                for k in live:
                    self.arrays[k] = self.values[k].array
        self.needed.clear()
        self.left.update({state: state._data for state in now})
        left: list[Any] = [None] * (end.count - first)
        for k in (*live, *self.inputs):
            if k >= first and (x := values[k]) is not None:
                left[k - first] = ref(x)
        values[first : end.count] = left

    def _run(self, begin: Point, end: Point, live: list[int], now: dict[State, Any]) -> bool:
        """Run a stretch as a program, if there is one that serves."""
        arrays, left = self.arrays, self.left
        if left and any([left.get(state, array) is not array for state, array in now.items()]):
            return False
        try:
            found = end.last
            if found is None or found.begin is not begin or found.live != live or not all(
                [k in arrays for k in found.needs]
            ):
                found = self._find(begin, end, live, now)
            if found is None:
                return False
            program = found.program
            feeds = [arrays[k] for k in program.feeds]
            feeds += [self.states[s] if at_first else now.get(s, s._data) for s, at_first in program.reads]
            if program.ordered and not all([array.flags.c_contiguous for array in feeds]):
                end.last = None
                return False
            given = program.run(feeds)
        except Exception as error:  # one by one it will be seen what is the matter, if anything is
            self.tree.failure = error
            return False
        count = len(program.gives)
        arrays.update(zip(program.gives, given, strict=False))
        for state, array in zip(program.stores, given[count:], strict=True):
            state._data = array
            if late.MARK in state.__dict__:
                late.note(state, "data")
        if found.views:
            made = made_by(found.steps, self, now)
            arrays.update({k: made[k] for k in found.views})
        for k in live:
            self._fill(end, k)
        self.done = end
        self.compiled += end.depth - begin.depth
        return True

    def _find(self, begin: Point, end: Point, live: list[int], now: dict[State, Any]) -> Found | None:
        """The program of a stretch, if there is one that serves."""
        if not (self.known and end.worth):
            return None
        views = [k for k in live if not end.fresh(k)]
        remade = steps_to(begin, end, views)
        if remade is None:
            return None
        steps, needs = remade
        gives = needs.union(live).difference(views)
        held = tuple([k for k in gives if k < begin.count])
        ordered = all([array.flags.c_contiguous for array in (*self.arrays.values(), *now.values())])
        program = self.tree.program(begin, end, set(self.arrays), sorted(gives.difference(held)), ordered)
        if program is None or not self.arrays.keys() >= {*held}:
            return None
        end.last = Found(begin, live, program, views, steps, (*program.feeds, *held))
        return end.last

    def _fill(self, end: Point, k: int) -> None:
        """A Tensor that waited has its value."""
        x = self.values[k]
        _, history = array_of(x)
        if not history:
            complete(x, self.arrays[k], None)
        elif k in end.freed:
            complete(x, self.arrays[k], FreedTape(end, self.edges).edge(k))
        else:
            complete(x, self.arrays[k], self, Remembered)

    def before_change(self) -> None:
        """An array is about to be changed in place: what was computed from it must remember it as it is."""
        self.flush()
        for x in self.values:
            if type(x) is ref and type(x()) is Remembered:
                self.remember()
                break
