"""Matrices that need not have an inverse: pseudo-inverses, least squares, rank."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shared.errors import SettingError
from shared.op import ZERO, Op, Rule, array_module
from shared.ops.complexes import conj
from shared.ops.elementwise import abs, square, sub
from shared.ops.linalg.matrices import adjoint, check_matrices, floats, matrices, on_matrices
from shared.ops.linalg.spectra import svdvals
from shared.ops.matrices import matmul
from shared.ops.reductions import sum
from shared.ops.shapes import expand_dims, squeeze
from shared.spec import Operand, Spec, as_number


class Lstsq(NamedTuple):
    """What `lstsq` gives: the solution, the squared lengths of what it leaves over, one for each right side,
    the rank of the matrix and its singular values."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


def _tolerance(call: str, rtol: Any) -> float | None:
    if rtol is None:
        return None
    number = as_number(call, "rtol", rtol)
    if not number >= 0:
        raise SettingError(f"{call}: rtol must be a number from 0 up, not {rtol!r}")
    return number


def _kept(x: Any, s: Any, rtol: float | None) -> Any:
    """Which singular values of x count: those above `rtol` times the largest. With None that is the larger
    side times the spacing of floats at 1, what rounding alone makes of a 0."""
    if rtol is None:
        rtol = max(x.shape[-2:]) * float(np.finfo(s.dtype).eps)
    return s > s[..., :1] * rtol


@on_matrices("pinv")
def _compute_pinv(x: Any, *, rtol: float | None) -> Any:
    check_matrices("linalg.pinv", x)
    xp = array_module(x)
    u, s, vh = xp.linalg.svd(x, False)
    kept = _kept(x, s, rtol)
    inverse = xp.where(kept, 1 / xp.where(kept, s, xp.ones((), s.dtype)), xp.zeros((), s.dtype))
    return (xp.swapaxes(vh.conj(), -1, -2) * inverse[..., None, :]) @ xp.swapaxes(u.conj(), -1, -2)


def _infer_pinv(x: Operand, *, rtol: float | None) -> Spec:
    rows, columns = check_matrices("linalg.pinv", x)
    return Spec((*x.shape[:-2], columns, rows), x.dtype)


def _pinv_rule(g: Any, y: Any, x: Any, *, rtol: float | None) -> Any:
    """Golub and Pereyra 1973, for matrices whose rank stays what it is."""
    back, other = adjoint(conj(g)), adjoint(y)
    turn = matmul(back, y)
    side = matmul(turn, other)
    found = side - adjoint(matmul(y, turn)) - matmul(matmul(x, y), side)
    return conj(found + matmul(matmul(other, y), sub(back, matmul(turn, x))))


_pinv = Op("pinv", _compute_pinv, _infer_pinv, [Rule(_pinv_rule, reads="x y")], judges=(0,))


def pinv(x: Any, *, rtol: float | None = None) -> Any:
    """The pseudo-inverses (..., n, m) of matrices (..., m, n), of Moore and Penrose.

    Singular values up to `rtol` times the largest count as 0; if None that is max(m, n) times the eps of the
    dtype, as in the Array API. The gradient holds where the rank does not change.
    """
    return _pinv(matrices("linalg.pinv", x), rtol=_tolerance("linalg.pinv", rtol))


def lstsq(a: Any, b: Any, *, rtol: float | None = None) -> Lstsq:
    """The x for which `a @ x` is nearest to b, and among several such the shortest: a (..., m, n),
    b (..., m, k), or (m,) for one right side. A named tuple: solution, residuals, rank, singular_values.

    `rtol` is that of `pinv`, by which it is computed. The gradient holds where the rank does not change. The
    residuals are there whatever the rank and the shape; NumPy and PyTorch leave some out.
    """
    a, b = matrices("linalg.lstsq", a), floats(b)
    rtol = _tolerance("linalg.lstsq", rtol)
    columns = b if len(b.shape) > 1 else expand_dims(b, -1)
    x = matmul(_pinv(a, rtol=rtol), columns)
    over = sum(square(abs(sub(columns, matmul(a, x)))), -2)
    values = svdvals(a)
    found = (x, over) if columns is b else (squeeze(x, -1), squeeze(over, -1))
    return Lstsq(*found, _matrix_rank(a, rtol=rtol), values)


@on_matrices("matrix_rank")
def _compute_matrix_rank(x: Any, *, rtol: float | None) -> Any:
    check_matrices("linalg.matrix_rank", x)
    xp = array_module(x)
    s = xp.linalg.svd(x, compute_uv=False)
    return xp.asarray(_kept(x, s, rtol).sum(axis=-1, dtype=np.int64))


def _infer_matrix_rank(x: Operand, *, rtol: float | None) -> Spec:
    check_matrices("linalg.matrix_rank", x)
    return Spec(x.shape[:-2], np.dtype(np.int64))


_matrix_rank = Op("matrix_rank", _compute_matrix_rank, _infer_matrix_rank, [ZERO], judges=(0,))


def matrix_rank(x: Any, *, rtol: float | None = None) -> Any:
    """The rank of matrices (..., m, n), int64: how many singular values are above `rtol` times the largest;
    if None, above max(m, n) times the eps of the dtype. No gradient."""
    return _matrix_rank(matrices("linalg.matrix_rank", x), rtol=_tolerance("linalg.matrix_rank", rtol))
