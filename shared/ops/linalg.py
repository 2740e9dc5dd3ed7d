"""Products of matrices: matmul with NumPy's batching rules, and linear."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import ShapeError
from shared.op import Op, Rule
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, squeeze, swapaxes, transpose
from shared.spec import Operand, Spec, broadcast_shapes, promote, sizes_match, str_shape


def _compute_matmul(a: Any, b: Any) -> Any:
    if a.ndim > 2 and b.ndim == 2:  # one GEMM is faster than a small one for each of the batch
        return (a.reshape(-1, a.shape[-1]) @ b).reshape(*a.shape[:-1], b.shape[-1])
    return a @ b


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


def _matmul_second(g: Any, y: Any, a: Any, b: Any) -> Any:
    if len(b.shape) == 2 and len(a.shape) > 2:  # one product, instead of a batch and its sum
        a, g = reshape(a, (-1, a.shape[-1])), reshape(g, (-1, g.shape[-1]))
    return matmul(swapaxes(a, -1, -2), g)


_matmul = Op(
    "matmul",
    _compute_matmul,
    _infer_matmul,
    [
        Rule(lambda g, y, a, b: matmul(g, swapaxes(b, -1, -2)), reads="b"),
        Rule(_matmul_second, reads="a"),
    ],
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


def _compute_linear(x: Any, w: Any, b: Any = None) -> Any:
    y = x.reshape(-1, x.shape[-1]) @ w.T
    if b is not None:
        y = np.add(y, b, out=y if b.dtype == y.dtype else None)
    return y.reshape(*x.shape[:-1], w.shape[0])


def _infer_linear(x: Operand, w: Operand, b: Operand | None = None) -> Spec:
    if x.ndim == 0 or w.ndim != 2 or not sizes_match(x.shape[-1], w.shape[1]):
        raise ShapeError(
            f"linear: x {str_shape(x.shape)} with weight {str_shape(w.shape)}: the last size of "
            "x must be the weight's second (its in_features); flatten or transpose x?"
        )
    if b is not None and not (b.ndim == 1 and sizes_match(b.shape[0], w.shape[0])):
        raise ShapeError(
            f"linear: bias {str_shape(b.shape)} must have shape ({w.shape[0]},), the weight's rows"
        )
    return Spec((*x.shape[:-1], w.shape[0]), promote(x, w) if b is None else promote(x, w, b))


def _linear_weight(g: Any, y: Any, x: Any, w: Any, b: Any = None) -> Any:
    g, x = reshape(g, (-1, g.shape[-1])), reshape(x, (-1, x.shape[-1]))
    return matmul(transpose(g), x)


_linear = Op(
    "linear",
    _compute_linear,
    _infer_linear,
    [
        Rule(lambda g, y, x, w, b=None: matmul(g, w), reads="w"),
        Rule(_linear_weight, reads="x"),
        Rule(lambda g, y, x, w, b=None: g),
    ],
)


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """`x @ weight.T + bias` over the last axis of `x`, as `torch.nn.functional.linear`.

    x (..., in), weight (out, in), bias (out,) or None; gives (..., out).
    """
    x = as_tensor_like(x)
    return _linear(x, weight) if bias is None else _linear(x, weight, bias)
