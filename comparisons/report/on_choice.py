"""Which design to choose for what, by the rows that are ahead in a run; and why TensorFlow 2 came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.quantities import OTHER, count, listed, number
from comparisons.report.on_glance import Group, Row, more
from comparisons.report.reasons import REASONS


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

HANDS = ("writing", "construction", "control_flow", "debugging", "state")
"""What whoever writes a model meets."""
MACHINE = ("speed", "optimisation", "memory", "foresight", "deployment")
"""What whoever runs it for long, or elsewhere, meets."""

ON_HANDS: dict[str | None, str] = {
    "dynamic": "That is why people turned away from TensorFlow 1: what they met every day was easier "
    "elsewhere.",
    "static": "By these figures those who write models had no reason to turn away from TensorFlow 1.",
    None: "By these figures those who write models might as well have stayed with TensorFlow 1.",
}
ON_MACHINE: dict[str | None, str] = {
    "static": "There the graph earns what it costs, so it was not simply given up.",
    "dynamic": "There the graph does not earn what it costs, and by these figures it could have been given "
    "up.",
    None: "There neither is ahead on the whole: the graph is worth keeping for single things that it leads "
    "in.",
}
TENSORFLOW_2 = (
    "TensorFlow 2 (2019) set out to have both: its ops run at once, as dynamic's do, and `tf.function` "
    "traces a Python function into a graph, as static's, once it is known what is to be repeated. The price "
    "is a border within the program: inside such a function what is said here of static holds again."
)


@dataclass(frozen=True)
class Turn:
    """Why TensorFlow's ops came to run at once, as far as a run can say: sentences, and the rows in which
    dynamic is furthest ahead where a person works, and static where a machine does."""

    says: list[str]
    rows: list[Cited]


def why_tensorflow_2(groups: Sequence[Group]) -> Turn | None:
    """None where the run has looked at only one of the two halves."""
    halves = [[group for group in groups if group.dimension.name in names] for names in (HANDS, MACHINE)]
    if not all(halves):
        return None
    hands, machine = halves
    says = [
        f"Where a person writes a model and mends it ({_named(hands)}), {_tally(hands)}. "
        f"{ON_HANDS[more(_sums(hands))]}",
        f"Where a machine runs it for long, or elsewhere ({_named(machine)}), {_tally(machine)}. "
        f"{ON_MACHINE[more(_sums(machine))]}",
        TENSORFLOW_2,
    ]
    loudest = (furthest(half, engine) for half, engine in ((hands, "dynamic"), (machine, "static")))
    return Turn(says, [row for row in loudest if row is not None])


def _sums(half: Sequence[Group]) -> dict[str, int]:
    return {engine: sum(group.ahead[engine] for group in half) for engine in OTHER}


def _named(half: Sequence[Group]) -> str:
    return listed([group.dimension.title.lower() for group in half])


def _tally(half: Sequence[Group]) -> str:
    found = _sums(half)
    rows = count(sum(len(group.rows) for group in half), "row")
    return f"dynamic is ahead in {found['dynamic']} and static in {found['static']} of {rows}"
