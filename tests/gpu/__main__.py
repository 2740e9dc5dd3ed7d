"""Runs the parts one after the other: `python -m tests.gpu --out gpu.json`.

`python -m tests.gpu part laws SECONDS` and the like run one here and print its JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from comparisons.bench.workloads import WORKLOADS
from comparisons.tasks import TASKS
from shared.device import cuda
from shared.durable.files import write
from tests import HOME
from tests.gpu import laws, racing, training

ALL = 460.0
"""Seconds for everything."""
SECONDS = {"laws": 110.0, "training": 15.0, "racing": 25.0}
"""For one process of each part."""
PARTS = {"laws": laws.main, "training": training.main, "racing": racing.main}


def asked() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The processes, as part and arguments: what is worth most comes first."""
    yield "laws", ()
    for workload in racing.WORKLOADS:
        if workload in WORKLOADS:
            for peer in racing.PEERS:
                yield "racing", (workload, peer)
    for name, task in TASKS.items():
        if not task.fetched:
            yield "training", (name,)


def outcome(part: str, arguments: Sequence[str], seconds: float) -> dict[str, Any]:
    """What a part's process says, or how it failed."""
    command = [sys.executable, "-m", "tests.gpu", "part", part, str(seconds), *arguments]
    try:
        done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, timeout=seconds + 15)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {seconds + 15:.0f} s"}
    if done.returncode:
        return {"failed": done.stderr.strip()[-1500:] or f"exit status {done.returncode}"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def machine() -> dict[str, Any]:
    """What it ran on, and when."""
    runtime = cuda.cupy().cuda.runtime
    return {
        "gpu": cuda.name(),
        "cuda": runtime.runtimeGetVersion(),
        "driver": runtime.driverGetVersion(),
        "python": platform.python_version(),
        "date": date.today().isoformat(),
        "packages": dict(_versions("numpy", "torch", "cupy-cuda12x", "cupy-cuda13x")),
    }


def _versions(*names: str) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def told(result: Mapping[str, Any]) -> str:
    """One line of what came of a process."""
    if "failed" in result:
        return "FAILED: " + str(result["failed"]).strip().splitlines()[-1][:150]
    return ", ".join(
        f"{key} {value}" for key, value in result.items() if isinstance(value, (int, float, str))
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/gpu/run", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    place = parser.parse_args().out
    cuda.check_device("tests/gpu/run", "cuda")
    start = time.monotonic()
    report: dict[str, Any] = {"machine": machine(), **{part: {} for part in PARTS}, "left_out": []}
    for part, arguments in asked():
        name = " ".join(arguments) or part
        left = ALL - (time.monotonic() - start)
        if left < SECONDS[part]:
            report["left_out"].append(f"{part} {name}")
            continue
        report[part][name] = outcome(part, arguments, SECONDS[part])
        print(f"{part:8} {name:28} {told(report[part][name])}", flush=True)
        write(place, json.dumps(report, indent=1) + "\n", "tests/gpu/run")
    failed = [name for part in PARTS for name, result in report[part].items() if result.get("failed")]
    print(f"{place}: {len(failed)} failed, {len(report['left_out'])} left out for want of time")
    sys.exit(bool(failed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["part"]:
        print(json.dumps(PARTS[sys.argv[2]](float(sys.argv[3]), *sys.argv[4:])))
    else:
        main()
