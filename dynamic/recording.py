"""Writing down what a call does that no call did before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import ref

from dynamic.backward import add_gradients, derivatives_by
from dynamic.matching import exactly, same, varying
from dynamic.met import ANY
from dynamic.node import Leaf
from dynamic.operands import operand
from dynamic.paths import Point
from dynamic.pending import Pending, array_of
from dynamic.redo import PLAIN, Redo
from dynamic.tensors import Tensor
from dynamic.tree import EVENTS
from dynamic.versions import owner
from shared.dims import Dim
from shared.op import Op
from shared.spec import Spec, is_weak, spec_of
from shared.state import State
from shared.trace import Applied, Differentiated, Event, Known, New, Way


class Recorder(Redo):
    """A call that writes down its events."""

    def _defers(self, op: Op, args: Sequence[Any], settings: dict[str, Any]) -> bool:
        """Whether an op can be done later: it does no more than compute, refuses no values, and what it gives
        has a shape that is known beforehand."""
        if not (op.pure and op.listed):
            return False
        if op.judges:
            if op.admits is None:
                return False
        specs = [
            array_of(x)[0] if type(x) is Pending else Spec(tuple(x.shape), x.dtype) if hasattr(x, "shape")
            else x if is_weak(x) or x is None else spec_of(operand(op, x))
            for x in args
        ]  # fmt: skip
        try:
            inferred = op.infer(*specs, **settings)
        except Exception:
            return True  # the op will say it
        return not any(
            [isinstance(n, Dim) for spec in ((inferred,) if op.single else inferred) for n in spec.shape]
        )

    def _number(self, x: Any) -> int | None:
        """The number of a Tensor that was met before."""
        if self.known:
            return next(
                (k for k, v in enumerate(self.values) if v is x or (type(v) is ref and v() is x)), None
            )
        number = self.numbers.get(id(x))
        if number is None:
            return None
        held = self.values[number]
        return number if held is x or (type(held) is ref and held() is x) else None

    def _new(self, x: Any, dtype: Any = None) -> New:
        """Take in a Tensor or array that comes from outside, or a number that stands for one of a dtype."""
        number = len(self.values)
        self.values.append(ref(x) if isinstance(x, Tensor) else None)
        self.inputs[number] = x
        if dtype is not None:
            return New(number, Spec((), dtype), weak=True)
        if not isinstance(x, Tensor):
            array = operand(ANY, x)
            return New(number, Spec(tuple(array.shape), array.dtype))
        self.numbers[id(x)] = number
        array, node = x.array, None if x.edge is None else x.edge[0]
        leaf = isinstance(node, Leaf) and not self.has_met(node)
        self.edges[number] = x.edge
        return New(number, Spec(array.shape, array.dtype), leaf, node is not None and not leaf)

    def _note(self, event: Event) -> None:
        for point in self.point.after:
            if same(point.event, event):
                self.point = self.begin = point
                return
        self.recorded += 1
        if self.recorded > EVENTS or self.tree.events > EVENTS:
            self.silent = True
            self.tree.clear()
            return
        self.point = self.begin = self.tree.grow(self.point, event)

    def _outputs(self, event: Event, ys: Sequence[Tensor], sources: Sequence[Any] = ()) -> None:
        event.first = len(self.values)
        event.outputs = tuple([Spec(y.array.shape, y.array.dtype) for y in ys])
        event.history = tuple([y.edge is not None for y in ys])
        event.ordered = tuple([y.array.flags.c_contiguous for y in ys])
        owners = [id(owner(array)) for array in sources]
        event.fresh = tuple([id(owner(y.array)) not in owners for y in ys])
        for y in ys:
            self.numbers[id(y)] = len(self.values)
            self.values.append(ref(y))

    def _note_applied(
        self, op: Op, args: Sequence[Any], settings: dict[str, Any], recording: bool, y: Any
    ) -> None:
        noted: list[Any] = []
        changing = self._changing(op, args, settings)
        for i, x in enumerate(args):
            if i in changing:
                noted.append(self._new(x, args[1 - i].dtype))
            elif isinstance(x, State) or is_weak(x) or x is None:
                noted.append(x)
            elif isinstance(x, Tensor) and (number := self._number(x)) is not None:
                noted.append(Known(number))
            else:
                noted.append(self._new(x))
        frozen = frozenset([i for i, x in enumerate(args) if isinstance(x, State) and not x.requires_grad])
        event = Applied(op=op, args=tuple(noted), settings=settings, recording=recording, frozen=frozen)
        sources = [self._array_now(args[i]) for i in op.alias if i < len(args)]
        self._outputs(event, (y,) if op.single else y, sources)
        self._note(event)

    def _changing(self, op: Op, args: Sequence[Any], settings: dict[str, Any]) -> set[int]:
        """The positions of the Python floats in which a call of an op differs from all that were here."""
        changing: set[int] = set()
        for point in self.point.after:
            floats = varying(point.event, op, args, settings)
            if floats and all([exactly(args[i], point.told.args[i]) for i in floats]):
                return set()
            changing |= floats
        return changing

    def _array_now(self, x: Any) -> Any:
        return x.array if isinstance(x, Tensor) else x.value() if isinstance(x, State) else operand(ANY, x)

    def _note_differentiated(self, y: Tensor, gradient: Any, way: Way, xs: Sequence[Any] | None) -> list[Any]:
        """Differentiate, and write it down if it can be told what that was."""
        number, before = self._number(y), list[Any]()
        if xs is None:
            leaves = _leaves_behind(y)
            places = [leaf if isinstance(leaf, State) else self._leaf_number(leaf) for leaf in leaves]
        else:
            leaves = [x if isinstance(x, State) else _leaf_of(x) for x in xs]
            places = [x if isinstance(x, State) else self._known(x) for x in xs]
        if way.adds:
            before = [leaf.grad for leaf in leaves if leaf is not None]
            places = [x if isinstance(x, State) or (x and x.number in self.edges) else None for x in places]
        with self._plain_mode(PLAIN):
            if way.adds:
                add_gradients(y, gradient, way.keeps, way.creates, xs)
                given = [leaf.grad for leaf in leaves]
            else:
                given = derivatives_by("grad", [y], [gradient], xs or [], way.keeps, way.creates)
        outside = [x for x in (gradient, *before) if x is not None and self._number(x) is None]
        if number is None or any([x is None for x in (*places, *given)]):
            return given
        if any([g is x for g, x in zip(given, before, strict=False)]):  # y does not depend on that leaf
            return given
        if any([len({*map(id, some)}) < len(some) for some in (given, outside)]):
            return given
        seed, *sums = [None if x is None else self._known(x) or self._new(x) for x in (gradient, *before)]
        event = Differentiated(
            y=Known(number), seed=seed, leaves=tuple(places), before=tuple(sums), way=way
        )
        self._outputs(event, given)
        recorded = self.recorded
        self._note(event)
        if self.recorded > recorded and not self.silent and not way.keeps:
            self.point.freed = self.point.freed | _gone_through(self.point, event)
        return given

    def _known(self, x: Any) -> Known | None:
        number = self._number(x)
        return None if number is None else Known(number)

    def _leaf_number(self, leaf: Any) -> Any:
        for number, edge in self.edges.items():
            if edge is not None and edge[0] is leaf:
                return Known(number)
        return None

    def forget(self, x: Tensor) -> None:
        """A Tensor gets another array or another edge: from now on it is one that was not met before."""
        self.flush()
        _ = x.edge  # what it was made of can't be told later
        while (number := self._number(x)) is not None:
            self.values[number] = None
            self.numbers.pop(id(x), None)


def _leaf_of(x: Any) -> Any:
    edge = x.edge if isinstance(x, Tensor) else None
    return edge[0] if edge is not None and edge[0].is_leaf else None


def _gone_through(point: Point, event: Differentiated) -> frozenset[int]:
    """The numbers of the Tensors whose nodes a differentiation goes through: those behind y, and of them, if
    it is told by what, those by way of which that is reached."""
    makers: dict[int, Any] = {}
    for before in point.path():
        made: Any = before.event
        if made is not event:
            makers.update(dict.fromkeys(range(made.first, made.first + len(made.outputs)), made))
    named = {_place(x) for x in event.leaves}
    found: dict[Any, bool] = {}
    for k in sorted(_behind(makers, event.y.number)):  # what one is made of has a smaller number
        places = [_place(x) for x in makers[k].arguments()]
        through = any([place in named or found.get(place, False) for place in places])
        found[_place(Known(k))] = through or not event.way.named
    return frozenset(
        [k for (_, k), through in found.items() if through and isinstance(makers[k], Applied)]
    )


def _place(x: Any) -> tuple[bool, int]:
    """What tells arguments apart: States are not compared, for that is an op."""
    return (True, x.number) if isinstance(x, (Known, New)) else (False, id(x))


def _behind(makers: dict[int, Any], number: int) -> set[int]:
    found: set[int] = set()
    stack = [number]
    while stack:
        k = stack.pop()
        if k in found or k not in makers or not makers[k].history[k - makers[k].first]:
            continue
        found.update(range(makers[k].first, makers[k].first + len(makers[k].outputs)))
        stack.extend(x.number for x in makers[k].arguments() if isinstance(x, Known))
    return found


def _leaves_behind(y: Tensor) -> list[Any]:
    """The leaves that gradients of a Tensor arrive at."""
    found: dict[Any, None] = {}
    seen: set[Any] = set()
    stack: list[Any] = [y.edge]
    while stack:
        edge = stack.pop()
        if edge is None or edge[0] in seen:
            continue
        node = edge[0]
        seen.add(node)
        if node.is_leaf:
            found[node] = None
        else:
            stack.extend(node.edges)
    return list(found)
