"""Two codes side by side, and where each ended."""

from __future__ import annotations

from typing import Any

from comparisons.lab.blocks import Pair
from comparisons.report.look.listing import Line, highlighted, side_by_side
from comparisons.statistics.quantities import PAIR, Json


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


def _pointed(rows: list[Line], error: Json | None) -> list[Line]:
    if error is None:
        return rows
    marked, number = [], 0
    for row in rows:
        if row.html is None:
            marked.append(row)
            continue
        points = [mark for mark in ("stopped", "named") if error[mark] == number]
        marked.append(Line(row.html, " ".join([row.mark, *points])))
        number += 1
    return marked


def plain_rows(source: str) -> list[Line]:
    """A listing with nothing beside it."""
    return [Line(html, "same") for html in highlighted(source)]
