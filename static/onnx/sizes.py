"""The functions of sizes (`shared.sizes.atoms.FUNCTIONS`) as ONNX nodes; a size is an int64 vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared.dims import Dim, Size

FIRST, LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
"""Where a slice ends that goes to an end of its axis, whatever its size."""


def floor_division(w: Any, top: str, bottom: str) -> str:
    """ONNX's Div rounds towards zero; with the remainder taken off, which has the divisor's sign, nothing
    is left to round."""
    return w("Div", w("Sub", top, w("Mod", top, bottom)), bottom)


def ends(start: Size | None, stop: Size | None, step: Size | None) -> tuple[Size, Size, Size]:
    """The bounds of a slice as ONNX takes them, with numbers where there is none."""
    whole: Size = 1 if step is None else step
    back = not isinstance(whole, Dim) and whole < 0
    start = (LAST if back else 0) if start is None else start
    return start, (FIRST if back else LAST) if stop is None else stop, whole


def _divided(w: Any, top: Size, bottom: Size) -> str:
    return floor_division(w, w.size(top), w.size(bottom))


def _broadcast(w: Any, *sizes: Size) -> str:
    *others, found = [w.size(size) for size in sizes]
    for other in reversed(others):
        found = w("Where", w("Equal", other, w.integers([1])), found, other)
    return found


def _range(w: Any, start: Size, stop: Size, step: Size) -> str:
    """max(ceil((stop - start) / step), 0)."""
    count = w("Neg", floor_division(w, w.size(start - stop), w.size(step)))
    return w("Max", count, w.integers([0]))


def _slice(w: Any, size: Size, start: Size | None, stop: Size | None, step: Size | None) -> str:
    """As many as a slice of so many has."""
    zero, one = w.constant(np.int64(0)), w.constant(np.int64(1))
    bounds = [w.shape([bound]) for bound in ends(start, stop, step)]
    part = w("Slice", w("Range", zero, w.scalar(size), one), *bounds[:2], w.integers([0]), bounds[2])
    return w("Shape", part)


WRITTEN: dict[str, Callable[..., str]] = {
    "//": _divided, "broadcast": _broadcast, "range": _range, "slice": _slice,
}
