"""Why TensorFlow 2 came, as far as the rows of a run can say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.report.first_page.choice import Cited, furthest
from comparisons.report.first_page.glance import Group, more
from comparisons.statistics.quantities import OTHER, count, listed

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
