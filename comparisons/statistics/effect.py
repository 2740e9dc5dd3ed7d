"""Which of two is ahead, by how much, and when that is not resolved.

What is said of two times rests on one interval for the ratio of their medians, by the bootstrap. How
the median of a resample is distributed is known in closed form (Efron, "Bootstrap methods", 1979), so
nothing is drawn at random: the same evidence always says the same.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, comb
from typing import Any, NamedTuple

import numpy as np

from comparisons.statistics.quantities import Json

LEAST = 15
"""Fewer samples than this on a side, and nobody is ahead."""
CLOSE = 0.03
"""Figures nearer than this share of each other are called equal, however small the spread."""
AT_ONCE = 100
"""How many comparisons of times one report makes, at most: a test counts them."""
ERROR = 0.05
"""How often some interval among all of a report's may miss: each is given its share of that (Bonferroni)."""

NOTHING = 1e-12
"""Seconds that no clock tells from none."""
MANY = 201
"""Of more samples so many are looked at, evenly spaced in order of size: that only widens an interval."""


class Effect(NamedTuple):
    """How many times as large the second median is as the first, and from where to where that may lie
    when all comparisons of a report are to be right together. `leader` is the side with the smaller
    median, "dynamic" being the first; None if that is not resolved."""

    ratio: float
    low: float
    high: float
    leader: str | None

    @property
    def times(self) -> tuple[float, float, float]:
        """The larger over the smaller: the factor and its interval."""
        if self.ratio >= 1:
            return self.ratio, self.low, self.high
        return 1 / self.ratio, 1 / self.high, 1 / self.low


def effect(dynamic: Json, static: Json) -> Effect:
    """Of two spreads. A side leads if there are `LEAST` samples on both, the quartiles do not overlap, the
    medians are not `CLOSE`, and the interval leaves out 1."""
    (a, b), (p, q) = zip(_medians(dynamic), _medians(static), strict=True)
    ratios, weights = np.divide.outer(b, a).ravel(), np.multiply.outer(q, p).ravel()
    low, high = _interval(ratios, weights)
    leader = smaller(dynamic["median"], static["median"])
    apart = dynamic["low"] > static["high"] or static["low"] > dynamic["high"]
    many = min(dynamic["count"], static["count"]) >= LEAST
    ratio = static["median"] / dynamic["median"] if dynamic["median"] else float("inf")
    return Effect(ratio, low, high, leader if many and apart and not low <= 1 <= high else None)


def ahead(dynamic: Json, static: Json) -> str | None:
    """Of two spreads the engine with the smaller median; None if that is not resolved."""
    return effect(dynamic, static).leader


def smaller(dynamic: float, static: float) -> str | None:
    """The engine with the smaller figure; None if they are close."""
    if abs(dynamic - static) <= CLOSE * max(dynamic, static):
        return None
    return "dynamic" if dynamic < static else "static"


class BreakEven(NamedTuple):
    """How many steps it takes until a later start has been made up for, and from how many to how many it
    may be; `high` is None where the interval has no end. Steps are counted whole: what is not made up for
    after 557 takes 558. `crossing` is where the two lines meet."""

    step: int
    low: int
    high: int | None
    crossing: float


def whole(steps: float) -> int:
    """The count of steps that are enough; what is over by the rounding of floats alone is not one more."""
    return ceil(steps * (1 - 1e-12))


def break_even(dynamic: Json, static: Json) -> BreakEven | None:
    """After how many steps static, all told, is no longer behind dynamic, by spreads of `start` and `step`.

    None if its start is not the later one, or its steps are not the shorter ones, as far as both are
    resolved.
    """
    leaders = ahead(dynamic["start"], static["start"]), ahead(dynamic["step"], static["step"])
    if leaders != ("dynamic", "static"):
        return None
    (a, p), (b, q) = _medians(dynamic["start"]), _medians(static["start"])
    owed, of_owed = np.subtract.outer(b, a).ravel(), np.multiply.outer(q, p).ravel()
    (a, p), (b, q) = _medians(dynamic["step"]), _medians(static["step"])
    won, of_won = np.subtract.outer(a, b).ravel(), np.multiply.outer(p, q).ravel()
    with np.errstate(divide="ignore"):
        steps = np.where(won > 0, np.divide.outer(owed, won), np.inf)
    low, high = _interval(steps.ravel(), np.multiply.outer(of_owed, of_won).ravel())
    start, later = dynamic["start"]["median"], static["start"]["median"]
    step, shorter = dynamic["step"]["median"], static["step"]["median"]
    middle = 1 + (later - start) / (step - shorter)
    last = whole(1 + high) if high < np.inf else None
    return BreakEven(whole(middle), whole(1 + max(low, 0.0)), last, middle)


def _interval(values: Any, weights: Any) -> tuple[float, float]:
    """Between which values all lies but `ERROR`'s share, half of it on either side."""
    order = np.argsort(values, kind="stable")
    under = np.cumsum(weights[order])
    tail = ERROR / AT_ONCE / 2
    first = int(np.searchsorted(under, tail))
    last = int(np.searchsorted(under, 1 - tail))
    top = len(values) - 1
    return float(values[order[min(first, top)]]), float(values[order[min(last, top)]])


def _medians(found: Json) -> tuple[Any, Any]:
    """The samples in order of size, and how likely each is to be a resample's median."""
    return _distribution(tuple(found["samples"]))


@lru_cache(maxsize=1024)
def _distribution(samples: tuple[float, ...]) -> tuple[Any, Any]:
    if (many := len(samples)) > MANY:
        chosen = np.linspace(0, many - 1, MANY).round().astype(int)
        return _distribution(tuple(np.sort(samples)[chosen]))
    drawn = many if many % 2 else many - 1  # of an odd number one is in the middle
    middle = (drawn + 1) // 2
    under = [
        sum(
            comb(drawn, j) * (k / many) ** j * (1 - k / many) ** (drawn - j) for j in range(middle, drawn + 1)
        )
        for k in range(many + 1)
    ]
    return np.maximum(np.sort(samples), NOTHING), np.diff(under)
