"""Body: a graph inside a graph, for what a loop repeats or a branch does.

A Tensor of a graph around it may be used in a body; it is captured: a placeholder stands for it
inside, and the node that has the body takes it as one more input. Variables are captured by
their value. A variable that is assigned inside becomes one of the body's results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from shared.dims import UNKNOWN_RANK, Dim, Size, dims_in
from shared.errors import FetchError
from shared.op import Op
from shared.spec import Spec
from static.graph.create import ASSIGNED
from static.graph.graph import PLACEHOLDER, Call, Graph, Node, Tensor, controls, current_call, symbols_of
from static.graph.operands import apply, as_tensor
from static.graph.variables import Variable


class Body(Graph):
    """A graph that is being written inside `outer`.

    captures  Tensors of the graphs around it, and the placeholders that stand for them
    assigned  the variables that were assigned inside, and the Tensors that they are to hold
    asked     those among them that were assigned otherwise than as updates of modules
    awaited   what was made around, and must have run before something inside
    """

    def __init__(self, outer: Graph) -> None:
        super().__init__()
        self.outer = outer
        self.captures: dict[Tensor, Tensor] = {}
        self.assigned: dict[Variable, Tensor] = {}
        self.asked: set[Variable] = set()
        self.awaited: dict[Node, None] = {}
        self.programs: dict[Any, Any] = {}  # as compiled so far, for whoever compiles it

    def defaults(self) -> list[tuple[ContextVar[Any], Any]]:
        """New nodes belong to the module call in progress."""
        return [pair for pair in super().defaults() if pair[0] is not current_call]

    def is_inside(self, other: Graph) -> bool:
        return self is other or self.outer.is_inside(other)

    def placeholder(self, spec: Spec, name: str) -> Tensor:
        """A Tensor that each run of the body is given."""
        return Node(self, PLACEHOLDER, (), {}, [spec], name).outputs[0]

    def capture(self, tensor: Tensor) -> Tensor:
        inside = self.captures.get(tensor)
        if inside is None:
            outer = tensor if tensor.graph is self.outer else self.outer.capture(tensor)
            inside = self.captures.get(outer)
            if inside is None:
                inside = self.captures[outer] = self.placeholder(outer.spec, tensor.node.name)
        return inside

    def waits_for(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Inside, a node waits for others inside. For those around, the node that has the body does."""
        self.awaited.update(dict.fromkeys(node for node in nodes if node.graph is not self))
        return super().waits_for(nodes)

    @property
    def pure(self) -> bool:
        """Whether the body only computes."""
        return all(node.op.pure for node in self.nodes if isinstance(node.op, Op))

    def root(self) -> Graph:
        return self.outer.root()

    def next_seed(self) -> int:
        return self.outer.next_seed()

    def read(self, variable: Variable) -> Tensor:
        found = self.assigned.get(variable)
        return self.capture(self.outer.read(variable)) if found is None else found

    def assign(
        self, variable: Variable, value: Tensor, owner: Node | None = None, update: bool = False
    ) -> Tensor:
        before = self.read(variable)  # where nothing is assigned, this stays
        with self.as_default():
            self.assigned[variable] = apply(ASSIGNED, (value, before), {})
        if not update:
            self.asked.add(variable)
        return value

    def operand(self, value: Any) -> Tensor:
        """A result of the body as a Tensor of it."""
        if value is None:
            raise FetchError("a body must give Tensors, not None; return what the loop is to carry")
        with self.as_default():
            return as_tensor(value)

    def close(self) -> None:
        """Capture what defines the unknown sizes that the body uses and does not itself define."""
        for node in list(self.nodes):
            for symbol in symbols_of(node):
                around: Graph = self
                while around.source_of(symbol) is None and isinstance(around, Body):
                    around = around.outer
                source = around.source_of(symbol)
                if source is not None and around is not self:
                    self.capture(source)


