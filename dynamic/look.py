"""Looking at a tape: as text, as a networkx graph, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynamic.node import Edge, Leaf, Node
from dynamic.recompute import Checkpoint
from dynamic.tensors import Tensor
from shared import picture
from shared.errors import EngineError
from shared.picture import CONSTANT, INPUT, PARAMETER, Entry, Listing, Ref
from shared.spec import Spec, is_weak, spec_of
from shared.state import Parameter, State


def show(y: Tensor | Sequence[Tensor]) -> str:
    """The program that made `y` (a Tensor or several), as text: `print(dynamic.show(y))`.

    One line for each node, `%3: f32[32,10] = matmul %1 %2`, leaves first; under `anomaly()` with
    the user's line behind it. The tape knows only what a gradient flows through: an argument
    that none flows to is a `constant`, or `_` once backward has freed it.
    """
    return _listing("show", y).text()


def to_networkx(y: Tensor | Sequence[Tensor]) -> Any:
    """The tape behind `y` as a networkx MultiDiGraph: see `Listing.to_networkx`."""
    return _listing("to_networkx", y).to_networkx()


def draw(y: Tensor | Sequence[Tensor], path: str, limit: int = picture.LIMIT) -> str:
    """A picture of the tape behind `y`, written to `path` (.svg, .png, .pdf or .dot).

    See `shared.picture.draw`. To draw gradients too, make them with `create_graph=True` and
    pass them beside y.
    """
    return picture.draw(to_networkx(y), path, limit)


def _listing(call: str, y: Any) -> Listing:
    ys = list(y) if isinstance(y, (list, tuple)) else [y]
    for value in ys:
        if not isinstance(value, (Tensor, State)):
            raise EngineError(
                f"{call}: {value!r} is not a dynamic Tensor; pass what a computation gave, or a "
                "list of such (leave out a gradient that is None)"
            )
    return _Reader(ys).listing


class _Reader:
    """Writes the tape behind some Tensors down as a Listing."""

    def __init__(self, ys: Sequence[Tensor | State]) -> None:
        self.entries: list[Entry] = []
        self.positions: dict[int, int] = {}  # of a leaf or node, by id: all live as long as ys do
        self.arrays: dict[int, Ref] = {}  # kept outputs by id: a mask, a detached value
        for node in _nodes_behind(ys):
            self._node(node)
        self.listing = Listing("dynamic", self.entries, [self._result(y) for y in ys])

    def _node(self, node: Node) -> None:
        if isinstance(node, Checkpoint):
            kind = op = "checkpoint"
            name = getattr(node.fn, "__name__", type(node.fn).__name__)
        else:
            kind, op, name = "op", node.op.name, ""
        inputs = node.inputs or (None,) * len(node.edges)  # backward has freed them
        arguments = [self._argument(x, edge) for x, edge in zip(inputs, node.edges, strict=True)]
        position = self.positions[id(node)] = len(self.entries)
        specs = tuple(spec_of(y) for y in node.outputs)
        line = str(node.line) if node.line is not None else ""
        outputs = node.op.outputs or () if kind == "op" else ()
        self.entries.append(
            Entry(kind, op, specs, arguments, node.settings, name, line=line, names=outputs)
        )
        for index, value in enumerate(node.outputs):
            if not isinstance(value, Spec):
                self.arrays.setdefault(id(value), Ref(position, index, False))

    def _argument(self, value: Any, edge: Edge | None) -> Any:
        if edge is not None:
            node, index = edge
            return Ref(self.positions[id(node)], index, True) if isinstance(node, Node) else self._leaf(node)
        if isinstance(value, (Tensor, State)):
            value = value.numpy()
        if isinstance(value, Spec) or hasattr(value, "shape"):
            return self._constant(value)
        return value if is_weak(value) else None

    def _leaf(self, leaf: Leaf | State) -> Ref:
        position = self.positions.get(id(leaf))
        if position is None:
            position = self.positions[id(leaf)] = len(self.entries)
            kind = PARAMETER if isinstance(leaf, Parameter) else INPUT
            name = leaf.name if isinstance(leaf, State) else ""
            self.entries.append(Entry(kind, kind, leaf.outputs, name=name))
        return Ref(position, 0, True)

    def _constant(self, value: Any) -> Ref:
        """An array that no gradient flows to; one entry for all its uses, if a rule reads it."""
        known = self.arrays.get(id(value))
        if known is None:
            known = Ref(len(self.entries), 0, False)
            array = None if isinstance(value, Spec) else value
            self.entries.append(Entry(CONSTANT, CONSTANT, (spec_of(value),), value=array))
            if array is not None:
                self.arrays[id(value)] = known
        return known

    def _result(self, y: Tensor | State) -> Ref:
        return self._constant(y.numpy()) if y.edge is None else self._argument(None, y.edge)


def _nodes_behind(ys: Sequence[Tensor | State]) -> list[Node]:
    """Every node that the Tensors came from, in the order in which they were made."""
    found: dict[int, Node] = {}
    stack = [y.edge for y in ys]
    while stack:
        edge = stack.pop()
        node = None if edge is None else edge[0]
        if isinstance(node, Node) and node.order not in found:
            found[node.order] = node
            stack.extend(node.edges)
    return [found[order] for order in sorted(found)]
