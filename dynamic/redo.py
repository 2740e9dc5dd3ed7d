"""Events of a call done one by one, as they would have been done without the decorator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any
from weakref import ref

from dynamic.backward import add_gradients, derivatives_by
from dynamic.met import Met
from dynamic.modes import Mode, mode
from dynamic.node import Node
from dynamic.pending import Pending, Remembered, array_of, complete
from dynamic.tape import apply
from dynamic.tensors import Tensor
from dynamic.versions import next_order
from shared.state import State
from shared.touched import holding
from shared.trace import Applied, Assigned, Differentiated, Event, Known, New, Stepped

PLAIN = Mode()
QUIET = replace(PLAIN, recording=False)
STEP = Fraction(1, 2**20)
"""Between the places, in the order of nodes, of two that stand where a look was."""


class Redo(Met):
    """A call whose events can be done one by one, and a second time where a history is asked for."""

    @contextmanager
    def _plain_mode(self, like: Mode) -> Iterator[None]:
        token = mode.set(like)
        try:
            yield
        finally:
            mode.reset(token)

    def _plainly(self, do: Any, *args: Any, now: Mode) -> Any:
        token = mode.set(replace(now, call=None))
        try:
            return do(*args)
        finally:
            mode.reset(token)

    def _value(self, argument: Any, made: dict[int, Any]) -> Any:
        if isinstance(argument, (Known, New)):
            number = argument.number
            if number in made:
                return made[number]
            if number in self.inputs or number in self.copied:
                return self._as_read(number)
            return self._alive(number)
        return argument

    def _redo(self, event: Any, made: dict[int, Any], fill: bool) -> None:
        """Do an event as it would have been done; what it gives goes into the Tensors that wait for it, if
        `fill`."""
        if isinstance(event, Applied) and event.first not in self.inputs:
            args = [
                _as_met(x, i in event.frozen) if isinstance(x, State) else self._value(x, made)
                for i, x in enumerate(event.args)
            ]
            token = mode.set(PLAIN if event.recording else QUIET)
            try:
                y = apply(event.op, args, event.settings)
            finally:
                mode.reset(token)
            self._made(event, (y,) if event.op.single else y, made, fill)
        elif isinstance(event, Differentiated):
            self._made(event, self._differentiate(event, made), made, fill)
        elif isinstance(event, Assigned):
            event.state.assign(self._value(event.value, made))
        elif isinstance(event, Stepped):
            kept = [p.grad for p in event.parameters]
            for p, g in zip(event.parameters, event.gradients, strict=True):
                put_gradient(p, self._value(g, made))
            try:
                event.optimizer.update(event.parameters)
            finally:
                for p, g in zip(event.parameters, kept, strict=True):
                    put_gradient(p, g)

    def _differentiate(self, event: Differentiated, made: dict[int, Any]) -> list[Any]:
        y, seed, way = self._value(event.y, made), self._value(event.seed, made), event.way
        xs = [self._value(leaf, made) for leaf in event.leaves]
        if not way.adds:
            return derivatives_by("grad", [y], [seed], xs, way.keeps, way.creates)
        leaves = [self._leaf(leaf) for leaf in event.leaves]
        kept = [leaf.grad for leaf in leaves]
        for leaf, before in zip(leaves, event.before, strict=True):
            put_gradient(leaf, self._value(before, made))
        try:
            add_gradients(y, seed, way.keeps, way.creates, xs if way.named else None)
            return [leaf.grad for leaf in leaves]
        finally:
            for leaf, grad in zip(leaves, kept, strict=True):
                put_gradient(leaf, grad)

    def _made(self, event: Event, ys: Sequence[Any], made: dict[int, Any], fill: bool) -> None:
        for offset, y in enumerate(ys):
            number = event.first + offset
            x = self.values[number] if fill else None
            if type(x) is Pending:
                complete(x, y.array, y.edge)
                y = x
            made[number] = y

    def remember(self) -> None:
        """Make the history of what this call has computed: all of it is done again, with no effect but
        that."""
        with self.tree.lock:
            self._remember()

    def _remember(self) -> None:
        self.asked = True
        self.flush()
        self.taped = True
        arrays = dict(self.states)
        path = self.done.path()
        self.again += len(path)
        changed: set[State] = set()
        for point in path:
            if isinstance(event := point.event, Assigned):
                changed.add(event.state)
            elif isinstance(event, Stepped):
                changed.update(event.parameters)
                for _, state in event.optimizer.named_states():
                    arrays.setdefault(state, state.data)
                    changed.add(state)
        # What is read alone is held itself, so that backward notices who has changed it in place since.
        copies = {state: array.copy() if state in changed else array for state, array in arrays.items()}
        made: dict[int, Any] = {k: self._as_read(k) for k in self.inputs}
        bases = iter(self.bases)
        end, base = next(bases)
        with self._plain_mode(PLAIN), holding(copies):
            for point in path:
                while point.depth > end.depth:
                    end, base = next(bases)
                first = next_order()
                self._redo(point.event, made, False)
                # In the order of nodes they stand where they would have stood, had they been made at once.
                ys = [made[k] for k in range(point.told.first, point.count)]
                nodes = sorted(_nodes_since(first, ys), key=lambda node: node.order)
                for i, node in enumerate(nodes, 1):
                    part = Fraction(i, len(nodes)) if len(nodes) > 1 else 1
                    node.order = base + (point.depth - 1 + part) * STEP
        for number, x in enumerate(self.values):
            x = x() if type(x) is ref else x
            if type(x) is Remembered:
                complete(x, array_of(x), made[number].edge)


def _nodes_since(first: int, ys: Sequence[Tensor]) -> set[Any]:
    """The nodes behind some Tensors that were made since a place in the order."""
    found: set[Any] = set()
    edges = [y.edge for y in ys]
    while edges:
        edge = edges.pop()
        if edge is not None and isinstance(edge[0], Node) and edge[0].order > first and edge[0] not in found:
            found.add(edge[0])
            edges += edge[0].edges
    return found


def _as_met(state: State, frozen: bool) -> Any:
    """A State as an op was given it, though by now its gradient may be wanted, or no longer be."""
    if state.requires_grad is not frozen:
        return state
    return Tensor(state.value(), None if frozen else (state, 0))


def put_gradient(leaf: Any, grad: Any) -> None:
    """Leave a gradient with a leaf; that of a State is not looked at."""
    if isinstance(leaf, State):
        leaf._grad = grad
    else:
        leaf.grad = grad
