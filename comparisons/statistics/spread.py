"""Samples summed up: their median, their quartiles, how many there were, and the samples themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median, quantiles
from typing import Any

KEYS = {"median", "low", "high", "count", "samples"}


def spread(samples: Sequence[float]) -> dict[str, Any]:
    """Median and quartiles of some samples, how many there were, and they themselves, in order.

    A sample is what one round, one run or one process took, and not one of the many steps within it:
    steps that follow each other meet the same weather, so they are not independent.
    """
    if len(samples) == 1:
        low = high = samples[0]
    else:
        low, _, high = quantiles(samples, n=4, method="inclusive")
    return {
        "median": median(samples), "low": low, "high": high, "count": len(samples), "samples": [*samples],
    }  # fmt: skip


def is_spread(found: Any) -> bool:
    """Whether a part of some evidence is a spread."""
    return isinstance(found, Mapping) and found.keys() == KEYS


def spreads(found: Any) -> Iterator[Mapping[str, Any]]:
    """All spreads in some evidence."""
    if is_spread(found):
        yield found
    elif isinstance(found, Mapping):
        for part in found.values():
            yield from spreads(part)
    elif isinstance(found, list):
        for part in found:
            yield from spreads(part)


def resampled(found: Any, change: Any) -> Any:
    """A spread whose samples have been changed, each by `change(sample)`."""
    return spread([change(sample) for sample in found["samples"]])
