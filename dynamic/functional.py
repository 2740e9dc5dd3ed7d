"""Derivatives that are given back, not left in `.grad`: `grad`, and derivatives of functions.

Each of the latter calls `fn` on fresh leaves, so it neither needs nor leaves any history; where the
arguments are Tensors with one, pass `create_graph=True` to differentiate through. The derivative
by what `fn` does not depend on is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dynamic.backward import derivatives_by
from dynamic.modes import enable_grad, mode
from dynamic.tensors import Tensor, leaf_edge, tensor
from shared import ops
from shared.errors import GradientError, ShapeError
from shared.op import array_module
from shared.spec import str_shape
from shared.state import State
from shared.trace import Way


def grad(
    ys: Tensor | Sequence[Tensor],
    xs: Tensor | State | Sequence[Tensor | State],
    grad_ys: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> Any:
    """The derivatives of `ys` (their sum, if several) by each of `xs`; no `.grad` is touched.

    `xs` may be leaves or Tensors from the middle. Gives one Tensor for one x, a list for a
    sequence. An x that ys do not depend on is a GradientError, or None with `allow_unused`.
    """
    many_y: list[Any] = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    many_x: list[Any] = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    seeds = list(grad_ys) if isinstance(grad_ys, (list, tuple)) else [grad_ys] * len(many_y)
    call = mode.get().call
    result = None
    if call is not None and len(many_y) == len(seeds) == 1:
        keeps = create_graph if retain_graph is None else retain_graph
        result = call.differentiated(many_y[0], seeds[0], Way(False, True, keeps, create_graph), many_x)
    if result is None:
        result = derivatives_by("grad", many_y, seeds, many_x, retain_graph, create_graph)
    if not allow_unused and any(g is None for g in result):
        at = next(i for i, g in enumerate(result) if g is None)
        raise GradientError(
            f"grad: ys do not depend on xs[{at}] (shape {str_shape(many_x[at].shape)}); take it "
            "out, or pass allow_unused=True to get None for it"
        )
    return result if isinstance(xs, (list, tuple)) else result[0]


def _leaves(call: str, args: Sequence[Any]) -> list[Tensor]:
    """Fresh leaves that share the arguments' memory."""
    tensors = [arg if isinstance(arg, Tensor) else tensor(arg) for arg in args]
    for x in tensors:
        if x.dtype.kind not in "fc":
            raise GradientError(f"{call}: a derivative by {x.dtype} values does not exist; pass floats")
    return [Tensor(x.array, leaf_edge(x.array)) for x in tensors]


def _value(call: str, y: Any) -> Tensor:
    """What `fn` gave, if it is a Tensor."""
    if not isinstance(y, Tensor):
        raise GradientError(
            f"{call}: fn must give one dynamic Tensor, not {type(y).__name__}; compute with ops and "
            "operators, not with NumPy"
        )
    return y


def _check_directions(call: str, xs: Sequence[Tensor], directions: Sequence[Any]) -> None:
    """ShapeError unless there is a direction of the same shape for each argument."""
    wanted, given = [x.shape for x in xs], [np.shape(d) for d in directions]
    if wanted != given:
        raise ShapeError(
            f"{call}: directions of shapes {given} for arguments of shapes {wanted}; they must be the same"
        )


def _slopes(
    y: Tensor, xs: Sequence[Tensor], cotangent: Any = None, keep: bool | None = None, again: bool = False
) -> list[Tensor]:
    """The gradients of y by each x, as `grad` gives them; zeros where y does not depend on it."""
    if y.requires_grad:
        found = grad(y, xs, cotangent, keep, create_graph=again, allow_unused=True)
    else:
        found = [None] * len(xs)
    return [
        Tensor(array_module(x.array).zeros(x.shape, x.dtype)) if g is None else g
        for x, g in zip(xs, found, strict=True)
    ]


