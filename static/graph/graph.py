"""The graph: what shall be computed, described before anything is.

It is made of `static.graph.nodes`' Nodes and Tensors, which can be had from here too. A graph only
grows: nodes stand in the order in which they were made, which is the program order, and a built
node never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from shared import dispatch
from shared.dims import Dim, dims_in
from shared.durable.interrupts import block, within
from shared.errors import FinalizedError, GraphError, SettingError, UnknownNameError
from shared.sizes.atoms import Symbol
from shared.usage.door import methods
from static.graph.built import Built
from static.graph.guard import guarded
from static.graph.nodes import (
    ASSIGN,
    CONSTANT,
    GROUP,
    INITIAL,
    PLACEHOLDER,
    READ,
    Call,
    Node,
    Special,
    Tensor,
    controls,
    current_call,
    edge_of,
    symbols_of,
)

__all__ = [
    "ASSIGN", "CONSTANT", "Call", "GROUP", "Graph", "INITIAL", "Node", "PLACEHOLDER", "READ", "Special",
    "Tensor", "building", "call_within", "controls", "current_call", "edge_of", "get_default_graph",
    "innermost", "name_scope", "reset_default_graph", "symbols_of",
]  # fmt: skip

if TYPE_CHECKING:
    from static.graph.variables import Variable


class Graph:
    """Nodes in program order, and the variables that they read and assign.

    nodes      in the order in which they were made
    assigns    those among them that assign to a variable
    variables  in the order in which they were made, or first met
    seed       from which the random ops' own seeds come; see `set_random_seed`

    `with graph.as_default():` makes it the graph that new nodes go to. Several threads may build one graph,
    each in a block of its own: the nodes of each come in its order, those of all in one.
    """

    stores = True
    """Whether what is assigned is there in the next run, so that States which it was built of are watched."""

    over = ""
    """Of a graph that nothing can be added to any more: why, and the way out."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.finalized = False
        self.seed: int | None = None
        self.collections: dict[str, list[Any]] = {}
        self.named_variables: dict[str, Variable] = {}
        self.scopes: dict[str, int] = {}  # how often each variable scope was opened
        self.root_scope: Any = None  # what of the scopes holds outside of all: see `static.graph.scopes`
        self.variables: list[Variable] = []
        self._seeds = 0
        self._names: dict[str, Node] = {}
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}
        self.lifted: dict[int, Variable] = {}
        self.settings = Built()
        self._dims: dict[str, Dim] = {}
        self._reads: dict[Variable, Tensor] = {}
        self._sources: dict[Symbol, Tensor] = {}
        self.sizes: dict[Any, Tensor] = {}  # what stands for sizes: see `static.graph.sizes`
        self.assigns: list[Node] = []

    def __repr__(self) -> str:
        return f"<static.Graph of {len(self.nodes)} nodes, {len(self.variables)} variables>"

    @block
    def as_default(self) -> within:
        """Within the block, and in this thread, new nodes go to this graph."""
        return within(*self.defaults(), gives=self)

    def defaults(self) -> list[tuple[ContextVar[Any], Any]]:
        """What makes it the default: `within` takes it."""
        return [(current_call, None), (_default, self), dispatch.charge(dispatch.engine_of_type(Tensor))]

    def check_open(self, name: str) -> None:
        """FinalizedError if nothing may be added any more, `name` for one."""
        if self.finalized:
            raise FinalizedError(
                f"the graph is finalized and cannot be modified, but {name!r} was to be added: is an op "
                "made inside the training loop? Build everything before graph.finalize()"
            )

    @guarded
    def add(self, node: Node) -> int:
        """Take a new node in; gives its place in the order."""
        self.check_open(node.name)
        node.order = len(self.nodes)  # before anybody finds it
        self.nodes.append(node)
        self._names[node.name] = node
        needed = symbols_of(node)
        for tensor in node.outputs:
            self.note_sizes(tensor, needed, node.inputs)
        return node.order

    @guarded
    def unique_name(self, name: str, call: Call | None) -> str:
        """`name` inside its scope, numbered if it is taken."""
        full = unique = f"{call.name}/{name}" if call is not None and call.name else name
        count = self._counts.get(full, 0)
        while unique in self._taken:
            count += 1
            unique = f"{full}_{count}"
        self._counts[full] = count
        self._taken.add(unique)
        return unique

    @guarded
    def rename(self, node: Node, name: str) -> None:
        """Give a node, which nobody knows yet by its name, another one."""
        del self._names[node.name]
        self._taken.discard(node.name)
        node.name = self.unique_name(name, node.call)
        self._names[node.name] = node

    def finalize(self) -> None:
        """Refuse new nodes from now on: what guards a training loop against making ops in it."""
        self.finalized = True

    def get_operations(self) -> list[Node]:
        """The nodes, in program order."""
        return list(self.nodes)

    def root(self) -> Graph:
        """The graph that this one is, or is a body somewhere in: the one that holds variables."""
        return self

    @guarded
    def next_seed(self) -> int:
        """A seed for one more random op: drawn afresh, or by the op's place from the graph's seed."""
        self._seeds += 1
        if self.seed is None:
            return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        return int(np.random.SeedSequence([self.seed, self._seeds]).generate_state(1, np.uint64)[0])

    def dim(self, name: str | None) -> Dim:
        """An unknown size: a fresh one, or the one that goes by `name` in this graph."""
        if name is None:
            return Dim()
        return self._dims.setdefault(name, Dim(name))

    def note_sizes(
        self, tensor: Tensor, needed: Container[Symbol] = (), inputs: Sequence[Any] = ()
    ) -> None:
        """Remember a Tensor as the place where its unknown sizes can be read off; but not those
        that are needed to make it, or that came with what it was made of."""
        for size in tensor.sizes:
            symbol = size.symbol() if isinstance(size, Dim) else None
            if symbol is None or symbol in self._sources or symbol in needed:
                continue
            shapes = [x.sizes for x in inputs if isinstance(x, Tensor)]
            if not any(symbol in dim.symbols() for dim in dims_in(shapes)):
                self._sources[symbol] = tensor

    def source_of(self, symbol: Symbol) -> Tensor | None:
        """The first Tensor made that has this unknown size on an axis: where a run reads it."""
        return self._sources.get(symbol)

    def find(self, name: str) -> Node | None:
        """The node of this name, or None."""
        return self._names.get(name)

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The Tensor called `node:index`, such as `x:0`; UnknownNameError if there is none."""
        return self.named(name)

    def get_operation_by_name(self, name: str) -> Node:
        """The node of a name, such as `x`; UnknownNameError if there is none."""
        node = self._names.get(name)
        if node is None:
            raise UnknownNameError(
                f"get_operation_by_name: no node is called {name!r} (there are {len(self.nodes)} nodes; "
                "static.show(graph) lists them)"
            )
        return node

    def named(self, name: str) -> Tensor:
        """The same, for what is called by another name."""
        node_name, _, index = name.partition(":")
        node = self._names.get(node_name)
        if node is None or not index.isdecimal() or int(index) >= len(node.outputs):
            raise UnknownNameError(
                f"the name {name!r} can not be interpreted as a Tensor of this graph; names look "
                f"like 'x:0' (there are {len(self.nodes)} nodes; static.show(graph) lists them)"
            )
        return node.outputs[int(index)]

    @guarded
    def read(self, variable: Variable) -> Tensor:
        """A variable's value at this point of the program."""
        tensor = self._reads.get(variable)
        if tensor is None:
            with within((current_call, None), (controls, ())):
                node = Node(self, READ, (), {"variable": variable}, [variable.spec], variable.name + "/read")
            tensor = self._reads[variable] = node.outputs[0]
        return tensor

    @guarded
    def assign(
        self, variable: Variable, value: Tensor, owner: Node | None = None, update: bool = False
    ) -> Tensor:
        """A node that makes `value` what the variable holds; from here on a read of it is a new
        one, that sees this assignment.

        owner   the node with whose runs it happens: the loop or branch inside which it was asked for
        update  whether a module has asked for it, of its own State: then runs of the owner see it,
                and only those that are asked to, store it
        """
        settings = {"variable": variable, "owner": owner, "update": update}
        node = Node(self, ASSIGN, (value,), settings, [variable.spec], variable.name + "/assign")
        self.assigns.append(node)
        self._reads.pop(variable, None)
        return node.outputs[0]

    _repr_html_: Callable[..., str]
    """In a notebook: the picture that `static.draw` makes. See `static.look.views`, which binds it."""

    save: Callable[..., None]
    """`graph.save(path, outputs, inputs, session)`: see `static.archive.save`, which binds it."""

    export_onnx: Callable[..., None]
    """`graph.export_onnx(path, outputs, inputs, session)`: see `static.export_onnx`."""

    def capture(self, tensor: Tensor) -> Tensor:
        """What stands in this graph for a Tensor of a graph around it; see `Body`."""
        raise GraphError(f"{tensor.name!r} is not of this graph")

    def waits_for(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Those of some nodes for which a new one of this graph can wait; see `Body` for the others."""
        return tuple([node for node in nodes if node.graph is self])

    def is_inside(self, other: Graph) -> bool:
        """Whether this graph is `other`, or the body of a loop or branch somewhere in it."""
        return self is other


methods(Graph, "get_operation_by_name", "get_tensor_by_name")


class _Global:
    """The default graph of whoever sets up none."""

    graph = Graph()


_default: ContextVar[Graph | None] = ContextVar("default_graph", default=None)


def building(graph: Graph) -> AbstractContextManager[Any]:
    """`graph.as_default()`, unless it is the default already: then scopes stay open."""
    return nullcontext() if get_default_graph() is graph else graph.as_default()


def get_default_graph() -> Graph:
    """The graph that new nodes go to: the innermost `as_default()`, else the global one."""
    return _default.get() or _Global.graph


def innermost(graph: Graph) -> Graph:
    """The graph to build in where `graph` is meant: the body that is being written, if it is
    inside `graph`, else `graph` itself."""
    current = get_default_graph()
    return current if current.is_inside(graph) else graph


def reset_default_graph() -> None:
    """Put a new, empty graph in the place of the global one."""
    _Global.graph = Graph()


@block
def name_scope(name: str | None = None, default_name: str | None = None, values: Any = None) -> within:
    """Nodes made within the block are named, and drawn, inside `name`, which may be a path. One that ends in
    "/" is a path from the top, and enters the scope of that name once more; "" is the top itself.
    default_name stands for a name that is None; values change nothing."""
    name = default_name if name is None else name
    if not isinstance(name, str):
        raise SettingError(f"name_scope: {name!r} is no name; give a string")
    return call_within(get_default_graph(), name, current_call.get())


def call_within(graph: Graph, name: str, parent: Call | None, module: bool = False) -> within:
    """A name scope in a graph and in another call. module: whether it is the call of a module."""
    if not name or name.endswith("/"):
        call = Call(name.rstrip("/"), parent, module, whole=True)
    else:
        call = Call(graph.unique_name(name, parent), parent, module, whole=True)
    return within((current_call, call), gives=call)


