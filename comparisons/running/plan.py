"""Plan: what a run is to do, and whether an earlier report is of the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from comparisons.lab.experiment import Experiment
from comparisons.machine import host
from comparisons.training.drive import ENGINES
from comparisons.training.task import Task

RACES = ("mlp", "cnn", "rnn", "lstm")
"""The bench's workloads that a run may race other systems in: those that are like tasks."""


@dataclass(frozen=True)
class Plan:
    """What to run, and how.

    engines  "dynamic", "static" or both
    steps    how many training steps, instead of what each task says
    full     long runs, and more repetitions of what is timed
    record   what is recorded, for the pages that play it: names in `RECORDINGS`
    command  what the reader types to get this again
    peers    other systems, by family or variant, to race beside ours in the bench's workloads
    pythons  by family: the Python to run a peer in, where it is not this one
    device   what the tasks are trained on: "cpu" or "cuda"
    """

    tasks: Sequence[Task]
    experiments: Sequence[Experiment]
    engines: Sequence[str] = ENGINES
    seed: int = 0
    steps: int | None = None
    full: bool = False
    record: Sequence[str] = ()
    command: str = "python -m comparisons run"
    peers: Sequence[str] = ()
    pythons: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"

    @property
    def races(self) -> tuple[str, ...]:
        """The workloads to race in: those that are kin to the tasks; if none is, all that are to any."""
        kin = {task.kin for task in self.tasks if task.kin}
        return tuple(name for name in RACES if not kin or name in kin)

    def sized(self, task: Task) -> Task:
        """The task with the number of steps that this plan gives it."""
        if self.steps is not None:
            return task.on(self.device).with_steps(self.steps)
        return task.on(self.device).full() if self.full else task.on(self.device)


def unlike(plan: Plan, before: Mapping[str, Any]) -> str:
    """What keeps a report from being gone on with by this plan, in words; "" if nothing does."""
    machine, other = host.describe(), before["host"]
    versions = [host_["packages"] | {"Python": host_["python"]} for host_ in (machine, other)]
    for what, now, then in (
        ("the engines", list(plan.engines), before["engines"]),
        ("the device", plan.device, before.get("device", "cpu")),
        ("the seed", plan.seed, before["seed"]),
        ("whether it is a full run", plan.full, before["full"]),
        ("the steps", plan.steps, before["steps"]),
        ("the processor", machine["processor"], other["processor"]),
        ("the versions", *versions),
    ):
        if now != then:
            return f"{what}: {then} there, {now} here"
    return ""
