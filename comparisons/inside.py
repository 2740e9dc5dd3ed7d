"""What the engines hold while they train: their graphs, and static's generated program.

Everything is taken from the training scripts themselves: each is run through its first step
and its local variables are looked at where it stands.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from comparisons.task import Task
from comparisons.train import Training


def look_inside(task: Task, engine: str, seed: int = 0) -> dict[str, Any]:
    """As JSON: {nodes, picture} for dynamic; {nodes, variables, picture, program} for static.

    nodes      dynamic: on the tape of one step's loss; static: in the whole graph
    forward    how many of them lead to the loss
    picture    the graph that leads to the loss, as SVG
    program    the source that static generated for a training step
    """
    training = Training(task.with_steps(1), engine, seed)
    try:
        while (event := training.advance()) is not None and event.phase != "step":
            pass
        return {"dynamic": _of_dynamic, "static": _of_static}[engine](training.variables())
    finally:
        training.close()


def _of_dynamic(found: dict[str, Any]) -> dict[str, Any]:
    import dynamic

    loss = found["loss"]
    return {
        "nodes": dynamic.to_networkx(loss).number_of_nodes(),
        "picture": _drawn(lambda path: dynamic.draw(loss, path)),
    }


def _of_static(found: dict[str, Any]) -> dict[str, Any]:
    import static

    graph, loss, program = found["graph"], found["loss"], found["program"]
    return {
        "nodes": len(graph.nodes),
        "forward": static.to_networkx([loss]).number_of_nodes(),
        "variables": len(graph.variables),
        "picture": _drawn(lambda path: static.draw([loss], path)),
        "program": program,
    }


def _drawn(draw: Callable[[str], Any]) -> str:
    """The SVG that `draw(path)` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.svg"
        draw(str(path))
        return path.read_text(encoding="utf-8")
