"""Nodes of what ran in a program and backward has gone through since: what they kept is freed, and they are
made when somebody asks for them."""

from __future__ import annotations

from typing import Any

from dynamic.node import Edge, Node
from dynamic.paths import Point
from shared.pullback import pullback_of
from shared.state import State
from shared.trace import Applied, Known, New

_slots: Any = Node
EARLY = -(2**62)
"""Before all other nodes."""


class FreedTape:
    """The tape of a call up to a point; `outside`, by number, where the gradients of what came from outside
    went."""

    def __init__(self, end: Point, outside: dict[int, Any]) -> None:
        self.end, self.outside = end, outside
        self.nodes: dict[int, FreedNode] = {}

    def edge(self, k: int) -> Edge | None:
        """Where the cotangent of a Tensor of a number goes."""
        event = self.end.maker(k)
        if k < event.first:
            return self.outside.get(k)
        if not isinstance(event, Applied) or not event.history[k - event.first]:
            return None
        node = self.nodes.get(event.first)
        if node is None:
            node = self.nodes[event.first] = FreedNode(self, event)
        return node, k - event.first

    def edges(self, event: Applied) -> list[Edge | None]:
        """Where those of the arguments of an op go."""
        found: list[Edge | None] = []
        for i, x in enumerate(event.args):
            if isinstance(x, State):
                found.append(None if i in event.frozen else (x, 0))
            else:
                found.append(self.edge(x.number) if isinstance(x, (Known, New)) else None)
        return found


class FreedNode(Node):
    """A node as backward leaves it; its edges are made when they are asked for."""

    __slots__ = ("tape", "event")

    def __init__(self, tape: FreedTape, event: Applied) -> None:
        wanted = (True,) * len(event.args)
        super().__init__(pullback_of(event.op, wanted), event.settings, [], [], event.outputs)
        self.tape, self.event = tape, event
        self.inputs, self.order = None, EARLY + event.first

    @property
    def edges(self) -> list[Edge | None]:
        found: list[Edge | None] = _slots.edges.__get__(self)
        if not found:
            found = self.edges = self.tape.edges(self.event)
        return found

    @edges.setter
    def edges(self, edges: list[Edge | None]) -> None:
        _slots.edges.__set__(self, edges)
