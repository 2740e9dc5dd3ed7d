"""One step in define-and-run: the graph is described node by node, compiled, and then run."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import static
from comparisons.stepper.recorder import Json, Recorder, boxes_of, parts_of
from shared.picture import PARAMETER, VARIABLE
from shared.source import GENERATED
from shared.state import Parameter, State
from shared.watch import hooks
from static.graph.graph import ASSIGN, GROUP, INITIAL, PLACEHOLDER, READ


class _Told(static.Graph):
    """A graph that says when a node was added."""

    def __init__(self, told: Callable[[Any], None]) -> None:
        super().__init__()
        self.told = told

    def add(self, node: Any) -> int:
        place = super().add(node)
        self.told(node)
        return place


class StaticRecorder(Recorder):
    """Its boxes are the nodes that a training step needs, by their names, and its variables.

    Groups, and what sets the first values, are counted and not drawn.
    """

    engine = "static"

    def __init__(self, script: Path) -> None:
        super().__init__(script)
        self.graph = _Told(self._added)
        self.made: dict[str, None] = {}
        self.program = ""
        self.phases: dict[str, str] = {}
        self.grew = False

    def record(self) -> Json:
        with self.graph.as_default():
            found = super().record()
        whole = static.to_networkx(self._asked())
        names = {n: _box_of(data) for n, data in whole.nodes(data=True) if data["kind"] != GROUP.name}
        return {**found, "graph": boxes_of(whole, names), "phases": self.phases, "program": self.program}

    def standing(self) -> list[str]:
        return list(self.made)

    def count(self) -> int:
        return static.to_networkx(self.graph).number_of_nodes() if self.graph.nodes else 0

    def calls(self, state: State) -> str:
        """Apart from the variable of the same name, whose value the session holds."""
        return f"{state.name} ({'Parameter' if isinstance(state, Parameter) else 'optimiser'})"

    def _asked(self) -> list[Any]:
        return [self.namespace["loss"], self.namespace["train"]]

    # --- describing ---

    def _added(self, node: Any) -> None:
        self.phase, self.grew = "describe", True
        first = node.op is ASSIGN and node.inputs[0].node.op is INITIAL
        box = _box(node)
        if node.op in (GROUP, INITIAL) or first or box in self.made:
            return
        self.made[box] = None
        self.moment("node", box, line=self.line_of(node.line))

    def settle(self) -> None:
        if self.phase == "describe" and not self.grew:
            self.phase = "compile"
        self.grew = False
        if not self.phases and "train" in self.namespace:
            self.phases = self._sides()
        if self.program:
            self._kept()

    def _sides(self) -> dict[str, str]:
        """What each box is for, as the phase in which it runs."""
        to_loss = {_box_of(data) for _, data in static.to_networkx(self._asked()[0]).nodes(data=True)}
        return {
            box: "forward" if box in to_loss
            else "backward" if data["scope"].startswith("gradients")
            else "update"
            for _, data in static.to_networkx(self._asked()).nodes(data=True)
            if (box := _box_of(data))
        }  # fmt: skip

    # --- running ---

    def after(self, event: hooks.Event) -> None:
        node = self.graph.find(event.name)
        assert node is not None, event.name
        if node.op is INITIAL:
            name = node.settings["variable"].name
            self.note(event.outputs[0], name, name)
            return
        for tensor, array in zip(node.inputs, event.inputs, strict=True):
            if isinstance(tensor, static.Tensor) and tensor.node.op in (READ, PLACEHOLDER):
                box = _box(tensor.node)
                self.note(array, box, box)
        box = _box(node)
        self.phase = self.phases[box]
        for name, part, array in parts_of(event):
            self.note(array, name, box, part)
        self.moment("op", box, event.outputs, program=self._place())

    def _place(self) -> int | None:
        """The line of the generated program that is running."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not frame.f_code.co_filename.startswith(GENERATED):
            frame = frame.f_back
        if frame is None:
            return None
        self.program = self.program or "".join(linecache.getlines(frame.f_code.co_filename))
        return frame.f_lineno

    def _kept(self) -> None:
        """The run is over: what was assigned is the variables', and what was fed has gone."""
        stored = {_box(node.inputs[0].node): node.settings["variable"].name for node in self.graph.assigns}
        fed = {_box(node) for node in self.graph.nodes if node.op is PLACEHOLDER}
        for value in self.values:
            if value.node in stored:
                value.name = value.node = stored[value.node]
            elif value.node in fed:
                value.node = ""


def _box(node: Any) -> str:
    """What the picture calls a node: all reads of a variable are one box."""
    if node.op is READ:
        return node.settings["variable"].name
    return f"assign {node.settings['variable'].name}" if node.op is ASSIGN else node.name


def _box_of(data: Json) -> str:
    """The same, from a node of the networkx graph."""
    if data["kind"] in (PARAMETER, VARIABLE):
        return data["name"]
    return f"assign {data['name']}" if data["kind"] == ASSIGN.name else data["name"]
