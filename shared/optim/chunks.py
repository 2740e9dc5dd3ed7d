"""Running an elementwise rule on large raw arrays, chunk by chunk.

A rule such as Adam's makes a dozen passes over arrays of the parameter's size. Over chunks that
fit in a core's own cache all passes but the first read from there, not from memory. Each element
meets the same operations as in one piece, so the bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

CHUNK = 1 << 17
"""Bytes of each array in one chunk: with the temporaries of a rule, about 1 MiB in all."""

Update = Callable[[Any, Any, dict[str, Any]], tuple[Any, dict[str, Any]]]


def fits(*arrays: Any) -> bool:
    """Whether these are NumPy arrays in C order, large enough for chunks to be worth while."""
    return arrays[0].nbytes > 2 * CHUNK and all(
        isinstance(array, np.ndarray) and array.flags.c_contiguous for array in arrays
    )


def run(rule: Update, p: Any, g: Any, slots: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """`rule(p, g, slots)` of arrays that `fits` takes: a fresh parameter, and the slots.

    The slots are written where they are. The parameter is not: a tape may still hold it.
    """
    new = np.empty_like(p)
    whole = {name: slot.reshape(-1) for name, slot in slots.items()}
    to, p, g = new.reshape(-1), p.reshape(-1), g.reshape(-1)
    size = CHUNK // p.itemsize
    for start in range(0, p.size, size):
        part = slice(start, start + size)
        to[part], moved = rule(p[part], g[part], {name: slot[part] for name, slot in whole.items()})
        for name, value in moved.items():
            whole[name][part] = value
    return new, slots
