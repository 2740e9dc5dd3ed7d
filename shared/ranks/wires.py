"""What carries bytes between ranks, as a communicator asks for it; and how that is done by a rank alone.

There are two channels for arrays, each of which keeps its own order: what is exchanged on the first one may
still be under way when later exchanges begin, while the results of earlier ones go out on the second.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np


class Request(Protocol):
    """What was started and may not be done."""

    def done(self) -> bool:
        """Whether it is; to ask lets it go on. LostRankError if it never will be."""


class Wires(Protocol):
    """How arrays and notes get from rank to rank. Nothing here waits.

    Arrays are NumPy's, in C order, and stay untouched until the request is done.

    delay  seconds that each message takes at least: for who wants to see what is hidden behind computing
    """

    rank: int
    size: int
    delay: float

    def exchange(self, given: Any, taken: Any) -> Request:
        """On the first channel: part r of `given`, of `size` equal parts, goes to rank r; `taken` gets what
        the others sent here, by rank."""

    def gather(self, given: Any, taken: Any) -> Request:
        """On the second channel: `taken` gets what every rank gave, by rank."""

    def spread(self, array: Any, root: int) -> Request:
        """On the second channel: `array` gets what it holds on rank `root`."""

    def compare(self, given: Any, taken: Any) -> Request:
        """As `gather`, beside both channels: for handshakes."""

    def post(self, note: bytes) -> None:
        """A note to every other rank, which may read it or not."""

    def notes(self) -> list[tuple[int, bytes]]:
        """The notes that have come since the last call, each with the rank that it is from."""

    def abandon(self) -> None:
        """Let every rank that waits on these wires hear that it waits in vain."""

    def all_here(self, well: bool) -> bool:
        """Whether none is lost and all is `well` with every rank, when all that are left have asked this: all
        are told the same. It waits."""

    def without_lost(self) -> Wires:
        """Wires between those that are left, who all ask for them; they keep their order. It may wait."""


class Done:
    """A request that needed no time."""

    def done(self) -> bool:
        """It is."""
        return True


class Alone:
    """The wires of a rank that has no other."""

    rank, size, delay = 0, 1, 0.0

    def exchange(self, given: Any, taken: Any) -> Request:
        """See `Wires`."""
        np.copyto(taken.reshape(-1), given.reshape(-1))
        return Done()

    gather = compare = exchange

    def spread(self, array: Any, root: int) -> Request:
        """See `Wires`."""
        return Done()

    def post(self, note: bytes) -> None:
        """There is nobody to read it."""

    def notes(self) -> list[tuple[int, bytes]]:
        """There is nobody to write any."""
        return []

    def abandon(self) -> None:
        """There is nobody to hear it."""

    def all_here(self, well: bool) -> bool:
        """It is, if it is with this one."""
        return well

    def without_lost(self) -> Wires:
        """None is lost."""
        return self
