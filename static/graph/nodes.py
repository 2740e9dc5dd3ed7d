"""What graphs are made of: nodes, their Tensors, and the calls during which they were made.

A `Node` is one application of an op to Tensors; a `Tensor` is one of a node's outputs and
carries a Spec, not a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, dims_in
from shared.errors import ShapeError, SymbolicValueError
from shared.op import Op
from shared.operators import Operators
from shared.pullback import Pullback, pullback_of
from shared.reverse import Edge
from shared.sizes.atoms import Symbol
from shared.source import Line, user_line
from shared.spec import Spec, sizes_match
from shared.usage.door import methods
from static.graph.default_session import get_default_session
from static.graph.tensor_shape import tensor_shape

if TYPE_CHECKING:
    from static.graph.graph import Graph


class Special:
    """A node's op where the graph itself, and no function of arrays, is meant."""

    single = True

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


PLACEHOLDER = Special("placeholder")
CONSTANT = Special("constant")
READ = Special("read")
ASSIGN = Special("assign")
INITIAL = Special("initial_value")
GROUP = Special("group")


class Call:
    """One call of a module, or one name scope: the nodes made during it belong to it.

    module: whether it is a module's. Assignments made during one are updates of the module.
    whole: whether the name is a path from the top, and not one inside the parent's.
    """

    def __init__(self, name: str, parent: Call | None, module: bool = False, whole: bool = False) -> None:
        self.module, self.parent = module, parent
        inside = parent is not None and parent.name and not whole
        self.name: str = f"{parent.name}/{name}" if parent is not None and inside else name

    def __repr__(self) -> str:
        return f"<call {self.name}>"

    def chain(self) -> Iterator[Call]:
        """This call and those that it was made in, innermost first."""
        call: Call | None = self
        while call is not None:
            yield call
            call = call.parent

    def modules(self) -> Iterator[Call]:
        """The calls of modules among them."""
        return (call for call in self.chain() if call.module)


