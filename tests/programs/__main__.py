"""`python -m tests.programs --minutes 60 --seed 0`: the long search, outside of the suite."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.programs.families import FAMILIES, program_of
from tests.programs.known import KNOWN
from tests.programs.search import search


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.programs", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to search")
    parser.add_argument("--seed", type=int, default=0, help="the first program")
    parser.add_argument("--family", action="append", default=[], choices=list(FAMILIES), help="only these")
    parser.add_argument("--all", action="store_true", help="also what is known to fail")
    parser.add_argument(
        "--keep", type=Path, default=Path("programs-found"), help="where findings go as files"
    )
    parser.add_argument("--show", action="store_true", help="print the one program of --family and --seed")
    parser.add_argument("--stop", action="store_true", help="no further than the first finding")
    given = parser.parse_args()
    closed = () if given.all else tuple(KNOWN)
    if given.show:
        program = program_of(given.family[0] if given.family else "composed", given.seed, closed)
        print(program.source)
        print("#", program.run() or "agrees")
        return 0
    say = partial(print, flush=True)
    found = search(given.minutes, given.seed, given.family, closed, given.keep, say, stop=given.stop)
    print(found.report())
    return 1 if found.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
