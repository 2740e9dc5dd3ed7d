"""Samples summed up: their median and quartiles, and how many there were."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles


def spread(samples: Sequence[float]) -> dict[str, float]:
    """Median and quartiles of some samples, and how many there were."""
    if len(samples) == 1:
        low = high = samples[0]
    else:
        low, _, high = quantiles(samples, n=4, method="inclusive")
    return {"median": median(samples), "low": low, "high": high, "count": len(samples)}
