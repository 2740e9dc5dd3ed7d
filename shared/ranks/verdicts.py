"""What each rank leaves behind of how it ended, for who started it: files in a folder that it is told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

FOLDER = "DIPTYCH_RANKS_FOLDER"
"""The variable of the environment that names the folder."""


@dataclass(frozen=True)
class Verdict:
    """How a rank ended: it `ended`, or `raised` what `text` says; or it `leaves`, and so many as `text` says
    are to start again."""

    kind: str
    text: str = ""

    def __str__(self) -> str:
        return self.kind if not self.text else f"{self.kind} {self.text}"


_last = Verdict("ended")


def ask() -> None:
    """Say that this process is about to look for the others."""
    _leave("asks", os.getpid(), str(os.getpid()))


def begin(rank: int) -> None:
    """Say which process a rank is."""
    _leave("pid", rank, str(os.getpid()))


def end(rank: int, verdict: Verdict) -> None:
    """Say how it ended. The first word stays: what ends in an error passes the way out as well."""
    folder = os.environ.get(FOLDER)
    if folder and not (Path(folder) / f"end.{rank}").exists():
        _leave("end", rank, f"{verdict.kind}\n{verdict.text}")


def leave_with(verdict: Verdict) -> None:
    """The word that this process leaves if it ends well."""
    global _last
    _last = verdict


def last() -> Verdict:
    """The same."""
    return _last


def _leave(kind: str, rank: int, text: str) -> None:
    folder = os.environ.get(FOLDER)
    if folder and os.path.isdir(folder):
        whole, part = Path(folder) / f"{kind}.{rank}", Path(folder) / f"{kind}-{rank}.part"
        part.write_text(text)
        part.replace(whole)  # who reads it sees all or nothing


def verdicts(folder: Path) -> dict[int, Verdict]:
    """By rank, what was left in a folder."""
    found = {}
    for path in folder.glob("end.*"):
        kind, _, text = path.read_text().partition("\n")
        found[int(path.suffix[1:])] = Verdict(kind, text)
    return found
