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
    "eager": (eager.write, 2),
    "effects": (effects.write, 2),
    "edge": (numbers.write_edge, 1),
    "protocols": (protocols.write, 1),
    "sessions": (sessions.write, 1),
    "stable": (numbers.write_stable, 1),
    "long": (numbers.write_long, 1),
    "promoted": (numbers.write_promoted, 1),
}
"""Who writes it, and how many of its programs a search tries among the others."""


def program_of(family: str, seed: int, closed: Iterable[str] = ()) -> Program:
    """The program of a seed."""
    return FAMILIES[family][0](Choices(numbers_of(seed)), frozenset(closed))
