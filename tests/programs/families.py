"""The parts of the law, each of which writes programs of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.programs import composed, eager, effects, numbers, protocols, sessions, trained
from tests.programs.choices import Choices, numbers_of
from tests.programs.program import Program

Write = Callable[[Choices, frozenset[str]], Program]

FAMILIES: dict[str, tuple[Write, int]] = {
    "composed": (composed.write, 12),
    "trained": (trained.write, 4),
    "eager": (eager.write, 24),
    "effects": (effects.write, 10),
    "edge": (numbers.write_edge, 24),
    "protocols": (protocols.write, 8),
    "sessions": (sessions.write, 2),
    "stable": (numbers.write_stable, 4),
    "long": (numbers.write_long, 2),
    "promoted": (numbers.write_promoted, 24),
}
"""Who writes it, and how many of its programs a search tries among the others: many of those that take some
milliseconds, few of those that take a quarter of a second."""


def program_of(family: str, seed: int, closed: Iterable[str] = ()) -> Program:
    """The program of a seed."""
    return FAMILIES[family][0](Choices(numbers_of(seed)), frozenset(closed))
