"""A program in define-by-run: boxes come as ops run, and go as the tape is used up or let go."""

from __future__ import annotations

import sys
import weakref
from types import FrameType
from typing import Any

import dynamic
from comparisons.book.recorder import Recorder, typed, value_of
from dynamic import instrument
from dynamic.node import Node, lines
from dynamic.versions import next_order
from shared.state import State
from shared.watch import hooks


class DynamicRecorder(Recorder):
    """Its boxes are the ops that ran, and what leads into them: Tensors, Parameters and arrays."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.orders: dict[int, int] = {}  # of the tape: the place in the order of a node, and its box
        self.nodes: dict[int, weakref.ref[Node]] = {}  # by box
        self.leaves: dict[int, tuple[Any, int]] = {}  # by id: where gradients end, and its box
        self.at_work: int | None = None

    def gone(self) -> list[int]:
        return [i for i, box in enumerate(self.boxes) if self._is_gone(i, box)]

    def _is_gone(self, number: int, box: Any) -> bool:
        if number == self.at_work:
            return False
        if box["kind"] == "leaf":
            return not any(number == b and ref() is not None for ref, b in self.arrays.values())
        node = self.nodes[number]() if number in self.nodes else None
        return node is None or node.inputs is None

    def settle(self) -> None:
        for node in list(lines):
            if node.order in self.orders:
                self.nodes.setdefault(self.orders[node.order], weakref.ref(node))
        for name, value in self.values() if self.shows else ():
            if isinstance(value, dynamic.Tensor) and value.is_leaf and self.box_of(value.data) is None:
                self._leaf(name, value.data)

    def after(self, event: hooks.Event) -> None:
        if event.phase == "backward":
            self._rule(event)
        elif not self.draws:
            self.unseen += 1
        else:
            self._ran(event)

    def _ran(self, event: hooks.Event) -> None:
        sources = [self._source(x) for x in event.inputs if hasattr(x, "shape")]
        box = self.add(event.op.name, typed(event.outputs[0]), "op")
        for source in sources:
            self.join(source, box)
        for array in event.outputs:
            self.note(array, box)
        self.orders[next_order() + 1] = box  # the node, if there will be one, is made next
        self.at_work = box
        self.moment(box, event.outputs, [(box, value_of(event.outputs[0]))])
        self.at_work = None

    def _source(self, array: Any) -> int:
        found = self.box_of(array)
        return self._leaf("", array) if found is None else found

    def _leaf(self, name: str, array: Any) -> int:
        owner = None
        for called, value in self.values():
            if getattr(value, "data", None) is array:
                name, owner = called, value if isinstance(value, State) else value.edge and value.edge[0]
                break
            grad = getattr(value, "grad", None)
            if getattr(grad, "data", None) is array:
                name, owner = f"{called}.grad", None
                break
            if value is array:
                name = called
                break
        known = self.leaves.get(id(owner)) if owner is not None else None
        box = known[1] if known else self.add(name or "constant", typed(array), "leaf", name, value_of(array))
        if owner is not None:
            self.leaves[id(owner)] = owner, box
        self.note(array, box)
        return box

    def _rule(self, event: hooks.Event) -> None:
        node = _at_work()
        box = self.orders.get(node.order)
        if box is None or not self.shows:
            return
        ends = [edge[0] for edge in node.edges if edge is not None]
        grads = []
        for end, array in zip(ends, event.outputs, strict=False):
            to = self._box_of(end)
            if to is not None:
                grads.append((to, value_of(array)))
        self.moment(box, event.outputs, grads=grads, back=True)

    def _box_of(self, end: Any) -> int | None:
        """The box of where a gradient goes."""
        if isinstance(end, Node):
            return self.orders.get(end.order)
        return self.leaves[id(end)][1] if id(end) in self.leaves else None


def _at_work() -> Node:
    """The node whose rules are running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not instrument.vjp.__code__:
        frame = frame.f_back
    assert frame is not None
    node: Node = frame.f_locals["node"]
    return node
