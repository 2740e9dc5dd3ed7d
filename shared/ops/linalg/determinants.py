"""Determinants, and their gradients, which singular matrices have too."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shared.op import Joint, Op, Rule, array_module
from shared.ops.complexes import imag, real_dtype
from shared.ops.elementwise import mul
from shared.ops.linalg.matrices import check_square, matrices, on_matrices, turned
from shared.ops.linalg.solving import inv
from shared.ops.matrices import matmul
from shared.ops.products import others_product
from shared.ops.reductions import sum
from shared.ops.shapes import expand_dims
from shared.spec import Operand, Spec


class Slogdet(NamedTuple):
    """sign * exp(logabsdet) is the determinant."""

    sign: Any
    logabsdet: Any


def _each(values: Any) -> Any:
    """Numbers, one for each matrix, so that they broadcast."""
    return expand_dims(values, (-2, -1))


# --- det -----------------------------------------------------------------------------------


def _number(x: Operand) -> Spec:
    check_square("linalg.det", x)
    return Spec(x.shape[:-2], x.dtype)


@on_matrices("det")
def _compute_det(x: Any) -> Any:
    check_square("linalg.det", x)
    return array_module(x).asarray(array_module(x).linalg.det(x))


_det = Op("det", _compute_det, _number, [Rule(lambda g, y, x: _each(g) * cofactor(x), reads="x")])


def det(x: Any) -> Any:
    """The determinants of square matrices (..., n, n).

    The derivative is the matrix of cofactors, which singular matrices have as well; so is the second. The
    third goes by the inverse, and is an error there. Raises ShapeError for a matrix that is not square.
    """
    return _det(matrices("linalg.det", x))


# --- cofactors -----------------------------------------------------------------------------
#
# Of x = U S V^H the determinant is det(U) det(V^H) times the product of S. Its first derivative, the matrix
# of cofactors, has the products of all but one, the second those of all but two: no division, so no matrix
# is singular to them.


def _factors(x: Any) -> tuple[Any, Any, Any, Any]:
    xp = array_module(x)
    u, s, vh = xp.linalg.svd(x)
    unit = xp.asarray(np.multiply(xp.linalg.det(u), xp.linalg.det(vh))).reshape(*x.shape[:-2], 1, 1)
    return unit, u, s, vh


def _others(values: Any) -> Any:
    return others_product(values, axis=(values.ndim - 1,))


@on_matrices("det")
def _compute_cofactor(x: Any) -> Any:
    check_square("linalg.det", x)
    unit, u, s, vh = _factors(x)
    return unit * ((u * _others(s)[..., None, :]) @ vh).conj()


@on_matrices("det")
def _compute_cofactor_slope(x: Any, v: Any) -> Any:
    """With W = U^H v V, the diagonal of the middle factor is sum_i W[i, i] P[i, j] over i other than j, and
    beside it stands -W[j, i] P[i, j], P[i, j] being the product of all of S but i and j."""
    check_square("linalg.det", x)
    xp = array_module(x)
    unit, u, s, vh = _factors(x)
    diagonal = xp.eye(x.shape[-1], dtype=bool)
    pairs = _others(xp.where(diagonal, xp.ones((), s.dtype), s[..., None, :]))
    pairs = xp.where(diagonal, xp.zeros((), s.dtype), pairs)
    w = xp.swapaxes(u.conj(), -1, -2) @ v @ xp.swapaxes(vh.conj(), -1, -2)
    own = xp.einsum("...ii,...ij->...j", w, pairs.astype(w.dtype))
    middle = xp.where(diagonal, own[..., None, :], -xp.swapaxes(w, -1, -2) * pairs)
    return unit * (u.conj() @ middle @ vh.conj())


def _of_three(g: Any, y: Any, x: Any, v: Any) -> Any:
    """The third derivative, along v and g, by the inverse: expand det(x + a v + b g + c h) / det(x)."""
    z = inv(x)
    a, b = matmul(z, v), matmul(z, g)
    one, two = sum(mul(turned(z), v), (-2, -1)), sum(mul(turned(z), g), (-2, -1))
    both = sum(mul(a, turned(b)), (-2, -1))
    inner = _each(one * two - both) * z - _each(two) * matmul(a, z) - _each(one) * matmul(b, z)
    inner = inner + matmul(a, matmul(b, z)) + matmul(b, matmul(a, z))
    return _each(det(x)) * turned(inner)


cofactor = Op(
    "cofactor",
    _compute_cofactor,
    lambda x: Spec((*x.shape[:-2], check_square("linalg.det", x), x.shape[-1]), x.dtype),
    [Rule(lambda g, y, x: cofactor_slope(x, g), reads="x")],
    judges=(0,),
    doc="The matrix of cofactors of a square matrix: the derivative of its determinant.",
)

cofactor_slope = Op(
    "cofactor_slope",
    _compute_cofactor_slope,
    lambda x, v: Spec((*x.shape[:-2], check_square("linalg.det", x), x.shape[-1]), x.dtype),
    [Rule(_of_three, reads="x v"), Rule(lambda g, y, x, v: cofactor_slope(x, g), reads="x")],
    judges=(0,),
    doc="The derivative of `cofactor` along v, which has x's shape and dtype.",
)

# --- slogdet -------------------------------------------------------------------------------


def _infer_slogdet(x: Operand) -> tuple[Spec, Spec]:
    check_square("linalg.slogdet", x)
    return Spec(x.shape[:-2], x.dtype), Spec(x.shape[:-2], real_dtype(x))


@on_matrices("slogdet")
def _compute_slogdet(x: Any) -> Any:
    check_square("linalg.slogdet", x)
    xp = array_module(x)
    sign, size = xp.linalg.slogdet(x)
    return xp.asarray(sign), xp.asarray(size)


def _slogdet_rule(g: Any, y: Any, x: Any, *, wanted: Any) -> tuple[Any]:
    """d log det(x) is the trace of x^-1 dx: its real part is that of the logarithm of the size, and its
    imaginary part turns the sign, where that is a complex number."""
    by_sign, by_size = g
    slope = by_size
    if by_sign is not None and x.dtype.kind == "c":
        turn = imag(by_sign * y[0]) * 1j
        slope = turn if slope is None else slope + turn
    return (None if slope is None else _each(slope) * turned(inv(x)),)


_slogdet = Op(
    "slogdet", _compute_slogdet, _infer_slogdet, Joint(_slogdet_rule, reads="x sign"),
    outputs=("sign", "logabsdet"),
)  # fmt: skip


def slogdet(x: Any) -> Slogdet:
    """The sign and the logarithm of the size of the determinants of square matrices (..., n, n): of those
    that leave the range of floats, too. A named tuple: sign, logabsdet.

    Of a singular matrix 0 and minus infinity; it has no derivative, and asking for one is a MatrixError. The
    sign of a real determinant has none, that of a complex one is a number on the unit circle and has.
    """
    return Slogdet(*_slogdet(matrices("linalg.slogdet", x)))
