"""Buffers: which memory each value of a block lies in, and from which step to which it is needed.

`layout.py` decides what goes where; what is true at every moment while it does so is kept here, and is:

- A value lies in the buffers of its `Location`: in one if it was made afresh or is written in place, in
  several if it may be a view of several (a step's `alias`), in none where nobody knows.
- A location that names a `part` has one buffer, and the value has no element outside of that part.
- A location that `fills` its buffer has one buffer and no part: the value is all of it, in C order.
- A buffer's live range is [first, last]: `last` is the last step that needs any value in it, the number
  of steps if one leaves the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from static.compile.block import Step, Value

Part = tuple[Step, int]
"""A part of a buffer: the step that cuts it or puts it together, and the number of the part. Different
parts of one step have no element in common."""


@dataclass(eq=False)
class Buffer:
    """The memory of one value that was made afresh, or that the run was given.

    value   that value
    made    the step that makes it; None if the run was given it
    first   the first step at which the memory is needed: before `made` where a part of it is made there
    last    the last step that needs it; the number of steps if it outlives them
    values  all that lie in it
    cut     for each step that cuts it into parts the last step that needs any of these; what is in no
            part of it stands under None
    fixed   whether others lie in it for good: what leaves a run may not be written over it
    """

    value: Value
    made: int | None
    first: int
    last: int = -1
    values: list[Value] = field(default_factory=list)
    cut: dict[Step | None, int] = field(default_factory=dict)
    fixed: bool = False

    def keep(self, part: Part | None, until: int) -> None:
        """The buffer, or that part of it, is needed up to a step."""
        self.last = max(self.last, until)
        cutter = None if part is None else part[0]
        self.cut[cutter] = max(self.cut.get(cutter, until), until)


@dataclass(eq=False)
class Location:
    """Where a value lies: see the module's docstring."""

    buffers: tuple[Buffer, ...] = ()
    part: Part | None = None
    fills: bool = False


NOWHERE = Location()


class Buffers:
    """The buffers of a block. until: for each value the last step that needs it."""

    def __init__(self, until: Mapping[Value, int]) -> None:
        self.until = until
        self.locations: dict[Value, Location] = {}
        self.own: dict[Value, Buffer] = {}
        self._parts: dict[Part, int] = {}  # the last step that needs each

    def __getitem__(self, value: Value) -> Location:
        return self.locations.get(value, NOWHERE)

    def given(self, value: Value) -> Buffer:
        """The buffer of a value that no step makes."""
        return self.own.setdefault(value, Buffer(value, None, 0))

    def behind(self, value: Value) -> tuple[Buffer, ...]:
        """The buffers that a view of a value is of."""
        location = self.locations.get(value)
        return (self.given(value),) if location is None else location.buffers

    def make(self, at: int, value: Value, fills: bool) -> Buffer:
        """A step makes a value in a buffer of its own."""
        buffer = self.own[value] = Buffer(value, at, at)
        self.put(at, value, Location((buffer,), None, fills))
        return buffer

    def put(self, at: int, value: Value, location: Location) -> None:
        """A value lies there, from the step that makes it on."""
        self.locations[value] = location
        for buffer in location.buffers:
            buffer.values.append(value)
            self._keep(buffer, location.part, self.until.get(value, at))

    def _keep(self, buffer: Buffer, part: Part | None, until: int) -> None:
        buffer.keep(part, until)
        if part is not None:
            self._parts[part] = max(self._parts.get(part, until), until)

    def embed(self, buffer: Buffer, host: Buffer, part: Part) -> None:
        """All that lies in a buffer lies in a part of another from now on."""
        for value in buffer.values:
            location = self.locations[value]
            buffers = tuple([host if b is buffer else b for b in location.buffers])
            alone = len(buffers) == 1
            self.locations[value] = Location(buffers, part if alone else location.part)
            host.values.append(value)
            if not alone:
                self._keep(host, None, self.until.get(value, host.made or 0))
        self._keep(host, part, buffer.last)
        host.first = min(host.first, buffer.first)
        buffer.values = []

    # questions

    def fresh(self, value: Value) -> Buffer | None:
        """The buffer that a step makes for a value, unless it has become a part of another."""
        buffer = self.own.get(value)
        return buffer if buffer is not None and self[value].buffers == (buffer,) else None

    def dies(self, x: Value, at: int) -> bool:
        """Whether no memory of a value that this run made is needed after a step."""
        location = self[x]
        if len(location.buffers) != 1 or not (location.part or location.fills):
            return False
        (buffer,), part = location.buffers, location.part
        if buffer.made is None:
            return False
        if part is None:
            return buffer.last == at
        others = [last for cutter, last in buffer.cut.items() if cutter is not part[0]]
        return self._parts[part] == at and all([last <= at for last in others])

    def may_overlap(self, x: Value, other: Value) -> bool:
        """Whether two values may have memory in common; `x` has one buffer."""
        a, b = self[x], self[other]
        if a.buffers[0] not in b.buffers:
            return False
        return a.part is None or b.part is None or a.part[0] is not b.part[0] or a.part == b.part
