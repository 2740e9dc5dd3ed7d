"""A collective that is under way, and the sums that are the same in every run.

MPI adds in an order of its own, which may change with the number of bytes and from run to run. Here every
rank gets the others' parts and adds them by itself, rank 0 first: for one number of ranks there is one
result, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.ranks.wires import Request, Wires

SHORT = 1 << 15
"""Bytes, of all ranks together, up to which a sum is made of everybody's whole arrays: that takes one message
where two, of parts, take less bandwidth."""

FOLDS: dict[str, Callable[..., Any]] = {
    "sum": np.add, "mean": np.add, "max": np.maximum, "min": np.minimum
}  # fmt: skip
"""How two ranks' arrays become one, by what is asked for."""


@dataclass(frozen=True)
class Call:
    """A collective as the ranks compare it.

    what  the op with its settings and what it was given, the same on every rank
    at    the user's line that asked for it
    """

    what: str
    at: str

    def __str__(self) -> str:
        return f"{self.what} at {self.at}" if self.at else self.what


class Transfer:
    """One collective, in two parts, either of which may be missing: an exchange, which `between` looks at,
    and what every rank then gets. `progress` of its communicator lets it go on.

    first, second  start the parts
    finish         makes the result, once
    """

    def __init__(
        self, call: Call, finish: Callable[[], Any],
        first: Callable[[], Request] | None = None, second: Callable[[], Request] | None = None,
    ) -> None:  # fmt: skip
        self.call, self._starts = call, [first, second]
        self._finish: Callable[[], Any] | None = finish
        self.parts = sum(start is not None for start in self._starts)
        """How many of them there are."""
        self._under_way: Request | None = None
        self.stage = 0
        """How many parts have been begun; 3 when it is done."""
        self.value: Any = None
        self.number = 0
        """Which of this rank's collectives it is."""

    @property
    def over(self) -> bool:
        """Whether the result is there."""
        return self.stage == 3

    def advance(self, may_gather: bool) -> None:
        """Go on as far as that takes no waiting. may_gather: whether all transfers before this one have begun
        their second part, so that all ranks begin theirs in one order."""
        while self.stage < 3:
            if self._under_way is not None and not self._under_way.done():
                return
            self._under_way = None
            if self.stage == 2:
                assert self._finish is not None
                self.value, self.stage = self._finish(), 3
                self._finish, self._starts = None, []  # and with them what the message was made in
                return
            if self.stage == 1 and not may_gather:
                return
            start = self._starts[self.stage]
            self.stage += 1
            if start is not None:
                self._under_way = start()


def summed(
    wires: Wires, call: Call, arrays: Sequence[Any], kind: str, weight: Any = None, counts: Sequence[int] = ()
) -> Transfer:  # fmt: skip
    """Arrays of one dtype, each added to those in its place on the other ranks; gives (arrays, counts).

    kind    "sum", "max", "min"; or "mean", in which a rank counts as its `weight`, by default 1:
            sum(w x) / sum(w), where half precision is added in single
    counts  small whole numbers, which are added beside
    """
    if wires.size == 1:
        return Transfer(call, lambda: ([array.copy() for array in arrays], [*counts]))
    dtype = np.dtype(arrays[0].dtype)
    wide = np.dtype(np.float32) if dtype == np.float16 else dtype
    ends = np.cumsum([array.size for array in arrays])
    places = [(end - array.size, end, array.shape) for array, end in zip(arrays, ends, strict=True)]
    size, n = int(ends[-1]) + 1 + len(counts), wires.size
    chunk = -(-size // n)
    fold = FOLDS[kind]
    flat = np.empty(n * chunk, wide)
    w = wide.type(1 if weight is None else weight)
    for array, (start, end, shape) in zip(arrays, places, strict=True):
        part = flat[start:end].reshape(shape)
        if kind == "mean":
            np.multiply(array, w, out=part, dtype=wide)
        else:
            part[...] = array
    flat[ends[-1] : size] = [w, *counts]
    flat[size:] = 0

    def finish() -> Any:
        total, found = flat[ends[-1]], []
        for start, end, shape in places:
            part = flat[start:end].reshape(shape)
            whole = np.divide(part, total) if kind == "mean" else part.copy()
            found.append(whole.astype(dtype, copy=False))
        return found, [int(count.real) for count in flat[size - len(counts) : size]]

    if flat.nbytes * n <= SHORT:
        pieces = np.empty((n, flat.size), wide)

        def added() -> Any:
            folded(fold, pieces, flat)
            return finish()

        return Transfer(call, added, None, lambda: wires.gather(flat, pieces))

    theirs = [np.empty((n, chunk), wide)]

    def second() -> Request:
        parts = theirs.pop()  # not needed any more when that is sent
        return wires.gather(folded(fold, parts), flat)

    return Transfer(call, finish, lambda: wires.exchange(flat, theirs[0]), second)


def scattered(wires: Wires, call: Call, array: Any) -> Transfer:
    """This rank's part, of equal parts along axis 0, of the sum of everybody's arrays."""
    if wires.size == 1:
        return Transfer(call, array.copy)
    given = np.ascontiguousarray(array)
    theirs = np.empty(given.shape, given.dtype)

    def finish() -> Any:
        parts = theirs.reshape(wires.size, given.shape[0] // wires.size, *given.shape[1:])
        return folded(FOLDS["sum"], parts, np.empty(parts.shape[1:], given.dtype))

    return Transfer(call, finish, lambda: wires.exchange(given, theirs))


def gathered(wires: Wires, call: Call, array: Any) -> Transfer:
    """Everybody's arrays, by rank, behind each other along axis 0."""
    if wires.size == 1:
        return Transfer(call, array.copy)
    given = np.ascontiguousarray(array)
    taken = np.empty((wires.size * given.shape[0], *given.shape[1:]), given.dtype)
    return Transfer(call, lambda: taken, None, lambda: wires.gather(given, taken))


def spread(wires: Wires, call: Call, array: Any, root: int) -> Transfer:
    """What the array holds on rank `root`."""
    if wires.size == 1:
        return Transfer(call, array.copy)
    taken = np.array(array, order="C")
    return Transfer(call, lambda: taken, None, lambda: wires.spread(taken, root))


def folded(fold: Callable[..., Any], parts: Any, into: Any = None) -> Any:
    """The parts, by rank, made one: in `into`, or in the place of the first of them."""
    if into is None:
        into = parts[0]
    else:
        np.copyto(into, parts[0])
    for part in parts[1:]:
        fold(into, part, out=into)
    return into
