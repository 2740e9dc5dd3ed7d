"""What define-by-run code did, as a graph, and stretches of it as programs: see `shared.trace`.

A path becomes one graph in which nothing is stored: a State that is assigned is from then on the assigned
value, so that every stretch of the path is a pure function of what it is fed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.op import TABLE
from shared.slices import Slices
from shared.spec import Spec
from shared.state import State
from shared.trace import Applied, Assigned, Differentiated, Event, Known, New, Stepped
from static.compile.options import Options
from static.compile.program import Program
from static.differentiate import gradients
from static.graph.create import placeholder
from static.graph.effects import stop_gradient
from static.graph.graph import Graph, Node, Tensor, edge_of
from static.graph.operands import apply
from static.graph.select import select
from static.graph.variables import Variable

STOP = TABLE["stop_gradient"]


class Unsupported(Exception):
    """A path that this compiler makes no program of."""


class Unrolled(Graph):
    """A graph that stores nothing.

    first    of each State that is read before it is assigned, the placeholder of its array
    current  what each State holds at this point of the path
    """

    stores = False

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[State, Tensor] = {}
        self.current: dict[State, Tensor] = {}
        self.versions: dict[State, tuple[Tensor, ...]] = {}

    def read(self, variable: Variable) -> Tensor:
        state = variable.state
        assert state is not None
        tensor = self.current.get(state)
        if tensor is None:
            tensor = self.first.get(state)
            if tensor is None:
                tensor = placeholder(variable.dtype, variable.shape, name=variable.name)
                self.first[state] = tensor
            self._now(state, tensor)
        return tensor

    def assign(
        self, variable: Variable, value: Tensor, owner: Node | None = None, update: bool = False
    ) -> Tensor:
        state = variable.state
        assert state is not None
        # A State is a leaf of its own: no gradient flows back into what was assigned to it.
        tensor = stop_gradient(value)
        self._now(state, tensor)
        return tensor

    def _now(self, state: State, tensor: Tensor) -> None:
        self.current[state] = tensor
        self.versions[state] = (*self.versions.get(state, ()), tensor)


class Path:
    """A path as one graph. See `shared.trace.Path`.

    tensors  by number, the Tensor of each value; `born`, the event at which it was met; `carrying`, those
             that have a history
    cuts     before each event and at the end, what the States hold; `versions`, all that they have held
    leaves   what is differentiated by; `frozen`, the States that no gradient was to reach somewhere
    """

    def __init__(self, level: str, leaves: set[Any]) -> None:
        self.graph = Unrolled()
        self.options = Options(level)
        self.tensors: dict[int, Tensor] = {}
        self.born: dict[int, int] = {}
        self.cuts: list[dict[State, Tensor]] = []
        self.versions: list[dict[State, tuple[Tensor, ...]]] = []
        self.carrying = set[Tensor]()
        self.frozen = set[Any]()
        self.leaves = leaves

    def fork(self, at: int, events: Sequence[Event]) -> Slices[Path | None]:
        more = _leaves_of(events) - self.leaves
        if more & self.frozen:  # what was no leaf was not kept from being one
            return None
        path: Path = object.__new__(type(self))
        path.graph, path.options, path.carrying = self.graph, self.options, self.carrying
        path.born = {number: born for number, born in self.born.items() if born < at}
        path.tensors = {number: self.tensors[number] for number in path.born}
        path.cuts, path.versions = self.cuts[:at], self.versions[:at]
        path.frozen, path.leaves = set(self.frozen), self.leaves | more
        path.graph.current = dict(self.cuts[at])
        path.graph.versions = dict(self.versions[at])
        yield from path.build(events)
        return path

    def build(self, events: Sequence[Event]) -> Slices[None]:
        """Add events."""
        graph = self.graph
        for at, event in enumerate(events, len(self.cuts)):
            self.cuts.append(dict(graph.current))
            self.versions.append(dict(graph.versions))
            with graph.as_default():
                for argument in event.arguments():
                    if isinstance(argument, New):
                        self._met(argument.number, placeholder(argument.spec.dtype, argument.spec.shape), at)
                        if argument.leaf or argument.made:
                            self.carrying.add(self.tensors[argument.number])
                for offset, made in enumerate(self._add(event)):
                    self._met(event.first + offset, made, at)
                    if event.history[offset]:
                        self.carrying.add(made)
            yield
        self.cuts.append(dict(graph.current))
        self.versions.append(dict(graph.versions))
        self.placeholders = {t: state for state, t in graph.first.items()}

    def _met(self, number: int, tensor: Tensor, at: int) -> None:
        self.tensors[number], self.born[number] = tensor, at

    def _value(self, argument: Any) -> Any:
        if isinstance(argument, (Known, New)):
            return self.tensors[argument.number]
        return argument

    def _add(self, event: Event) -> Sequence[Tensor]:
        """Build what an event did; its outputs."""
        if isinstance(event, Applied):
            return self._applied(event)
        if isinstance(event, Differentiated):
            return self._differentiated(event)
        if isinstance(event, Assigned):
            event.state.assign(self._value(event.value))
        elif isinstance(event, Stepped):
            if event.optimizer.guard() != event.guard:
                raise Unsupported(f"the settings of {event.optimizer} were others when it made its step")
            pairs = [
                (self._value(g), p) for g, p in zip(event.gradients, event.parameters, strict=True)
            ]
            event.optimizer.assignments(pairs)
        return ()

    def _applied(self, event: Applied) -> Sequence[Tensor]:
        self.frozen.update([event.args[i] for i in event.frozen])
        args = [
            stop_gradient(x) if i in event.frozen and x in self.leaves else self._value(x)
            for i, x in enumerate(event.args)
        ]
        made = apply(event.op, args, event.settings)
        outputs = (made,) if event.op.single else made
        specs = tuple([Spec(tuple(t.shape), t.dtype) for t in outputs])
        if [(s.shape, s.dtype) for s in specs] != [(s.shape, s.dtype) for s in event.outputs]:
            raise Unsupported(f"{event.op.name} gave {event.outputs}, and was foretold to give {specs}")
        if any([self._carries(x, i in event.frozen) for i, x in enumerate(event.args)]):
            return _constant(outputs, event)
        return outputs

    def _carries(self, argument: Any, frozen: bool) -> bool:
        """Whether a gradient could flow back by way of an argument."""
        if isinstance(argument, Known):
            return self.tensors[argument.number] in self.carrying
        if isinstance(argument, New):
            return argument.leaf or argument.made
        return isinstance(argument, State) and not frozen

    def _differentiated(self, event: Differentiated) -> Sequence[Tensor]:
        xs: list[Tensor] = []
        for leaf in event.leaves:
            xs += self.graph.versions.get(leaf, ()) if isinstance(leaf, State) else [self._value(leaf)]
        found = iter(gradients(self._value(event.y), xs, self._value(event.seed)))
        sums = []
        for leaf, before in zip(event.leaves, event.before or [None] * len(event.leaves), strict=True):
            count = len(self.graph.versions[leaf]) if isinstance(leaf, State) else 1
            parts = [g for g in (next(found) for _ in range(count)) if g is not None]
            if len(parts) != 1:
                raise Unsupported(f"{leaf} was changed between the ops that a gradient comes from")
            sums.append(parts[0] if before is None else self._value(before) + parts[0])
        return _constant(sums, event)

    # --- stretches ---

    def needed(self, begin: int, end: int, known: set[int]) -> set[int]:
        fed = {self.tensors[number]: number for number in known}
        met = self._reached([*self._stored(begin, end).values(), *self._made(begin, end)], {*fed})
        return {fed[tensor] for tensor in met}

    def stretch(
        self, begin: int, end: int, known: set[int], gives: Sequence[int], ordered: bool
    ) -> Slices[Stretch]:
        stores = self._stored(begin, end)
        # What leaves through a `stop_gradient` would be taken for a view, and copied.
        targets = [_stopped(t) for t in (*[self.tensors[number] for number in gives], *stores.values())]
        at_begin = self.cuts[begin]
        held = {tensor: state for state, tensor in at_begin.items()}
        fed = {self.tensors[number]: number for number in known}
        met = self._reached(targets, {*fed, *held, *self.placeholders})
        feeds = [tensor for tensor in met if tensor in fed]
        now = [tensor for tensor in met if tensor not in fed and tensor in held]
        first = [t for t in met if t not in fed and t not in held]
        # The first states of the path that a stretch reads are what they were when it began, too.
        reads = [(held[t], False) for t in now] + [(self.placeholders[t], True) for t in first]
        numbers, tensors = tuple(fed[t] for t in feeds), [*feeds, *now, *first]
        selection = select(self.graph, targets, tensors)
        program = yield from Program.in_slices(selection, tensors, targets, self.options, ordered)
        return Stretch(program, numbers, tuple(reads), tuple(gives), tuple(stores), ordered)

    def _stored(self, begin: int, end: int) -> dict[State, Tensor]:
        """What the events in between assign to States."""
        before = self.cuts[begin]
        return {
            state: tensor for state, tensor in self.cuts[end].items()
            if before.get(state) is not tensor and self.graph.first.get(state) is not tensor
        }  # fmt: skip

    def _made(self, begin: int, end: int) -> list[Tensor]:
        """What the events in between give, and nobody knows beforehand that it is not wanted."""
        return [t for number, t in self.tensors.items() if begin <= self.born[number] < end]

    def _reached(self, targets: Sequence[Tensor], stop: set[Tensor]) -> list[Tensor]:
        """Those of the Tensors `stop` that one comes upon on the way back from the targets."""
        met: dict[Tensor, None] = {}
        seen: set[Tensor] = set()
        stack = list(targets)
        while stack:
            tensor = stack.pop()
            if tensor in seen:
                continue
            seen.add(tensor)
            if tensor in stop:
                met[tensor] = None
                continue
            stack.extend(x for x in tensor.node.inputs if isinstance(x, Tensor))
        return sorted(met, key=lambda tensor: (tensor.node.order, tensor.index))


def _stopped(tensor: Tensor) -> Tensor:
    """The Tensor itself, where another is made of it that no gradient flows through."""
    while tensor.node.op is STOP:
        tensor = tensor.node.inputs[0]
    return tensor


def _leaves_of(events: Sequence[Event]) -> set[Any]:
    return {leaf for event in events if isinstance(event, Differentiated) for leaf in event.leaves}


def _constant(outputs: Sequence[Tensor], event: Event) -> list[Tensor]:
    """The outputs of an event, through those of which no gradient flowed none being to flow."""
    return [
        t if history or edge_of(t) is None else stop_gradient(t)
        for t, history in zip(outputs, event.history, strict=True)
    ]


class Stretch:
    """A program of some events. See `shared.trace.Stretch`."""

    def __init__(
        self,
        program: Program,
        feeds: tuple[int, ...],
        reads: tuple[tuple[State, bool], ...],
        gives: tuple[int, ...],
        stores: tuple[State, ...],
        ordered: bool,
    ) -> None:
        self.program, self.feeds, self.reads, self.gives, self.stores = program, feeds, reads, gives, stores
        self.ordered = ordered

    @property
    def source(self) -> str:
        """What it does, as text."""
        return self.program.source

    def run(self, arrays: Sequence[Any]) -> Sequence[Any]:
        return self.program(arrays, {})[0]


class Compiler:
    """See `shared.trace.Compiler`."""

    def path(self, events: Sequence[Event], level: str) -> Slices[Path]:
        path = Path(level, _leaves_of(events))
        yield from path.build(events)
        return path


COMPILER = Compiler()
