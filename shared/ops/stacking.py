"""Ops that join arrays side by side and cut parts off, by the names that NumPy and PyTorch have for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Size, divide
from shared.errors import SettingError, ShapeError, UnknownSizeError
from shared.ops.indexing import EVERY, getitem
from shared.ops.joining import concatenate, split
from shared.ops.shapes import as_sizes, as_tensor_like, expand_dims, reshape, sized
from shared.spec import one_axis, str_shape

PARTS = 2**16
"""Into how many an array may be cut: each is made, one by one."""

# --- side by side ------------------------------------------------------------------------------


def _several(call: str, xs: Sequence[Any]) -> list[Any]:
    found = [as_tensor_like(x) for x in xs]
    if not found:
        raise SettingError(f"{call}: needs at least one array")
    return found


def hstack(xs: Sequence[Any]) -> Any:
    """The arrays joined along their second axis, or, where they have one, along that."""
    found = [reshape(x, (1,)) if not x.ndim else x for x in _several("hstack", xs)]
    return concatenate(found, axis=min(1, found[0].ndim - 1))


def vstack(xs: Sequence[Any]) -> Any:
    """The arrays joined along their first axis; what has one is a row."""
    return concatenate([_rows(x) for x in _several("vstack", xs)], axis=0)


def dstack(xs: Sequence[Any]) -> Any:
    """The arrays joined along their third axis; what has fewer is a row, or a matrix, of a depth of 1."""
    rows = [_rows(x) for x in _several("dstack", xs)]
    return concatenate([expand_dims(x, 2) if x.ndim == 2 else x for x in rows], axis=2)


def column_stack(xs: Sequence[Any]) -> Any:
    """The arrays joined along their second axis; what has one is a column."""
    found = _several("column_stack", xs)
    return concatenate([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in found], axis=1)


def _rows(x: Any) -> Any:
    """What has no more than one axis as a matrix of one row."""
    return x if x.ndim > 1 else reshape(x, (1, -1))


# --- parts -------------------------------------------------------------------------------------


def narrow(x: Any, axis: int, start: Size, length: Size) -> Any:
    """The `length` elements along `axis` from `start` on, which may count from the end. A view.

    As `torch.narrow`. Raises ShapeError where there are not so many.
    """
    x = as_tensor_like(x)
    axis = one_axis("narrow", axis, x.ndim)
    first, count = as_sizes("narrow", (start, length))
    size = x.shape[axis]
    if not isinstance(first, Dim) and first < 0:
        first = size + first
    known = not any(isinstance(n, Dim) for n in (first, count, size))
    if known and not (0 <= first and 0 <= count and first + count <= size):
        raise ShapeError(
            f"narrow: axis {axis} of {str_shape(x.shape)} has no {length} elements from {start} on"
        )
    return sized("narrow", getitem(x, (*(EVERY,) * axis, slice(first, first + count))), axis, count)


def tensor_split(x: Any, sections: int | Sequence[int], axis: int = 0) -> tuple[Any, ...]:
    """`x` cut along `axis` into so many parts, the first of them one longer where it does not come out even;
    or before each of the places in a list, which may count from the end. Views; `numpy.array_split`'s parts.

    Raises SettingError for a number below 1, UnknownSizeError for places along an axis of unknown size.
    """
    x = as_tensor_like(x)
    axis = one_axis("tensor_split", axis, x.ndim)
    size = x.shape[axis]
    if isinstance(sections, (int, np.integer)):
        count = int(sections)
        if not 1 <= count <= PARTS:
            raise SettingError(f"tensor_split: {count} is no number of parts; give an int from 1 to {PARTS}")
        return split(x, [divide(size + (count - 1 - part), count) for part in range(count)], axis)
    if isinstance(size, Dim):
        raise UnknownSizeError(
            f"tensor_split: axis {axis} of {str_shape(x.shape)} is of unknown size; say how many parts, or "
            "slice it"
        )
    starts = [range(size)[place:].start for place in as_sizes("tensor_split", sections)]
    lead = (EVERY,) * axis
    return tuple(
        getitem(x, (*lead, slice(a, b))) for a, b in zip([0, *starts], [*starts, size], strict=True)
    )


def chunk(x: Any, chunks: int, axis: int = 0) -> tuple[Any, ...]:
    """`x` cut along `axis` into at most so many parts of one size, but for the last, which may be smaller.

    As `torch.chunk`. Views. Raises SettingError for a number below 1, UnknownSizeError where the size of the
    axis is not known.
    """
    x = as_tensor_like(x)
    axis = one_axis("chunk", axis, x.ndim)
    size = x.shape[axis]
    if not isinstance(chunks, (int, np.integer)) or chunks < 1:
        raise SettingError(f"chunk: {chunks!r} is no number of parts; give an int from 1 on")
    if isinstance(size, Dim):
        raise UnknownSizeError(
            f"chunk: into how many parts axis {axis} of {str_shape(x.shape)} goes only a run will show; "
            "tensor_split makes as many as it is told"
        )
    step = max(-(-size // int(chunks)), 1)
    return split(x, [min(step, size - start) for start in range(0, size, step)] or [0] * int(chunks), axis)
