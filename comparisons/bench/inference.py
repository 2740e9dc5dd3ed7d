"""How long an answer takes: models in ONNX files on both engines and in onnxruntime, in turns in one process.

    python -m comparisons.bench.inference                     a ResNet-18 and a small language model of ours
    python -m comparisons.bench.inference FILE... --batch 16  these files; `--size N=8` for a size left open
    python -m comparisons.bench.inference --threads 2

Without files the models of the workloads `resnet18` and `gpt` are exported, in evaluation mode, for batches
of 1 and 32. With one thread what counts is the processor's time, which other work on the machine disturbs
little; with more it is the clock's. In brackets stand the quartiles of the turns.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from comparisons.bench.process import POOLS
from comparisons.machine.threads import SETTINGS

NAME = "comparisons.bench.inference"
WORKLOADS, BATCHES = ("resnet18", "gpt"), (1, 32)
LEAST, AT_LEAST = 3, 0.05
"""Calls before anything is timed, and seconds that a turn takes at least."""


def exported(name: str, batch: int, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The file of a workload's model, and what to feed it."""
    import static
    from comparisons.bench import models
    from comparisons.bench.workloads import EVERY

    workload = EVERY[name]
    x, file = workload.data()[0], folder / f"{name}, batch {batch}.onnx"
    x = x[[i % len(x) for i in range(batch)]]
    with static.Graph().as_default() as graph:
        given = static.placeholder(x.dtype, x.shape, name="x")
        graph.export_onnx(file, {"y": models.model(workload, "layer").eval().logits(given)})
    return file, {"x": x}


def given(
    files: Sequence[Path], batch: int, sizes: Mapping[str, int]
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Files, and what to feed them: their first axis is the batch, where it is open."""
    from comparisons.bench import given_model
    from shared import onnx

    for file in files:
        yield file, given_model.drawn(onnx.load(file), sizes, 0, batch)


def seconds(
    calls: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """The time of a call in each turn, by side."""
    often = {}
    for side, call in calls.items():
        for _ in range(LEAST):
            call()
        begin = time.perf_counter()
        call()
        often[side] = max(1, int(AT_LEAST / (time.perf_counter() - begin)))
    taken: dict[str, list[float]] = {side: [] for side in calls}
    for _ in range(rounds):
        for side, call in calls.items():
            begin = clock()
            for _ in range(often[side]):
                call()
            taken[side].append((clock() - begin) / often[side])
    return taken


def row(file: Path, feeds: Mapping[str, Any], rounds: int, threads: int) -> str:
    """What is found of a file, in a line."""
    from comparisons.bench import given_model

    calls = {
        "dynamic": given_model.on_dynamic(file, feeds),
        "static": given_model.on_static(file, feeds)[0],
        "onnxruntime": given_model.on_onnxruntime(file, feeds, threads),
    }
    clock = time.thread_time if threads == 1 else time.perf_counter
    taken = seconds(calls, rounds, clock)
    told = []
    for side, times in taken.items():
        low, middle, high = (1000 * t for t in quantiles(times, n=4, method="inclusive"))
        told.append(f"{middle:9.3f} ({low:.3f} to {high:.3f})".rjust(30))
        if side != "onnxruntime":
            shares = [theirs / ours for theirs, ours in zip(taken["onnxruntime"], times, strict=True)]
            told.append(f"{median(shares):5.2f}")
    return f"{file.stem:24}" + "  ".join(told)


def main(arguments: Sequence[str] | None = None) -> int:
    """Race, and print a table."""
    parser = argparse.ArgumentParser(prog=f"python -m {NAME}", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="*", type=Path, help="ONNX files, instead of our own models")
    parser.add_argument("--batch", type=int, default=1, help="of the files, where it is open")
    parser.add_argument("--size", action="append", default=[], metavar="NAME=N", help="another open size")
    parser.add_argument("--rounds", type=int, default=11, help="how often each one's turn comes")
    parser.add_argument("--threads", type=int, default=1, help="of every pool")
    asked = parser.parse_args(arguments)
    pools = SETTINGS | dict.fromkeys(POOLS, str(asked.threads))
    if any(os.environ.get(key) != value for key, value in pools.items()):  # read where NumPy is imported
        words = sys.argv[1:] if arguments is None else arguments
        os.execve(sys.executable, [sys.executable, "-m", NAME, *words], os.environ | pools)
    sizes = {name: int(n) for name, _, n in (text.partition("=") for text in asked.size)}
    print(f"milliseconds an answer, {asked.threads} thread{'s' * (asked.threads > 1)}; behind each of ours")
    print("how many times as fast as onnxruntime it is")
    print(f"{'':24}{'dynamic':>30}{'static':>39}{'onnxruntime':>39}")
    with tempfile.TemporaryDirectory() as folder:
        ours = (exported(name, batch, Path(folder)) for name in WORKLOADS for batch in BATCHES)
        for file, feeds in given(asked.file, asked.batch, sizes) if asked.file else ours:
            print(row(file, feeds, asked.rounds, asked.threads), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
