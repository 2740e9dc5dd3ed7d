"""The pieces of a run: a task, an experiment, a recording, the race with other systems."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.measuring.costs import measure, meters
from comparisons.running.plan import Plan
from comparisons.running.recordings import RECORDINGS
from comparisons.running.watch import Watch
from comparisons.training.drive import ENGINES, Training, in_step, script
from comparisons.training.task import Task
from comparisons.training.verify import finite, verify
from shared import nn


def task_entry(task: Task) -> dict[str, Any]:
    """What report.json says of a task before it has run."""
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


def experiment_entry(experiment: Experiment) -> dict[str, Any]:
    """What report.json says of an experiment before it has run."""
    return {
        "title": experiment.title,
        "question": experiment.question,
        "dimension": experiment.dimension,
        "level": experiment.level,
        "status": "interrupted",
    }


def run_task(
    task: Task, plan: Plan, report: dict[str, Any], watch: Watch, save: Callable[[], None],
    entry: dict[str, Any],
) -> None:  # fmt: skip
    """Train, compare, look inside, measure: each in runs of its own."""
    loops = report["loops"].setdefault(task.loop, {})
    for engine in plan.engines:
        loops[engine] = _shown(script(task, engine))
    examples = task.examples
    entry["examples"] = {
        "train": len(examples.train_y), "test": int(np.size(examples.test_y)),
        "shape": list(np.shape(examples.train_x)[1:]),
    }  # fmt: skip
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
        model = (array for name, array in outcome.states.items() if name.startswith("model/"))
        entry["parameters"] = sum(array.size for array in model)
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


def run_experiment(experiment: Experiment, plan: Plan, watch: Watch, entry: dict[str, Any]) -> None:
    """Run it, on a seed of its own; what it found must be JSON, and readable."""
    watch.note(f"{experiment.name}: {experiment.question}")
    context = Context(plan.full, plan.seed, lambda text: watch.note(f"{experiment.name}: {text}"))
    nn.manual_seed(plan.seed)
    with context.alone():
        found = json.loads(json.dumps(experiment.run(context), allow_nan=False))
    experiment.read(found)
    entry["found"] = found


def run_recording(name: str, watch: Watch, entry: dict[str, Any]) -> None:
    """Record what is to be played on a page of its own."""
    watch.note(f"{name}: {RECORDINGS[name].doing}")
    entry["found"] = RECORDINGS[name].record()


def run_peers(plan: Plan, watch: Watch, save: Callable[[], None], entry: dict[str, Any]) -> None:
    """Race other systems beside ours, in the workloads that are like the tasks; what is known is on disk
    after each of them."""
    from comparisons.bench import command, process

    rounds, steps = (command.ROUNDS, None) if plan.full else (command.QUICK_ROUNDS, command.QUICK_STEPS)
    settings = process.Settings(rounds, steps, 1, plan.pythons)  # one thread, as in all of the report

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
