"""Matrices as they stand: matmul with NumPy's batching rules, linear, tensordot; triangles."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Size, product
from shared.errors import SettingError, ShapeError
from shared.op import Op, Rule, array_module
from shared.ops.elementwise import mul
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, squeeze, swapaxes, transpose
from shared.spec import Operand, Spec, broadcast_shapes, one_axis, promote, sizes_match, str_shape

# --- matmul --------------------------------------------------------------------------------


def _compute_matmul(a: Any, b: Any, out: Any = None) -> Any:
    if a.ndim > 2 and b.ndim == 2:  # one GEMM is faster than a small one for each of the batch
        y = np.matmul(_matrix(a), b, out=None if out is None else _matrix(out))
        return y.reshape(*a.shape[:-1], b.shape[-1]) if out is None else out
    return np.matmul(a, b, out=out, order="C")


def _infer_matmul(a: Operand, b: Operand) -> Spec:
    if not sizes_match(a.shape[-1], b.shape[-2]):
        hint = "; transpose the second?" if sizes_match(a.shape[-1], b.shape[-1]) else ""
        raise ShapeError(
            f"matmul: {str_shape(a.shape)} @ {str_shape(b.shape)}: inner sizes "
            f"{a.shape[-1]} and {b.shape[-2]} differ{hint}"
        )
    stretched = broadcast_shapes(
        "matmul (its batch axes)", Spec(a.shape[:-2], a.dtype), Spec(b.shape[:-2], b.dtype)
    )
    return Spec((*stretched, a.shape[-2], b.shape[-1]), promote(a, b))


def _rows(x: Any) -> Any:
    """All axes but the last made one."""
    return reshape(x, (product(x.shape[:-1]), x.shape[-1]))


def _matmul_second(g: Any, y: Any, a: Any, b: Any) -> Any:
    if len(b.shape) == 2 and len(a.shape) > 2:  # one product, instead of a batch and its sum
        a, g = _rows(a), _rows(g)
    return matmul(swapaxes(a, -1, -2), g)


_matmul = Op(
    "matmul",
    _compute_matmul,
    _infer_matmul,
    [
        Rule(lambda g, y, a, b: matmul(g, swapaxes(b, -1, -2)), reads="b"),
        Rule(_matmul_second, reads="a"),
    ],
    out=True,
)


def matmul(a: Any, b: Any) -> Any:
    """The matrix product over the last two axes; axes before them broadcast.

    A 1-d argument is a row on the left and a column on the right, as in NumPy. Raises
    ShapeError where the inner sizes differ or an argument is 0-d.
    """
    a, b = as_tensor_like(a), as_tensor_like(b)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError("matmul: a 0-d argument has no rows; multiply by it with *")
    if a.ndim == 1:
        return squeeze(matmul(expand_dims(a, 0), b), -2 if b.ndim > 1 else 0)
    if b.ndim == 1:
        return squeeze(matmul(a, expand_dims(b, 1)), -1)
    return _matmul(a, b)


def dot(a: Any, b: Any) -> Any:
    """The inner product of two 1-d arrays, as `torch.dot`: 0-d."""
    a, b = as_tensor_like(a), as_tensor_like(b)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(
            f"dot: {str_shape(a.shape)} and {str_shape(b.shape)} must both be 1-d; matmul and "
            "tensordot take more axes"
        )
    return matmul(a, b)


# --- linear --------------------------------------------------------------------------------
#
# Three ops, each the derivative of the others, as convolution has them:
#
#     linear(x, weight)         x @ weight.T, over the last axis of x
#     linear_input(g, weight)   its gradient by x
#     linear_weight(x, g)       its gradient by weight
#
# Each is one product of matrices, whatever the leading axes are: one op to record and one call to
# make where rules of matmul, transpose and reshape would be five.


def _matrix(x: Any) -> Any:
    """All axes of a raw array but the last made one."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _compute_linear(x: Any, weight: Any, bias: Any = None, out: Any = None) -> Any:
    if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[:1]):
        _infer_linear(x, weight, bias)  # says what does not fit
    to = None if out is None else _matrix(out)
    y = np.matmul(_matrix(x), weight.T, out=to)
    if bias is not None:
        y = np.add(y, bias, out=y if bias.dtype == y.dtype else to)
    return y.reshape(*x.shape[:-1], weight.shape[0]) if out is None else out


