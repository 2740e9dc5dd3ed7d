"""Which design to choose for what, by the rows that are ahead in a run; and why TensorFlow 2 came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.report.first_page.glance import Group, Row
from comparisons.report.first_page.reasons import REASONS
from comparisons.statistics.quantities import OTHER, number


@dataclass(frozen=True)
class Cited:
    """A row as a sentence names it: a link, and the figures of both sides."""

    title: str
    link: str
    figures: str


@dataclass(frozen=True)
class Choice:
    """What a run says to who chooses an engine for one dimension.

    leader   the engine to choose; None if the rows do not decide
    said     in how many rows each is ahead
    best     the row that says most for the leader
    because  why, in a sentence
    other    the row that says most for the other one, if there is one
    """

    group: Group
    leader: str | None
    said: str
    best: Cited | None
    because: str
    other: Cited | None


def choices(groups: Sequence[Group]) -> list[Choice]:
    """One for each dimension that is a reason to choose, in the order of the table."""
    return [_choice(group) for group in groups if group.dimension.name in REASONS]


def _choice(group: Group) -> Choice:
    leader = group.leader
    if leader is not None:
        because, first = REASONS[group.dimension.name][leader], leader
    else:
        first = "dynamic"
        because = (
            "The rows do not decide it: what counts is which of these is your case."
            if any(group.ahead.values())
            else "Nothing that was found here speaks for either."
        )
    said = f"{group.said[0].upper()}{group.said[1:]}."
    return Choice(group, leader, said, furthest([group], first), because, furthest([group], OTHER[first]))


KIND = 10.0
"""Where one side does what the other does not, that says more than to do it this many times less."""


def furthest(groups: Sequence[Group], engine: str) -> Cited | None:
    """The row in which an engine is furthest ahead: by the largest factor, where a row of words counts
    as `KIND`, and of equals the first."""
    rows = [row for group in groups for row in group.rows if row.verdict.ahead == engine]
    return _cited(max(rows, key=_weight)) if rows else None


def _weight(row: Row) -> float:
    verdict = row.verdict
    of_words = not any(figure[0].isdigit() for figure in (verdict.dynamic, verdict.static))
    return KIND if of_words else verdict.times or 0.0


def _cited(row: Row) -> Cited:
    verdict = row.verdict
    figures = f"dynamic: {verdict.dynamic}; static: {verdict.static}"
    if verdict.times is not None and verdict.times >= 1.5:
        times = f"{verdict.times:.1f}" if verdict.times < 100 else number(verdict.times)
        figures += f"; a factor of {times}"
    return Cited(verdict.title, row.link, figures)


# --- why TensorFlow 2 came -------------------------------------------------------------------
