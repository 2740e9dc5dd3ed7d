"""The page of one experiment: its reading laid out, and what is true of how it was measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from comparisons.dimensions import DIMENSIONS, Dimension
from comparisons.experiment import LEVELS, Experiment
from comparisons.quantities import PAIR, Json, count, percent
from comparisons.reading import Pair, Reading
from comparisons.report.listing import Row, highlighted, side_by_side

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


def pages_of(report: Json, experiments: Mapping[str, Experiment]) -> list[Page]:
    """The experiments of a report in the order of their dimensions."""
    made = [_page(name, entry, report, experiments) for name, entry in report["experiments"].items()]
    return sorted(made, key=lambda page: [*DIMENSIONS].index(page.dimension.name))


def _page(name: str, entry: Json, report: Json, experiments: Mapping[str, Experiment]) -> Page:
    reading, trouble = None, ""
    if entry["status"] == "failed":
        trouble = f"This experiment failed. {entry['error']['type']}: {entry['error']['message']}"
    elif entry["status"] != "done":
        trouble = "This experiment was interrupted before it was finished."
    elif name not in experiments:
        trouble = "This version has no experiment of this name, so its evidence can not be read."
    else:
        try:
            reading = experiments[name].read(entry["found"])
            reading = replace(reading, threats=[*reading.threats, *EVERYWHERE])
        except (LookupError, TypeError, ValueError) as error:  # the evidence of another version
            trouble = f"Its evidence can not be read. {type(error).__name__}: {error}"
    return Page(
        name, entry["title"], entry["question"], DIMENSIONS[entry["dimension"]], reading, trouble,
        method=_method(entry), command=command(name, report),
    )  # fmt: skip


def command(name: str, report: Json) -> str:
    """What makes the page of this piece again."""
    words = ["python -m comparisons run", name]
    words += ["--full"] * report["full"]
    words += [f"--engine {engine}" for engine in report["engines"] if len(report["engines"]) == 1]
    words += [f"--{option} {report[option]}" for option in ("seed", "steps") if report.get(option)]
    return " ".join(words)


def _method(entry: Json) -> list[str]:
    """The level, and how far what was timed scatters."""
    found = scatter(entry.get("found"))
    timed = found or ["Nothing is timed here."] * (entry.get("found") is not None)
    return [LEVELS[entry["level"]], *timed]


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


def prose(text: str) -> str:
    """A sentence as HTML: `code` between backquotes, [a link](page.html) to a page of the report, the rest
    as it stands."""
    escaped = escape(text, quote=False)
    return re.sub(r"`([^`]+)`|\[([^\[\]`]+)\]\((\w+\.html)\)", _marked, escaped)


def _marked(found: re.Match[str]) -> str:
    code, link, page = found.groups()
    return f"<code>{code}</code>" if code else f'<a href="{page}">{link}</a>'


def sides(pair: Pair) -> dict[str, dict[str, Any]]:
    """Both codes of a pair as {rows, out, error, ended}: the lines that differ, the one at which
    Python stood and the one that the message named are marked; `ended` says whether it is known
    how the code ended."""
    codes = (pair.dynamic, pair.static)
    found = side_by_side(*(side["code"] for side in codes))
    return {
        engine: {
            "rows": _pointed(rows, side.get("error")),
            "out": side.get("out", ""),
            "error": side.get("error"),
            "ended": "error" in side,
        }
        for engine, rows, side in zip(PAIR, found, codes, strict=True)
    }


def _pointed(rows: list[Row], error: Json | None) -> list[Row]:
    if error is None:
        return rows
    marked, number = [], 0
    for row in rows:
        if row.html is None:
            marked.append(row)
            continue
        points = [mark for mark in ("stopped", "named") if error[mark] == number]
        marked.append(Row(row.html, " ".join([row.mark, *points])))
        number += 1
    return marked


def plain_rows(source: str) -> list[Row]:
    """A listing with nothing beside it."""
    return [Row(html, "same") for html in highlighted(source)]
