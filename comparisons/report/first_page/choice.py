"""Which design to choose for what: by the row that decides each dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.report.first_page.glance import Group
from comparisons.report.first_page.reasons import REASONS


@dataclass(frozen=True)
class Choice:
    """What a run says to who chooses an engine for one dimension: the engine, or None for either, and why,
    in a sentence."""

    group: Group
    leader: str | None
    because: str


def choices(groups: Sequence[Group]) -> list[Choice]:
    """One for each group, in their order; of one that is no reason to choose nothing is said."""
    return [_choice(group) for group in groups]


def _choice(group: Group) -> Choice:
    if group.dimension.name not in REASONS:
        return Choice(group, None, "")
    because = REASONS[group.dimension.name][group.leader] if group.leader else undecided(group)
    return Choice(group, group.leader, because)


def undecided(group: Group) -> str:
    """Why a dimension has no answer but "either"."""
    if not group.dimension.decider:
        return "No row of this is a race that either side could win: what counts is which is your case."
    if group.decider is None:
        return "The row that decides is not in this run."
    if "not resolved" in group.decider.verdict.said:
        return "The row that decides is not resolved in this run."
    return "The row that decides comes out the same on both."
