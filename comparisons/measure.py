"""What the engines cost: time by phase and peak memory, each measured in runs of its own.

Every engine has a process of its own (`meter.py`), started fresh for each task. The first run
in it is cold: kernels load, caches are empty. The runs after it are warm, and the engines take
turns run by run, so that whatever else the machine does meets both alike.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from statistics import median, quantiles
from typing import Any, cast

from comparisons.task import Task

QUICK = {"runs": 5, "steps": 40}
FULL = {"runs": 15, "steps": 100}
MEMORY_STEPS = 6


class MeterError(RuntimeError):
    """A meter stopped before it had answered; the text is what it said last."""


class Meter:
    """A running `meter.py`. Close it, or use it in a `with` block."""

    def __init__(self, task: Task, engine: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "comparisons.meter", task.name, engine],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            self.imported = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, meter: str, steps: int, seed: int) -> dict[str, Any]:
        """One measured run."""
        assert self._process.stdin is not None
        request = {"meter": meter, "steps": steps, "seed": seed}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None and self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            raise MeterError(self._process.stderr.read().strip().rpartition("\n")[2] or "no answer")
        return cast("dict[str, Any]", json.loads(line))

    def close(self) -> None:
        """Let the process end; it holds nothing worth waiting for."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def spread(samples: Sequence[float]) -> dict[str, float]:
    """Median and quartiles of some samples, and how many there were."""
    if len(samples) == 1:
        low = high = samples[0]
    else:
        low, _, high = quantiles(samples, n=4, method="inclusive")
    return {"median": median(samples), "low": low, "high": high, "count": len(samples)}


def measure(
    task: Task,
    engines: Sequence[str],
    seed: int = 0,
    full: bool = False,
    watch: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Time and memory by engine, as JSON; times in seconds, sizes in bytes.

    cold    {import_numpy, import_engine, build, compile, first_step} of a fresh process
    warm    {build, compile, first_step, step}: each the spread over the warm runs; a step is
            any but a run's first
    memory  {ready, between, peak}: held before the first step, held between steps (median),
            and the highest point within a step (median), all beyond the data set
    """
    plan = FULL if full else QUICK
    steps = min(plan["steps"], task.steps)
    meters: dict[str, Meter] = {}
    found: dict[str, Any] = {}
    times: dict[str, list[dict[str, Any]]] = {engine: [] for engine in engines}
    try:
        for engine in engines:
            watch(f"{task.name}: first run of {engine} in a fresh process")
            meters[engine] = Meter(task, engine)
            cold = meters[engine].ask("time", 1, seed)
            found[engine] = {"cold": _cold(meters[engine].imported, cold)}
        for run in range(plan["runs"]):
            watch(f"{task.name}: timing, run {run + 1} of {plan['runs']}")
            for engine in engines if run % 2 == 0 else tuple(reversed(engines)):
                times[engine].append(meters[engine].ask("time", steps, seed))
        for engine in engines:
            watch(f"{task.name}: memory of {engine}")
            found[engine]["warm"] = _warm(times[engine])
            found[engine]["memory"] = _memory(meters[engine].ask("memory", MEMORY_STEPS, seed))
    finally:
        for meter in meters.values():
            meter.close()
    return {"runs": plan["runs"], "steps": steps, "engines": found}


def _cold(imported: dict[str, float], run: dict[str, Any]) -> dict[str, float]:
    return {
        "import_numpy": imported["numpy"],
        "import_engine": imported["engine"],
        "build": run["build"],
        "compile": run["compile"],
        "first_step": run["steps"][0],
    }


def _warm(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    later = [seconds for run in runs for seconds in run["steps"][1:]]
    return {
        "build": spread([run["build"] for run in runs]),
        "compile": spread([run["compile"] for run in runs]),
        "first_step": spread([run["steps"][0] for run in runs]),
        "step": spread(later or [run["steps"][0] for run in runs]),
    }


def _memory(run: dict[str, Any]) -> dict[str, float]:
    steady = slice(1, None) if len(run["peaks"]) > 1 else slice(None)  # the first step also fills caches
    return {
        "ready": run["ready"],
        "between": median(run["between"][steady]),
        "peak": median(run["peaks"][steady]),
    }
