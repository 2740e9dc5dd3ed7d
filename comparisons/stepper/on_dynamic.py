"""One step in define-by-run: the tape grows as ops run, and backward consumes it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import dynamic
from comparisons.stepper.recorder import Json, Recorder, boxes_of, parts_of
from shared.picture import CONSTANT, PARAMETER
from shared.state import Parameter
from shared.watch import hooks


class DynamicRecorder(Recorder):
    """Its boxes are the tape's nodes, `op0`, `op1`, ... in the order in which they ran, and what
    leads into them from outside, by the script's names."""

    engine = "dynamic"

    def __init__(self, script: Path) -> None:
        super().__init__(script)
        self.leaves: dict[str, None] = {}
        self.made = 0
        self.nodes: list[weakref.ref[Any]] = []  # the tape's own, once a Tensor leads to them
        self.behind = 0  # rules that have run
        self.data: dict[str, weakref.ref[Any]] = {}
        self.graph: Json = {}

    def record(self) -> Json:
        return {**super().record(), "graph": self.graph}

    def standing(self) -> list[str]:
        freed = {i for i, node in enumerate(self.nodes) if getattr(node(), "inputs", None) is None}
        ops = [f"op{i}" for i in range(self.made) if i not in freed]
        if not self.graph:  # still growing: every leaf was met by an op that stands
            return [*self.leaves, *ops]
        read = {a for a, b, _ in self.graph["edges"] if b in ops}
        return [*(leaf for leaf in self.leaves if leaf in read), *ops]

    def named(self) -> Iterator[tuple[str, str, str, Any]]:
        yield from super().named()
        for name, value in list(self.namespace.items()):
            box = name if name in self.leaves else ""
            if isinstance(value, dynamic.Tensor):
                yield name, box, "", value.data
            elif isinstance(value, Parameter):
                yield name, name, "", value.data
                if value.grad is not None:
                    yield f"{name}.grad", name, "gradient", value.grad.data

    def after(self, event: hooks.Event) -> None:
        self.phase = event.phase
        if event.phase == "forward":
            self._forward(event)
        else:
            self._backward(event)

    def _forward(self, event: hooks.Event) -> None:
        box = f"op{self.made}"
        self.made += 1
        for name, _, _, array in self.named():
            if any(array is given for given in event.inputs):
                self.leaves[name] = None
        for name, part, array in parts_of(event):
            self.note(array, name, box, part)
        self.moment("op", box, event.outputs, self.line_of(event.line))

    def _backward(self, event: hooks.Event) -> None:
        self.behind += 1
        number = self.made - self.behind
        sources = [edge[0] for edge in self.nodes[number]().edges if edge is not None]  # type: ignore[union-attr]
        seen: list[Any] = []
        for source, array in zip(sources, event.outputs, strict=True):
            if not any(array is one for one in seen):  # one array for both arguments of an add
                box = source.name if isinstance(source, Parameter) else self._box(source)
                self.note(array, f"gradient of {source.name}", box, "gradient")
                seen.append(array)
        self.moment("rule", f"op{number}", event.outputs, self.line_of(event.line))

    def _box(self, node: Any) -> str:
        return next(f"op{i}" for i, known in enumerate(self.nodes) if known() is node)

    def settle(self) -> None:
        """Draw the tape when there is one; know an update by the Parameters' new arrays."""
        self.changed.clear()
        tensors = [v for v in self.namespace.values() if isinstance(v, dynamic.Tensor) and not v.is_leaf]
        if tensors and not self.nodes:
            self._draw(tensors[-1])
        for name, value in self.namespace.items():
            if isinstance(value, Parameter):
                if self.made and name in self.data and self.data[name]() is not value.data:
                    self.phase = "update"
                    self.changed.append(value.data)
                self.data[name] = weakref.ref(value.data)

    def _draw(self, y: Any) -> None:
        found, stack = {}, [y.edge[0]]
        while stack:
            node = stack.pop()
            found[node.order] = node
            stack += [edge[0] for edge in node.edges if edge is not None and not edge[0].is_leaf]
        self.nodes = [weakref.ref(found[order]) for order in sorted(found)]
        graph = dynamic.to_networkx(y)
        names: dict[int, str] = {}
        for number, data in graph.nodes(data=True):
            if data["kind"] == PARAMETER:
                names[number] = data["name"]
            elif data["kind"] == CONSTANT:
                names[number] = next(n for n, _, _, array in self.named() if _same(array, data["value"]))
            else:
                names[number] = f"op{sum(name.startswith('op') for name in names.values())}"
        self.graph = boxes_of(graph, names)


def _same(a: Any, b: Any) -> bool:
    return a is b or (a.shape == b.shape and a.dtype == b.dtype and np.shares_memory(a, b))
