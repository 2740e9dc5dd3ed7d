"""What a run needs: the nodes behind its fetches, with the assignments that their reads see (the rule is
in `assignments.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.dims import Dim
from shared.sizes.atoms import Symbol
from static.graph.assignments import is_update, reaching
from static.graph.graph import ASSIGN, READ, Call, Graph, Node, Tensor, symbols_of
from static.graph.variables import Variable


@dataclass
class Selection:
    """The nodes of one run, in program order; for each read that sees an assignment, the
    assigned Tensor; and what each variable is to hold when the run is over."""

    nodes: list[Node]
    seen: dict[Node, Tensor]
    stores: dict[Variable, Tensor]

    def reads(self) -> set[Variable]:
        """The variables whose values at the beginning it needs."""
        return {node.settings["variable"] for node in self.nodes if node.op is READ and node not in self.seen}

    def variables(self) -> set[Variable]:
        """All that it reads or stores."""
        return self.reads() | self.stores.keys()


def select(graph: Graph, targets: Iterable[Node | Tensor], fed: Iterable[Tensor] = ()) -> Selection:
    """The nodes that a run of `targets` needs when the Tensors `fed` are given."""
    stop = set(fed)
    needed: dict[Node, None] = {}
    calls: set[Call] = set()
    stored: set[Node] = set()
    stack: list[Node] = []

    def need(value: Any) -> None:
        if isinstance(value, Tensor) and value not in stop:
            stack.append(value.node)

    def walk() -> None:
        while stack:
            node = stack.pop()
            if node in needed:
                continue
            needed[node] = None
            if node.call is not None:
                calls.update(node.call.modules())
            for value in node.inputs:
                need(value)
            stack.extend(node.control)
            for symbol in symbols_of(node):
                source = defining(graph, symbol, stop)
                if source is not None:
                    need(source)
            if node.op is ASSIGN:
                stored.add(node)

    for target in targets:
        if isinstance(target, Node):
            stack.append(target)
        else:
            need(target)
    walk()
    assigns: dict[Variable, list[Node]] = {}
    for node in graph.assigns:
        assigns.setdefault(node.settings["variable"], []).append(node)
    seen: dict[Node, Tensor] = {}
    while True:  # a read may bring in more nodes, and so more calls; both only ever grow
        before = len(needed), len(seen)
        stack.extend(n for n in graph.assigns if n.settings["owner"] in needed and not n.settings["update"])
        walk()
        for read in [node for node in needed if node.op is READ]:
            found = reaching(read, assigns.get(read.settings["variable"], ()), stored, calls, needed)
            if found is not None:
                seen[read] = found.inputs[0]
                need(found.inputs[0])
        walk()
        if (len(needed), len(seen)) == before:
            break
    nodes = sorted(needed, key=lambda node: node.order)
    stores = {node.settings["variable"]: node.inputs[0] for node in nodes if node in stored}
    return Selection(nodes, seen, stores)


def updates(loss: Tensor) -> list[Node]:
    """The updates by the module calls that `loss` depends on."""
    graph = loss.graph
    needed = dict.fromkeys(select(graph, [loss]).nodes)
    calls = {c for node in needed if node.call for c in node.call.modules()}
    return [node for node in graph.assigns if is_update(node, calls, needed)]


# --- unknown sizes -------------------------------------------------------------------------


def axis_of(tensor: Tensor, symbol: Symbol) -> int | None:
    """The axis of a Tensor whose size is this symbol and nothing else."""
    for axis, size in enumerate(tensor.sizes):
        if isinstance(size, Dim) and size.symbol() is symbol:
            return axis
    return None


def defining(graph: Graph, symbol: Symbol, fed: set[Tensor]) -> Tensor | None:
    """A Tensor that has this size on one axis: a fed one if any, else the first made."""
    for tensor in fed:
        if axis_of(tensor, symbol) is not None:
            return tensor
    return graph.source_of(symbol)

