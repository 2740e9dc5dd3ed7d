"""How many numbers a range or a slice takes, where sizes may be unknown."""

from __future__ import annotations

from functools import lru_cache

from shared.dims import Dim, Size


def slice_size(size: Size, part: slice) -> Size:
    """How many elements of an axis of this size the slice takes.

    Where that hangs on how an unknown size compares to the bounds, it is an unknown size of its
    own; the same one each time the same is asked, so that the sizes of two such slices, or of a
    slice and its gradient, are known to be equal.
    """
    numbers = (size, part.start, part.stop, part.step)
    if not any(isinstance(n, Dim) for n in numbers):
        return len(range(*part.indices(size)))
    start = 0 if part.start is None else part.start
    stop = size if part.stop is None else part.stop
    if part.step in (None, 1) and isinstance(start, int) and start >= 0:
        if stop == size:
            return at_least_zero(size - start)
        if isinstance(stop, int) and stop < 0:
            return at_least_zero(size + stop - start)
    if part.step == -1 and part.start is None and part.stop is None:
        return size
    return _unknown(numbers)


def range_size(start: Size, stop: Size, step: Size) -> Size:
    """How many numbers `range(start, stop, step)` has."""
    if not any(isinstance(n, Dim) for n in (start, stop, step)):
        return len(range(start, stop, step))
    if step == 1:
        return at_least_zero(stop - start)
    return _unknown((start, stop, step))


def at_least_zero(size: Size) -> Size:
    """max(size, 0). A sum of products of sizes with no minus in it is never below zero."""
    if isinstance(size, Dim):
        return size if all(count > 0 for count in size.terms.values()) else _unknown(size)
    return max(size, 0)


@lru_cache(maxsize=4096)
def _unknown(question: object) -> Dim:
    """The size that answers this question. A run reads it off the array that has it."""
    return Dim()
