"""Sums into places that an index names: what undoes picking. Duplicates add up in their order."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import machine, plain, scatter_source, worth_a_kernel
from shared.kernels.machine import Routine, address, routine
from shared.numerics.half import rounded
from shared.op import array_module, put

MANY, MANY_ROWS = 4, 32
"""From more values than this for each place on, on the average, they are added in double precision: of single
numbers it costs nothing, of rows half as much again."""


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
    return _summed(_add_rows, values, index, size, out)


def scatter_along(values: Any, index: Any, size: int, out: Any = None) -> Any:
    """out[l, index[l, k, t], t] += values[l, k, t], from zeros, for k = 0, 1, ...

    values and index (L, K, T), the index integers from -size to size - 1; gives (L, size, T), in
    `out` if that is given. Raises IndexError if an index is out of range.
    """
    return _summed(_add_along, values, index, size, out)


def rows_twin(values: Any, index: Any, size: int, out: Any = None) -> Any:
    """What scatter_rows gives, in the arrays' own module."""
    return _summed(_add_rows_twin, values, index, size, out)


def along_twin(values: Any, index: Any, size: int, out: Any = None) -> Any:
    """What scatter_along gives, in the arrays' own module."""
    return _summed(_add_along_twin, values, index, size, out)


def _summed(add: Callable[..., None], values: Any, index: Any, size: int, out: Any) -> Any:
    """Zeros to which `add` adds the values: in double precision where there are many for each place, so that
    the roundings of a long sum do not show; half precision never in its own."""
    xp, (lead, _, trail) = array_module(values), values.shape
    wide = _wide(values, size)
    if wide == values.dtype:
        out = zeroed(xp, (lead, size, trail), wide, out)
        add(values, index, out)
        return out
    total = xp.zeros((lead, size, trail), wide)
    add(values, index, total)
    return put(rounded(total, values.dtype), out)


def _wide(values: Any, size: int) -> Any:
    """The dtype in which values are summed."""
    dtype = values.dtype
    if dtype.kind not in "fc":
        return dtype
    if values.shape[1] > (MANY if values.shape[2] == 1 else MANY_ROWS) * size:
        return np.result_type(dtype, np.float64)
    return np.result_type(dtype, np.float32)


def _add_rows(values: Any, index: Any, out: Any) -> None:
    if not worth_a_kernel(values):
        return _add_rows_twin(values, index, out)
    return _scattered(scatter_source.rows, values, index, out)


def _add_along(values: Any, index: Any, out: Any) -> None:
    if not worth_a_kernel(values):
        return _add_along_twin(values, index, out)
    loops = scatter_source.along_last if values.shape[2] == 1 else scatter_source.along
    return _scattered(loops, values, index, out)


def _add_rows_twin(values: Any, index: Any, out: Any) -> None:
    xp = array_module(values)
    xp.add.at(out, (slice(None), xp.ascontiguousarray(index)), values.astype(out.dtype, copy=False))


def _add_along_twin(values: Any, index: Any, out: Any) -> None:
    xp, (lead, _, trail) = array_module(values), values.shape
    places = (xp.arange(lead)[:, None, None], xp.ascontiguousarray(index), xp.arange(trail))
    xp.add.at(out, places, values.astype(out.dtype, copy=False))


def _scattered(source: Callable[..., str], values: Any, index: Any, out: Any) -> None:
    """The sums, by the loops that `source` writes."""
    (lead, count, trail), size = values.shape, out.shape[1]
    values, index, outside = plain(values), plain(index, np.int64), np.ones(1, np.int64)
    if size:
        run = _routine(source, values.dtype.name, out.dtype.name)
        places = address(values), address(index), address(out), address(outside)
        run(np.array((lead, count, trail, size, *places), np.int64))
    if outside[0]:
        raise IndexError(f"an index is out of range for size {size}")


@cache
def _routine(source: Callable[..., str], dtype: str, total: str) -> Routine:
    key, vectors = (source.__name__, dtype, total, machine.vector_bytes()), source is scatter_source.rows
    return routine(key, scatter_source.SCATTER, lambda name: source(dtype, name, total), vectors)
