"""A program in define-and-run: boxes come as nodes are described, and values when a session runs them."""

from __future__ import annotations

from typing import Any

import static
from comparisons.book.recorder import Recorder, value_of
from shared.watch import hooks
from static.graph.graph import ASSIGN, CONSTANT, GROUP, INITIAL, PLACEHOLDER, READ


class _Told(static.Graph):
    """A graph that says when a node was added."""

    def __init__(self, told: Any) -> None:
        super().__init__()
        self.told = told

    def add(self, node: Any) -> int:
        place = super().add(node)
        self.told(node)
        return place


class StaticRecorder(Recorder):
    """Its boxes are the graph's nodes and variables. What sets first values, and groups, are no boxes."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.graph = _Told(self._added)
        self.names: dict[str, int] = {}

    def record(self) -> dict[str, Any]:
        with self.graph.as_default():
            return super().record()

    def _added(self, node: Any) -> None:
        first = node.op is ASSIGN and node.inputs[0].node.op is INITIAL
        if node.op in (GROUP, INITIAL) or first or called(node) in self.names:
            return
        if not self.draws:
            self.unseen += 1
            return
        box = self.names[called(node)] = self._box(node)
        for tensor in node.inputs:
            if isinstance(tensor, static.Tensor):
                self.join(self.names.get(called(tensor.node)), box)
        self.moment(box)

    def _box(self, node: Any) -> int:
        spec = node.outputs[0].spec if node.outputs else ""
        if node.op in (READ, ASSIGN):
            name = node.settings["variable"].name
            if node.op is READ:
                return self.add(name, spec, "leaf", name)
            return self.add(f"{name} \N{LEFTWARDS ARROW}", spec, "assign", name)
        if node.op is CONSTANT:
            return self.add("constant", spec, "leaf", "", value_of(node.settings["value"]))
        if node.op is PLACEHOLDER:
            return self.add(node.name, spec, "leaf", node.name)
        gradient = node.name.startswith("gradients")
        return self.add(node.op.name, spec, "gradient" if gradient else "op", node.name)

    def after(self, event: hooks.Event) -> None:
        node = self.graph.find(event.name)
        box = None if node is None else self.names.get(called(node))
        if node is None or box is None or not self.shows or box in self.worked:
            self.unseen += node is None or node.op is not INITIAL
            return
        self.worked.add(box)
        values = [(box, value_of(event.outputs[0]))]
        for tensor, array in zip(node.inputs, event.inputs, strict=False):
            if isinstance(tensor, static.Tensor) and tensor.node.op in (READ, PLACEHOLDER):
                values.append((self.names[called(tensor.node)], value_of(array)))
        self.moment(box, event.outputs, values)


def called(node: Any) -> str:
    """What tells a box from others: all reads of a variable are one."""
    if node.op is READ:
        return f"variable {node.settings['variable'].name}"
    return f"assign {node.settings['variable'].name}" if node.op is ASSIGN else node.name
