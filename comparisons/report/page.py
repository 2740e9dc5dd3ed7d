"""The page of one experiment: its reading laid out, and what is true of how it was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comparisons.lab.dimensions import Dimension
from comparisons.lab.reading import Reading
from comparisons.statistics.quantities import Json, count, percent

EVERYWHERE = (
    "Both engines call the same NumPy kernels, on the CPU; the larger the arrays, the more of a step is "
    "theirs and the less is the design's.",
    "Static holds every parameter twice, in the model and in the session, because one model serves both "
    "engines.",
)
"""What to beware of on every page."""


@dataclass(frozen=True)
class Page:
    """An experiment, or a task, of a report, ready to be shown.

    reading  None if there is none, and `trouble` then says why in a sentence
    """

    name: str
    title: str
    question: str
    dimension: Dimension
    reading: Reading | None
    trouble: str
    method: list[str]
    command: str

    @property
    def file(self) -> str:
        """The page's place beside index.html."""
        return f"{self.name}.html"


def command(name: str, report: Json) -> str:
    """What makes the page of this piece again."""
    words = ["python -m comparisons run", name]
    words += ["--full"] * report["full"]
    words += [f"--engine {engine}" for engine in report["engines"] if len(report["engines"]) == 1]
    words += [f"--{option} {report[option]}" for option in ("seed", "steps") if report.get(option)]
    return " ".join(words)


def scatter(evidence: Any) -> list[str]:
    """How far what was timed scatters, in a sentence; none if nothing was."""
    found = [spread for spread in spreads(evidence) if spread["median"] > 0]
    if not found:
        return []
    widest = max(found, key=_width)
    rounds = {spread["count"] for spread in found}
    times = count(rounds.pop(), "time") if len(rounds) == 1 else f"{min(rounds)} to {max(rounds)} times"
    return [
        f"What is timed here was timed {times}, in turns. Between the quartiles of the figure that scatters "
        f"most lie {percent(_width(widest))} of its median."
    ]


def _width(spread: Json) -> float:
    return (spread["high"] - spread["low"]) / spread["median"]


def spreads(found: Any) -> Iterator[Json]:
    """All spreads of samples in some evidence."""
    if isinstance(found, Mapping):
        if {"median", "low", "high", "count"} == found.keys():
            yield found
        else:
            for part in found.values():
                yield from spreads(part)
    elif isinstance(found, list):
        for part in found:
            yield from spreads(part)