def _compute_linear_input(g: Any, weight: Any, out: Any = None) -> Any:
    if g.ndim == 0 or weight.ndim != 2:
        _infer_linear_input(g, weight)
    y = np.matmul(_matrix(g), weight, out=None if out is None else _matrix(out))
    return y.reshape(*g.shape[:-1], weight.shape[1]) if out is None else out


def _compute_linear_weight(x: Any, g: Any, out: Any = None) -> Any:
    if x.shape[:-1] != g.shape[:-1] or not x.ndim:
        _infer_linear_weight(x, g)
    return np.matmul(_matrix(g).T, _matrix(x), out=out, order="C")


def _infer_linear(x: Operand, weight: Operand, bias: Operand | None = None) -> Spec:
    if x.ndim == 0 or weight.ndim != 2 or not sizes_match(x.shape[-1], weight.shape[1]):
        raise ShapeError(
            f"linear: x {str_shape(x.shape)} with weight {str_shape(weight.shape)}: the last size "
            "of x must be the weight's second (its in_features); flatten or transpose x?"
        )
    rows = weight.shape[:1]
    if bias is not None and not (bias.ndim == 1 and sizes_match(bias.shape[0], rows[0])):
        raise ShapeError(
            f"linear: bias {str_shape(bias.shape)} must have shape {str_shape(rows)}, one for each "
            "of the weight's rows"
        )
    given = (x, weight) if bias is None else (x, weight, bias)
    return Spec((*x.shape[:-1], *rows), promote(*given))


def _infer_linear_input(g: Operand, weight: Operand) -> Spec:
    if g.ndim == 0 or weight.ndim != 2 or not sizes_match(g.shape[-1], weight.shape[0]):
        raise ShapeError(
            f"linear_input: g {str_shape(g.shape)} with weight {str_shape(weight.shape)}: the last size "
            "of g must be the weight's first (its out_features)"
        )
    return Spec((*g.shape[:-1], weight.shape[1]), promote(g, weight))


def _infer_linear_weight(x: Operand, g: Operand) -> Spec:
    if not x.ndim == g.ndim >= 1 or not all(map(sizes_match, x.shape[:-1], g.shape[:-1])):
        raise ShapeError(
            f"linear_weight: x {str_shape(x.shape)} and g {str_shape(g.shape)} must agree in all axes "
            "but the last, the features that go in and those that come out"
        )
    return Spec((g.shape[-1], x.shape[-1]), promote(x, g))


_linear = Op(
    "linear",
    _compute_linear,
    _infer_linear,
    [
        Rule(lambda g, y, x, weight, bias=None: linear_input(g, weight), reads="weight"),
        Rule(lambda g, y, x, weight, bias=None: linear_weight(x, g), reads="x"),
        Rule(lambda g, y, x, weight, bias=None: g),
    ],
    out=True,
)

linear_input = Op(
    "linear_input",
    _compute_linear_input,
    _infer_linear_input,
    [
        Rule(lambda gx, y, g, weight: _linear(gx, weight), reads="weight"),
        Rule(lambda gx, y, g, weight: linear_weight(gx, g), reads="g"),
    ],
    out=True,
    doc="`g @ weight` over the last axis of g: g (..., out), weight (out, in); gives (..., in).",
)

