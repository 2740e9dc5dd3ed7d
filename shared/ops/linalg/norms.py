"""Norms of vectors and of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.errors import SettingError, ShapeError
from shared.ops.elementwise import abs, sign
from shared.ops.linalg.matrices import floats, matrices
from shared.ops.linalg.spectra import svdvals
from shared.ops.norms import powers
from shared.ops.reductions import Axis, max, min, sum
from shared.ops.shapes import expand_dims, reshape, transpose
from shared.spec import many_axes, one_axis, str_shape


def vector_norm(x: Any, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The norm of x over `axis` (all axes if None), taken as one vector: (sum |x|^ord)^(1/ord).

    ord inf is the largest |x|, -inf the smallest, 0 how many are not 0; numbers below 1 make no norm, and are
    taken as the others. Of complex x in the dtype of its parts; integers become floats as in exp.
    """
    x, p = floats(x), _order("vector_norm", ord)
    if p == 0:
        return sum(sign(abs(x)), axis, keepdims)
    if p == -math.inf:
        return min(abs(x), axis, keepdims)
    return powers(x, p, axis, keepdims)


def _order(call: str, ord: Any) -> float:
    if not isinstance(ord, (int, float, np.number)) or isinstance(ord, bool) or math.isnan(ord):
        raise SettingError(f"linalg.{call}: ord must be a number, or inf, not {ord!r}")
    return float(ord)


_MATRIX_ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of matrices (..., m, n).

    ord "fro": the root of the sum of squares; "nuc": the sum of the singular values; 2: the largest of them;
    1: the largest sum of |x| over a column, inf: over a row; with a minus the smallest, not the largest.
    """
    x = matrices("linalg.matrix_norm", x)
    if ord not in _MATRIX_ORDERS:
        raise SettingError(f"linalg.matrix_norm: ord must be one of {_MATRIX_ORDERS}, not {ord!r}")
    if ord == "fro":
        return powers(x, 2, (-2, -1), keepdims)
    choose = min if ord in (-1, -2, -math.inf) else max
    if ord in ("nuc", 2, -2):
        values = svdvals(x)
        y = sum(values, -1) if ord == "nuc" else choose(values, -1)
    else:
        y = choose(sum(abs(x), -2 if ord in (1, -1) else -1), -1)
    return expand_dims(y, (-2, -1)) if keepdims else y


def norm(x: Any, ord: Any = None, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """`vector_norm` or `matrix_norm`, as in NumPy and PyTorch: of one axis a vector's, of two a matrix's.

    Without an axis all of x is a vector, if `ord` is None, or else x must have one axis, or two. Of several
    axes without `ord` it is the root of the sum of squares.
    """
    x = floats(x)
    if axis is None and ord is not None:
        if len(x.shape) not in (1, 2):
            raise ShapeError(
                f"linalg.norm: {str_shape(x.shape)} is neither a vector nor a matrix; say which axis, or two"
            )
        axis = tuple(range(len(x.shape)))
    two = isinstance(axis, (tuple, list)) and len(axis) == 2
    if ord is None or not two:
        return vector_norm(x, axis=axis, keepdims=keepdims, ord=2 if ord is None else ord)
    assert isinstance(axis, (tuple, list))
    rows, columns = (one_axis("linalg.norm", a, len(x.shape)) for a in axis)
    rest = tuple(i for i in range(len(x.shape)) if i not in (rows, columns))
    if len(many_axes("linalg.norm", axis, len(x.shape))) == 2:
        y = matrix_norm(transpose(x, (*rest, rows, columns)), ord=ord)
    if keepdims:
        return reshape(y, tuple(1 if i in (rows, columns) else n for i, n in enumerate(x.shape)))
    return y
