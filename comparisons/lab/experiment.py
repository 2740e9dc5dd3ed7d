"""Experiment: one question about the two designs, answered by running both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from comparisons.lab.context import Context
from comparisons.lab.dimensions import DIMENSIONS
from comparisons.lab.reading import Reading
from comparisons.statistics.spread import is_spread, spread

LEVELS = {
    "exact": "Static ran at `exact`.",
    "fast": "Static ran at `fast`.",
    "both": "Static ran at both levels; at `fast` where nothing else is said.",
    "": "",
}
"""What a page says of the level at which static ran."""


def swapped(found: Any) -> Any:
    """Evidence in which the engines have changed places: wherever a dict has both `dynamic` and
    `static`, each is found under the other's name."""
    if isinstance(found, list):
        return [swapped(part) for part in found]
    if not isinstance(found, dict):
        return found
    inner = {key: swapped(part) for key, part in found.items()}
    if {"dynamic", "static"} <= inner.keys():
        inner["dynamic"], inner["static"] = inner["static"], inner["dynamic"]
    return inner


def leveled(found: Any) -> Any:
    """Evidence in which static came out as dynamic did, wherever both have some."""
    if isinstance(found, list):
        return [leveled(part) for part in found]
    if not isinstance(found, dict):
        return found
    inner = {key: leveled(part) for key, part in found.items()}
    if {"dynamic", "static"} <= inner.keys():
        inner["static"] = inner["dynamic"]
    return inner


def blurred(found: Any) -> Any:
    """Evidence in which what was timed scatters so widely, around the same medians, that nothing of it is
    resolved: no sentence may then tell who is ahead in time."""
    if is_spread(found):
        return spread([found["median"] * 10.0**power for power in range(-9, 10)])
    if isinstance(found, list):
        return [blurred(part) for part in found]
    if isinstance(found, dict):
        return {key: blurred(part) for key, part in found.items()}
    return found


@dataclass(frozen=True)
class Experiment:
    """A question and what answers it.

    name       what the command line calls it, and the name of its file and its page
    title      what a page calls it
    question   what a reader would ask
    dimension  the one of `DIMENSIONS` that it belongs to
    run        does it on both engines and gives the evidence as JSON; it formats nothing
    read       what the page says of such evidence, chosen by its numbers; it measures nothing
    sizes      how large that is which was run, in a sentence made from the evidence
    level      how far static optimised: one of `LEVELS`
    doctor     evidence of another outcome, made from evidence; under it `read` must say something
               else, and a law checks that. The default exchanges the engines; it also promises
               that where static's evidence equals dynamic's nobody is ahead. Evidence that has
               no two sides, or is meant to be equal, needs a doctor of its own
    """

    name: str
    title: str
    question: str
    dimension: str
    run: Callable[[Context], dict[str, Any]]
    read: Callable[[Any], Reading]
    sizes: Callable[[Any], str]
    level: str = "fast"
    doctor: Callable[[Any], Any] = swapped

    def __post_init__(self) -> None:
        if self.dimension not in DIMENSIONS:
            raise ValueError(f"{self.name}: {self.dimension!r} is none of {', '.join(DIMENSIONS)}")
        if self.level not in LEVELS:
            known = ", ".join(map(repr, LEVELS))
            raise ValueError(f"{self.name}: the level {self.level!r} is none of {known}")
