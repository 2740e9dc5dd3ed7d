"""Gradients in messages of a good size: which go together, and one round of averaging them while others are
still being computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.ranks.communicator import Communicator
from shared.ranks.transfer import Call, Transfer

LEAST = 1 << 16
"""Bytes below which a message is not made smaller: there it is the number of messages that costs."""


def cut(arrays: Sequence[Any], most: int) -> list[list[int]]:
    """The positions of arrays (or of what has their sizes and dtypes) that go into one message each, in their
    order: of one dtype, and of no more than `most` bytes, but for an array that has more by itself.

    A message that has an eighth of all bytes is full, so that the first ones are under way early.
    """
    sizes = [int(np.prod(array.shape, dtype=np.int64)) * np.dtype(array.dtype).itemsize for array in arrays]
    limit = max(sum(sizes) // 8, LEAST)
    found: list[list[int]] = []
    filled, dtype = 0, None
    for position, (array, size) in enumerate(zip(arrays, sizes, strict=True)):
        if not found or array.dtype != dtype or filled >= limit or filled + size > most:
            found.append([])
            filled, dtype = 0, array.dtype
        found[-1].append(position)
        filled += size
    return found


class Round:
    """One averaging of gradients over all ranks.

    A gradient that is ready is handed in, in any order; a bucket whose gradients are all there is on its way
    at once, if those before it are, for the ranks must begin them in one order. Where a rank has no gradient
    it gives zeros; one that no rank has stays away.

    likes    what has the gradients' shapes and dtypes, in the order in which buckets are cut
    weight   what this rank counts
    """

    def __init__(self, comm: Communicator, likes: Sequence[Any], weight: float | None, at: str) -> None:
        self.comm, self.likes, self.weight, self.at = comm, likes, weight, at
        self.plan = cut(likes, comm.bucket_bytes)
        self.begun: list[Transfer] = []
        self.order: list[int] = []
        """The positions in the order in which they were handed in."""
        self.early = 0
        """The bytes that were under way before the last gradient was handed in."""
        self._under_way = 0
        self.messages: list[tuple[int, int]] = []
        """Of each message its bytes, and how many gradients had been handed in when it was begun."""
        self._given: dict[int, Any] = {}

    def ready(self, position: int, gradient: Any) -> None:
        """A gradient, or None where this rank has none."""
        self.early = self._under_way
        self.comm.tell("ready", self.likes[position].nbytes)
        self._given[position] = gradient
        self.order.append(position)
        while len(self.begun) < len(self.plan) and all(p in self._given for p in self.plan[len(self.begun)]):
            self._begin(self.plan[len(self.begun)])

    def _begin(self, bucket: Sequence[int]) -> None:
        given = [self._given[p] for p in bucket]
        self._given |= dict.fromkeys(bucket)  # they are copied, and need not be held
        arrays = [
            np.zeros(self.likes[p].shape, self.likes[p].dtype) if g is None else g
            for p, g in zip(bucket, given, strict=True)
        ]
        size = sum(array.nbytes for array in arrays)
        self._under_way += size
        self.messages.append((size, len(self._given)))
        call = Call(f"backward(gradients {bucket[0]} and on: {len(bucket)} of {size:,} bytes)", self.at)
        counts = [int(g is not None) for g in given]
        self.begun.append(self.comm.begin_sum(call, arrays, "mean", self.weight, counts))

    def finish(self) -> list[Any]:
        """The averages, by position; None where no rank had a gradient."""
        for position in range(len(self.likes)):
            if position not in self._given:
                self.ready(position, None)
        found: list[Any] = [None] * len(self.likes)
        for bucket, transfer in zip(self.plan, self.begun, strict=True):
            averages, counts = self.comm.result(transfer)
            for position, average, count in zip(bucket, averages, counts, strict=True):
                found[position] = average if count else None
        return found
