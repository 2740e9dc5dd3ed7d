"""Numbers as a reader says them, and which of two is smaller once their spread is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


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
