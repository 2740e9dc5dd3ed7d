"""What came before what: the count by which nodes and changes in place are ordered, and which
arrays were changed, and when.

PyTorch counts versions on each storage. Here a changed array stands in one table, with its place
in the order of nodes: as long as nobody changes anything in place, which is the rule, the table
is empty and asking it costs nothing.
"""

from __future__ import annotations

import itertools
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.device.cuda import CudaArray
from shared.source import Line, user_line

ARRAYS = (np.ndarray, CudaArray)

next_order = itertools.count().__next__
"""The next place in the order, which counts over the whole process."""


@dataclass
class Change:
    """The last change of an array: its place in the order, and the user's line."""

    array: weakref.ref[Any]
    order: int
    line: Line | None


changes: dict[int, Change] = {}
"""The last change of each changed array that is still alive, by the id of what owns its memory."""


def record_change(array: Any) -> None:
    """Write down that the array, and so whatever shares its memory, was changed just now."""
    found = owner(array)
    key = id(found)
    gone = weakref.ref(found, lambda _: changes.pop(key, None))
    changes[key] = Change(gone, next_order(), user_line())


def change_after(array: Any, order: int) -> Change | None:
    """The last change of the array's memory, if it came after this place in the order."""
    change = changes.get(id(owner(array)))
    return change if change is not None and change.order > order else None


def same_memory(a: Any, b: Any) -> bool:
    """Whether two arrays lie in one memory."""
    return owner(a) is owner(b)


def owner(array: Any) -> Any:
    """The array that owns the memory of a view; of one on the GPU, CuPy's."""
    if isinstance(array, CudaArray):
        return array.array if array.base is None else array.base
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
