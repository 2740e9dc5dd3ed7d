"""Runs tasks and experiments, and writes the report as it goes.

After every piece the whole report.json is written anew, so whatever happens later, what is
known by then stands on disk and the pages can be drawn from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from comparisons.machine import host
from comparisons.running import results
from comparisons.running.pace import Pace, durations
from comparisons.running.pieces import (
    experiment_entry,
    run_experiment,
    run_peers,
    run_recording,
    run_task,
    task_entry,
)
from comparisons.running.plan import Plan
from comparisons.running.recordings import RECORDINGS
from comparisons.running.watch import Watch


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
        **dict.fromkeys(RECORDINGS),
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
                do(task.name, "tasks", task_entry(task), partial(run_task, task, plan, report, watch, save))
            for experiment in plan.experiments:
                work = partial(run_experiment, experiment, plan, watch)
                do(experiment.name, "experiments", experiment_entry(experiment), work)
            for name in plan.record:
                do(name, "", {"status": "interrupted"}, partial(run_recording, name, watch))
            if plan.peers:
                entry = {
                    "status": "interrupted", "asked": list(plan.peers), "pythons": dict(plan.pythons)
                }  # fmt: skip
                do("peers", "", entry, partial(run_peers, plan, watch, save))
        report["status"] = "complete"
    except KeyboardInterrupt:
        pass
    save()
    return report


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
    pieces |= {name: report[name] for name in (*RECORDINGS, "peers") if report.get(name) is not None}
    return [name for name, piece in pieces.items() if piece["status"] == "failed"]


def _pace(plan: Plan, folder: Path) -> Pace:
    """The pieces of a plan, with what each took in the report that lies in the folder, if there is one."""
    names = [*(task.name for task in plan.tasks), *(experiment.name for experiment in plan.experiments)]
    names += [*plan.record, *["peers"] * bool(plan.peers)]
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
