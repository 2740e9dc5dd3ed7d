"""Kills ranks at random moments and looks whether the training goes on: `python -m tests.ranks.kills --count
100`.

Each trial trains on three ranks, of which one is killed: in a random step, behind its beginning by a random
part of the time that the step before took. The others must make all steps, with the losses that one rank has
on all rows; nothing may hang, and the checkpoint that rank 0 writes after each step must be whole. A kill
that comes when all is over is no kill, nor is a run that mpirun could not begin: another one is made.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from shared import nn
from shared.errors import StateError
from tests.ranks.launched import run

WITHIN = 1e-9
"""Of the loss, in float64: a rank less puts sums together otherwise."""
LIMIT = 90.0
BATCHES = 4
"""Of an epoch, as the script has them."""
KINDS = ("dynamic", "sharded", "static")


NONE = {"late": "too late to count", "not begun": "that mpirun did not begin"}
UNBEGUN = "PMIx server's listener thread failed to start"
"""What mpirun of Open MPI 5.0.11 has said, once in 200 starts, before it started any rank."""


@dataclass(frozen=True)
class Trial:
    """One training, by `kind`, of which rank `victim` is killed in a step: behind its beginning, by `part` of
    the time that the one before took."""

    kind: str
    victim: int
    step: int
    part: float
    epochs: int = 6

    @classmethod
    def drawn(cls, kind: str, numbers: random.Random) -> Trial:
        """One at random."""
        steps = cls.epochs * BATCHES
        return cls(kind, numbers.randrange(3), numbers.randrange(steps), numbers.uniform(0, 1.2))

    def wrong(self) -> str | None:
        """What went wrong, None if nothing did; or that there was no kill, by a word of `NONE`."""
        with TemporaryDirectory() as folder:
            os.environ["SHARED"] = str(int(self.kind == "sharded"))
            engine = "static" if self.kind == "static" else "dynamic"
            numbers = [str(number) for number in (self.victim, self.step, self.part, self.epochs)]
            outcome, said, printed = run(
                "survivors.py", engine, *numbers, folder, ranks=3, ulfm=True, least=2, limit=LIMIT
            )
            if UNBEGUN in printed and not any(said):
                return "not begun"
            if outcome.status:
                return f"status {outcome.status}: {outcome.told()}\n{printed[-2000:]}"
            left = [said[rank] for rank in range(3) if rank != self.victim]
            if all(one.get("lost") == 0 for one in left):
                return "late"
            for one in left:
                if one.get("lost") != 1 or one["left"] != 2 or one["steps"][0] != one["steps"][1]:
                    return f"a rank did not go on: {one}\n{printed[-2000:]}"
                if not one["furthest"] < WITHIN:
                    return f"other losses: {one['furthest']}"
            return _torn(Path(folder))


def _torn(folder: Path) -> str | None:
    model = nn.Sequential(nn.Linear(10, 24), nn.Tanh(), nn.Dropout(0.2), nn.Linear(24, 4)).double()
    for path in folder.glob("*.ckpt"):
        try:
            nn.load_checkpoint(path, model)
        except StateError as error:
            return f"a torn file: {error}"
    return None


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="trials of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, action="append")
    asked = parser.parse_args()
    failed = 0
    for kind in asked.kind or KINDS:
        drawn, done, none, began = random.Random(f"{asked.seed} {kind}"), 0, Counter[str](), time.monotonic()
        while done < asked.count:
            trial = Trial.drawn(kind, drawn)
            wrong = trial.wrong()
            if wrong in NONE:
                none[NONE[wrong]] += 1
                continue
            done += 1
            if wrong is not None:
                failed += 1
                print(f"{trial}: {wrong}", flush=True)
            if done % 10 == 0 or done == asked.count:
                spent = time.monotonic() - began
                others = "".join(f", {many} more {why}" for why, many in none.items())
                print(f"{kind}: {done} kills{others}, {spent:.0f} s", flush=True)
    print(f"{failed} went wrong", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
