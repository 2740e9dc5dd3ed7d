"""`python -m tests.programs.reverted --minutes 60`: what the law finds with each fix taken back in turn."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.__main__ import ROOT, copied, planted
from tests.programs.reverted.fixes import FIXES


@dataclass
class Outcome:
    """What a search came to. program: the text of what was found, "" if nothing was; error: what it said;
    seconds: until then."""

    program: str
    error: str
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """One fix after the other; a table row for each; 1 unless all are found."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.reverted", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long to search for each fault")
    parser.add_argument("--seed", type=int, default=0, help="the first program")
    parser.add_argument("--fix", action="append", default=[], help="only these: A1, B4, ...")
    parser.add_argument("--show", action="store_true", help="print the programs that were found")
    given = parser.parse_args(arguments)
    chosen = [one for one in FIXES if not given.fix or one.item in given.fix]
    found: dict[str, list[bool]] = {}
    with tempfile.TemporaryDirectory(prefix="reverted-") as folder:
        tree = copied(Path(folder))
        for one in chosen:
            with planted(tree, *one.mutations()):
                outcome = searched(tree, given.minutes, given.seed)
            found.setdefault(one.item, []).append(bool(outcome.program))
            word = f"{outcome.seconds:5.0f} s" if outcome.program else "NOT FOUND"
            print(f"{one.item:4} {word:9} {one.fault}\n{'':15}{outcome.error[:160]}", flush=True)
            if given.show:
                print(outcome.program, flush=True)
    rows = [part for parts in found.values() for part in parts]
    print(f"{sum(map(any, found.values()))} of {len(found)} fixes are missed where they are taken back, "
          f"{sum(rows)} of {len(rows)} parts of them")  # fmt: skip
    return 0 if all(rows) else 1


def searched(tree: Path, minutes: float, seed: int) -> Outcome:
    """A search in a tree without a fix. What fails on the tree as it stands, too, is not what is looked
    for: then the search goes on behind it."""
    start = time.monotonic()
    while (left := minutes - (time.monotonic() - start) / 60) > 0:
        with tempfile.TemporaryDirectory(prefix="found-") as keep:
            command = ["-m", "tests.programs", "--stop", "--minutes", str(left), "--seed", str(seed)]
            run = _python(tree, *command, "--keep", keep)
            seconds = time.monotonic() - start
            programs = sorted(Path(keep).glob("*.py"))
            if not programs:
                if not run.returncode:
                    break
                return Outcome("(the search itself ends)", run.stderr.strip().split("\n")[-1], seconds)
            (path,) = programs
            if not _python(ROOT, str(path)).returncode:
                error, _, program = path.read_text("utf-8").partition("\n")
                return Outcome(program, error.removeprefix("# "), seconds)
            seed = 1 + int(re.findall(r"\d+", path.stem)[-1])
    return Outcome("", f"within {minutes:g} minutes", time.monotonic() - start)


def _python(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(tree)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True
    )


if __name__ == "__main__":
    sys.exit(main())
