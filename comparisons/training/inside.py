"""What the engines hold while they train: their graphs, and static's generated program.

Everything is taken from the training scripts themselves: each is run through its first step
and its local variables are looked at where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from comparisons.training.drive import Training
from comparisons.training.task import Task
from shared.durable import files


def look_inside(task: Task, engine: str, seed: int = 0) -> dict[str, Any]:
    """As JSON.

    nodes      dynamic: on the tape of one step's loss; static: in the whole graph
    picture    what leads to the loss, drawn, as SVG
    parts      static: how many of the nodes there are for what purpose
    program    static: the source that it generated for a training step
    """
    with _after_a_step(task, engine, seed) as found:
        return {"dynamic": _of_dynamic, "static": _of_static}[engine](found)


def program(task: Task, engine: str, seed: int = 0) -> str:
    """What leads to the loss, as the text that the engine's `show` gives."""
    import dynamic
    import static

    with _after_a_step(task, engine, seed) as found:
        return dynamic.show(found["loss"]) if engine == "dynamic" else static.show([found["loss"]])


def picture(task: Task, engine: str, path: Path, seed: int = 0) -> str:
    """The same, drawn to `path` (.svg, .png, .pdf or .dot); gives where it was written."""
    import dynamic
    import static

    with _after_a_step(task, engine, seed) as found:
        if engine == "dynamic":
            return dynamic.draw(found["loss"], str(path))
        return static.draw([found["loss"]], str(path))


@contextmanager
def _after_a_step(task: Task, engine: str, seed: int) -> Iterator[dict[str, Any]]:
    """The local variables of a training script that has made its first step."""
    training = Training(task.with_steps(1), engine, seed)
    try:
        while (event := training.advance()) is not None and event.phase != "step":
            pass
        yield training.variables()
    finally:
        training.close()


def _of_dynamic(found: dict[str, Any]) -> dict[str, Any]:
    import dynamic

    loss = found["loss"]
    return {
        "nodes": dynamic.to_networkx(loss).number_of_nodes(),
        "picture": drawn(lambda path: dynamic.draw(loss, path)),
    }


def _of_static(found: dict[str, Any]) -> dict[str, Any]:
    import static

    loss, train_op = found["loss"], found["train_op"]
    parts = _purposes(found["graph"], loss, train_op)
    return {
        "nodes": sum(parts.values()),
        "parts": parts,
        "picture": drawn(lambda path: static.draw([loss], path)),
        "program": found["session"].program([loss, train_op], list(found.get("feed", ()))),
    }


def _purposes(graph: Any, loss: Any, train_op: Any) -> dict[str, int]:
    """Static's nodes counted by what they are for."""
    import static

    def keys(what: Any) -> set[tuple[str, str]]:
        return {(node["kind"], node["name"]) for _, node in static.to_networkx(what).nodes(data=True)}

    to_loss, to_step = keys([loss]), keys([loss, train_op])
    counts = dict.fromkeys(("loss", "gradients", "update", "evaluation", "first values"), 0)
    whole = static.to_networkx(graph)
    for number, node in whole.nodes(data=True):
        key = node["kind"], node["name"]
        sources = {node["kind"], *(whole.nodes[n]["kind"] for n in whole.pred[number])}
        if "initial" in sources or (node["kind"] == "group" and key not in to_step):
            purpose = "first values"
        elif key in to_loss:
            purpose = "loss"
        elif key in to_step:
            purpose = "gradients" if node["scope"].startswith("gradients") else "update"
        else:
            purpose = "evaluation"
        counts[purpose] += 1
    return counts


def drawn(draw: Callable[[str], Any]) -> str:
    """The SVG that `draw(path)` writes."""
    with files.scratch() as folder:
        path = folder / "graph.svg"
        draw(str(path))
        return path.read_text(encoding="utf-8")
