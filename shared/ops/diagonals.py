"""Ops of diagonals and triangles: taken out, put in, and where they are."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from shared.dims import Dim, Size
from shared.errors import SettingError, ShapeError
from shared.ops.arranging import moveaxis
from shared.ops.choosing import gate
from shared.ops.creation import Creation, arange, eye, sizes_of, whole
from shared.ops.indexing import getitem
from shared.ops.joining import concatenate, unbind
from shared.ops.padding import pad
from shared.ops.picking import placed
from shared.ops.ranges import at_least, smaller
from shared.ops.shapes import as_tensor_like, expand_dims
from shared.spec import Spec, one_axis, str_shape


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of `x` in the plane of two axes, which go; it stands along a new last axis, as in NumPy.

    offset: 0 is the main diagonal, 1 the one above it (towards the end of axis2), -1 the one below. One that
    lies outside is empty. Raises ShapeError for an x of fewer axes than two, SettingError for one axis twice.
    """
    x, rows, columns = _plane("diagonal", x, axis1, axis2)
    x = moveaxis(x, (rows, columns), (0, 1))
    down, right = _steps("diagonal", offset)
    count = at_least(smaller(x.shape[0] - down, x.shape[1] - right), 0)
    places = arange(count, like=x)
    return moveaxis(getitem(x, (places + down, places + right)), 0, -1)


def diag_embed(x: Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Any:
    """Square matrices with the last axis of `x` on a diagonal and zeros elsewhere, as `torch.diag_embed`.

    Rows and columns stand at `axis1` and `axis2` of the result; `offset` is that of `diagonal`.
    """
    x = as_tensor_like(x)
    if not x.ndim:
        raise ShapeError("diag_embed: a single number has no axis to put on a diagonal")
    down, right = _steps("diag_embed", offset)
    x = pad(x, ((0, 0),) * (x.ndim - 1) + ((0, down + right),))
    size = x.shape[-1]
    y = gate(expand_dims(x, -1 if right else -2), eye(size, k=right - down, dtype=bool, like=x))
    first, second = one_axis("diag_embed", axis1, y.ndim), one_axis("diag_embed", axis2, y.ndim)
    if first == second:
        raise SettingError(f"diag_embed: axis1 and axis2 must differ, but both are {first}")
    return moveaxis(y, (-2, -1), (first, second))


def diag(x: Any, offset: int = 0) -> Any:
    """Of one axis the square matrix with `x` on a diagonal; of a matrix that diagonal. As `numpy.diag`."""
    x = as_tensor_like(x)
    if x.ndim not in (1, 2):
        raise ShapeError(f"diag: {str_shape(x.shape)} has {x.ndim} axes, not 1 or 2; see diag_embed")
    return diag_embed(x, offset) if x.ndim == 1 else diagonal(x, offset)


def _plane(call: str, x: Any, axis1: int, axis2: int) -> tuple[Any, int, int]:
    """x, and two axes of it that differ."""
    x = as_tensor_like(x)
    if x.ndim < 2:
        raise ShapeError(f"{call}: {str_shape(x.shape)} has no plane; it needs 2 axes")
    first, second = one_axis(call, axis1, x.ndim), one_axis(call, axis2, x.ndim)
    if first == second:
        raise SettingError(f"{call}: axis1 and axis2 must differ, but both are {first}")
    return x, first, second


def _steps(call: str, offset: Any) -> tuple[int, int]:
    """How far down, and how far to the right, a diagonal starts."""
    if not isinstance(offset, (int, np.integer)) or isinstance(offset, bool):
        raise SettingError(f"{call}: offset must be an int, not {offset!r}")
    return max(-int(offset), 0), max(int(offset), 0)


def block_diag(*xs: Any) -> Any:
    """The matrices along a diagonal, zeros elsewhere; what has one axis is a row. As `torch.block_diag`."""
    blocks = [_matrix(x) for x in xs]
    if not blocks:
        raise SettingError("block_diag: needs at least one array")
    for unknown in [block for block in blocks if any(isinstance(size, Dim) for size in block.shape)][:1]:
        blocks = [placed(block, unknown) for block in blocks]
    ends = [*accumulate(block.shape[1] for block in blocks)]
    return concatenate([
        pad(block, ((0, 0), (end - block.shape[1], ends[-1] - end)))
        for block, end in zip(blocks, ends, strict=True)
    ])  # fmt: skip


def _matrix(x: Any) -> Any:
    x = as_tensor_like(x)
    if x.ndim > 2:
        raise ShapeError(f"block_diag: {str_shape(x.shape)} has more axes than a matrix")
    return x if x.ndim == 2 else expand_dims(x, tuple(range(2 - x.ndim)))


# --- where triangles are -----------------------------------------------------------------------


def _make_triangle(xp: Any, *, n: int, m: int, k: int, upper: bool) -> Any:
    inside = xp.tri(n, m, k - 1, dtype=bool) if upper else xp.tri(n, m, k, dtype=bool)
    return xp.ascontiguousarray(xp.stack((~inside if upper else inside).nonzero()))


def _infer_triangle(*, n: Size, m: Size, k: int, upper: bool) -> Spec:
    """Row i has as many places as there are columns up to its own, k more."""
    if isinstance(n, Dim) or isinstance(m, Dim):
        return Spec((2, Dim()), np.dtype(np.intp))

    def up_to(end: int) -> int:
        """The sum of min(i, m) for i from 1 to `end`."""
        ramp = max(min(end, m), 0)
        return ramp * (ramp + 1) // 2 + m * max(end - m, 0)

    first = k + (not upper)
    lower = up_to(n - 1 + first) - up_to(first - 1)
    return Spec((2, n * m - lower if upper else lower), np.dtype(np.intp))


_triangle = Creation("triangle_indices", _make_triangle, _infer_triangle)


def _triangle_indices(call: str, n: Any, m: Any, k: Any, upper: bool, like: Any) -> tuple[Any, Any]:
    rows, columns = sizes_of(call, (n, n if m is None else m))
    return unbind(_triangle(like, n=rows, m=columns, k=whole(call, k), upper=upper))


def tril_indices(n: Size, m: Size | None = None, k: int = 0, *, like: Any = None) -> tuple[Any, Any]:
    """The rows and the columns of the places on and below the diagonal k of an n x m matrix (n x n if m is
    None), row by row: `x[tril_indices(n)]` are these elements. Diagonals are counted as in `diagonal`."""
    return _triangle_indices("tril_indices", n, m, k, False, like)


def triu_indices(n: Size, m: Size | None = None, k: int = 0, *, like: Any = None) -> tuple[Any, Any]:
    """The rows and the columns of the places on and above the diagonal k; all else as in `tril_indices`."""
    return _triangle_indices("triu_indices", n, m, k, True, like)
