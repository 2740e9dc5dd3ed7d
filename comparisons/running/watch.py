"""Who watches a run: nobody, or a reader of plain lines. `live.py` has the moving picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from comparisons.running.pace import Pace
from comparisons.training.drive import Event
from comparisons.training.task import Task


class Watch:
    """Told of everything that happens; this one keeps silent. Open it as a `with` block."""

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def piece(self, name: str, pace: Pace) -> None:
        """A task, an experiment or another piece of the run begins."""

    def start(self, task: Task, engines: Sequence[str]) -> None:
        """A task starts to train."""

    def event(self, event: Event) -> None:
        """A training has gone one event further."""

    def finish(self, entry: dict[str, Any]) -> None:
        """All trainings of the task are over, and compared."""

    def note(self, text: str) -> None:
        """Something else is being done."""


class Lines(Watch):
    """Says it in lines, for logs and pipes: ten for each training, and what came of it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def piece(self, name: str, pace: Pace) -> None:
        self.say(f"{name} ({pace.said()})")

    def start(self, task: Task, engines: Sequence[str]) -> None:
        self.task, self.engines = task, list(engines)
        self.last: dict[str, float] = {}
        self.say(f"  {task.title}, {task.steps} steps on {' and '.join(engines)}")

    def event(self, event: Event) -> None:
        if event.phase in ("build", "compile"):
            self.say(f"  {event.engine:<8}{event.phase} {event.seconds * 1e3:.1f} ms")
        if event.phase != "step" or event.loss is None:
            return
        self.last[event.engine] = event.loss
        every = max(self.task.steps // 10, 1)
        if event.engine == self.engines[-1] and event.step % every == 0:
            losses = "   ".join(f"{engine} {loss:.6f}" for engine, loss in self.last.items())
            self.say(f"  step {event.step:>5}/{self.task.steps}   loss: {losses}")

    def finish(self, entry: dict[str, Any]) -> None:
        self.say(f"  {summary(entry)}")

    def note(self, text: str) -> None:
        self.say(f"  {text}")


def summary(entry: dict[str, Any]) -> str:
    """One sentence on what a task's training came to."""
    accuracies = {e: found["accuracy"] for e, found in entry["engines"].items() if "accuracy" in found}
    said = ", ".join(f"{engine} {100 * a:.2f} %" for engine, a in accuracies.items())
    tests = f"; test accuracy: {said}" if accuracies else ""
    evidence = entry["verify"]
    if evidence is None:
        return f"trained{tests}"
    if not evidence["equal"]:
        first = evidence["first_difference"]
        where = f"the losses part at step {first['step']}" if first else "the final states differ"
        return f"THE ENGINES DIFFER: {where}{tests}"
    if evidence["tolerance"] is not None:
        return f"equal within {evidence['tolerance']:g}: {evidence['steps']} losses{tests}"
    return f"equal bit for bit: {evidence['steps']} losses, {evidence['arrays']} arrays of state{tests}"
