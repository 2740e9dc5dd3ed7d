"""Runs tasks and experiments, and writes the report as it goes.

After every piece the whole report.json is written anew, so whatever happens later, what is
known by then stands on disk and the pages can be drawn from it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from comparisons import host, results
from comparisons.context import Context
from comparisons.experiment import Experiment
from comparisons.measure import measure, meters
from comparisons.pace import Pace, durations
from comparisons.task import Task
from comparisons.train import ENGINES, Training, in_step, script
from comparisons.verify import finite, verify
from comparisons.watch import Watch
from shared import nn

RACES = ("mlp", "cnn", "rnn", "lstm")
"""The bench's workloads that a run may race other systems in: those that are like tasks."""


@dataclass(frozen=True)
class Plan:
    """What to run, and how.

    engines  "dynamic", "static" or both
    steps    how many training steps, instead of what each task says
    full     long runs, and more repetitions of what is timed
    stepper  whether one training step is recorded, for the page that plays it
    command  what the reader types to get this again
    device   "cpu" or "cuda", for the tasks
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
    stepper: bool = False
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


def run(
    plan: Plan, folder: Path, watch: Watch, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Do it all; gives the report, which also lies in `folder`.

    before: the report of a run of the same plan that did not come to its end (`unlike` says whether
    it is one); what is done in it is taken from there.

    One piece that fails is reported as failed, and the others go on. Ctrl-C ends the run; the
    report is then marked as interrupted, holds what was done, and is given back as usual.
    """
    start = perf_counter()
    report: dict[str, Any] = {
        "format": results.FORMAT,
        "status": "interrupted",  # until the end is reached
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": plan.command,
        "engines": list(plan.engines),
        "seed": plan.seed,
        "full": plan.full,
        "steps": plan.steps,
        "seconds": 0.0,
        "device": plan.device,
        "host": host.describe(plan.device),
        "planned": [task.name for task in plan.tasks] + [e.name for e in plan.experiments],
        "loops": dict(before["loops"]) if before else {},
        "tasks": {},
        "experiments": {},
        "stepper": None,
        "peers": None,
    }
    spent = before["seconds"] if before else 0.0

    def save() -> None:
        report["seconds"] = spent + perf_counter() - start
        results.save(report, folder)

    pace = _pace(plan, folder)

    def do(name: str, kind: str, entry: dict[str, Any], work: Callable[[dict[str, Any]], None]) -> None:
        """One piece of a kind ("" for one that is its own): taken from the earlier run, or done; then it
        is on disk."""
        within: dict[str, Any] = report[kind] if kind else report
        others = before[kind] if before and kind else before
        earlier = others.get(name) if others else None
        if earlier is not None and earlier["status"] == "done":
            within[name] = earlier
            pace.skip(name)
            watch.note(f"{name}: done before")
            return
        pace.start(name)
        watch.piece(name, pace)
        within[name] = entry
        _guarded(entry, watch, partial(work, entry))
        pace.done()
        save()

    try:
        with watch:
            for task in map(plan.sized, plan.tasks):
                do(task.name, "tasks", _entry(task), partial(_task, task, plan, report, watch, save))
            for experiment in plan.experiments:
                work = partial(_experiment, experiment, plan, watch)
                do(experiment.name, "experiments", _card(experiment), work)
            if plan.stepper:
                do("stepper", "", {"status": "interrupted"}, partial(_stepper, watch))
            if plan.peers:
                entry = {
                    "status": "interrupted", "asked": list(plan.peers), "pythons": dict(plan.pythons)
                }  # fmt: skip
                do("peers", "", entry, partial(_peers, plan, watch, save))
        report["status"] = "complete"
    except KeyboardInterrupt:
        pass
    save()
    return report


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


def engines_differ(report: dict[str, Any]) -> bool:
    """Whether any task gave other numbers on one of the engines, or at one of static's levels numbers
    further apart than is stated."""
    tasks = report["tasks"].values()
    found = [task["verify"]["equal"] for task in tasks if task["verify"]]
    levels = [task["measure"]["fast"] for task in tasks if task["measure"]]
    return not all([*found, *(fast["losses"]["within"] for fast in levels if fast)])


def failures(report: dict[str, Any]) -> list[str]:
    """The names of the pieces that failed."""
    pieces = {**report["tasks"], **report["experiments"]}
    pieces |= {name: report[name] for name in ("stepper", "peers") if report.get(name) is not None}
    return [name for name, piece in pieces.items() if piece["status"] == "failed"]


def _pace(plan: Plan, folder: Path) -> Pace:
    """The pieces of a plan, with what each took in the report that lies in the folder, if there is one."""
    names = [*(task.name for task in plan.tasks), *(experiment.name for experiment in plan.experiments)]
    names += [*["stepper"] * plan.stepper, *["peers"] * bool(plan.peers)]
    try:
        earlier = results.load(folder)
    except results.ResultsError:
        return Pace(names, {})
    return Pace(names, durations(earlier, plan.full, plan.steps))


