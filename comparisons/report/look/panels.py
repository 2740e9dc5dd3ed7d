"""Two panels on one hinge, as a chart: what is ahead on the left stands on the left, the further out the
larger the factor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10

from comparisons.statistics.quantities import PAIR

FURTHEST = 100.0
"""Factors from here on stand at the edge of the scale."""
EDGE, RIM = 43.0, 48.0
"""How far from the hinge, in percent of the chart's width, the scale ends, and what has no factor stands."""
TICKS = (2, 5, 10, 30, 100)


@dataclass(frozen=True)
class Dot:
    """One figure.

    side    "dynamic" or "static", whichever is ahead; None where that is not resolved
    times   by how many times; None if there is no factor
    says    what it says when it is pointed at
    sign    a few letters that stand in it
    counts  whether it is the one of its line that counts
    lift    how many dots above the middle it stands, where others stand there already
    """

    side: str | None
    times: float | None
    says: str
    sign: str = ""
    counts: bool = False
    lift: int = 0

    @property
    def x(self) -> float:
        """Its place, in percent of the width: 50 is the hinge."""
        return place(self.side, self.times)


@dataclass(frozen=True)
class Line:
    """A line of the chart: its title, its dots, a few words at its end, and whose colour they have."""

    title: str
    dots: Sequence[Dot]
    says: str
    side: str | None


def place(side: str | None, times: float | None) -> float:
    """Where a figure stands: on the hinge if nobody is ahead, at the rim if there is no factor."""
    if side is None:
        return 50.0
    far = RIM if times is None else EDGE * log10(min(max(times, 1.0), FURTHEST)) / log10(FURTHEST)
    return round(50 + (far if side == "static" else -far), 2)


def stacked(dots: Iterable[Dot]) -> list[Dot]:
    """The dots, those that would cover each other above and below the line; one that counts on it, and on top
    of all others."""
    seen: Counter[int] = Counter()
    made = []
    for dot in sorted(dots, key=lambda dot: not dot.counts):
        near = round(dot.x / (5 if dot.sign else 2.2))
        lift = (seen[near] + 1) // 2 * (-1) ** seen[near]
        made.append(Dot(dot.side, dot.times, dot.says, dot.sign, dot.counts, lift))
        seen[near] += 1
    return made[::-1]


def ticks() -> list[tuple[int, float]]:
    """The scale: factors, and where they stand."""
    return [(times, place(side, times)) for side in PAIR for times in TICKS]
