"""Plants mutations and runs the tests: `python -m tests.mutation`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutation import MUTATIONS
from tests.mutation.mutation import TESTS, Mutation

ROOT = Path(__file__).parents[2]
PARTS = ("shared", "dynamic", "static", "tests", "pyproject.toml")
"""What of the tree the tests need."""
SLOW = 600
"""Seconds after which a run counts as caught: something waits for ever."""


def main(arguments: list[str] | None = None) -> int:
    """Plants each mutation in turn; gives 1 if one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Plants wrong lines.")
    parser.add_argument("--kind", choices=sorted(TESTS), help="only those of a kind")
    parser.add_argument("--file", help="only those whose file has this in its name")
    parser.add_argument("--from", dest="first", type=int, default=0, help="number of the first one")
    parser.add_argument("--to", dest="last", type=int, default=len(MUTATIONS), help="and of the next")
    parser.add_argument("--step", type=int, default=1, help="a sample: every so many of them")
    given = parser.parse_args(arguments)
    chosen = [
        (number, one) for number, one in enumerate(MUTATIONS)
        if given.first <= number < given.last
        and given.kind in (None, one.kind) and (given.file is None or given.file in one.file)
    ][:: given.step]  # fmt: skip
    survivors = []
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = copied(Path(folder))
        for number, one in chosen:
            start = time.perf_counter()
            caught = is_caught(one, tree)
            word = "caught  " if caught else "SURVIVED"
            print(f"{number:4} {word} {time.perf_counter() - start:6.1f} s  {one}", flush=True)
            if not caught:
                survivors.append(one)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutations were caught")
    return 1 if survivors else 0


def copied(folder: Path) -> Path:
    """A copy of what the tests need."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


@contextmanager
def planted(tree: Path, *mutations: Mutation) -> Iterator[None]:
    """The mutations stand in the tree within the block."""
    before = {file: (file.read_text("utf-8"), file.stat().st_mtime_ns)
              for file in {tree / one.file for one in mutations}}  # fmt: skip
    try:
        for one in mutations:
            (tree / one.file).write_text(one.planted(one.read(tree)), encoding="utf-8")
        yield
    finally:
        for file, (whole, made) in before.items():
            file.write_text(whole, encoding="utf-8")
            os.utime(file, ns=(made, made))  # what Python has compiled of it is known by this time


def is_caught(one: Mutation, tree: Path) -> bool:
    """Whether a test of its kind fails with it. pytest's 1 is a test that failed, its 2 and 4 an import
    that did; that no test was chosen (5), or that there is no such test, is an error of the table."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS[one.kind]]
    command += ["-k", one.only] if one.only else []
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each run compiles all of the tree anew
    with planted(tree, one):
        try:
            run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=SLOW)
        except subprocess.TimeoutExpired:
            return True
    if run.returncode not in (0, 1, 2, 4) or b"not found: " in run.stderr:
        raise RuntimeError(f"{one}: pytest gave {run.returncode}\n{run.stdout.decode()[-2000:]}")
    return run.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
