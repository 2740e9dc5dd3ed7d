"""Eigenvalues and singular values, with their vectors; and what is made of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from shared.dims import same_size
from shared.errors import GradientError, SettingError
from shared.op import Joint, Op, Rule, array_module
from shared.ops.complexes import complex_dtype, conj, real, real_dtype
from shared.ops.creation import eye
from shared.ops.diagonals import diag_embed
from shared.ops.elementwise import div, sub
from shared.ops.linalg.matrices import (
    adjoint,
    check_matrices,
    check_square,
    matrices,
    of_columns,
    of_rows,
    on_matrices,
)
from shared.ops.linalg.solving import solve
from shared.ops.matrices import matmul
from shared.ops.ranges import smaller
from shared.ops.reductions import sum
from shared.spec import Operand, Spec, str_shape


class Eigh(NamedTuple):
    """Eigenvalues (..., n) in ascending order, and eigenvectors (..., n, n), of which each is a column."""

    eigenvalues: Any
    eigenvectors: Any


class Eig(NamedTuple):
    """Complex eigenvalues (..., n) in no order, and eigenvectors (..., n, n), of which each is a column."""

    eigenvalues: Any
    eigenvectors: Any


class SVD(NamedTuple):
    """U @ diag(S) @ Vh is the matrix: singular values (..., k) in descending order, and the vectors that
    belong to them, the columns of U and the rows of Vh."""

    U: Any
    S: Any
    Vh: Any


def _identity(like: Any, dtype: Any) -> Any:
    return eye(like.shape[-1], dtype=dtype, like=like)


# --- Hermitian matrices --------------------------------------------------------------------


def _infer_eigh(x: Operand) -> tuple[Spec, Spec]:
    check_square("linalg.eigh", x)
    return Spec(x.shape[:-1], real_dtype(x)), Spec(x.shape, x.dtype)


@on_matrices("eigh")
def _compute_eigh(x: Any) -> Any:
    check_square("linalg.eigh", x)
    return tuple(array_module(x).linalg.eigh(x))


def _eigh_rule(g: Any, y: Any, x: Any, *, wanted: Any) -> tuple[Any]:
    """V (diag(gw) + skew(V^H gV) / E) V^H, E[i, j] being w[j] - w[i] (Giles 2008), made Hermitian."""
    w, v = y
    by_w, by_v = g
    middle = None
    if by_v is not None:
        turn = matmul(adjoint(v), conj(by_v))
        one = _identity(w, w.dtype)
        apart = of_columns(w) - of_rows(w) + one
        middle = (turn - adjoint(turn)) / (apart * 2) * (1 - one)
    if by_w is not None:
        middle = diag_embed(by_w) if middle is None else middle + diag_embed(by_w)
    return (conj(matmul(matmul(v, middle), adjoint(v))),)


_eigh = Op(
    "eigh", _compute_eigh, _infer_eigh, Joint(_eigh_rule, reads="eigenvalues eigenvectors"),
    outputs=("eigenvalues", "eigenvectors"), judges=(0,),
)  # fmt: skip


def eigh(x: Any, UPLO: str = "L") -> Eigh:
    """The eigenvalues, which are real, and the eigenvectors of Hermitian matrices (..., n, n). A named tuple.

    Of x the lower triangle is read, with UPLO "U" the upper one, and the gradient is Hermitian. An
    eigenvector is known but for its sign, or if complex its phase: a loss must not depend on it. Vectors of
    equal eigenvalues have no derivative: the gradient through them is infinite or NaN there; that through the
    eigenvalues alone is right.
    Raises MatrixError where LAPACK finds none, ShapeError for matrices that are not square.
    """
    return Eigh(*_eigh(_lower("linalg.eigh", x, UPLO)))


def _lower(call: str, x: Any, triangle: Any) -> Any:
    """Matrices whose lower triangle says what the named one of x does."""
    if triangle not in ("L", "U"):
        raise SettingError(f'{call}: UPLO must be "L" or "U", not {triangle!r}')
    x = matrices(call, x)
    return x if triangle == "L" else adjoint(x)


@on_matrices("eigvalsh")
def _compute_eigvalsh(x: Any) -> Any:
    check_square("linalg.eigvalsh", x)
    return array_module(x).linalg.eigvalsh(x)


def _infer_eigvalsh(x: Operand) -> Spec:
    check_square("linalg.eigvalsh", x)
    return Spec(x.shape[:-1], real_dtype(x))


def _eigvalsh_rule(g: Any, y: Any, x: Any) -> Any:
    v = eigh(x).eigenvectors
    return conj(matmul(v * of_columns(g), adjoint(v)))


_eigvalsh = Op("eigvalsh", _compute_eigvalsh, _infer_eigvalsh, [Rule(_eigvalsh_rule, reads="x")], judges=(0,))


def eigvalsh(x: Any, UPLO: str = "L") -> Any:
    """The eigenvalues (..., n) of Hermitian matrices, ascending, as in `eigh`, without the vectors.

    Where some are equal the gradient is that of some order of them; a sum over all that are equal has the
    right one. The second derivative needs them apart.
    """
    return _eigvalsh(_lower("linalg.eigvalsh", x, UPLO))


# --- square matrices -----------------------------------------------------------------------


def _infer_eig(x: Operand) -> tuple[Spec, Spec]:
    check_square("linalg.eig", x)
    dtype = complex_dtype(x)
    return Spec(x.shape[:-1], dtype), Spec(x.shape, dtype)


@on_matrices("eig")
def _compute_eig(x: Any) -> Any:
    """NumPy gives real arrays where all values happen to be real; here the dtype is always the same."""
    check_square("linalg.eig", x)
    return tuple([y.astype(complex_dtype(x)) for y in array_module(x).linalg.eig(x)])


def _eig_rule(g: Any, y: Any, x: Any, *, wanted: Any) -> tuple[Any]:
    """V^-H (diag(gw) + (T - V^H V diag(Re T)) / E) V^H with T = V^H gV and E[i, j] = conj(w[j] - w[i])
    (Boeddeker et al. 2017), vectors being of length 1."""
    w, v = y
    by_w, by_v = (None if part is None else conj(part) for part in g)
    back, middle = adjoint(v), None
    if by_v is not None:
        turn, one = matmul(back, by_v), _identity(w, w.dtype)
        kept = real(sum(turn * one, -1))
        turn = turn - matmul(back, v) * of_columns(kept)
        middle = turn / (conj(of_columns(w) - of_rows(w)) + one) * (1 - one)
    if by_w is not None:
        middle = diag_embed(by_w) if middle is None else middle + diag_embed(by_w)
    return (conj(solve(back, matmul(middle, back))),)


_eig = Op(
    "eig", _compute_eig, _infer_eig, Joint(_eig_rule, reads="eigenvalues eigenvectors"),
    outputs=("eigenvalues", "eigenvectors"), judges=(0,),
)  # fmt: skip


def eig(x: Any) -> Eig:
    """The eigenvalues and eigenvectors of square matrices (..., n, n): complex, whatever x is. A named tuple.

    Vectors have length 1 and any phase: a loss must not depend on it. Where eigenvalues are equal there is no
    derivative of the vectors, and where x has not n vectors none at all: the gradient is infinite, NaN or a
    MatrixError.
    """
    return Eig(*_eig(matrices("linalg.eig", x)))


def eigvals(x: Any) -> Any:
    """The eigenvalues (..., n) of square matrices, complex and in no order, as in `eig`."""
    return eig(x).eigenvalues


# --- singular values -----------------------------------------------------------------------


def _infer_svd(x: Operand, *, complete: bool) -> tuple[Spec, Spec, Spec]:
    rows, columns = check_matrices("linalg.svd", x)
    inner, batch = smaller(rows, columns), x.shape[:-2]
    return (
        Spec((*batch, rows, rows if complete else inner), x.dtype),
        Spec((*batch, inner), real_dtype(x)),
        Spec((*batch, columns if complete else inner, columns), x.dtype),
    )


@on_matrices("svd")
def _compute_svd(x: Any, *, complete: bool) -> Any:
    check_matrices("linalg.svd", x)
    return tuple(array_module(x).linalg.svd(x, complete))


def _svd_rule(g: Any, y: Any, x: Any, *, wanted: Any, complete: bool) -> tuple[Any]:
    """Townsend 2016, "Differentiating the singular value decomposition"; the diagonal that only complex
    matrices have, after Wan and Zhang 2019."""
    u, s, vh = y
    by_u, by_s, by_vh = (None if part is None else conj(part) for part in g)
    rows, columns = x.shape[-2:]
    inner = smaller(rows, columns)
    if complete and not same_size(rows, columns):
        if by_u is not None or by_vh is not None:
            raise GradientError(
                f"linalg.svd: of {str_shape(x.shape)} the vectors that complete U or Vh are any orthonormal "
                "ones, and have no derivative; pass full_matrices=False"
            )
        u, s, vh = _svd(x, complete=False)  # which have, so that there is a second one
    if by_u is None and by_vh is None:
        return (conj(matmul(u * of_columns(by_s), vh)),)
    one = _identity(s, s.dtype)
    apart = (of_columns(s) - of_rows(s)) * (of_columns(s) + of_rows(s)) + one
    middle = outside = None
    if by_u is not None:
        turn = matmul(adjoint(u), by_u)
        skew = turn - adjoint(turn)
        middle = skew / apart * of_columns(s)
        rest = sub(by_u, matmul(u, turn)) * of_columns(_inverse(s, rows - inner))
        outside = matmul(rest, vh)
    if by_vh is not None:
        other = matmul(by_vh, adjoint(vh))
        part = of_rows(s) * ((adjoint(other) - other) / apart)
        middle = part if middle is None else middle + part
        rest = matmul(u, sub(by_vh, matmul(other, vh)) * of_rows(_inverse(s, columns - inner)))
        outside = rest if outside is None else outside + rest
    if by_u is not None and by_vh is not None and x.dtype.kind == "c":
        middle = middle + skew * one / (of_rows(s) * 2)
    if by_s is not None:
        middle = middle + diag_embed(by_s)
    return (conj(matmul(matmul(u, middle), vh) + outside),)


def _inverse(s: Any, more: Any) -> Any:
    """1 / s if there are more rows (or columns) than singular values, else 0, whatever s is."""
    one = smaller(more, 1)
    return div(one, s + (1 - one))


_svd = Op(
    "svd", _compute_svd, _infer_svd, Joint(_svd_rule, reads="x U S Vh"), outputs=("U", "S", "Vh"),
    judges=(0,),
)  # fmt: skip


def svd(x: Any, *, full_matrices: bool = True) -> SVD:
    """The singular values and vectors of matrices (..., m, n): U (..., m, m), S (..., k), Vh (..., n, n),
    k = min(m, n); without `full_matrices` U (..., m, k) and Vh (..., k, n). A named tuple.

    A pair of vectors is known but for its sign, or if complex its phase: a loss must not depend on it. Where
    singular values are equal, or 0 in a matrix that is not square, the vectors have no derivative: the
    gradient through them is infinite or NaN there; that through S alone is right. Vectors that only complete
    U or Vh have none at all: their gradient is refused, and `full_matrices=False` has none of them.
    """
    return SVD(*_svd(matrices("linalg.svd", x), complete=bool(full_matrices)))


@on_matrices("svdvals")
def _compute_svdvals(x: Any) -> Any:
    check_matrices("linalg.svdvals", x)
    return array_module(x).linalg.svd(x, compute_uv=False)


def _infer_svdvals(x: Operand) -> Spec:
    rows, columns = check_matrices("linalg.svdvals", x)
    return Spec((*x.shape[:-2], smaller(rows, columns)), real_dtype(x))


def _svdvals_rule(g: Any, y: Any, x: Any) -> Any:
    u, _, vh = svd(x, full_matrices=False)
    return conj(matmul(u * of_columns(g), vh))


_svdvals = Op("svdvals", _compute_svdvals, _infer_svdvals, [Rule(_svdvals_rule, reads="x")], judges=(0,))


def svdvals(x: Any) -> Any:
    """The singular values (..., min(m, n)) of matrices (..., m, n), descending, without the vectors."""
    return _svdvals(matrices("linalg.svdvals", x))
