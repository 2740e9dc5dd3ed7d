"""Work that can be done bit by bit: a generator that yields where it may rest and returns what it made."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Slices = Generator[None, None, T]


def finished(work: Slices[T]) -> T:
    """What some work makes, done without a rest."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            made: T = done.value
            return made
