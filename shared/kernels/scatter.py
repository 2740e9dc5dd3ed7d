"""Sums into places that an index names: what undoes picking. Duplicates add up in their order."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.kernels import compiled, plain, worth_a_kernel
from shared.op import array_module


def zeroed(xp: Any, shape: tuple[int, ...], dtype: Any, out: Any = None) -> Any:
    """Zeros to add to: new ones, or those that `out` is made."""
    if out is None:
        return xp.zeros(shape, dtype)
    out[...] = 0
    return out


def scatter_rows(values: Any, index: Any, size: int, out: Any = None) -> Any:
    """out[l, index[k]] += values[l, k], from zeros, for k = 0, 1, ...

    values (L, K, T), index (K,) integers from -size to size - 1; gives (L, size, T), in `out` if
    that is given. Raises IndexError if an index is out of range.
    """
    if not worth_a_kernel(values):
        return rows_twin(values, index, size, out)
    out = zeroed(np, (values.shape[0], size, values.shape[2]), values.dtype, out)
    if not compiled(_rows)(out, plain(values), plain(index, np.int64)):
        raise IndexError(f"an index is out of range for size {size}")
    return out


def scatter_along(values: Any, index: Any, size: int, out: Any = None) -> Any:
    """out[l, index[l, k, t], t] += values[l, k, t], from zeros, for k = 0, 1, ...

    values and index (L, K, T), the index integers from -size to size - 1; gives (L, size, T), in
    `out` if that is given. Raises IndexError if an index is out of range.
    """
    if not worth_a_kernel(values):
        return along_twin(values, index, size, out)
    out = zeroed(np, (values.shape[0], size, values.shape[2]), values.dtype, out)
    if not compiled(_along)(out, plain(values), plain(index, np.int64)):
        raise IndexError(f"an index is out of range for size {size}")
    return out


def rows_twin(values: Any, index: Any, size: int, out: Any = None) -> Any:
    """What scatter_rows gives, in the arrays' own module."""
    xp = array_module(values)
    out = zeroed(xp, (values.shape[0], size, values.shape[2]), values.dtype, out)
    xp.add.at(out, (slice(None), xp.ascontiguousarray(index)), values)
    return out


def along_twin(values: Any, index: Any, size: int, out: Any = None) -> Any:
    """What scatter_along gives, in the arrays' own module."""
    xp = array_module(values)
    lead, _, trail = values.shape
    out = zeroed(xp, (lead, size, trail), values.dtype, out)
    places = (xp.arange(lead)[:, None, None], xp.ascontiguousarray(index), xp.arange(trail))
    xp.add.at(out, places, values)
    return out


def _rows(out: Any, values: Any, index: Any) -> bool:
    """Whether every index was in range; the sums are whole only then."""
    lead, count, trail = values.shape
    size = out.shape[1]
    for at in range(lead):
        for k in range(count):
            place = index[k]
            if place < 0:
                place += size
            if place < 0 or place >= size:
                return False
            row, row_values = out[at, place], values[at, k]
            for t in range(trail):
                row[t] += row_values[t]
    return True


def _along(out: Any, values: Any, index: Any) -> bool:
    """Whether every index was in range; the sums are whole only then."""
    lead, count, trail = values.shape
    size = out.shape[1]
    for at in range(lead):
        plane, plane_values, plane_index = out[at], values[at], index[at]
        for k in range(count):
            for t in range(trail):
                place = plane_index[k, t]
                if place < 0:
                    place += size
                if place < 0 or place >= size:
                    return False
                plane[place, t] += plane_values[k, t]
    return True
