"""The finding: a title and a sentence on whether the numbers are the same, and who is ahead in what."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.report.first_page.glance import Group
from comparisons.statistics.quantities import PAIR, Json, listed


def headline(report: Json) -> str:
    """The title of the first page."""
    compared = [task["verify"] for task in report["tasks"].values() if task["verify"] is not None]
    if not compared:
        return "Two designs, one set of ops. What differs?"
    if not all(found["equal"] for found in compared):
        return "Two designs, and not the same numbers."
    exact = all(found["tolerance"] is None for found in compared)
    return f"Two designs, the same {'bits' if exact else 'numbers'}. So what differs?"


def led(groups: Sequence[Group]) -> str:
    """Who is ahead in which dimensions, by the row that decides each; empty where none does."""
    decided = [group for group in groups if group.decider is not None]
    by = {
        side: [group.dimension.title.lower() for group in decided if group.leader == side]
        for side in (*PAIR, None)
    }
    parts = [f"{side} is ahead in {listed(by[side])}" for side in PAIR if by[side]]
    if not parts:
        return "In no row that decides is either seen to be ahead." if decided else ""
    rest = f"; {listed(by[None])} {'is' if len(by[None]) == 1 else 'are'} not decided" if by[None] else ""
    return f"The design decides the rest: {'; '.join(parts)}{rest}."
