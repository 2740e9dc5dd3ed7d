"""How ranks join a training that is under way: at an epoch's end all leave, and all that are wanted start
again.

Nothing of MPI's is asked to take a newcomer in. Who started the ranks (`diptych-run --join`) keeps a folder
that outlives a start. There rank 0 writes at each epoch's end what the next one begins with, and reads how
many ranks are wanted. If that is not how many there are, each leaves the word that it `leaves`, and ends; the
ranks of the next start run the script from its first line, and take up the training where the folder says.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from shared.ranks import verdicts
from shared.ranks.verdicts import Verdict

STATES = "DIPTYCH_RANKS_STATES"
"""The variable of the environment that names the folder."""

FRUITLESS = 3
"""How many starts in a row may end without an epoch, after which it is given up."""

_numbers = itertools.count()


def states() -> Path | None:
    """Where the states that the next call trains from are kept, if ranks may join: calls are numbered, for a
    script may train more than once. All ranks and all starts make the same calls."""
    folder = os.environ.get(STATES)
    return Path(folder) / f"{next(_numbers)}.ckpt" if folder and os.path.isdir(folder) else None


def wanted(file: Path) -> int:
    """How many ranks there are to be."""
    return int((file.parent / "wanted").read_text())


def leave(ranks: int) -> NoReturn:
    """End this rank, and let so many start again."""
    verdicts.leave_with(Verdict("leaves", str(ranks)))
    sys.exit(0)


class Starts:
    """What who starts the ranks knows of all starts.

    folder  where the states are kept
    ranks   how many there are to be, at first
    asked   a file in which somebody may write another number while they train
    """

    def __init__(self, folder: Path, ranks: int, asked: str | None = None) -> None:
        self.folder, self.asked = folder, asked
        folder.mkdir()
        self._wanted, self._looked, self._saved, self._fruitless = 0, -1, -1, 0
        self._want(ranks)

    def look(self) -> None:
        """Pass on what was asked for; what is no number, or only half written, is left aside."""
        with contextlib.suppress(OSError, ValueError):
            if self.asked is not None and (changed := os.stat(self.asked).st_mtime_ns) != self._looked:
                self._want(int(Path(self.asked).read_text()))
                self._looked = changed

    def _want(self, ranks: int) -> None:
        if ranks > 0 and ranks != self._wanted:
            part = self.folder / "wanted.part"
            part.write_text(str(ranks))
            part.replace(self.folder / "wanted")
            self._wanted = ranks

    def next(self, ranks: int, found: Mapping[int, Verdict], well: bool) -> int:
        """How many ranks start again after a start of so many, 0 if it is over.

        It goes on where they have left for that; and where some were killed before any could end well: from
        the last epoch's end, or from the beginning.
        """
        kinds = [verdict.kind for verdict in found.values()]
        killed = len(found) < ranks
        saved = max((path.stat().st_mtime_ns for path in self.folder.glob("*.ckpt")), default=-1)
        self._fruitless = 0 if saved > self._saved else self._fruitless + 1
        self._saved = saved
        if "leaves" in kinds and (killed or "raised" not in kinds):
            return next(int(verdict.text) for verdict in found.values() if verdict.kind == "leaves")
        return ranks if killed and not well and self._fruitless <= FRUITLESS else 0
