"""How far a run has come, and how long the rest of it will take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from comparisons.running.recordings import RECORDINGS


class Pace:
    """The pieces of a run, one after the other.

    pieces  their names, in order
    known   the seconds that some of them took in an earlier run
    clock   seconds, of whatever beginning

    A piece of which an earlier run knows takes as long as it did then, times how much longer those
    that are done now took than then; any other takes as long as those that are done, on average.
    """

    def __init__(
        self, pieces: Sequence[str], known: Mapping[str, float], clock: Callable[[], float] = perf_counter
    ) -> None:
        self.pieces = list(pieces)
        self._known = {name: known[name] for name in pieces if known.get(name, 0) > 0}
        self._clock = clock
        self._done: dict[str, float] = {}
        self._skipped: set[str] = set()
        self._current = ""
        self._start = clock()

    @property
    def number(self) -> int:
        """Of the piece that is being done, from 1 on; 0 before the first."""
        return self.pieces.index(self._current) + 1 if self._current else 0

    def start(self, name: str) -> None:
        """A piece begins."""
        self._current, self._start = name, self._clock()

    def done(self) -> None:
        """It is over."""
        self._done[self._current] = self._clock() - self._start

    def skip(self, name: str) -> None:
        """A piece was done before, so it says nothing about how fast this run is."""
        self._current = name
        self._skipped.add(name)

    def share(self) -> float:
        """How much of the run is behind: from 0 to 1, by time where it can be told, else by count."""
        left = self.left()
        over = len(self._done) + len(self._skipped)
        if left is None or not self._done:
            return over / max(len(self.pieces), 1)
        spent = sum(self._done.values()) + self._elapsed()
        return spent / max(spent + left, 1e-9)

    def left(self) -> float | None:
        """Seconds that the rest will take; None if nothing is known to tell it by."""
        rest = [name for name in self.pieces if name not in self._done and name not in self._skipped]
        mean = sum(self._done.values()) / len(self._done) if self._done else None
        both = [name for name in self._done if name in self._known]
        slower = sum(self._done[n] for n in both) / sum(self._known[n] for n in both) if both else 1.0
        found = [self._known[name] * slower if name in self._known else mean for name in rest]
        if any(seconds is None for seconds in found):
            return None
        total = sum(seconds or 0.0 for seconds in found)
        current = next((s or 0.0 for n, s in zip(rest, found, strict=True) if n == self._current), 0.0)
        return max(total - min(self._elapsed(), current), 0.0)

    def _elapsed(self) -> float:
        """Of the piece that is being done."""
        running = self._current and self._current not in self._done and self._current not in self._skipped
        return self._clock() - self._start if running else 0.0

    def said(self) -> str:
        """Where the run stands: "3 of 42, about 2 min left"."""
        where = f"{self.number} of {len(self.pieces)}"
        left = self.left()
        return where if left is None else f"{where}, {_about(left)} left"


def _about(seconds: float) -> str:
    if seconds < 10:
        return "a few seconds"
    if seconds < 100:
        return f"about {10 * round(seconds / 10)} s"
    return f"about {round(seconds / 60)} min"


def _single(report: Mapping[str, Any]) -> dict[str, Any]:
    return {name: report[name] for name in (*RECORDINGS, "peers") if report.get(name) is not None}


def durations(report: Mapping[str, Any] | None, full: bool, steps: int | None) -> dict[str, float]:
    """The seconds of each piece of an earlier run, by name; empty if it was of another size."""
    if report is None or report["full"] != full or report.get("steps") != steps:
        return {}
    pieces = {**report["tasks"], **report["experiments"], **_single(report)}
    return {name: entry["seconds"] for name, entry in pieces.items() if "seconds" in entry}
