"""Derivatives of functions: what `backward` does for one number, for whole functions.

Each of these calls `fn` on fresh leaves, so it neither needs nor leaves any history; where the
arguments are Tensors with one, pass `create_graph=True` to differentiate through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dynamic.backward import grad
from dynamic.modes import enable_grad
from dynamic.tensors import Leaf, Tensor, tensor
from shared import ops
from shared.errors import GradientError, ShapeError
from shared.spec import Spec, str_shape


def _leaves(args: Sequence[Any]) -> list[Tensor]:
    """Fresh leaves that share the arguments' memory."""
    tensors = [arg if isinstance(arg, Tensor) else tensor(arg) for arg in args]
    for x in tensors:
        if x.dtype.kind not in "fc":
            raise GradientError(f"a derivative by {x.dtype} values does not exist; pass floats")
    return [Tensor(x.data, Leaf(Spec(x.shape, x.dtype))) for x in tensors]


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


def value_and_grad(fn: Callable[..., Tensor], *args: Any) -> tuple[Tensor, Any]:
    """`fn(*args)`, one number, and its gradient by each argument (one, or a tuple)."""
    with enable_grad():
        xs = _leaves(args)
        y = fn(*xs)
        return y.detach(), _one_or_all(grad(y, xs))


def vjp(fn: Callable[..., Tensor], args: Sequence[Any], cotangent: Any) -> tuple[Tensor, Any]:
    """`fn(*args)` and cotangent * Jacobian, for each argument (one, or a tuple): one walk back."""
    with enable_grad():
        xs = _leaves(args)
        y = fn(*xs)
        return y.detach(), _one_or_all(grad(y, xs, cotangent))


def jvp(fn: Callable[..., Tensor], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """`fn(*args)` and Jacobian * tangents: the directional derivative.

    By differentiating the vector-Jacobian product, which is linear in its cotangent (Townsend
    2017, "A new trick for calculating Jacobian vector products").
    """
    with enable_grad():
        xs = _leaves(args)
        y = fn(*xs)
        u = Tensor(np.zeros(y.shape, y.dtype), Leaf(Spec(y.shape, y.dtype)))
        pulled = grad(y, xs, u, create_graph=True)
        total = sum(ops.sum(g * t) for g, t in zip(pulled, tangents, strict=True))
        return y.detach(), grad(total, u)


def jacobian(fn: Callable[..., Tensor], *args: Any, create_graph: bool = False) -> Any:
    """All derivatives: for each argument an array of y's shape followed by the argument's."""
    with enable_grad():
        xs = list(args) if create_graph else _leaves(args)
        y = fn(*xs)
        rows: list[list[Any]] = [[] for _ in xs]
        for k in range(y.data.size):
            start = np.zeros(y.data.size, y.dtype)
            start[k] = 1
            found = grad(y, xs, start.reshape(y.shape), True, create_graph, allow_unused=True)
            for row, x, g in zip(rows, xs, found, strict=True):
                row.append(Tensor(np.zeros(x.shape, x.dtype)) if g is None else g)
        return _one_or_all(
            [ops.reshape(ops.stack(row), (*y.shape, *x.shape)) for row, x in zip(rows, xs, strict=True)]
        )


def hessian(fn: Callable[[Any], Tensor], x: Any) -> Tensor:
    """All second derivatives of a number by one argument: x's shape twice over."""
    (leaf,) = _leaves([x])

    def slope(at: Tensor) -> Tensor:
        y = fn(at)
        if y.data.size != 1:
            raise ShapeError(f"hessian: fn must give one number, not {str_shape(y.shape)}")
        return grad(y, at, create_graph=True)

    return jacobian(slope, leaf)


def hvp(fn: Callable[[Any], Tensor], x: Any, direction: Any) -> tuple[Tensor, Tensor]:
    """`fn(x)` and Hessian * direction, by differentiating <gradient, direction> (Pearlmutter 1994):
    about the cost of two gradients, and never the whole matrix."""
    with enable_grad():
        (leaf,) = _leaves([x])
        y = fn(leaf)
        slope = grad(y, leaf, create_graph=True)
        along = direction if isinstance(direction, Tensor) else tensor(direction, dtype=leaf.dtype)
        return y.detach(), grad(ops.sum(slope * along), leaf)
