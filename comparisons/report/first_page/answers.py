"""Three readers, and what the run says to each: the rows that decide the dimensions that such work meets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from comparisons.report.first_page.glance import Group, Row
from comparisons.statistics.quantities import PAIR, listed


class Reader(NamedTuple):
    """Whoever asks: what they do, the three dimensions that count for it, and what to say by who is ahead in
    more of them."""

    title: str
    dimensions: tuple[str, str, str]
    says: Mapping[str | None, str]


READERS = (
    Reader(
        "You search for new architectures",
        ("control_flow", "debugging", "gradients"),
        {
            "dynamic": "A model changes daily and is run a few times: write it as Python, look at any value.",
            "static": "Here even what changes daily is better described first.",
            None: "By these rows either will do: take the one whose errors you can read.",
        },
    ),
    Reader(
        "You serve one fixed model a million times",
        ("speed", "optimisation", "deployment"),
        {
            "static": "What is described once is paid for once, and the graph can leave the program.",
            "dynamic": "Here a graph does not earn what it costs, even for a model that never changes.",
            None: "By these rows either will do: measure your own model, at your own sizes.",
        },
    ),
    Reader(
        "You teach, or learn",
        ("writing", "state", "start"),
        {
            "dynamic": "Each line does what it says when it is reached, and there is less to say.",
            "static": "The whole computation stands before the learner's eyes, and there is less to say.",
            None: "By these rows either will do: show both, next to each other.",
        },
    ),
)


@dataclass(frozen=True)
class Answer:
    """What a reader is told: the engine to take, or None for either; why; and the rows that say so."""

    reader: Reader
    leader: str | None
    says: str
    rows: Sequence[Row]


def answers(groups: Sequence[Group]) -> list[Answer]:
    """For each reader of whose dimensions all three rows are in this run."""
    return [found for reader in READERS if (found := _answer(reader, groups)) is not None]


def _answer(reader: Reader, groups: Sequence[Group]) -> Answer | None:
    by = {group.dimension.name: group for group in groups if group.decider is not None}
    if not by.keys() >= {*reader.dimensions}:
        return None
    found = [by[name] for name in reader.dimensions]
    many = {engine: sum(group.leader == engine for group in found) for engine in PAIR}
    leader = None if many["dynamic"] == many["static"] else max(many, key=lambda engine: many[engine])
    rows = [group.decider for group in found if group.decider is not None]
    said = [reader.says[leader], *_weighed(found, leader)]
    return Answer(reader, leader, " ".join(said), rows)


def _weighed(found: Sequence[Group], leader: str | None) -> list[str]:
    """How the three rows stand, in a sentence, where they are not of one mind."""
    against = [group.dimension.title.lower() for group in found if group.leader not in (leader, None)]
    open_ = [group.dimension.title.lower() for group in found if group.leader is None]
    if leader is None or not (against or open_):
        return []
    parts = [f"{how}: {listed(led)}" for how, led in (("against it", against), ("open", open_)) if led]
    return [f"(Of the three rows, {'; '.join(parts)}.)"]
