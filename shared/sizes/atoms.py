"""What sizes are made of: those that nobody knows until run, and those that follow from others.

A `Symbol` is one unknown size. A `Derived` is what a function makes of other sizes where no
polynomial says it; the functions are the table `FUNCTIONS`, each said twice: as one computes it, and
as the Python that a program is to have for it.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_serial = itertools.count()


class Symbol:
    """One unknown size. Two symbols are the same only if they are the same object."""

    __slots__ = ("name", "serial")

    def __init__(self, name: str | None = None) -> None:
        self.serial = next(_serial)
        self.name = name or f"n{self.serial}"

    def __repr__(self) -> str:
        return self.name

    @property
    def key(self) -> tuple[Any, ...]:
        return (0, self.serial)


class Derived:
    """A function of other sizes. Two are the same if they are the same function of the same sizes.

    parts  sizes, or None where the function takes it
    """

    __slots__ = ("function", "parts", "key")

    def __init__(self, function: str, *parts: Any) -> None:
        self.function, self.parts = function, parts
        self.key: tuple[Any, ...] = (1, function, tuple(map(key_of, parts)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Derived) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


Atom = Symbol | Derived


def key_of(part: Any) -> tuple[Any, ...]:
    """What tells a size from every other, in plain numbers and strings, which have an order."""
    if part is None:
        return (0,)
    return (1, part) if isinstance(part, int) else (2, part.key)


@dataclass(frozen=True)
class Function:
    """of      the value, from those of the parts
    source  the same as a Python expression, from theirs (each fit to stand in any expression)
    """

    of: Callable[..., int]
    source: Callable[..., str]


def _stretched(*sizes: int) -> int:
    """What sizes broadcast to. (That they do is not asked here: the op that does it asks.)"""
    return next((size for size in sizes if size != 1), 1)


def _stretched_source(*texts: str) -> str:
    *others, text = texts
    for other in reversed(others):
        text = f"({text} if {other} == 1 else {other})"
    return text


def _count(start: int, stop: int, step: int) -> int:
    return len(range(start, stop, step))


def _count_source(start: str, stop: str, step: str) -> str:
    parts = (stop,) if (start, step) == ("0", "1") else (start, stop, step)
    return f"len(range({', '.join(map(_bare, parts))}))"


def _bare(text: str) -> str:
    """A part that stands between commas, or inside brackets, needs none of its own."""
    depths = list(itertools.accumulate((c == "(") - (c == ")") for c in text[:-1]))
    return text[1:-1] if text.startswith("(") and 0 not in depths else text


def _sliced(size: int, start: int | None, stop: int | None, step: int | None) -> int:
    return len(range(size)[start:stop:step])


def _sliced_source(size: str, start: str, stop: str, step: str) -> str:
    first = "" if start == "0" and step.isdigit() else _bare(start)
    return f"len(range({_bare(size)})[{first}:{_bare(stop)}{'' if step == '1' else f':{_bare(step)}'}])"


FUNCTIONS: dict[str, Function] = {
    "//": Function(operator.floordiv, "({} // {})".format),
    "broadcast": Function(_stretched, _stretched_source),
    "range": Function(_count, _count_source),
    "slice": Function(_sliced, _sliced_source),
}
"""Of "//" the parts are (top, bottom); of "broadcast" two sizes or more, in the order of their keys;
of "range" (start, stop, step); of "slice" (size, start, stop, step), where start and stop may be None."""

NAMES = ("len", "range")
"""Python's names that a source takes as given."""


def in_order(sizes: Sequence[Any]) -> list[Any]:
    """The same sizes in the order of their keys, each once."""
    return [size for _, size in sorted({key_of(size): size for size in sizes}.items())]