class Symbolic(Operators):
    """What a graph describes, a Tensor or a variable: a shape and a dtype now, numbers only at run."""

    __slots__ = ()

    graph: Any
    spec: Spec

    @property
    def shape(self) -> tuple[int | Dim, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.spec.dtype

    @property
    def sizes(self) -> tuple[int | Dim, ...]:
        """The sizes that are there to look at: none where even the number of axes is unknown."""
        return () if self.spec.shape is UNKNOWN_RANK else self.spec.shape

    def get_shape(self) -> Any:
        """The shape as TensorFlow 1 has it: `get_shape().as_list()` has None for sizes not known."""
        return tensor_shape(self.spec.shape)

    def _no_value(self, use: str) -> Any:
        """The error for a use that needs numbers."""
        raise NotImplementedError

    def item(self) -> Any:
        """An error: see `_no_value`."""
        return self._no_value("item()")

    def numpy(self) -> Any:
        """An error: see `_no_value`."""
        return self._no_value("numpy()")

    def __bool__(self) -> bool:
        return self._no_value("using a Tensor as a Python bool (if, while, and, or)")

    def __float__(self) -> float:
        return self._no_value("float()")

    def __int__(self) -> int:
        return self._no_value("int()")

    def __index__(self) -> int:
        return self._no_value("using a Tensor as an index or range()")

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self._no_value("making a NumPy array")


class Tensor(Symbolic):
    """One of a node's outputs."""

    __slots__ = ("node", "index", "spec", "__weakref__")

    def __init__(self, node: Node, index: int, spec: Spec) -> None:
        self.node, self.index, self.spec = node, index, spec

    @property
    def graph(self) -> Graph:
        return self.node.graph

    def set_shape(self, shape: Sequence[int | None]) -> None:
        """Say more of the shape than could be inferred; ShapeError if it contradicts what is known.

        Of a placeholder every feed is checked against it; of other Tensors it is your word.
        """
        given = tuple(shape)
        known = self.shape if self.shape is not UNKNOWN_RANK else tuple(Dim() for _ in given)
        if len(known) != len(given) or not all(
            b is None or sizes_match(a, b) for a, b in zip(known, given, strict=True)
        ):
            raise ShapeError(f"set_shape: {self.name!r} has shape {self.shape}, which {given} contradicts")
        sizes = tuple(b if isinstance(b, int) else a for a, b in zip(known, given, strict=True))
        self.spec = Spec(sizes, self.dtype)
        self.graph.note_sizes(self)

    @property
    def op(self) -> Node:
        """The operation that makes this Tensor."""
        return self.node

    @property
    def name(self) -> str:
        return f"{self.node.name}:{self.index}"

    @property
    def line(self) -> Line | None:
        """The user's line that made this Tensor."""
        return self.node.line

    def __repr__(self) -> str:
        return f"<static.Tensor {self.name!r} {self.spec}>"

    def eval(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> Any:
        """This Tensor's value, from `session` or the default one."""
        return (session or get_default_session("eval")).run(self, feed_dict)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise SymbolicValueError(
            f"x[...] = v: {self.name!r} describes a value, which never changes; make another of it, with "
            "ops.index_put(x, index, v) or ops.where"
        )

    def backward(self, *_: Any, **__: Any) -> Any:
        """An error: gradients are part of the graph here."""
        raise SymbolicValueError(
            f"backward() of the static Tensor {self.name!r}: gradients are part of the graph here, as "
            "static.gradients(y, xs), or opt.minimize(loss) for a step of training"
        )

    def _no_value(self, use: str) -> Any:
        raise SymbolicValueError(
            f"{use} needs the value of the static Tensor {self.name!r} ({self.spec}), which has "
            "none until a session runs it; use ops.where to choose between values, or run it "
            "first: session.run(tensor)"
        )


methods(Tensor, "set_shape", "eval")


class Node:
    """One application of an op. `order` is its place in the graph, `line` the user's line
    that made it, `call` the module call or scope during which it was made, `control` the nodes
    that must have run before it."""

    __slots__ = (
        "graph", "op", "inputs", "settings", "outputs", "name", "order", "line", "call", "control",
    )  # fmt: skip

    def __init__(
        self,
        graph: Graph,
        op: Op | Special,
        inputs: Sequence[Any],
        settings: dict[str, Any],
        specs: Sequence[Spec],
        name: str | None,
    ) -> None:
        self.graph, self.op, self.settings = graph, op, settings
        self.inputs = tuple(inputs)
        self.call = current_call.get()
        self.control = graph.waits_for(controls.get())
        self.line = user_line()
        self.name = graph.unique_name(name or op.name, self.call)
        self.outputs = tuple(Tensor(self, i, spec) for i, spec in enumerate(specs))
        self.order: int = graph.add(self)

    def __repr__(self) -> str:
        return f"<static.Node {self.name!r} {self.op.name}>"

    def run(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> None:
        """Run this operation in `session`, or the default one."""
        (session or get_default_session("run")).run(self, feed_dict)

    @property
    def is_leaf(self) -> bool:
        """Whether cotangents end here: what the graph itself gives, a placeholder or a constant."""
        return not isinstance(self.op, Op)

    @property
    def edges(self) -> tuple[Edge | None, ...]:
        """For each input where its cotangent goes, or None: what the reverse loop follows."""
        return tuple(edge_of(x) for x in self.inputs)

    @property
    def pullback(self) -> Pullback:
        """How to differentiate this node by all inputs that have an edge."""
        assert isinstance(self.op, Op), self
        return pullback_of(self.op, tuple(edge is not None for edge in self.edges))


controls: ContextVar[tuple[Node, ...]] = ContextVar("controls", default=())
"""The nodes that must run before whatever is made now."""
current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
"""The call or scope that is open."""


def edge_of(x: Any) -> Edge | None:
    """Where the cotangent of a value goes: the node that made it and which of its outputs it is,
    or None.

    All reads of one variable have that variable as their leaf.
    """
    if not isinstance(x, Tensor):
        return None
    node = x.node
    if isinstance(node.op, Op):
        return (node, x.index) if node.op.carries_gradient(x.index, x.dtype) else None
    if node.op is ASSIGN:
        return edge_of(node.inputs[0])
    if x.dtype.kind not in "fc":
        return None
    return (node.settings["variable"] if node.op is READ else node), 0


def symbols_of(node: Node) -> set[Symbol]:
    """The unknown sizes whose values a node needs at run."""
    if not node.settings and all([isinstance(x, (Tensor, float, int)) for x in node.inputs]):
        return set()
    return {s for dim in dims_in((node.inputs, node.settings)) for s in dim.symbols()}


methods(Node, "run")
