"""How many numbers a range or a slice takes, where sizes may be unknown."""

from __future__ import annotations

from shared.dims import Dim, Size, derived, same_size


def slice_size(size: Size, part: slice) -> Size:
    """How many elements of an axis of this size the slice takes.

    Where that hangs on how an unknown size compares to the bounds, it is a function of these; the
    same one each time the same is asked, so that the sizes of two such slices, or of a slice and its
    gradient, are known to be equal.
    """
    step = 1 if part.step is None else part.step
    start = 0 if part.start is None and isinstance(step, int) and step > 0 else part.start
    if same_size(step, 1) and isinstance(start, int) and start >= 0:
        if part.stop is None or same_size(part.stop, size):
            return at_least(size - start, 0)
        if isinstance(part.stop, int) and part.stop < 0:
            return at_least(size + part.stop - start, 0)
    if same_size(step, -1) and start is None and part.stop is None:
        return size
    return derived("slice", size, start, part.stop, step)


def range_size(start: Size, stop: Size, step: Size) -> Size:
    """How many numbers `range(start, stop, step)` has."""
    if same_size(step, 1):
        return at_least(stop - start, 0)
    return derived("range", start, stop, step)


def at_least(size: Size, bound: int) -> Size:
    """max(size, bound)."""
    if not isinstance(size, Dim):
        return max(size, bound)
    return derived("range", 0, size - bound, 1) + bound


def smaller(a: Size, b: Size) -> Size:
    """min(a, b) of two sizes: how many of a numbers stand before the b-th."""
    if not isinstance(a, Dim) and not isinstance(b, Dim):
        return min(a, b)
    return derived("slice", at_least(a, 0), 0, at_least(b, 0), 1)
