"""Linear equations: inverses, solutions."""

from __future__ import annotations

from typing import Any

from shared.dims import Shape
from shared.errors import ShapeError
from shared.op import Joint, Op, Rule, array_module
from shared.ops.elementwise import neg
from shared.ops.linalg.matrices import check_matrices, check_square, floats, matrices, on_matrices, turned
from shared.ops.matrices import matmul, tril, triu
from shared.ops.shapes import expand_dims, squeeze
from shared.spec import Operand, Spec, broadcast_shapes, promote, sizes_match, str_shape

# --- inv -----------------------------------------------------------------------------------


def _infer_inv(x: Operand) -> Spec:
    check_square("linalg.inv", x)
    return Spec(x.shape, x.dtype)


@on_matrices("inv")
def _compute_inv(x: Any) -> Any:
    check_square("linalg.inv", x)
    return array_module(x).linalg.inv(x)


_inv = Op(
    "inv",
    _compute_inv,
    _infer_inv,
    [Rule(lambda g, y, x: neg(matmul(matmul(turned(y), g), turned(y))), reads="y")],
    judges=(0,),
)


def inv(x: Any) -> Any:
    """The inverses of square matrices (..., n, n).

    `solve(a, b)` is more exact and quicker than `inv(a) @ b`. Raises MatrixError for a singular matrix, as
    far as rounding lets one see it (a GPU does not look), ShapeError for one that is not square.
    """
    return _inv(matrices("linalg.inv", x))


# --- solve ---------------------------------------------------------------------------------


def _solved(call: str, a: Operand, b: Operand) -> Shape:
    """The shape of the solution x of a x = b."""
    n = check_square(call, a)
    check_matrices(call, b)
    if not sizes_match(n, b.shape[-2]):
        raise ShapeError(
            f"{call}: a {str_shape(a.shape)} with b {str_shape(b.shape)}: b must have as many rows as a, "
            f"{n}, not {b.shape[-2]}"
        )
    batches = [Spec(x.shape[:-2], x.dtype) for x in (a, b)]
    batch = broadcast_shapes(f"{call} (its batch axes)", *batches)
    return (*batch, *b.shape[-2:])


def _alike(call: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Both with the batch axes that they broadcast to: CuPy's solver does not do it itself."""
    shape, xp = _solved(call, a, b), array_module(a)
    if a.shape[:-2] == b.shape[:-2]:
        return a, b
    return xp.broadcast_to(a, (*shape[:-2], *a.shape[-2:])), xp.broadcast_to(b, shape)


@on_matrices("solve")
def _compute_solve(a: Any, b: Any) -> Any:
    a, b = _alike("linalg.solve", a, b)
    return array_module(a).linalg.solve(a, b)


def _solve_rule(g: Any, y: Any, a: Any, b: Any, *, wanted: Any) -> tuple[Any, Any]:
    """Of b the solution of the transposed equations; of a that times the solution, negative."""
    back = _solve(turned(a), g)
    return neg(matmul(back, turned(y))) if wanted[0] else None, back


_solve = Op(
    "solve",
    _compute_solve,
    lambda a, b: Spec(_solved("linalg.solve", a, b), promote(a, b)),
    Joint(_solve_rule, reads=lambda wanted: {"a", "y"} if wanted[0] else {"a"}),
    judges=(0,),
)


def solve(a: Any, b: Any) -> Any:
    """The x of `a @ x = b`: a (..., n, n), b (..., n, k), or (n,) for one right side.

    Batch axes broadcast. Raises MatrixError for a singular a, as far as rounding lets one see it (a GPU does
    not look), ShapeError for shapes that do not fit.
    """
    a, b = matrices("linalg.solve", a), floats(b)
    if len(b.shape) == 1:
        return squeeze(_solve(a, expand_dims(b, -1)), -1)
    return _solve(a, b)


# --- solve_triangular ----------------------------------------------------------------------

_BLOCK = 64
"""Up to this size a triangle is handed to the general solver, which finds nothing to eliminate in it."""


@on_matrices("solve_triangular")
def _compute_solve_triangular(a: Any, b: Any, *, upper: bool, unitriangular: bool) -> Any:
    a, b = _alike("linalg.solve_triangular", a, b)
    if unitriangular:
        xp = array_module(a)
        a = xp.where(xp.eye(a.shape[-1], dtype=bool), xp.ones((), a.dtype), a)
    return _substituted(a, b, upper)


def _substituted(a: Any, b: Any, upper: bool) -> Any:
    """By halves: the one that stands alone, then the other less what that contributes."""
    xp, n = array_module(a), a.shape[-1]
    if n <= _BLOCK:
        if upper:
            return xp.linalg.solve(xp.triu(a), b)
        return xp.linalg.solve(xp.tril(a)[..., ::-1, ::-1], b[..., ::-1, :])[..., ::-1, :]
    half = n // 2
    first, last = slice(None, half), slice(half, None)
    if upper:
        first, last = last, first
    alone = _substituted(a[..., first, first], b[..., first, :], upper)
    rest = b[..., last, :] - xp.matmul(a[..., last, first], alone)
    other = _substituted(a[..., last, last], rest, upper)
    return xp.concatenate([other, alone] if upper else [alone, other], axis=-2)


def _solve_triangular_rule(
    g: Any, y: Any, a: Any, b: Any, *, wanted: Any, upper: bool, unitriangular: bool
) -> tuple[Any, Any]:
    """That of solve; only the triangle that is read has a derivative."""
    back = _solve_triangular(turned(a), g, upper=not upper, unitriangular=unitriangular)
    if not wanted[0]:
        return None, back
    whole = neg(matmul(back, turned(y)))
    return triu(whole, int(unitriangular)) if upper else tril(whole, -int(unitriangular)), back


_solve_triangular = Op(
    "solve_triangular",
    _compute_solve_triangular,
    lambda a, b, *, upper, unitriangular: Spec(_solved("linalg.solve_triangular", a, b), promote(a, b)),
    Joint(_solve_triangular_rule, reads=lambda wanted: {"a", "y"} if wanted[0] else {"a"}),
    judges=(0,),
)


def solve_triangular(
    a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """The x of `a @ x = b`, or of `x @ a = b` where `left` is False, a being triangular; as in PyTorch.

    a (..., n, n), b (..., n, k), or (..., k, n) where `left` is False. The other triangle is not read, nor
    with `unitriangular` the diagonal, which is taken as ones. Raises MatrixError for a zero on the diagonal
    (a GPU does not look), ShapeError for shapes that do not fit.
    """
    a, b = matrices("linalg.solve_triangular", a), matrices("linalg.solve_triangular", b)
    settings = {"unitriangular": bool(unitriangular)}
    if left:
        return _solve_triangular(a, b, upper=bool(upper), **settings)
    return turned(_solve_triangular(turned(a), turned(b), upper=not upper, **settings))
