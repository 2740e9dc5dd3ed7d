"""A program is a list of numbers: each choice of the grammar reads the next one.

Where the list ends all choices read 0, and 0 is always the simplest choice ("stop", the first
template, the latest value). So each list, and each part of one, is a program, and a shorter list of
smaller numbers is a simpler program: that is all that shrinking needs to know.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
TOP = 4096


class Choices:
    """The numbers of one program, read from the first to the last."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = list(numbers)
        self.read = 0

    def below(self, count: int) -> int:
        """A number from 0 up to, and without, `count`."""
        value = self.numbers[self.read] if self.read < len(self.numbers) else 0
        self.read += 1
        return value % count

    def pick(self, items: Sequence[T]) -> T:
        """One of some things, of which the first is the simplest."""
        return items[self.below(len(items))]

    def often(self, parts: int) -> bool:
        """True in `parts - 1` of `parts` cases, and False where the list has ended."""
        return self.below(parts) != 0


def numbers_of(seed: int, most: int = 160) -> list[int]:
    """The list of a seed."""
    rng = random.Random(seed)
    return [rng.randrange(TOP) for _ in range(rng.randint(8, most))]


def shrunk(
    numbers: Sequence[int], fails: Callable[[list[int]], bool], tries: int = 300, seconds: float = 30
) -> list[int]:
    """A shorter list of smaller numbers that still fails: pieces are cut out, from large to small,
    then single numbers are made 0, for as long as something gives way and there is time."""
    best, left, end = list(numbers), tries, time.monotonic() + seconds

    def better(other: list[int]) -> bool:
        nonlocal best, left
        left = left - 1 if time.monotonic() < end else 0
        if left <= 0 or other == best or not fails(other):
            return False
        best = other
        return True

    progress = True
    while progress and left > 0:
        progress = False
        size = len(best) // 2
        while size >= 1 and left > 0:
            at = len(best) - size
            while at >= 0 and left > 0:
                progress |= better(best[:at] + best[at + size :])
                at -= size
            size //= 2
        for at in range(len(best)):
            if at < len(best) and best[at]:
                progress |= better([*best[:at], 0, *best[at + 1 :]])
    return best
