"""Changes that come too late for a graph: of settings that are read while it is built, and of values that a
session has taken.

What a graph was built of is marked; from then on a change of it is noted here, with the user's line. A
session looks at the notes before its next run, for until then a graph of the new setting may be built, or the
values be loaded. (`static.run.late` says what it then warns of.)
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterable
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np

from shared.source import Line, user_line

MARK = "_built"
"""The attribute that says of a module, an optimiser or a State that some graph was built of it."""
PLAIN = (bool, int, float, complex, str, type(None), np.generic)
"""Kinds of settings that are compared by what they are."""
SEVERAL = (tuple, list)
KEPT = 4096
"""Notes, of which the oldest go first."""


class Note(NamedTuple):
    """A change.

    number         of how many
    holder         a weak reference to what was changed
    key            its attribute
    before, after  what that was, and is from then on; of a State's values, None
    """

    number: int
    holder: weakref.ref[Any]
    key: str
    before: Any
    after: Any
    line: Line | None


class Held(dict[str, Any]):
    """What a container holds, by name. It is replaced and never changed, so that who was built of it knows of
    what."""


_notes: deque[Note] = deque(maxlen=KEPT)
count = [0]
"""How many changes there were: one look at it says whether there is anything to do."""


class Watched:
    """What says of each of its attributes that is set to something else, once a graph was built of it."""

    def __setattr__(self, key: str, value: Any) -> None:
        if MARK in self.__dict__ and not same(before := self.__dict__.get(key), value):
            note(self, key, before, value)
        object.__setattr__(self, key, value)


def same(a: Any, b: Any) -> bool:
    """Whether two settings are one: equal, where they are plain, and else the very same."""
    if a is b:
        return True
    if isinstance(a, SEVERAL) and isinstance(b, SEVERAL):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is type(b) is Held:
        return same((*a, *a.values()), (*b, *b.values()))
    return isinstance(a, PLAIN) and isinstance(b, PLAIN) and bool(a == b)


def among(value: Any, values: Iterable[Any]) -> bool:
    """Whether a setting is one of these."""
    return any([same(value, one) for one in values])


def mark(holder: Any) -> None:
    """Have changes of a module, an optimiser or a State noted from now on."""
    holder.__dict__[MARK] = True


def note(holder: Any, key: str, before: Any = None, after: Any = None) -> None:
    """An attribute of it was changed; nothing happens if no graph was built of it."""
    if MARK in holder.__dict__:
        count[0] += 1
        _notes.append(Note(count[0], weakref.ref(holder), key, before, after, user_line()))


def put_back(holder: Any, key: str, value: Any) -> None:
    """Set an attribute to what it was before a block that has ended: no change that comes too late."""
    object.__setattr__(holder, key, value)


def since(number: int) -> list[Note]:
    """The notes after that one, in their order."""
    return [*takewhile(lambda one: one.number > number, reversed(_notes.copy()))][::-1]
