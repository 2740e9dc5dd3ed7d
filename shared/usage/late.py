"""Changes that come too late for a graph: of settings that are read while it is built, and of values that a
session has taken.

What a graph was built of is marked; from then on a change of it is noted here, with the user's line. A
session looks at the notes before its next run, for until then a graph of the new setting may be built, or the
values be loaded. (`static.run.late` says what it then warns of.)
"""

from __future__ import annotations

import weakref
from collections import deque
from itertools import takewhile
from typing import Any, NamedTuple

from shared.source import Line, user_line

MARK = "_built"
"""The attribute that says of a module, an optimiser or a State that some graph was built of it."""
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


_notes: deque[Note] = deque(maxlen=KEPT)
count = [0]
"""How many changes there were: one look at it says whether there is anything to do."""


class Watched:
    """What says of each of its attributes that is set to something else, once a graph was built of it."""

    def __setattr__(self, key: str, value: Any) -> None:
        if MARK in self.__dict__ and _differs(before := self.__dict__.get(key), value):
            note(self, key, before, value)
        object.__setattr__(self, key, value)


def _differs(before: Any, value: Any) -> bool:
    return before is not value and (callable(value) or callable(before) or bool(before != value))


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
