"""Ops that lay an array out several times: tile, repeat."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from shared.dims import Dim, Size
from shared.errors import SettingError
from shared.ops.shapes import as_tensor_like, broadcast_to, reshape
from shared.spec import one_axis


def _times(name: str, count: Any) -> Size:
    """How often: an int from 0 on, or a Dim."""
    if isinstance(count, Dim):
        return count
    try:
        times = int(operator.index(count))
    except TypeError:
        raise SettingError(f"{name}: {count!r} is no number of times; give an int") from None
    if times < 0 or isinstance(count, bool):
        raise SettingError(f"{name}: {count!r} is no number of times; give an int from 0 on")
    return times


def tile(x: Any, reps: Size | Sequence[Size]) -> Any:
    """`x` laid out `reps` times along each axis, as tiles.

    As in NumPy, the shorter of x's shape and `reps` is filled up with ones in front. The
    gradient sums over the tiles. Raises SettingError for repetitions that are not ints from 0 on.
    """
    x = as_tensor_like(x)
    given = reps if isinstance(reps, (tuple, list)) else (reps,)
    times = tuple(_times("tile", r) for r in given)
    ndim = max(len(x.shape), len(times))
    times = (1,) * (ndim - len(times)) + times
    shape = (1,) * (ndim - len(x.shape)) + tuple(x.shape)
    apart = tuple(size for one in shape for size in (1, one))
    tiled = tuple(size for pair in zip(times, shape, strict=True) for size in pair)
    return reshape(
        broadcast_to(reshape(x, apart), tiled),
        tuple(r * size for r, size in zip(times, shape, strict=True)),
    )


def repeat(x: Any, repeats: Size, axis: int | None = None) -> Any:
    """`x` with each element `repeats` times in a row along `axis`; flat, over all elements, if None.

    The gradient sums over the copies. Raises SettingError for a number of times that is not an
    int from 0 on (one that differs from element to element is `take` with an index array).
    """
    x = as_tensor_like(x)
    times = _times("repeat", repeats)
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = one_axis("repeat", axis, len(x.shape))
    before, size, after = tuple(x.shape[:axis]), x.shape[axis], tuple(x.shape[axis + 1 :])
    copies = broadcast_to(reshape(x, (*before, size, 1, *after)), (*before, size, times, *after))
    return reshape(copies, (*before, size * times, *after))
