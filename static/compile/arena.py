"""Offsets in an arena: buffers that are needed at one time lie beside each other, others share memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from heapq import heappop, heappush

ALIGNMENT = 64
"""Bytes, as a cache line and the widest vector registers have."""
FEW = 512
"""Up to how many buffers are placed by size as well, which takes time by the square of them."""
LiveRange = tuple[int, int]


def assign_offsets(lengths: Sequence[int], live: Sequence[LiveRange]) -> tuple[list[int], int]:
    """Offsets for buffers of `lengths` bytes, and the bytes of all.

    live: the first and the last step at which each is needed; where they meet, buffers do not overlap.
    """
    lengths = [-(-length // ALIGNMENT) * ALIGNMENT for length in lengths]
    found = _in_order(lengths, live)
    if len(lengths) <= FEW:
        found = min(found, _by_size(lengths, live), key=lambda each: each[1])
    return found


def _by_size(lengths: Sequence[int], live: Sequence[LiveRange]) -> tuple[list[int], int]:
    """The largest first, each into the smallest gap between those that it meets."""
    offsets, top = [0] * len(lengths), 0
    placed: list[tuple[int, int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], live[i])):
        first, last = live[i]
        end, gap, at = 0, None, 0
        for offset, other in placed:
            if live[other][0] <= last and first <= live[other][1]:
                room = offset - end
                if room >= lengths[i] and (gap is None or room < gap):
                    gap, at = room, end
                end = max(end, offset + lengths[other])
        offsets[i] = end if gap is None else at
        insort(placed, (offsets[i], i))
        top = max(top, offsets[i] + lengths[i])
    return offsets, top


def _in_order(lengths: Sequence[int], live: Sequence[LiveRange]) -> tuple[list[int], int]:
    """Step by step, each into the smallest hole that what ended before has left."""
    offsets, top = [0] * len(lengths), 0
    holes = _Holes()
    alive: list[tuple[int, int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: (live[i][0], -lengths[i])):
        while alive and alive[0][0] < live[i][0]:
            _, gone = heappop(alive)
            holes.add(offsets[gone], lengths[gone])
        if lengths[i]:
            offsets[i] = holes.take(lengths[i])
            heappush(alive, (live[i][1], i))
            top = max(top, offsets[i] + lengths[i])
    return offsets, top


class _Holes:
    """What is free, as (length, offset) in order, and everything from `end` on."""

    def __init__(self) -> None:
        self.free: list[tuple[int, int]] = []
        self.begins: dict[int, int] = {}  # the length of the hole that begins at an offset
        self.stops: dict[int, int] = {}  # where the hole begins that stops at an offset
        self.end = 0

    def take(self, length: int) -> int:
        """Where there is room for `length` bytes, taken from the smallest hole."""
        at = bisect_left(self.free, (length, 0))
        if at == len(self.free):
            self.end += length
            return self.end - length
        room, offset = self.free[at]
        self._remove(offset)
        if room > length:
            self.add(offset + length, room - length)
        return offset

    def add(self, offset: int, length: int) -> None:
        """A hole, joined with those beside it."""
        if offset in self.stops:
            before = self.stops[offset]
            self._remove(before)
            offset, length = before, offset + length - before
        if offset + length in self.begins:
            length += self._remove(offset + length)
        if offset + length == self.end:
            self.end = offset
            return
        insort(self.free, (length, offset))
        self.begins[offset], self.stops[offset + length] = length, offset

    def _remove(self, offset: int) -> int:
        length = self.begins.pop(offset)
        del self.stops[offset + length]
        del self.free[bisect_left(self.free, (length, offset))]
        return length
