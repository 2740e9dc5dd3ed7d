"""Triangular factors of matrices: cholesky, qr."""

from __future__ import annotations

from typing import Any, NamedTuple

from shared.dims import Size, same_size
from shared.errors import GradientError, SettingError
from shared.op import Joint, Op, Rule, array_module
from shared.ops.complexes import conj
from shared.ops.creation import eye
from shared.ops.joining import concatenate
from shared.ops.linalg.matrices import adjoint, check_matrices, check_square, matrices, on_matrices
from shared.ops.linalg.solving import solve_triangular
from shared.ops.matrices import matmul, tril, triu
from shared.ops.ranges import smaller
from shared.spec import Operand, Spec, str_shape

# --- cholesky ------------------------------------------------------------------------------


@on_matrices("cholesky")
def _compute_cholesky(x: Any) -> Any:
    check_square("linalg.cholesky", x)
    return array_module(x).linalg.cholesky(x)


def _infer_cholesky(x: Operand) -> Spec:
    check_square("linalg.cholesky", x)
    return Spec(x.shape, x.dtype)


def _cholesky_rule(g: Any, y: Any, x: Any) -> Any:
    """L^-H phi(L^H g) L^-1, phi taking the lower triangle and half of the diagonal, made Hermitian (Murray
    2016, "Differentiation of the Cholesky decomposition")."""
    upper = adjoint(y)
    product = matmul(upper, tril(conj(g)))
    half = eye(product.shape[-1], dtype=product.dtype, like=product) * 0.5
    inner = solve_triangular(upper, tril(product) * (1 - half), upper=True)
    whole = adjoint(solve_triangular(upper, adjoint(inner), upper=True))
    return conj((whole + adjoint(whole)) * 0.5)


_cholesky = Op("cholesky", _compute_cholesky, _infer_cholesky, [Rule(_cholesky_rule, reads="y")], judges=(0,))


def cholesky(x: Any, *, upper: bool = False) -> Any:
    """The lower triangular L of `L @ L^H = x`, or its adjoint, the upper triangular one, of positive definite
    matrices (..., n, n).

    Of x the lower triangle is read, as that of a Hermitian matrix, and the gradient is Hermitian. Raises
    MatrixError for what is not positive definite (a GPU does not look), ShapeError for what is not square.
    """
    lower = _cholesky(matrices("linalg.cholesky", x))
    return adjoint(lower) if upper else lower


# --- qr ------------------------------------------------------------------------------------


class QR(NamedTuple):
    """Q @ R is the matrix; the columns of Q are orthonormal, R is upper triangular."""

    Q: Any
    R: Any


@on_matrices("qr")
def _compute_qr(x: Any, *, complete: bool) -> Any:
    check_matrices("linalg.qr", x)
    return tuple(array_module(x).linalg.qr(x, "complete" if complete else "reduced"))


def _infer_qr(x: Operand, *, complete: bool) -> tuple[Spec, Spec]:
    rows, columns = check_matrices("linalg.qr", x)
    inner: Size = rows if complete else smaller(rows, columns)
    batch = x.shape[:-2]
    return Spec((*batch, rows, inner), x.dtype), Spec((*batch, inner, columns), x.dtype)


def _qr_rule(g: Any, y: Any, x: Any, *, wanted: Any, complete: bool) -> tuple[Any]:
    """Of the leading columns, of which R is square, (gQ + Q sym(triu(M))) R^-H with M = gR R^H - Q^H gQ
    (Walter and Lehmann 2018); those behind them are Q times their part of R."""
    q, r = y
    by_q, by_r = (None if part is None else conj(part) for part in g)
    rows, columns = x.shape[-2:]
    inner = smaller(rows, columns)
    if complete and not same_size(inner, rows):
        raise GradientError(
            f"linalg.qr: of {str_shape(x.shape)} the columns that complete Q are any orthonormal ones, and "
            'have no derivative; take mode="reduced"'
        )
    side = None
    if not same_size(inner, columns):
        rest = x[..., inner:]
        side = rest * 0
        if by_r is not None:
            behind = by_r[..., inner:]
            turn = matmul(rest, adjoint(behind))
            side, by_q, by_r = matmul(q, behind), turn if by_q is None else by_q + turn, by_r[..., :inner]
        r = r[..., :inner]
    middle = 0 if by_r is None else matmul(by_r, adjoint(r))
    middle = triu(middle if by_q is None else middle - matmul(adjoint(q), by_q))
    half = eye(middle.shape[-1], dtype=middle.dtype, like=middle) * 0.5
    found = matmul(q, (middle + adjoint(middle)) * (1 - half))
    found = adjoint(solve_triangular(r, adjoint(found if by_q is None else found + by_q), upper=True))
    return (conj(found if side is None else concatenate([found, side], axis=-1)),)


_qr = Op(
    "qr", _compute_qr, _infer_qr, Joint(_qr_rule, reads="x Q R"), outputs=("Q", "R"),
)  # fmt: skip


def qr(x: Any, *, mode: str = "reduced") -> QR:
    """The factors Q (..., m, k) and R (..., k, n) of matrices (..., m, n), k = min(m, n); with the mode
    "complete" k = m. A named tuple: Q, R.

    The signs of R's diagonal are LAPACK's. There is a derivative where the leading k columns are independent;
    where they are not R has a 0 on its diagonal, and the gradient is a MatrixError. That of the mode
    "complete" exists for m <= n.
    """
    if mode not in ("reduced", "complete"):
        raise SettingError(f'linalg.qr: mode must be "reduced" or "complete", not {mode!r}')
    return QR(*_qr(matrices("linalg.qr", x), complete=mode == "complete"))
