"""The page of one experiment: its reading laid out, and what is true of how it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comparisons.lab.dimensions import Dimension
from comparisons.lab.reading import Reading
from comparisons.statistics.effect import ahead
from comparisons.statistics.quantities import Json, count, factor, listed, number, percent
from comparisons.statistics.spread import spreads
from comparisons.statistics.tally import apart, tallies


def by_size(report: Json) -> list[str]:
    """How the difference hangs on the size of arrays, as far as the run has looked at that."""
    entry = report["experiments"].get("overhead", {})
    if "found" not in entry:
        return []
    at = entry["found"]["sizes"]
    factors = [f"{factor(one['dynamic']['median'] / one['static']['median'])}" for one in at]
    sizes = listed([number(one["numbers"]) for one in at])
    seen = [number(one["numbers"]) for one in at if ahead(one["dynamic"], one["static"])]
    resolved = f"resolved on {listed(seen)}" if seen else "which is resolved on none of them"
    return [
        "How much of a time is the engine's may hang on the size of the arrays: in "
        f"[a chain of {entry['found']['chain']} ops](overhead.html) on {sizes} numbers, dynamic took "
        f"{listed(factors)} times what static took, by the medians, {resolved}."
    ]


@dataclass(frozen=True)
class Page:
    """An experiment, or a task, of a report, ready to be shown.

    reading  None if there is none, and `trouble` then says why in a sentence
    method   sentences on how it was measured, the size of what was run first
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
    if name == "given_model" and "--onnx" in report["command"]:
        return str(report["command"])
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
        f"Timed {times}; widest middle half {percent(_width(widest))}."
    ]


def recounted(evidence: Any) -> list[str]:
    """How often bytes were counted, and how far the counts lay apart, in a sentence; none if none were."""
    found = [*tallies(evidence)]
    return [f"Memory was {apart(found)}."] if found else []


def _width(spread: Json) -> float:
    return (spread["high"] - spread["low"]) / spread["median"]
