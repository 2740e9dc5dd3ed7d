"""Ops that take an axis, several (a tuple) or all (None) away: sum, mean, max, argmax."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.dims import Shape
from shared.errors import ShapeError
from shared.op import ZERO, Op, Rule, array_module
from shared.ops.choosing import cast, equal
from shared.ops.shapes import as_tensor_like, broadcast_to, reshape
from shared.spec import Operand, Spec, float_dtype, many_axes, one_axis, str_shape

Axis = int | Sequence[int] | None


def reduced(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    """The shape that is left when `axes` are reduced."""
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def restore(value: Any, shape: Shape, axes: tuple[int, ...]) -> Any:
    """A reduced value with its lost axes back, as sizes of 1, so that it broadcasts."""
    return reshape(value, reduced(shape, axes, keepdims=True))


def _reduction(
    name: str,
    compute: Callable[..., Any],
    rule: Rule,
    dtype: Callable[[Operand], np.dtype[Any]],
    needs_elements: bool = False,
) -> Op:
    def infer(x: Operand, *, axis: tuple[int, ...], keepdims: bool) -> Spec:
        if needs_elements and any(x.shape[i] == 0 for i in axis):
            raise ShapeError(
                f"{name}: nothing to choose from: axis {axis} of {str_shape(x.shape)} is empty"
            )
        return Spec(reduced(x.shape, axis, keepdims), dtype(x))

    return Op(name, compute, infer, [rule])


def _sum_dtype(x: Operand) -> np.dtype[Any]:
    """What NumPy sums in: integers and bools widen to 64 bits."""
    if x.dtype.kind in "bi" and x.dtype.itemsize < 8:
        return np.dtype(np.int64)
    if x.dtype.kind == "u" and x.dtype.itemsize < 8:
        return np.dtype(np.uint64)
    return x.dtype


_sum = _reduction(
    "sum",
    lambda x, *, axis, keepdims: np.add.reduce(x, axis=axis, keepdims=keepdims),
    Rule(lambda g, y, x, *, axis, keepdims: broadcast_to(restore(g, x.shape, axis), x.shape)),
    _sum_dtype,
)


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over `axis`. Integers and bools are summed in 64 bits."""
    x = as_tensor_like(x)
    return _sum(x, axis=many_axes("sum", axis, x.ndim), keepdims=bool(keepdims))


def _mean_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    count = x.size // y.size if y.size != 0 else 1
    return broadcast_to(restore(g / count, x.shape, axis), x.shape)


_mean = _reduction(
    "mean",
    lambda x, *, axis, keepdims: array_module(x).mean(x, axis=axis, keepdims=keepdims),
    Rule(_mean_rule),
    float_dtype,
)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over `axis`; of integers in floating point. Of nothing it is NaN."""
    x = as_tensor_like(x)
    return _mean(x, axis=many_axes("mean", axis, x.ndim), keepdims=bool(keepdims))


def _extreme_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Elements that tie for the extreme share its cotangent evenly."""
    chosen = cast(equal(x, restore(y, x.shape, axis)), g.dtype)
    return chosen * (restore(g, x.shape, axis) / sum(chosen, axis, keepdims=True))


_max = _reduction(
    "max",
    lambda x, *, axis, keepdims: np.maximum.reduce(x, axis=axis, keepdims=keepdims),
    Rule(_extreme_rule, reads="x y"),
    lambda x: x.dtype,
    needs_elements=True,
)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element over `axis`; ties share the gradient evenly, NaN gives NaN."""
    x = as_tensor_like(x)
    return _max(x, axis=many_axes("max", axis, x.ndim), keepdims=bool(keepdims))


def _infer_argmax(x: Operand, *, axis: int) -> Spec:
    if x.shape[axis] == 0:
        raise ShapeError(f"argmax: axis {axis} of {str_shape(x.shape)} is empty")
    return Spec(reduced(x.shape, (axis,), False), np.dtype(np.intp))


_argmax = Op(
    "argmax", lambda x, *, axis: array_module(x).argmax(x, axis=axis), _infer_argmax, [ZERO]
)


def argmax(x: Any, axis: int | None = None) -> Any:
    """Where along `axis` the (first) largest element is; over all elements if None. int64."""
    x = as_tensor_like(x)
    if axis is None:
        x, axis = reshape(x, -1), 0
    return _argmax(x, axis=one_axis("argmax", axis, builtins.max(x.ndim, 1)))
