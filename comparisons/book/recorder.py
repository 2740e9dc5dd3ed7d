"""Recorder: runs a few lines and writes down, line by line and op by op, what stands and what came out.

It differs from the stepper's (`comparisons.stepper`) in what it is for: not one step of training in all its
bytes, but any program, its loops turn by turn, with the numbers in the graph.
"""

from __future__ import annotations

import hashlib
import io
import linecache
import re
import sys
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from comparisons.book.drawn import drawn
from shared.spec import spec_of
from shared.state import State
from shared.watch import hooks

Json = dict[str, Any]


class Recorder(hooks.Hook):
    """Runs one program, and gathers boxes, arrows and moments. Subclasses say what an engine's events mean.

    code       the program
    file       what messages call it
    namespace  what it finds by name, and what it leaves
    turns      how often each line is shown
    most       how many boxes are drawn; what is made beyond them is counted

    A box, as JSON: `title`, `spec` (its type), `kind` ("leaf", "op", "gradient" or "assign"), `name` and, of
    what came with numbers, `value`. They are numbered as they come up, so of the first n all stand but for
    those that have gone. A moment:

    line     of the program, from 1
    box      the one at work, or None
    back     whether it is the box's gradient that ran
    values   pairs of a box and what it now has, where that is a number or a few
    grads    pairs of a box and the gradient that arrived there just now
    bits     a digest of each array that came out
    stands   how many boxes have come up
    gone     those of them that stand no more
    printed  how many characters have been printed, and `drawn` how many pictures made
    unseen   how many ops ran, or nodes were made, that are not drawn
    """

    def __init__(self, code: str, file: str, namespace: dict[str, Any], turns: int, most: int) -> None:
        self.code, self.file, self.namespace = code, file, namespace
        self.turns, self.most = turns, most
        self.theirs = set(namespace)
        self.boxes: list[Json] = []
        self.edges: dict[tuple[int, int], None] = {}
        self.moments: list[Json] = []
        self.pictures: list[Json] = []
        self.printed = io.StringIO()
        self.arrays: dict[int, tuple[weakref.ref[Any], int]] = {}  # by id: an array, and the box it is of
        self.reached: Counter[int] = Counter()
        self.line = 0
        self.told = False  # whether the line has a moment already
        self.worked: set[int] = set()  # the boxes that were at work in this turn of the line
        self.unseen = 0
        namespace["plot"] = self.plot

    # --- what an engine says of itself ---

    def gone(self) -> list[int]:
        """The boxes that stand no more."""
        return []

    def settle(self) -> None:
        """Called before each moment."""

    # --- running ---

    def record(self) -> Json:
        """Run the program; gives {code, boxes, edges, moments, printed, pictures}. An edge is "from to";
        of a moment there is what differs from the one before (see `whole`)."""
        linecache.cache[self.file] = (len(self.code), None, self.code.splitlines(True), self.file)
        before = sys.gettrace()
        with redirect_stdout(self.printed), hooks.watching(self):
            sys.settrace(self._called)
            try:
                exec(compile(self.code, self.file, "exec"), self.namespace)
            finally:
                sys.settrace(before)
        self._over()
        return {
            "code": self.code, "boxes": self.boxes, "edges": [f"{a} {b}" for a, b in self.edges],
            "moments": _sparse(self.moments),
            "printed": self.printed.getvalue(), "pictures": self.pictures,
        }  # fmt: skip

    def _called(self, frame: FrameType, event: str, arg: Any) -> Any:
        return self._traced if frame.f_code.co_filename == self.file else None

    def _traced(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line" and frame.f_lineno != self.line:
            self._over()
            self.line, self.told, self.worked = frame.f_lineno, False, set()
            self.reached[self.line] += 1
        return self._traced

    def _over(self) -> None:
        """A line has run: it has a moment, if only for what it printed or let go."""
        if self.line and self.shows and (not self.told or self._changed()):
            self.moment()

    def _changed(self) -> bool:
        self.settle()
        last = self.moments[-1]
        return bool(
            (last["printed"], last["drawn"]) != (len(self.printed.getvalue()), len(self.pictures))
            or last["stands"] != len(self.boxes)
            or last["gone"] != self.gone()
        )

    @property
    def shows(self) -> bool:
        """Whether this turn of the line is one to be shown."""
        return self.reached[self.line] <= self.turns

    @property
    def draws(self) -> bool:
        """Whether what is made now gets a box."""
        return self.shows and len(self.boxes) < self.most

    # --- writing down ---

    def moment(
        self, box: int | None = None, gave: Any = (), values: Any = (), grads: Any = (), back: bool = False
    ) -> None:  # fmt: skip
        """Write down how things stand."""
        self.settle()
        arrays = [array for array in gave if isinstance(array, np.ndarray)]
        self.told = True
        self.moments.append(
            {
                "line": self.line,
                "box": box,
                "back": back,
                "values": [list(pair) for pair in values],
                "grads": [list(pair) for pair in grads],
                "bits": [hashlib.sha256(array.tobytes()).hexdigest()[:8] for array in arrays],
                "stands": len(self.boxes),
                "gone": self.gone(),
                "printed": len(self.printed.getvalue()),
                "drawn": len(self.pictures),
                "unseen": self.unseen,
            }
        )

    def add(self, title: str, spec: Any, kind: str, name: str = "", value: str = "") -> int:
        """A new box; gives its number."""
        spec = re.sub(r"\bn\d+\b", "n", str(spec))  # sizes that are not known are numbered over the process
        self.boxes.append({"title": title, "spec": spec, "kind": kind, "name": name, "value": value})
        return len(self.boxes) - 1

    def join(self, start: int | None, end: int) -> None:
        """An arrow."""
        if start is not None:
            self.edges[start, end] = None

    def note(self, array: Any, box: int) -> None:
        """From now on this array is that box's."""
        if isinstance(array, np.ndarray):
            self.arrays[id(array)] = (weakref.ref(array), box)

    def box_of(self, array: Any) -> int | None:
        """The box that an array is of, if that is known."""
        found = self.arrays.get(id(array))
        return found[1] if found is not None and found[0]() is array else None

    def plot(self, *images: Any, **curves: Any) -> None:
        """In the place of the program's own `plot`."""
        self.pictures.append(drawn(*images, **curves))

    def values(self) -> Iterator[tuple[str, Any]]:
        """What the program has names for, also inside lists, dicts and modules: (name, value)."""
        for name, value in list(self.namespace.items()):
            if name not in self.theirs and not name.startswith("_"):
                yield from _parts(name, value)


_PAIRS = {"values", "grads"}
"""What of a moment is pairs of a box and a text, which are written as one text."""


def _sparse(moments: list[Json]) -> list[Json]:
    """Of each moment what is another thing than at the moment before."""
    before: Json = {}
    found = []
    for moment in moments:
        new = {key: value for key, value in moment.items() if key not in before or before[key] != value}
        for key in _PAIRS & new.keys():
            new[key] = [f"{box} {value}" for box, value in new[key]]
        found.append(new)
        before = moment
    return found


def whole(moments: list[Json]) -> list[Json]:
    """The moments that `record` gave, each with all that there is to it."""
    found: list[Json] = []
    for moment in moments:
        new = dict(moment)
        for key in _PAIRS & new.keys():
            parts = (pair.partition(" ") for pair in new[key])
            new[key] = [[int(box), value] for box, _, value in parts]
        found.append({**found[-1], **new} if found else new)
    return found


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (list, tuple)):
        for i, part in enumerate(value[:20]):
            yield from _parts(f"{name}[{i}]", part)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _parts(f"{name}[{key!r}]", part)
    elif isinstance(value, State):
        yield value.name or name, value
    elif hasattr(value, "named_states") and not isinstance(value, (ModuleType, type)):
        yield from value.named_states()
    else:
        yield name, value


def value_of(array: Any) -> str:
    """An array's numbers, where they are few; else ""."""
    if array.size > 3 or array.ndim > 1 or array.size == 0:
        return ""
    kind = ".4g" if array.dtype.kind == "f" else ""
    return " ".join(f"{number:{kind}}" for number in array.reshape(-1).tolist())


def typed(array: Any) -> str:
    """An array's type."""
    return str(spec_of(array))