class Compiler(Protocol):
    """How the bodies of one run are compiled: what runs the node that holds them hands it in."""

    module: Any
    """The array module of the device: whose functions make arrays there."""

    def copy(self, array: Any) -> Any:
        """A copy of an array that is on the device, in C order."""

    def body(
        self, body: Body, fed: Sequence[Tensor], results: Sequence[Tensor], arrays: Sequence[Any]
    ) -> Callable[[Sequence[Any]], Sequence[Any]]:
        """The compiled body, as a function of what it is fed that gives its results. arrays: those from
        which comes what it will be fed; if all are in C order it may count on that."""


@dataclass(frozen=True, eq=False)
class Part:
    """One of the bodies that an op holds, for those who look inside. The parts say all that the op
    was made of, so that it can be made again: see `static.control.replay`.

    inputs     the body's placeholders, and `arguments`, the positions of the node's inputs that
               they stand for
    results    what the body gives
    carried    how many of the first results are the first inputs of the next step
    columns    how many of the inputs after these are one step's part of a column
    stacked    how many of the results after the carried ones are stacked over the steps; the
               rest are added up
    hidden     values inside that the node gives as well, stacked, for its gradient to read
    """

    body: Body
    inputs: Sequence[Tensor]
    arguments: Sequence[int]
    results: Sequence[Tensor]
    carried: int = 0
    columns: int = 0
    stacked: int = 0
    hidden: Sequence[Tensor] = ()


def _seen_from_outside(infer: Callable[..., Any], *operands: Any, **settings: Any) -> Any:
    """What a node with bodies gives. A size that follows from sizes of which only a body knows is one of its
    own outside, which a run measures."""
    shapes = [x.shape for x in operands if isinstance(x, Spec) and x.shape is not UNKNOWN_RANK]
    known = {symbol for dim in dims_in((shapes, settings)) for symbol in dim.symbols()}
    measured: dict[Any, Dim] = {}

    def outside(size: Size) -> Size:
        if not isinstance(size, Dim) or size.symbol() is not None or known.issuperset(size.symbols()):
            return size
        return measured.setdefault(size.key, Dim())

    def seen(spec: Spec) -> Spec:
        return spec if spec.shape is UNKNOWN_RANK else Spec(tuple(map(outside, spec.shape)), spec.dtype)

    found = infer(*operands, **settings)
    return seen(found) if isinstance(found, Spec) else tuple(map(seen, found))


def calls_of(nodes: Iterable[Node]) -> set[Call]:
    """The calls of modules that made nodes, also those inside loops and branches among them."""
    found: set[Call] = set()
    for node in nodes:
        if node.call is not None:
            found.update(node.call.modules())
        if isinstance(node.op, BodyOp):
            for part in node.op.parts.values():
                found |= calls_of(part.body.nodes)
    return found


class BodyOp(Op):
    """An op that one node has for itself, because it holds bodies: a loop, a branch.

    Its compute takes `compiler=`, what compiles the bodies. If it does more than compute, it does all of
    that whenever it runs, whoever needs which of its outputs.

    remake  makes such an op of other parts; gives the inputs for it, too, where it is given those that
            the parts' `arguments` mean
    """

    def __init__(
        self, *args: Any, parts: dict[str, Part], remake: Callable[..., tuple[BodyOp, list[Tensor]]],
        **kwargs: Any,
    ) -> None:  # fmt: skip
        pure = all(part.body.pure for part in parts.values())
        super().__init__(*args, pure=pure, listed=False, **kwargs)
        self.parts, self.remake = parts, remake
        self.infer = partial(_seen_from_outside, self.infer)

    def compiled_by(self, compiler: Compiler) -> BodyOp:
        """The same op with its bodies compiled by `compiler`."""
        op = copy(self)
        op.compute = partial(self.compute, compiler=compiler)
        return op

    def made(self, inputs: Sequence[Any], settings: dict[str, Any]) -> Sequence[Tensor]:
        """The outputs of a node of it, which waits for what anything in its bodies waits for."""
        awaited = [node for part in self.parts.values() for node in part.body.awaited]
        held = controls.set((*controls.get(), *awaited))
        try:
            y = apply(self, inputs, settings)
        finally:
            controls.reset(held)
        return [y] if self.single else y
