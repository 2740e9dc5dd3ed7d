"""Why TensorFlow 2 came, as far as the rows of a run can say."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.report.first_page.glance import Group
from comparisons.statistics.quantities import PAIR, listed

HANDS = ("writing", "construction", "control_flow", "debugging", "state")
"""What whoever writes a model meets."""

MACHINE = ("speed", "optimisation", "memory", "foresight", "deployment")
"""What whoever runs it for long, or elsewhere, meets."""

ON_HANDS: dict[str | None, str] = {
    "dynamic": "That is the part of the work that people saw when they wrote models in TensorFlow 1.",
    "static": "By these rows those who write models had no reason to turn away from TensorFlow 1.",
    None: "By these rows alone it can not be told why people turned away from TensorFlow 1.",
}

ON_MACHINE: dict[str | None, str] = {
    "static": "There the graph earns what it costs, so it was not simply given up.",
    "dynamic": "There the graph does not earn what it costs, and by these rows it could have been given up.",
    None: "So the graph is worth keeping for what it is ahead in, and was not simply given up.",
}

TENSORFLOW_2 = (
    "TensorFlow 2 (2019) set out to have both: its ops run at once, and `tf.function` traces a Python "
    "function into a graph. The price is a border within the program. `static.function` is built so here; "
    "`dynamic.function` has no such border, and runs Python in every call."
)


def why_tensorflow_2(groups: Sequence[Group]) -> list[str]:
    """Sentences; none where the run has looked at only one of the two halves."""
    halves = [[group for group in groups if group.dimension.name in names] for names in (HANDS, MACHINE)]
    if not all(halves):
        return []
    hands, machine = halves
    return [
        *_named(groups),
        f"Where a person writes a model and mends it, {_told(hands)}. {ON_HANDS[_leader(hands)]}",
        f"Where a machine runs it for long, or elsewhere, {_told(machine)}. {ON_MACHINE[_leader(machine)]}",
        TENSORFLOW_2,
    ]


EVIDENCE = ("python_if_tree", "late_shape_error", "print_op", "where_tf2_went")
"""Pages with a row each on what TensorFlow 1's users met; three of them are named."""


def _named(groups: Sequence[Group]) -> list[str]:
    """Three rows on which what people met can be seen, where this run has them."""
    rows = [row for group in groups for row in group.rows]
    firsts = [next((row for row in rows if row.link == f"{name}.html"), None) for name in EVIDENCE]
    told = [
        f"[{row.verdict.title}]({row.link})" for row in firsts if row is not None
    ]  # fmt: skip
    return [f"Three rows show it: {'; '.join(told[:3])}."] if len(told) >= 3 else []


def _leader(half: Sequence[Group]) -> str | None:
    """The engine that is ahead wherever a row decides; None where both are somewhere, or nobody is."""
    found = {group.leader for group in half if group.leader}
    return found.pop() if len(found) == 1 else None


def _told(half: Sequence[Group]) -> str:
    """In which dimensions each engine is ahead by the row that decides."""
    decided = [group for group in half if group.decider]
    by = {
        side: [group.dimension.title.lower() for group in decided if group.leader == side]
        for side in (*PAIR, None)
    }
    parts = [f"{side} is ahead in {listed(by[side])}" for side in PAIR if by[side]]
    if by[None]:
        parts.append(f"neither is in {listed(by[None])}")
    return f"by the rows that decide {'; '.join(parts)}" if parts else "there is no row that decides"
