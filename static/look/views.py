"""Looking at a graph: as text, as a networkx graph, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared import picture
from shared.errors import EngineError
from shared.op import Op
from shared.picture import CONSTANT, INPUT, PARAMETER, VARIABLE, Entry, Listing, Ref
from static.control.body import BodyOp, Part
from static.graph import graph as graphs
from static.graph.graph import ASSIGN, READ, Graph, Node, Tensor, edge_of, get_default_graph
from static.graph.select import select

_KINDS = {
    graphs.PLACEHOLDER: INPUT,
    graphs.CONSTANT: CONSTANT,
    graphs.ASSIGN: "assign",
    graphs.INITIAL: "initial",
    graphs.GROUP: "group",
}

Viewed = Graph | Tensor | Node | Sequence[Tensor | Node] | None
"""A graph (None: the default one), or what a run of it would fetch."""


def show(what: Viewed = None) -> str:
    """The program of a graph, or what a run of some Tensors and operations needs of it, as
    text: `print(static.show(g))`.

    One line for each node, `%3: f32[n,10] = matmul %1 %2`, with the user's line behind it;
    leaves first. Several reads of a variable are one leaf, named by the variable.
    """
    return _listing("show", what).text()


def to_networkx(what: Viewed = None) -> Any:
    """A graph, or what some Tensors and operations need of it, as a networkx MultiDiGraph: see
    `Listing.to_networkx`."""
    return _listing("to_networkx", what).to_networkx()


def draw(what: Viewed, path: str, limit: int = picture.LIMIT) -> str:
    """A picture of a graph, or of what some Tensors and operations need of it, written to
    `path` (.svg, .png, .pdf or .dot). Module calls and name scopes are boxes around their
    nodes. See `shared.picture.draw`.
    """
    return picture.draw(to_networkx(what), path, limit)


def _shown(graph: Graph) -> str:
    from shared.picture.notebook import as_picture

    return as_picture(to_networkx(graph), repr(graph))


Graph._repr_html_ = _shown


def _listing(call: str, what: Any) -> Listing:
    if what is None or isinstance(what, Graph):
        graph = get_default_graph() if what is None else what
        return _Reader(graph.nodes, _seen_in_calls(graph), ()).listing
    targets = list(what) if isinstance(what, (list, tuple)) else [what]
    for target in targets:
        if not isinstance(target, (Tensor, Node)) or target.graph is not targets[0].graph:
            raise EngineError(
                f"{call}: {target!r} is neither a static Graph nor a Tensor or operation of the same "
                "graph as the others; pass graph, or what you would fetch (for a variable v, "
                "v.value(); leave out a gradient that is None)"
            )
    if not targets:
        raise EngineError(f"{call}: an empty list; pass a Graph, or Tensors of one")
    selection = select(targets[0].graph, targets)
    return _Reader(selection.nodes, selection.seen, targets).listing


def _seen_in_calls(graph: Graph) -> dict[Node, Tensor]:
    """For each read the assigned Tensor that it sees when all of the graph is run: assignments
    made in module calls always count, others only in a run that fetches them."""
    held: dict[Any, Tensor] = {}
    seen: dict[Node, Tensor] = {}
    for node in graph.nodes:
        if node.op is ASSIGN and node.call is not None:
            held[node.settings["variable"]] = node.inputs[0]
        elif node.op is READ and node.settings["variable"] in held:
            seen[node] = held[node.settings["variable"]]
    return seen


def _inside(part: Part) -> Listing:
    """The body of a loop or branch as a program of its own."""
    given = [tensor.node for tensor in part.inputs]
    needed = select(part.body, part.results, part.inputs).nodes
    nodes = [*given, *(node for node in needed if node not in set(given))]
    return _Reader(nodes, {}, part.results, part).listing


class _Reader:
    """Writes nodes down as a Listing."""

    def __init__(
        self,
        nodes: Sequence[Node],
        seen: dict[Node, Tensor],
        targets: Sequence[Tensor | Node],
        part: Part | None = None,
    ) -> None:
        self.entries: list[Entry] = []
        self.places: dict[Any, int] = {}  # of a node, or of a variable that was not assigned
        for node in nodes:
            self._node(node, seen.get(node))
        results = [
            Ref(self.places[t.node], t.index, True)
            if isinstance(t, Tensor) else Ref(self.places[t], 0, False)
            for t in targets
        ]  # fmt: skip
        inputs = zip(part.inputs, part.arguments, strict=True) if part is not None else ()
        places = [(self.places[tensor.node], argument) for tensor, argument in inputs]
        self.listing = Listing("static", self.entries, results, places, part.carried if part else 0)

    def _node(self, node: Node, seen: Tensor | None) -> None:
        variable = node.settings.get("variable")
        if node.op is READ and seen is None and variable in self.places:
            self.places[node] = self.places[variable]
            return
        place = self.places[node] = len(self.entries)
        if node.op is READ and seen is None:
            self.places[variable] = place
        carries = self._carries(node)
        arguments = [
            Ref(self.places[x.node], x.index, carries and edge_of(x) is not None)
            if isinstance(x, Tensor) else x
            for x in node.inputs
        ]  # fmt: skip
        if seen is not None:
            arguments.append(Ref(self.places[seen.node], seen.index, False))
        kind, settings, value = self._kind(node), node.settings, None
        if node.op is graphs.CONSTANT:
            settings, value = {}, node.settings["value"]
        elif variable is not None:
            settings = {}
        self.entries.append(
            Entry(
                kind,
                node.op.name if kind == "op" else kind,
                tuple(tensor.spec for tensor in node.outputs),
                arguments,
                settings,
                node.name if variable is None else variable.name,
                node.call.name if node.call is not None else "",
                str(node.line) if node.line is not None else "",
                value,
                (node.op.outputs or ()) if isinstance(node.op, Op) else (),
                {name: _inside(part) for name, part in node.op.parts.items()}
                if isinstance(node.op, BodyOp) else {},
            )
        )  # fmt: skip

    def _kind(self, node: Node) -> str:
        if node.op is READ:
            return PARAMETER if node.settings["variable"].trainable else VARIABLE
        if isinstance(node.op, Op):
            return "op"
        return _KINDS.get(node.op, node.op.name)

    def _carries(self, node: Node) -> bool:
        """Whether a cotangent can come to the node at all."""
        return isinstance(node.op, Op) and any(
            node.op.carries_gradient(index, tensor.dtype) for index, tensor in enumerate(node.outputs)
        )