linear_weight = Op(
    "linear_weight",
    _compute_linear_weight,
    _infer_linear_weight,
    [
        Rule(lambda gw, y, x, g: linear_input(g, gw), reads="g"),
        Rule(lambda gw, y, x, g: _linear(x, gw), reads="x"),
    ],
    out=True,
    doc="The sum of g[i] x[i].T over all rows i: x (..., in), g (..., out); gives (out, in).",
)


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """`x @ weight.T + bias` over the last axis of `x`, as `torch.nn.functional.linear`.

    x (..., in), weight (out, in), bias (out,) or None; gives (..., out).
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    return _linear(x, weight) if bias is None else _linear(x, weight, as_tensor_like(bias))


# --- made of matmul and broadcasting -------------------------------------------------------


def outer(a: Any, b: Any) -> Any:
    """`y[i, j] = a[i] * b[j]` over the flattened a and b."""
    return mul(reshape(a, (-1, 1)), reshape(b, (1, -1)))


def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Any:
    """The sum of products over `axes`; the axes that are left, a's and then b's, as in NumPy.

    axes: how many of a's last axes meet b's first, or two (sequences of) axes that meet. Raises
    ShapeError where the sizes that meet differ.
    """
    a, b = as_tensor_like(a), as_tensor_like(b)
    of_a, of_b = _meeting_axes(a, b, axes)
    for i, j in zip(of_a, of_b, strict=True):
        if not sizes_match(a.shape[i], b.shape[j]):
            raise ShapeError(
                f"tensordot: axis {i} of {str_shape(a.shape)} meets axis {j} of "
                f"{str_shape(b.shape)}: sizes {a.shape[i]} and {b.shape[j]} differ"
            )
    left = [i for i in range(a.ndim) if i not in of_a]
    right = [j for j in range(b.ndim) if j not in of_b]
    kept = tuple(a.shape[i] for i in left), tuple(b.shape[j] for j in right)
    inner = product(tuple(a.shape[i] for i in of_a))
    rows = reshape(transpose(a, (*left, *of_a)), (product(kept[0]), inner))
    columns = reshape(transpose(b, (*of_b, *right)), (inner, product(kept[1])))
    return reshape(matmul(rows, columns), (*kept[0], *kept[1]))


def _meeting_axes(a: Any, b: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of each that meet, counted from the front."""
    if isinstance(axes, (int, np.integer)):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise SettingError(
                f"tensordot: axes={axes} is out of range for {str_shape(a.shape)} and "
                f"{str_shape(b.shape)}; use one from 0 to {min(a.ndim, b.ndim)}"
            )
        return list(range(a.ndim - axes, a.ndim)), list(range(axes))
    pair = [[int(part)] if isinstance(part, (int, np.integer)) else list(part) for part in axes]
    if len(pair) != 2 or len(pair[0]) != len(pair[1]):
        raise SettingError(f"tensordot: axes {axes!r} must be two axes, or two sequences of one length")
    of_a = [one_axis("tensordot", i, a.ndim) for i in pair[0]]
    of_b = [one_axis("tensordot", j, b.ndim) for j in pair[1]]
    if len({*of_a}) < len(of_a) or len({*of_b}) < len(of_b):
        raise SettingError(f"tensordot: axes {axes!r} name an axis twice")
    return of_a, of_b


# --- triangles -----------------------------------------------------------------------------


def _triangle(name: str, doc: str) -> Op:
    def compute(x: Any, *, diagonal: int) -> Any:
        xp = array_module(x)
        return xp.asarray(getattr(xp, name)(x, diagonal), order="C")

    def infer(x: Operand, *, diagonal: Size) -> Spec:
        if len(x.shape) < 2:
            raise ShapeError(f"{name}: {str_shape(x.shape)} has no rows and columns; it needs 2 axes")
        return Spec(x.shape, x.dtype)

    def rule(g: Any, y: Any, x: Any, *, diagonal: Size) -> Any:
        return op(g, diagonal=diagonal)

    op = Op(name, compute, infer, [Rule(rule)], check=True, doc=doc)
    return op


_tril = _triangle("tril", "The lower triangle.")
_triu = _triangle("triu", "The upper triangle.")


def tril(x: Any, diagonal: int = 0) -> Any:
    """`x` with zeros above the given diagonal of its last two axes; 1 is the one above the main."""
    return _tril(as_tensor_like(x), diagonal=_diagonal("tril", diagonal))


def triu(x: Any, diagonal: int = 0) -> Any:
    """`x` with zeros below the given diagonal of its last two axes; 1 is the one above the main."""
    return _triu(as_tensor_like(x), diagonal=_diagonal("triu", diagonal))


def _diagonal(call: str, diagonal: Any) -> Any:
    if isinstance(diagonal, Dim):
        return diagonal
    try:
        return operator.index(diagonal)
    except TypeError:
        raise SettingError(f"{call}: diagonal must be an integer, not {diagonal!r}") from None
