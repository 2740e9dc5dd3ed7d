"""Bytes that were counted several times: what is told of them, and how far the counts lay apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median_low
from typing import Any

from comparisons.statistics.quantities import Json, count, size

KEYS = {"bytes", "least", "most", "count"}


def tally(counts: Sequence[int]) -> dict[str, int]:
    """Counts of one thing, each made anew: their median, which is one of them, the least and the most, and
    how many there were."""
    return {
        "bytes": median_low(counts), "least": min(counts), "most": max(counts), "count": len(counts),
    }  # fmt: skip


def tallies(found: Any) -> Iterator[Json]:
    """All tallies in some evidence."""
    if isinstance(found, Mapping):
        if found.keys() == KEYS:
            yield found
        else:
            for part in found.values():
                yield from tallies(part)
    elif isinstance(found, list):
        for part in found:
            yield from tallies(part)


def plain(found: Any) -> Any:
    """Evidence in which each tally is the bytes that are told of it."""
    if isinstance(found, Mapping):
        if found.keys() == KEYS:
            return found["bytes"]
        return {key: plain(part) for key, part in found.items()}
    return [plain(part) for part in found] if isinstance(found, list) else found


def apart(found: Sequence[Json]) -> str:
    """How often each of some figures was counted, and how far its counts lay apart at most."""
    most = max(one["most"] - one["least"] for one in found)
    times = {one["count"] for one in found}
    counted = " or ".join(count(each, "time") for each in sorted(times))
    if times == {1}:
        return "counted once"
    return f"counted {counted}, {f'{size(most)} apart at most' if most else 'each time the same to the byte'}"
