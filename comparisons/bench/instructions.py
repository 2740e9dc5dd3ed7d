"""How many instructions a training step takes: a gauge that other work on the machine does not move.

    python -m comparisons.bench.instructions                   all workloads, both engines, and the baseline
    python -m comparisons.bench.instructions mlp --engine static
    python -m comparisons.bench.instructions --write           and keep them as the baseline

Callgrind counts the instructions of some steps, after others that did what is done at first use; the
process tells it when to start. Pools have one thread each, and kernels, in a cache of their own, are for the
processor that valgrind shows.
What counts leave out is memory, which `bench` sees in seconds. Linux on x86-64, where valgrind is installed.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import mmap
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from comparisons.bench.process import HOME, POOLS
from comparisons.bench.workloads import WORKLOADS
from comparisons.machine.threads import SETTINGS

NAME = "comparisons.bench.instructions"
ENGINES = ("dynamic", "static")
BASELINE = Path(__file__).with_suffix(".json")
BEFORE = 3
"""Steps that are not counted."""
STEPS = {"mlp": 2, "cnn": 1, "rnn": 2, "lstm": 1, "tiny": 5}
"""How many are."""
LIMIT = 1.02
"""How much of the baseline may be needed before it counts as a loss of speed."""


CALLGRIND = ord("C") << 24 | ord("T") << 16
START, STOP = CALLGRIND + 4, CALLGRIND + 5
REQUEST = bytes.fromhex("4889f8 31d2 48c1c703 48c1c70d 48c1c73d 48c1c733 4887db c3")
"""mov rax, rdi; xor edx, edx; four turns of rdi that do nothing, and `xchg rbx, rbx`: valgrind knows this
sequence, and reads a request from where rax points. A processor just runs it."""


def asking() -> Callable[[int], None]:
    """A function that hands a request to the valgrind under which this process runs."""
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(REQUEST)
    place = ctypes.c_char.from_buffer(memory)  # kept by `ask`: the code goes when it goes
    call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(ctypes.addressof(place))

    def ask(request: int, place: Any = place) -> None:
        arguments = (ctypes.c_uint64 * 6)(request)
        call(ctypes.addressof(arguments))

    return ask


def steps(workload: str, engine: str, count: int) -> None:
    """Some training steps, the last ones counted: what valgrind watches."""
    training = importlib.import_module(f"comparisons.bench.on_{engine}").train(WORKLOADS[workload], "layer")
    losses = (said for said in training if not isinstance(said, str))
    ask = asking()
    for _ in range(BEFORE):
        next(losses)
    ask(START)
    for _ in range(count):
        next(losses)
    ask(STOP)
    os._exit(0)


def counted(workload: str, engine: str, folder: str) -> int:
    """Instructions of one step."""
    environment = (
        os.environ | SETTINGS | dict.fromkeys(POOLS, "1") | {"PYTHONHASHSEED": "0", "DIPTYCH_CACHE": folder}
    )
    count = STEPS[workload]
    code = f"import sys; sys.path.insert(0, {HOME!r}); from {NAME} import steps; "
    code += f"steps({workload!r}, {engine!r}, {count})"
    watched = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*watched, sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{workload} on {engine}: {done.stderr.strip()[-500:]}")
    return total(done.stderr) // count


def total(told: str) -> int:
    """What callgrind says at its end."""
    found = re.search(r"Collected\s*:\s*(\d+)", told)
    if found is None:
        raise RuntimeError(f"valgrind gave no count: {told.strip()[-300:]}")
    return int(found[1])


def versions() -> dict[str, str]:
    """What counts depend on, beside our own code."""
    valgrind = subprocess.run(
        ["valgrind", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return {
        "python": platform.python_version(), "numpy": version("numpy"), "llvmlite": version("llvmlite"),
        "valgrind": valgrind.removeprefix("valgrind-"), "machine": platform.machine(),
    }  # fmt: skip


def line(name: str, found: int, kept: Mapping[str, Any]) -> tuple[str, bool]:
    """A row of the table, and whether it needs more than the baseline allows."""
    before = kept.get(name)
    if before is None:
        return f"{name:16} {found:>14,}", False
    share = found / before
    return (
        f"{name:16} {found:>14,} {before:>14,} {share:8.3f}{'  more' if share > LIMIT else ''}",
        share > LIMIT,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and hold against the baseline: 1 if a step needs more than it allows."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {NAME}", description="How many instructions a training step takes."
    )
    parser.add_argument("workload", nargs="*", choices=[[], *WORKLOADS], help="only these")
    parser.add_argument("--engine", choices=ENGINES, action="append", default=[], help="only this one")
    parser.add_argument(
        "--baseline", type=Path, default=BASELINE, help="the file of the counts to compare with"
    )
    parser.add_argument("--write", action="store_true", help="keep what is counted as the baseline")
    given = parser.parse_args(arguments)
    if shutil.which("valgrind") is None or platform.machine() != "x86_64":
        print(
            "no instructions are counted: that takes valgrind (apt install valgrind) and an x86-64 processor"
        )
        return 0
    kept = json.loads(given.baseline.read_text("utf-8")) if given.baseline.exists() else {}
    here = versions()
    if kept and kept["versions"] != here:
        print(f"the baseline was counted with {kept['versions']}, this is {here}")
    counts = dict(kept.get("instructions", {}))
    print(f"{'a step of':16} {'instructions':>14} {'baseline':>14} {'share':>8}")
    worse = False
    with tempfile.TemporaryDirectory() as folder:
        for workload in given.workload or WORKLOADS:
            for engine in given.engine or ENGINES:
                name = f"{workload} {engine}"
                found = counted(workload, engine, folder)
                row, more = line(name, found, counts)
                print(row, flush=True)
                worse |= more
                counts[name] = found if given.write else counts.get(name, found)
    if given.write:
        given.baseline.write_text(
            json.dumps({"versions": here, "instructions": counts}, indent=1) + "\n", "utf-8"
        )
    return int(worse and not given.write)


if __name__ == "__main__":
    raise SystemExit(main())
