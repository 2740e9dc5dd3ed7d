"""Which of two is ahead, and when that is not resolved."""

from __future__ import annotations

from comparisons.statistics.quantities import Json

CLOSE = 0.03
"""Medians nearer than this share of each other are called equal, however small the spread."""


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
