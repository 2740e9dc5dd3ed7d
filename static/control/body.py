"""Body: a graph inside a graph, for what a loop repeats or a branch does.

A Tensor of a graph around it may be used in a body; it is captured: a placeholder stands for it
inside, and the node that has the body takes it as one more input. Variables are captured by
their value. A variable that is assigned inside becomes one of the body's results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from shared import dispatch
from shared.errors import FetchError
from shared.op import Op
from shared.ops.creation import zeros
from shared.spec import Spec
from static.differentiate import gradients
from static.graph.graph import PLACEHOLDER, Graph, Node, Tensor, default_graph, edge_of, symbols_of
from static.graph.operands import apply, as_tensor, constant
from static.graph.select import select
from static.graph.variables import Variable


class Body(Graph):
    """A graph that is being written inside `outer`.

    captures  Tensors of the graphs around it, and the placeholders that stand for them
    assigned  the variables that were assigned inside, and the Tensors that they are to hold
    """

    def __init__(self, outer: Graph) -> None:
        super().__init__()
        self.outer = outer
        self.captures: dict[Tensor, Tensor] = {}
        self.assigned: dict[Variable, Tensor] = {}
        self.asked: set[Variable] = set()
        self.programs: dict[Any, Any] = {}  # as compiled so far, for whoever compiles it

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Within the block new nodes go to the body; they belong to the module call in progress."""
        with default_graph(self), dispatch.using(dispatch.engine_of_type(Tensor)):
            yield self

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

    def root(self) -> Graph:
        return self.outer.root()

    def next_seed(self) -> int:
        return self.outer.next_seed()

    def read(self, variable: Variable) -> Tensor:
        found = self.assigned.get(variable)
        return self.capture(self.outer.read(variable)) if found is None else found

    def assign(self, variable: Variable, value: Tensor, owner: Node | None = None) -> Tensor:
        self.read(variable)  # where nothing is assigned, the value that came in stays
        self.assigned[variable] = value
        if variable.state is None or owner is not None:
            self.asked.add(variable)
        return value

    def owner_of(self, variable: Variable, outputs: Sequence[Tensor]) -> Node | None:
        """The node with whose runs the variable changes, if a user asked for it inside. (Modules'
        own updates belong to the call of the module instead.)"""
        return outputs[0].node if variable in self.asked else None

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
    was made of, so that it can be made again.

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


class BodyOp(Op):
    """An op that one node has for itself, because it holds bodies: a loop, a branch.

    Its compute takes `compiler=`, what compiles the bodies.
    """

    def __init__(self, *args: Any, parts: dict[str, Part], **kwargs: Any) -> None:
        super().__init__(*args, listed=False, **kwargs)
        self.parts = parts

    def compiled_by(self, compiler: Compiler) -> BodyOp:
        """The same op with its bodies compiled by `compiler`."""
        op = copy(self)
        op.compute = partial(self.compute, compiler=compiler)
        return op


def replay(body: Body, inside: dict[Tensor, Any], results: Sequence[Tensor]) -> list[Any]:
    """Build what a body does once more in the graph at hand, on other inputs.

    inside: what to take for the body's placeholders.
    """
    made: dict[Tensor, Any] = dict(inside)
    for node in select(body, results, list(inside)).nodes:
        if node.outputs and node.outputs[0] in made:
            continue
        for old, new in zip(node.outputs, _again(node, made), strict=True):
            made[old] = new
    return [made[tensor] for tensor in results]


def _again(node: Node, made: dict[Tensor, Any]) -> Sequence[Any]:
    if not hasattr(node.op, "infer"):
        return [constant(node.settings["value"])]
    inputs = [made[x] if isinstance(x, Tensor) else x for x in node.inputs]
    y = apply(node.op, inputs, node.settings)  # type: ignore[arg-type]
    return [y] if node.op.single else y


def full_gradients(pairs: Sequence[tuple[Tensor, Any]], xs: Sequence[Tensor]) -> list[Tensor]:
    """The derivatives of the ys of (y, cotangent) pairs by each x, with zeros where there is none."""
    live = [(y, g) for y, g in pairs if g is not None and edge_of(y) is not None]
    found = gradients([y for y, _ in live], list(xs), [g for _, g in live]) if live else [None] * len(xs)
    return [zeros(x.shape, x.dtype, like=x) if g is None else g for x, g in zip(xs, found, strict=True)]
