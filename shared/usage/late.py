"""Changes that come too late for a graph: of settings that are read while it is built, and of values that a
session has taken.

What a graph was built of is marked; from then on a change of it is noted here, with the user's line. A
session looks at the notes before its next run, for until then a graph of the new setting may be built, or the
values be loaded. (`static.run.late` says what it then warns of.)
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any, NamedTuple

from shared.source import Line, user_line

MARK = "_built"
"""The attribute that says of a module or State that some graph was built of it."""
KEPT = 4096
"""Notes, of which the oldest go first."""


class Note(NamedTuple):
    """A change. number: of how many; holder: a weak reference to what was changed; key: its attribute."""

    number: int
    holder: weakref.ref[Any]
    key: str
    line: Line | None


_notes: deque[Note] = deque(maxlen=KEPT)
count = [0]
"""How many changes there were: one look at it says whether there is anything to do."""


def mark(holder: Any, value: Any = True) -> None:
    """Have changes of a module or State noted from now on."""
    holder.__dict__[MARK] = value


def note(holder: Any, key: str) -> None:
    """An attribute of it was changed; nothing happens if no graph was built of it."""
    if MARK in holder.__dict__:
        count[0] += 1
        _notes.append(Note(count[0], weakref.ref(holder), key, user_line()))


def since(number: int) -> list[Note]:
    """The notes after that one."""
    return [one for one in list(_notes) if one.number > number]
