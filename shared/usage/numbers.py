"""Numbers among settings: what they may be."""

from __future__ import annotations

import math
from typing import Any

from shared.errors import SettingError


def number(
    call: str, name: str, value: Any, low: float = 0.0, below: float = math.inf, above: bool = False
) -> float:
    """`value` as a float in [low, below), or, with `above`, in (low, below); else SettingError."""
    fits = isinstance(value, (int, float)) or getattr(value, "shape", None) == ()
    try:
        found = float(value) if fits else math.nan
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not (low < found if above else low <= found) or not found < below:
        least = f"above {low:g}" if above else f"{low:g} or more"
        most = f" and below {below:g}" if below < math.inf else ""
        raise SettingError(f"{call}: {name} must be a finite number, {least}{most}, not {value!r}")
    return found


def pair(call: str, name: str, value: Any) -> tuple[float, float]:
    """Two numbers in [0, 1), such as Adam's betas."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise SettingError(f"{call}: {name} must be two numbers, such as (0.9, 0.999), not {value!r}")
    first, second = (number(call, f"{name}[{i}]", part, below=1) for i, part in enumerate(value))
    return first, second
