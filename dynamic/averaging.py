"""Gradients that are averaged over ranks while backward still runs.

Which gradient will be ready when, the tape knows: a leaf's is, once the earliest node that reads it has been
differentiated. So nothing is guessed, and what this backward does not reach is known at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynamic.node import Edge
from shared.ops.complexes import conjugated
from shared.state import State, averaged


class Averaging:
    """The rounds of one backward, one for each group of Parameters that it reaches.

    places  by Parameter, its round and its place in it
    last    by node, the Parameters whose gradients are whole when it has been differentiated
    """

    def __init__(self, leaves: dict[State, Any], whole: bool) -> None:
        self.rounds: dict[Any, Any] = {}
        self.places: dict[State, tuple[Any, int]] = {}
        self.last: dict[Any, list[State]] = {}
        self.before: dict[State, Any] = {}
        for averager in dict.fromkeys(leaf.averager for leaf in leaves):
            self.rounds[averager] = made = averager.round()
            for place, parameter in enumerate(averager.parameters):
                self.places[parameter] = made, place
                if averager.behind and parameter.grad is not None:
                    self.before[parameter] = conjugated(parameter.grad.array)
                if parameter in leaves:
                    self.last.setdefault(leaves[parameter] if whole else None, []).append(parameter)
                elif whole:
                    self._ready(parameter, None)

    def arrived(self, node: Any, waiting: dict[Any, list[Any]]) -> None:
        """See `ReverseVisitor.arrived`."""
        for parameter in self.last.get(node, ()):
            self._ready(parameter, waiting.pop(parameter, (None,))[0])  # its average comes in its place
        for averager in self.rounds:
            averager.comm.progress()

    def _ready(self, parameter: State, g: Any) -> None:
        made, place = self.places[parameter]
        before = self.before.get(parameter)
        made.ready(place, g if before is None else before if g is None else before + g)

    def finish(self, found: dict[Edge, Any]) -> dict[Edge, Any]:
        """What was found, with the averages in place of this rank's own gradients."""
        for parameter, (made, place) in self.places.items():
            if place not in made.order:
                g = found.get((parameter, 0))
                before = self.before.get(parameter)
                made.ready(place, g if before is None else before if g is None else before + g)
        for averager, made in self.rounds.items():
            parameters = list(averager.parameters)
            for parameter, average in zip(parameters, made.finish(), strict=True):
                found.pop((parameter, 0), None)
                if average is not None:
                    found[parameter, 0] = average
                if averager.behind:
                    parameter.grad = None
            averager.behind = False
            averager.over(made)
        return found

    def recorded(self, found: dict[Edge, Any]) -> dict[Edge, Any]:
        """The same of gradients that are Tensors, by collectives that are recorded with them."""
        for averager in self.rounds:
            gradients = [found.get((p, 0)) for p in averager.parameters]
            like = next(g for g in gradients if g is not None)
            averages = averager.through(gradients, averager.parameters, like)
            for parameter, average in zip(averager.parameters, averages, strict=True):
                if average is not None:
                    found[parameter, 0] = average
        return found


def averaging(edges: Iterable[Edge], wanted: set[Edge] | None) -> Averaging | None:
    """What a backward from these edges has to average; None if nothing, as almost always."""
    if not averaged:
        return None
    leaves: dict[Any, Any] = {}  # with the earliest node that reads each
    nodes: set[Any] = set()
    stack: list[tuple[Any, Any]] = [(edge[0], None) for edge in edges]
    whole = True
    while stack:
        node, reader = stack.pop()
        if node.is_leaf:
            if getattr(node, "averager", None) is not None and (wanted is None or (node, 0) in wanted):
                before = leaves.get(node)
                if before is None or (reader is not None and reader.order < before.order):
                    leaves[node] = reader
        elif node not in nodes:
            nodes.add(node)
            whole = whole and node.pullback is not None  # else what it stands for is only known in its turn
            stack.extend([(edge[0], node) for edge in node.edges if edge is not None])
    for leaf in [leaf for leaf in leaves if not leaf.averager.on]:
        leaf.averager.behind = True
        del leaves[leaf]
    if None in leaves.values():
        whole = False
    return Averaging(leaves, whole) if leaves else None
