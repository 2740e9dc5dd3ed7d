"""Verdict: a row of the first page's table, and who is ahead in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from comparisons.statistics.ahead import ahead, smaller
from comparisons.statistics.quantities import Json, number, seconds, size


@dataclass(frozen=True)
class Verdict:
    """One row of the first page's table.

    title     what was looked at, in a few words that stand alone
    dynamic   a short figure, or a few words
    static    the same
    ahead     "dynamic" or "static" if that side is ahead beyond the spread; else None
    times     how many times as large as the smaller figure the larger one is; None where that is not
              known, or where the smaller is within what is measured of nothing, so that a factor would
              say how near to zero it came
    together  one text for both, in the place of a figure for each
    """

    title: str
    dynamic: str
    static: str
    ahead: str | None = None
    times: float | None = field(default=None, kw_only=True)
    together: str = field(default="", kw_only=True)


NOISE = 4096
"""Bytes that Python itself takes and gives back between two readings of what is held."""


def timed(title: str, dynamic: Json, static: Json) -> Verdict:
    """Of two spreads of seconds; the shorter is ahead if the quartiles do not overlap."""
    d, s = dynamic["median"], static["median"]
    less = dynamic if d <= s else static
    noise = less["high"] - less["low"]
    return Verdict(title, seconds(d), seconds(s), ahead(dynamic, static), times=_times(d, s, noise))


def sized(title: str, dynamic: float, static: float) -> Verdict:
    """Of two numbers of bytes; the smaller is ahead unless they are close."""
    leader = smaller(dynamic, static)
    return Verdict(title, size(dynamic), size(static), leader, times=_times(dynamic, static, NOISE))


def counted(title: str, dynamic: int, static: int, unit: str = "", *, more: bool = False) -> Verdict:
    """Of two whole numbers (nodes, lines, kernels); the smaller is ahead, be it by one, or with
    `more` the larger."""
    leader = None if dynamic == static else "dynamic" if (dynamic < static) != more else "static"
    d, s = (f"{number(value)} {unit}".strip() for value in (dynamic, static))
    return Verdict(title, d, s, leader, times=_times(dynamic, static))


def _times(a: float, b: float, noise: float = 0) -> float | None:
    """How many times as large the larger is; of a smaller one that is as good as nothing, none."""
    low, high = sorted((a, b))
    return high / low if low > noise else None
