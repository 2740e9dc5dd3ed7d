"""Are the two engines' numbers the same numbers? Bit for bit, and NaN equals NaN; or, where static
needs another encoding of the task, within a stated tolerance."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

from comparisons.training.drive import Outcome

FIRST, LEVELS_TOLERANCE = 5, 1e-4
"""So many first losses at static's level "fast" must lie within this share of those at "exact". Later
ones are compared, not judged: training makes the smallest difference larger, step by step."""


def finite(value: float) -> float | None:
    """The value as JSON can hold it: None for infinity and for what is no number."""
    return value if math.isfinite(value) else None


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


def _alike(a: Any, b: Any, tolerance: float | None) -> bool:
    same = a.dtype == b.dtype and a.shape == b.shape
    return same and (tolerance is not None or a.tobytes() == b.tobytes())


def _apart(a: float, b: float) -> float:
    """How far two losses lie apart, as a share of the larger."""
    if _bits(a) == _bits(b) or a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    return abs(a - b) / max(abs(a), abs(b)) if math.isfinite(a) and math.isfinite(b) else math.inf


def verify(dynamic: Outcome, static: Outcome, tolerance: float | None = None) -> dict[str, Any]:
    """The evidence, as JSON.

    equal             whether all of the below is equal; with a tolerance, whether the losses are
                      that near each other, and the states the same arrays up to their values
    tolerance         how far losses may lie apart, as a share; None: not at all
    apart             how far they do at most, as a share; None if that is no number
    steps             how many losses were compared
    first_difference  {step, dynamic, static} of the first loss that differs, or None
    unequal_steps     how many losses differ
    arrays, numbers   how many arrays of state were compared, and how many numbers they hold
    unequal_arrays    the names of those that differ
    unequal_guesses   how many test examples got another answer
    """
    pairs = list(zip(dynamic.losses, static.losses, strict=False))
    apart = [_apart(a, b) for a, b in pairs]
    if tolerance is None:
        unequal = [i for i, (a, b) in enumerate(pairs) if _bits(a) != _bits(b)]
    else:
        unequal = [i for i, gap in enumerate(apart) if gap > tolerance]
    first = None
    if unequal:
        a, b = pairs[unequal[0]]
        first = {"step": unequal[0] + 1, "dynamic": finite(a), "static": finite(b)}
    names = sorted(dynamic.states.keys() | static.states.keys())
    differ = [
        name
        for name in names
        if name not in dynamic.states
        or name not in static.states
        or not _alike(dynamic.states[name], static.states[name], tolerance)
    ]
    guesses = int((dynamic.guesses != static.guesses).sum())
    same_length = len(dynamic.losses) == len(static.losses)
    return {
        "equal": same_length and not unequal and not differ and (not guesses or tolerance is not None),
        "tolerance": tolerance,
        "apart": finite(max(apart, default=0.0)),
        "steps": len(pairs),
        "first_difference": first,
        "unequal_steps": len(unequal),
        "arrays": len(names),
        "numbers": sum(array.size for array in dynamic.states.values()),
        "unequal_arrays": differ,
        "unequal_guesses": guesses,
    }


def levels_apart(exact: Sequence[float], fast: Sequence[float]) -> dict[str, Any]:
    """How far the losses at static's level "fast" lie from those at "exact", as JSON.

    steps, first            how many losses were compared, and how many of them are judged
    tolerance               how far the first may lie apart, as a share of the larger
    first_apart, apart      how far the first do at most, and all; None if that is no number
    within                  whether the first lie within the tolerance
    """
    gaps = [_apart(a, b) for a, b in zip(exact, fast, strict=True)]
    first = gaps[:FIRST]
    return {
        "steps": len(gaps),
        "first": len(first),
        "tolerance": LEVELS_TOLERANCE,
        "first_apart": finite(max(first, default=0.0)),
        "apart": finite(max(gaps, default=0.0)),
        "within": all(gap <= LEVELS_TOLERANCE for gap in first),
    }
