"""What the engines cost: time by phase and peak memory, each measured in runs of its own.

Every engine has a process of its own (`meter.py`), started fresh for each task, and static a second
one for its level "fast", since the training scripts ask for "exact". The first run
in it is cold: kernels load, caches are empty. The runs after it are warm, and the engines take
turns run by run, so that whatever else the machine does meets both alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median, median_low
from typing import Any, cast

from comparisons.statistics.spread import spread
from comparisons.statistics.tally import tally
from comparisons.training.drive import EXACT, FAST
from comparisons.training.task import Task
from comparisons.training.verify import levels_apart
from shared.durable import files

QUICK = {"runs": 15, "steps": 15, "counts": 3}
FULL = {"runs": 31, "steps": 50, "counts": 5}
"""How many whole runs are timed, and the steps of each: a run is one sample, however many steps it has; and
of how many runs the memory is counted."""
MEMORY_STEPS = 6


class MeterError(RuntimeError):
    """A meter stopped before it had answered; the text is what it said last."""


class Meter:
    """A running `meter.py`; `imported` says how long its imports took."""

    def __init__(self, task: Task, engine: str, level: str = EXACT) -> None:
        self._ends = ExitStack()
        kernels = self._ends.enter_context(files.scratch())  # none that another has compiled: cold is cold
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "comparisons.measuring.meter", task.name, engine, level, task.device],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True,
            env=os.environ | {"DIPTYCH_CACHE": str(kernels)},
        )  # fmt: skip
        try:
            self.imported = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, meter: str, steps: int, seed: int) -> dict[str, Any]:
        """One measured run: "time", "memory" or "inside"."""
        assert self._process.stdin is not None
        request = {"meter": meter, "steps": steps, "seed": seed}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._said.seek(0)
            last = self._said.read().strip().rpartition("\n")[2]
            raise MeterError(last or "the meter stopped without a word")
        return cast("dict[str, Any]", json.loads(line))

    def close(self) -> None:
        """End the process; it holds nothing worth waiting for."""
        self._process.kill()
        self._process.communicate()
        self._said.close()
        self._ends.close()


@contextmanager
def meters(
    task: Task, engines: Sequence[str], watch: Callable[[str], None] = lambda text: None
) -> Iterator[dict[str, Meter]]:
    """A fresh meter for each engine, and beside static one for its level "fast", by the name of the
    engine or of the level; started one after the other."""
    with ExitStack() as stack:
        started = {}
        wanted = {engine: (engine, EXACT) for engine in engines}
        if "static" in wanted:
            wanted[FAST] = ("static", FAST)
        for name, variant in wanted.items():
            watch(f"{task.name}: a fresh process for {name}")
            started[name] = Meter(task, *variant)
            stack.callback(started[name].close)
        yield started


def measure(
    task: Task,
    started: dict[str, Meter],
    seed: int = 0,
    full: bool = False,
    watch: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Time and memory by engine, and of static at its level "fast", as JSON, from meters that have not
    trained yet; times in seconds, sizes in bytes.

    cold    {import_numpy, import_engine, build, compile, first_step} of a fresh process; an
            engine that does not compile has no such phase
    warm    {build, compile, first_step, start, step}: each the spread over the warm runs; start
            is all up to the end of the first step, and step the median of a run's later steps
    memory  {ready, between, peak}: held before the first step, held between steps, and the highest
            point within a step (medians of the steps), all beyond the data set; each the tally of runs
    losses  of "fast": how far they are from those at "exact", as `verify.levels_apart` says
    """
    plan = FULL if full else QUICK
    steps = min(plan["steps"], task.steps)
    times: dict[str, list[dict[str, Any]]] = {engine: [] for engine in started}
    watch(f"{task.name}: first runs, cold")
    cold = {engine: _cold(meter.imported, meter.ask("time", 1, seed)) for engine, meter in started.items()}
    for run in range(plan["runs"]):
        watch(f"{task.name}: timing, run {run + 1} of {plan['runs']}")
        for engine in started if run % 2 == 0 else reversed(started):
            times[engine].append(started[engine].ask("time", steps, seed))
    watch(f"{task.name}: memory")
    engines = {
        engine: {
            "cold": cold[engine],
            "warm": _warm(times[engine]),
            "memory": _memory([meter.ask("memory", MEMORY_STEPS, seed) for _ in range(plan["counts"])]),
        }
        for engine, meter in started.items()
    }
    fast = engines.pop(FAST, None)
    if fast is not None:
        fast["losses"] = levels_apart(*(times[level][0]["losses"] for level in ("static", FAST)))
    return {"runs": plan["runs"], "steps": steps, "engines": engines, "fast": fast}


def _cold(imported: dict[str, float], run: dict[str, Any]) -> dict[str, float]:
    imports = {"import_numpy": imported["numpy"], "import_engine": imported["engine"]}
    return imports | run["phases"] | {"first_step": run["steps"][0]}


def _warm(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = [run["steps"][0] for run in runs]
    later = [median(run["steps"][1:] or run["steps"]) for run in runs]
    before = [sum(run["phases"].values()) for run in runs]
    phases = {name: spread([run["phases"][name] for run in runs]) for name in runs[0]["phases"]}
    return phases | {
        "first_step": spread(first),
        "start": spread([a + b for a, b in zip(before, first, strict=True)]),
        "step": spread(later),
    }


def _memory(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    def steady(steps: list[int]) -> int:
        return median_low(steps[1:] or steps)  # the first step also fills caches

    return {
        "ready": tally([run["ready"] for run in runs]),
        "between": tally([steady(run["between"]) for run in runs]),
        "peak": tally([steady(run["peaks"]) for run in runs]),
    }
