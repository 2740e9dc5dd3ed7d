"""Numbers as a reader says them, and which of two is smaller once their spread is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

CLOSE = 0.03
"""Medians nearer than this share of each other are called equal, however small the spread."""

PAIR = ("dynamic", "static")
OTHER = {"dynamic": "static", "static": "dynamic"}


def number(value: float) -> str:
    """12345 as 12,345."""
    return f"{value:,.0f}"


def count(value: int, one: str, many: str | None = None) -> str:
    """1 as "1 step", 2 as "2 steps"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def _three(value: float) -> str:
    """Three significant digits, written out: 0.281, 4.06, 17.6, 1,235."""
    rounded = _rounded(value)
    if rounded >= 100:
        return number(value)
    return f"{value:.1f}" if rounded >= 10 else f"{value:.2f}" if rounded >= 1 else f"{value:.3f}"


def _rounded(value: float) -> float:
    """What is left of a value in three digits, by which its unit is chosen: 999.7 µs are 1.00 ms."""
    return float(f"{value:.3g}")


def seconds(value: float) -> str:
    """A time in the unit that suits it: 281 µs, 4.06 ms, 38.2 s."""
    for unit, size_of_unit in (("s", 1.0), ("ms", 1e-3)):
        if _rounded(value) >= size_of_unit:
            return f"{_three(value / size_of_unit)} {unit}"
    return f"{_three(value / 1e-6)} µs"


def spread_of(found: Json) -> str:
    """A spread of seconds: the median, and in brackets the middle half."""
    return f"{seconds(found['median'])} ({seconds(found['low'])} to {seconds(found['high'])})"


def size(value: float) -> str:
    """Bytes, or kB, MB or GB (powers of a thousand)."""
    for unit, size_of_unit in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if _rounded(value) >= size_of_unit:
            return f"{_three(value / size_of_unit)} {unit}"
    return count(round(value), "byte")


def percent(share: float) -> str:
    """0.989 as 98.9 %."""
    return f"{100 * share:.1f} %"


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def smaller(dynamic: float, static: float) -> str | None:
    """The engine with the smaller figure; None if they are close."""
    if abs(dynamic - static) <= CLOSE * max(dynamic, static):
        return None
    return "dynamic" if dynamic < static else "static"


def ahead(dynamic: Json, static: Json) -> str | None:
    """The engine with the smaller median; None if they are close or their quartiles overlap."""
    if dynamic["low"] <= static["high"] and static["low"] <= dynamic["high"]:
        return None
    return smaller(dynamic["median"], static["median"])


def break_even(dynamic: Json, static: Json) -> float | None:
    """The step after which static, all told, is ahead of dynamic; 1 if it is from the first step
    on; None if it never is, or if the steps do not differ by more than their spread."""
    owed = static["start"]["median"] - dynamic["start"]["median"]
    leader = ahead(dynamic["step"], static["step"])
    if owed <= 0:
        return 1.0 if leader != "dynamic" else None
    won = dynamic["step"]["median"] - static["step"]["median"]
    return 1 + owed / won if leader == "static" else None


def both(task: Json) -> bool:
    """Whether a task was measured on both engines."""
    return bool(task["measure"]) and len(task["measure"]["engines"]) == 2


def warm_pair(task: Json) -> tuple[Json, Json]:
    """The warm times of a task on dynamic and on static."""
    engines = task["measure"]["engines"]
    return engines["dynamic"]["warm"], engines["static"]["warm"]
