"""Are the two engines' numbers the same numbers? Bit for bit, and NaN equals NaN."""

from __future__ import annotations

import math
import struct
from typing import Any

from comparisons.train import Outcome


def finite(value: float) -> float | None:
    """The value as JSON can hold it: None for infinity and for what is no number."""
    return value if math.isfinite(value) else None


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


def _same(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def verify(dynamic: Outcome, static: Outcome) -> dict[str, Any]:
    """The evidence, as JSON.

    equal             whether all of the below is equal
    steps             how many losses were compared
    first_difference  {step, dynamic, static} of the first loss that differs, or None
    unequal_steps     how many losses differ
    arrays, numbers   how many arrays of state were compared, and how many numbers they hold
    unequal_arrays    the names of those that differ
    unequal_guesses   how many test examples got another answer
    """
    pairs = list(zip(dynamic.losses, static.losses, strict=False))
    unequal = [i for i, (a, b) in enumerate(pairs) if _bits(a) != _bits(b)]
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
        or not _same(dynamic.states[name], static.states[name])
    ]
    guesses = int((dynamic.guesses != static.guesses).sum())
    same_length = len(dynamic.losses) == len(static.losses)
    return {
        "equal": same_length and not unequal and not differ and not guesses,
        "steps": len(pairs),
        "first_difference": first,
        "unequal_steps": len(unequal),
        "arrays": len(names),
        "numbers": sum(array.size for array in dynamic.states.values()),
        "unequal_arrays": differ,
        "unequal_guesses": guesses,
    }