def _inner(g: Any, along: Any) -> Any:
    """By how much a function changes along a direction, by its gradient."""
    return ops.sum(ops.real(ops.conj(g) * along))


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


def value_and_grad(fn: Callable[..., Tensor], *args: Any) -> tuple[Tensor, Any]:
    """`fn(*args)`, one number, and its gradient by each argument (one, or a tuple)."""
    with enable_grad():
        xs = _leaves("value_and_grad", args)
        y = _value("value_and_grad", fn(*xs))
        return y.detach(), _one_or_all(_slopes(y, xs))


def vjp(fn: Callable[..., Tensor], args: Sequence[Any], cotangent: Any) -> tuple[Tensor, Any]:
    """`fn(*args)` and cotangent * Jacobian, for each argument (one, or a tuple): one walk back."""
    with enable_grad():
        xs = _leaves("vjp", args)
        y = _value("vjp", fn(*xs))
        return y.detach(), _one_or_all(_slopes(y, xs, cotangent))


def jvp(fn: Callable[..., Tensor], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """`fn(*args)` and Jacobian * tangents: the directional derivative.

    By differentiating the vector-Jacobian product, which is linear in its cotangent (Townsend
    2017, "A new trick for calculating Jacobian vector products").
    """
    with enable_grad():
        xs = _leaves("jvp", args)
        _check_directions("jvp", xs, tangents)
        y = _value("jvp", fn(*xs))
        u = Tensor(array_module(y.array).zeros(y.shape, y.dtype), leaf_edge(y.array))
        products = _slopes(y, xs, u, again=True)
        total: Any = sum(_inner(g, t) for g, t in zip(products, tangents, strict=True))
        return y.detach(), _slopes(total, [u])[0]


def jacobian(fn: Callable[..., Tensor], *args: Any, create_graph: bool = False) -> Any:
    """All derivatives: for each argument an array of y's shape followed by the argument's."""
    with enable_grad():
        xs = list(args) if create_graph else _leaves("jacobian", args)
        y = _value("jacobian", fn(*xs))
        if y.dtype.kind == "c":
            raise GradientError(f"jacobian: fn gave {y.dtype}; take that of its real and its imag, apart")
        rows: list[list[Any]] = [[] for _ in xs]
        for k in range(y.array.size):
            start = array_module(y.array).zeros(y.array.size, y.dtype)
            start[k] = 1
            found = _slopes(y, xs, start.reshape(y.shape), True, create_graph)
            for row, g in zip(rows, found, strict=True):
                row.append(g)
        return _one_or_all(
            [ops.reshape(ops.stack(row), (*y.shape, *x.shape)) for row, x in zip(rows, xs, strict=True)]
        )


def hessian(fn: Callable[[Any], Tensor], x: Any) -> Tensor:
    """All second derivatives of a number by one argument: x's shape twice over."""
    (leaf,) = _leaves("hessian", [x])

    def slope(at: Tensor) -> Tensor:
        y = _value("hessian", fn(at))
        if y.array.size != 1:
            raise ShapeError(
                f"hessian: fn must give one number, not a Tensor of shape {str_shape(y.shape)}; reduce it "
                "(.sum(), .mean()), or take the jacobian of a gradient"
            )
        return _slopes(y, [at], again=True)[0]

    return jacobian(slope, leaf)


def hvp(fn: Callable[[Any], Tensor], x: Any, direction: Any) -> tuple[Tensor, Tensor]:
    """`fn(x)` and Hessian * direction, by differentiating <gradient, direction> (Pearlmutter 1994):
    about the cost of two gradients, and never the whole matrix."""
    with enable_grad():
        (leaf,) = _leaves("hvp", [x])
        along = direction if isinstance(direction, Tensor) else tensor(direction, dtype=leaf.dtype)
        _check_directions("hvp", [leaf], [along])
        y = _value("hvp", fn(leaf))
        (slope,) = _slopes(y, [leaf], again=True)
        return y.detach(), _slopes(_inner(slope, along), [leaf])[0]
