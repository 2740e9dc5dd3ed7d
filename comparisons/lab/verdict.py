"""Verdict: a row of the first page's table, who is ahead in it, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from comparisons.statistics.effect import effect, smaller
from comparisons.statistics.quantities import Json, factor, number, seconds, size, within
from comparisons.statistics.tally import apart

EXACT, MEASURED, RECORDED = "exact", "this machine", "recorded"
"""What a row rests on: what holds wherever it is run (lines, nodes, kernels, errors), what was measured here,
or what was measured elsewhere, for here something is missing that it takes."""


@dataclass(frozen=True)
class Verdict:
    """One row of the first page's table.

    title      what was looked at, in a few words that stand alone
    dynamic    a short figure, or a few words
    static     the same
    ahead      "dynamic" or "static" if that side is ahead and that is resolved; else None
    times      how many times as large as the smaller figure the larger one is; None where that is not
               known, or where the smaller is within what is measured of nothing, so that a factor would
               say how near to zero it came
    basis      `EXACT`, `MEASURED` or `RECORDED`
    between    of what was timed: the quartiles of each side, as text, dynamic's first
    said       of what was timed: how many samples there are, and the factor with its interval; of bytes
               how often they were counted, and how far apart
    by_design  the side that has what the other can not have, however well it does: nobody is ahead in such
               a row, and it decides nothing
    together   one text for both, in the place of a figure for each
    """

    title: str
    dynamic: str
    static: str
    ahead: str | None = None
    times: float | None = field(default=None, kw_only=True)
    basis: str = field(default=EXACT, kw_only=True)
    between: tuple[str, str] = field(default=("", ""), kw_only=True)
    said: str = field(default="", kw_only=True)
    by_design: str | None = field(default=None, kw_only=True)
    together: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if self.by_design is not None and self.ahead is not None:
            raise ValueError(f"{self.title}: what {self.by_design} has by design is no race")

    def figures(self) -> tuple[str, str]:
        """Both sides' figures, each with its quartiles."""
        sides = zip((self.dynamic, self.static), self.between, strict=True)
        first, second = (f"{figure} ({between})" if between else figure for figure, between in sides)
        return first, second


def recorded(rows: Iterable[Verdict]) -> list[Verdict]:
    """Rows that were not measured here."""
    return [replace(row, basis=RECORDED) for row in rows]


NOISE = 4096
"""Bytes that Python itself takes and gives back between two readings of what is held."""


def timed(title: str, dynamic: Json, static: Json) -> Verdict:
    """Of two spreads of seconds; the shorter is ahead if that is resolved (`statistics/effect.py`)."""
    found = effect(dynamic, static)
    times, low, high = found.times
    factors = f"{factor(times)} times ({within(low, high, factor)})"
    factors += ", not resolved" if found.leader is None else ""
    many = {dynamic["count"], static["count"]}
    counts = " and ".join(map(str, sorted(many)))
    less = min((dynamic, static), key=lambda side: side["median"])
    return Verdict(
        title, seconds(dynamic["median"]), seconds(static["median"]), found.leader,
        times=_times(dynamic["median"], static["median"], less["high"] - less["low"]), basis=MEASURED,
        between=(_quartiles(dynamic), _quartiles(static)),
        said=f"n = {counts}, {factors}",
    )  # fmt: skip


def _quartiles(found: Json) -> str:
    return within(found["low"], found["high"], seconds)


def sized(title: str, dynamic: Json, static: Json) -> Verdict:
    """Of two tallies of bytes; the smaller is ahead unless they are close."""
    return replace(
        weighed(title, dynamic["bytes"], static["bytes"], apart((dynamic, static))), basis=MEASURED
    )


def weighed(title: str, dynamic: int, static: int, said: str = "") -> Verdict:
    """The same of two files, whose sizes are what they are."""
    leader = smaller(dynamic, static)
    times = _times(dynamic, static, NOISE)
    words = [said] * bool(said) + ["close"] * (leader is None)
    if leader and times is not None:
        words.append(f"{factor(times)} times")
    return Verdict(title, size(dynamic), size(static), leader, times=times, said=", ".join(words))


def counted(title: str, dynamic: int, static: int, unit: str = "", *, more: bool = False) -> Verdict:
    """Of two whole numbers (nodes, lines, kernels); the smaller is ahead, be it by one, or with
    `more` the larger."""
    leader = None if dynamic == static else "dynamic" if (dynamic < static) != more else "static"
    d, s = (f"{number(value)} {unit}".strip() for value in (dynamic, static))
    return Verdict(title, d, s, leader, times=_times(dynamic, static))


def by_design(row: Verdict) -> Verdict:
    """A row in which one side can not win, whatever is done: the other has it by design."""
    return replace(row, ahead=None, by_design=row.ahead)


def _times(a: float, b: float, noise: float = 0) -> float | None:
    """How many times as large the larger is; of a smaller one that is as good as nothing, none."""
    low, high = sorted((a, b))
    return high / low if low > noise else None
