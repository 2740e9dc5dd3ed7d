"""Numbers as a reader says them, and which of two is smaller once their spread is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_UP, Decimal
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


def within(low: float, high: float, said: Callable[[float], str]) -> str:
    """From one value to another, the unit said once where it is the same: 2.25 to 2.60 ms."""
    first, last = said(low), said(high)
    figure, _, unit = first.partition(" ")
    same = unit and unit == last.partition(" ")[2]
    return f"{figure} to {last}" if same else f"{first} to {last}"


def spread_of(found: Json) -> str:
    """A spread of seconds: the median, and in brackets the middle half; of one sample, that it is one."""
    if found["count"] == 1:
        return f"{seconds(found['median'])}, once"
    return f"{seconds(found['median'])} ({within(found['low'], found['high'], seconds)})"


def factor(value: float) -> str:
    """How many times: 1.04, 1.9, 22.9, 327."""
    return f"{value:.2f}" if value < 1.095 else f"{value:.1f}" if value < 99.95 else number(value)


def size(value: float) -> str:
    """Bytes, or kB, MB or GB (powers of a thousand)."""
    for unit, size_of_unit in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if _rounded(value) >= size_of_unit:
            return f"{_three(value / size_of_unit)} {unit}"
    return count(round(value), "byte")


def percent(share: float) -> str:
    """0.989 as 98.9 %."""
    return f"{100 * share:.1f} %"


def at_most(value: float) -> str:
    """A bound in two digits, rounded up, never said without its words: 1.28e-06 is "at most 1.3e-06"."""
    return f"at most {_bound(value)}"


def no_further(value: float) -> str:
    """The same of a distance: "within 1.3e-06"."""
    return f"within {_bound(value)}"


def no_further_in_percent(share: float) -> str:
    """The same in percent: 0.0341 is "within 3.5 %"."""
    return f"within {Decimal(repr(100 * float(share))).quantize(Decimal('0.1'), ROUND_UP)} %"


def _bound(value: float) -> str:
    exact = Decimal(repr(float(value)))
    return f"{float(exact.quantize(Decimal((0, (1,), exact.adjusted() - 1)), ROUND_UP)):.2g}"


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def steps_of(even: Any) -> str:
    """A break-even with its range: 85 steps (70 to 104)."""
    low, high = (None if end is None else number(end) for end in (even.low, even.high))
    span = f"{low} to {high}" if high else f"{low} or more"
    return f"{count(even.step, 'step')} ({span})"


def times_of(found: Any) -> str:
    """An effect as a factor with its interval: 1.9 times (1.7 to 2.2)."""
    times, low, high = found.times
    return f"{factor(times)} times ({within(low, high, factor)})"
