"""Sums into places that an index names: what undoes picking. Duplicates add up in their order."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import machine, plain, scatter_source, worth_a_kernel
from shared.kernels.machine import Routine, address, routine
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
    return _scattered(scatter_source.rows, values, index, size, out)


def scatter_along(values: Any, index: Any, size: int, out: Any = None) -> Any:
    """out[l, index[l, k, t], t] += values[l, k, t], from zeros, for k = 0, 1, ...

    values and index (L, K, T), the index integers from -size to size - 1; gives (L, size, T), in
    `out` if that is given. Raises IndexError if an index is out of range.
    """
    if not worth_a_kernel(values):
        return along_twin(values, index, size, out)
    loops = scatter_source.along_last if values.shape[2] == 1 else scatter_source.along
    return _scattered(loops, values, index, size, out)


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


def _scattered(source: Callable[..., str], values: Any, index: Any, size: int, out: Any) -> Any:
    """The sums, by the loops that `source` writes."""
    lead, count, trail = values.shape
    out = zeroed(np, (lead, size, trail), values.dtype, out)
    values, index, outside = plain(values), plain(index, np.int64), np.ones(1, np.int64)
    if size:
        run = _routine(source, values.dtype.name)
        places = address(values), address(index), address(out), address(outside)
        run(np.array((lead, count, trail, size, *places), np.int64))
    if outside[0]:
        raise IndexError(f"an index is out of range for size {size}")
    return out


@cache
def _routine(source: Callable[..., str], dtype: str) -> Routine:
    key, vectors = (source.__name__, dtype, machine.vector_bytes()), source is scatter_source.rows
    return routine(key, scatter_source.SCATTER, lambda name: source(dtype, name), vectors)
