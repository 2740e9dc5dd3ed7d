"""The chart that opens the first page: every row of the table as a dot, a line for each dimension."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.report.first_page.glance import Group, Row
from comparisons.report.look.panels import Dot, Line, stacked
from comparisons.statistics.quantities import PAIR, factor


def balance(groups: Sequence[Group]) -> list[Line]:
    """A line for each dimension in which a row could decide."""
    return [_line(group) for group in groups if group.decider is not None]


def _line(group: Group) -> Line:
    dots = [_dot(row, row is group.decider) for row in group.rows]
    return Line(group.dimension.title, stacked(dots), _said(group), group.leader)


def _dot(row: Row, decides: bool) -> Dot:
    verdict = row.verdict
    sides = "; ".join(f"{engine}: {getattr(verdict, engine)}" for engine in PAIR)
    says = f"{verdict.title}. {verdict.together or sides}"
    return Dot(verdict.ahead or verdict.by_design, verdict.times, says, counts=decides)


def _said(group: Group) -> str:
    """The row that decides, in a few words."""
    if group.leader is None or group.decider is None:
        return "either"
    times = group.decider.verdict.times
    return f"{group.leader}, {factor(times)} times" if times else group.leader
