"""Which design to choose for what: the row that decides each dimension, and what there is for the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.report.first_page.glance import Group, Row
from comparisons.report.first_page.reasons import REASONS
from comparisons.statistics.quantities import OTHER


@dataclass(frozen=True)
class Cited:
    """A row as a sentence names it: a link, and the figures of both sides."""

    title: str
    link: str
    figures: str


@dataclass(frozen=True)
class Choice:
    """What a run says to who chooses an engine for one dimension.

    leader   the engine to choose; None for either
    because  why, in a sentence
    rows     what to call a row, and the row: the one that decides, and what says most for the other side
    """

    group: Group
    leader: str | None
    because: str
    rows: Sequence[tuple[str, Cited]]


def choices(groups: Sequence[Group]) -> list[Choice]:
    """One for each dimension that is a reason to choose, in the order of the table."""
    return [_choice(group) for group in groups if group.dimension.name in REASONS]


def _choice(group: Group) -> Choice:
    leader, decider = group.leader, group.decider
    rows = [("Decided by", cited(decider))] if decider else []
    sides = (OTHER[leader],) if leader else ("dynamic", "static")
    for side in sides:
        if found := furthest([group], side):
            rows.append(("For the other" if leader else f"For {side}", found))
    because = REASONS[group.dimension.name][leader] if leader else undecided(group)
    return Choice(group, leader, because, rows)


def undecided(group: Group) -> str:
    """Why a dimension has no answer but "either"."""
    if not group.dimension.decider:
        return "No row of this is a race that either side could win: what counts is which is your case."
    if group.decider is None:
        return "The row that decides is not in this run."
    if "not resolved" in group.decider.verdict.said:
        return "The row that decides is not resolved in this run."
    return "The row that decides comes out the same on both."


KIND = 10.0
"""Where one side does what the other does not, that says more than to do it this many times less."""


def furthest(groups: Sequence[Group], engine: str) -> Cited | None:
    """The row that says most for an engine: what it has by design counts as `KIND`, else the largest factor,
    and of equals the first."""
    rows = [
        row for group in groups for row in group.rows if engine in (row.verdict.ahead, row.verdict.by_design)
    ]
    return cited(max(rows, key=_weight)) if rows else None


def _weight(row: Row) -> float:
    verdict = row.verdict
    of_words = not any(figure[0].isdigit() for figure in (verdict.dynamic, verdict.static))
    return KIND if of_words else verdict.times or 0.0


def cited(row: Row) -> Cited:
    """A row as sentences name it."""
    verdict = row.verdict
    dynamic, static = verdict.figures()
    said = f"; {verdict.said}" if verdict.said else ""
    return Cited(verdict.title, row.link, f"dynamic: {dynamic}; static: {static}{said}")
