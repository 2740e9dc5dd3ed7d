"""The meter: a process of its own that trains one task on one engine and times it.

    python -m comparisons.measuring.meter mlp_digits static exact cpu

It answers one JSON request per line of its input with one JSON line. A fresh process has
imported nothing and compiled nothing, so its first run is truly cold; and because nobody else
computes in it, one engine's meter can not disturb the other's. See `costs.py`.
"""

from comparisons.machine import threads

threads.settle()

import gc  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from time import perf_counter  # noqa: E402
from typing import Any  # noqa: E402


def _import(engine: str) -> dict[str, float]:
    """Seconds to import NumPy, and the engine on top of it."""
    start = perf_counter()
    importlib.import_module("numpy")
    middle = perf_counter()
    importlib.import_module(engine)
    return {"numpy": middle - start, "engine": perf_counter() - middle}


def _time(task: Any, engine: str, level: str, seed: int) -> dict[str, Any]:
    """Seconds of one whole run: each phase before the first step, and each step; and the losses."""
    from comparisons.training.drive import Training

    found: dict[str, Any] = {"phases": {}, "steps": []}
    gc.collect()
    training = Training(task, engine, seed, level)
    while (event := training.advance()) is not None:
        if event.phase == "step":
            found["steps"].append(event.seconds)
        elif event.phase != "done" and not found["steps"]:  # what comes later is no part of training
            found["phases"][event.phase] = event.seconds
    return found | {"losses": training.losses}


def _memory(task: Any, engine: str, level: str, seed: int) -> dict[str, Any]:
    """Bytes that a run has allocated: before its first step, between steps, and at the highest
    point of a step. The data set, loaded before, does not count."""
    from comparisons.measuring.memory import METERS
    from comparisons.training.drive import Training

    memory = METERS[task.device]()
    training = Training(task, engine, seed, level)
    gc.collect()
    memory.start()
    ready, between, peaks = 0, [], []
    while (event := training.advance()) is not None:
        now, peak = memory.read()
        if event.phase == "step":
            between.append(now)
            peaks.append(peak)
        elif event.phase != "done" and not peaks:
            ready = now
    memory.stop()
    return {"ready": ready, "between": between, "peaks": peaks}


def _inside(task: Any, engine: str, level: str, seed: int) -> dict[str, Any]:
    from comparisons.training.inside import look_inside

    assert level == "exact", "what is shown is the script as it stands"
    return look_inside(task, engine, seed)


def main() -> None:
    """Answer requests until the input ends."""
    name, engine, level, device = sys.argv[1:5]
    imported = _import(engine)
    from comparisons.tasks import TASKS

    task = TASKS[name].on(device)
    print(json.dumps(imported), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        meter = {"time": _time, "memory": _memory, "inside": _inside}[request["meter"]]
        answer = meter(task.with_steps(request["steps"]), engine, level, request["seed"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