def _guarded(entry: dict[str, Any], watch: Watch, work: Callable[[], None]) -> None:
    start = perf_counter()
    try:
        work()
    except Exception as error:
        entry["status"] = "failed"
        entry["error"] = {"type": type(error).__name__, "message": str(error)}
        watch.note(f"failed: {type(error).__name__}: {error}")
    else:
        entry["status"] = "done"
    entry["seconds"] = perf_counter() - start


def _entry(task: Task) -> dict[str, Any]:
    return {
        "title": task.title,
        "short": task.short,
        "about": task.about,
        "status": "interrupted",
        "loop": task.loop,
        "model": inspect.getsource(task.model),
        "batch_size": task.batch_size,
        "steps": task.steps,
        "goal": task.goal,
        "device": task.device,
        "counted": task.counted,
        "kin": task.kin,
        "unlike": task.unlike,
        "engines": {},
        "verify": None,
        "measure": None,
        "inside": {},
    }


def _card(experiment: Experiment) -> dict[str, Any]:
    return {
        "title": experiment.title,
        "question": experiment.question,
        "dimension": experiment.dimension,
        "level": experiment.level,
        "status": "interrupted",
    }


def _task(
    task: Task, plan: Plan, report: dict[str, Any], watch: Watch, save: Callable[[], None],
    entry: dict[str, Any],
) -> None:  # fmt: skip
    """Train, compare, look inside, measure: each in runs of its own."""
    loops = report["loops"].setdefault(task.loop, {})
    for engine in plan.engines:
        loops[engine] = _shown(script(task, engine))
    examples = task.examples
    entry["examples"] = {"train": len(examples.train_y), "test": int(np.size(examples.test_y))}
    watch.start(task, plan.engines)
    trainings = [Training(task, engine, plan.seed) for engine in plan.engines]
    try:
        in_step(trainings, watch.event)
    finally:
        for training in trainings:
            entry["engines"][training.engine] = {"losses": [finite(loss) for loss in training.losses]}
            training.close()
    outcomes = {t.engine: t.outcome for t in trainings if t.outcome is not None}
    for engine, outcome in outcomes.items():
        if outcome.accuracy is not None:
            entry["engines"][engine]["accuracy"] = outcome.accuracy
        if task.show is not None:
            entry["engines"][engine]["shown"] = task.show(outcome.guesses, task)
    if len(outcomes) == len(ENGINES):
        entry["verify"] = verify(outcomes["dynamic"], outcomes["static"], task.tolerance)
    watch.finish(entry)
    save()
    with meters(task, plan.engines, watch.note) as started:
        entry["measure"] = measure(task, started, plan.seed, plan.full, watch.note)
        save()
        for engine, meter in started.items():
            if engine not in plan.engines:
                continue
            watch.note(f"{task.name}: looking inside {engine}")
            entry["inside"][engine] = meter.ask("inside", 1, plan.seed)


def _experiment(experiment: Experiment, plan: Plan, watch: Watch, entry: dict[str, Any]) -> None:
    """Run it, on a seed of its own; what it found must be JSON, and readable."""
    watch.note(f"{experiment.name}: {experiment.question}")
    context = Context(plan.full, plan.seed, lambda text: watch.note(f"{experiment.name}: {text}"))
    nn.manual_seed(plan.seed)
    found = json.loads(json.dumps(experiment.run(context), allow_nan=False))
    experiment.read(found)
    entry["found"] = found


def _stepper(watch: Watch, entry: dict[str, Any]) -> None:
    from comparisons import stepper

    watch.note("stepper: recording one training step on both engines")
    entry["found"] = stepper.record()


def _peers(plan: Plan, watch: Watch, save: Callable[[], None], entry: dict[str, Any]) -> None:
    """Race other systems beside ours, in the workloads that are like the tasks; what is known is on disk
    after each of them."""
    from comparisons.bench import command, race

    rounds, steps = (command.ROUNDS, None) if plan.full else (command.QUICK_ROUNDS, command.QUICK_STEPS)
    settings = race.Settings(rounds, steps, 1, plan.pythons)  # one thread, as in all of the report

    def note(text: str) -> None:
        watch.note(f"peers: {text}")

    def done(name: str, found: dict[str, Any]) -> None:
        entry["found"] = found
        save()

    entry["found"] = command.bench(plan.races, plan.peers, settings, not plan.full, note, done)
    if entry["found"]["status"] == "interrupted":
        raise KeyboardInterrupt


def _shown(module: Any) -> str:
    """A training script as the reader sees it: its imports and `train`, as they ran."""
    source = inspect.getsource(module)
    return source.removeprefix(f'"""{module.__doc__}"""').strip() + "\n"
