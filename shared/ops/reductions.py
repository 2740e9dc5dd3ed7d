"""Ops that take an axis, several (a tuple) or all (None) away: sums, means, extremes, truth.

`axis` counts from either end; `keepdims` leaves the reduced axes behind as sizes of 1. Errors:
SettingError for an axis that is not there or named twice, ShapeError where there is nothing to
choose from, DTypeError for what does not hold numbers.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, product, same_shape, same_size
from shared.errors import SettingError, ShapeError
from shared.numerics.half import rounded
from shared.numerics.scaling import magnitude, squares_fit
from shared.numerics.summing import average, total, work_dtype
from shared.op import ZERO, Op, Rule, put
from shared.ops.choosing import cast, equal, gate, less, maximum, not_equal, where
from shared.ops.creation import zeros
from shared.ops.ranges import at_least
from shared.ops.reals import RealOp
from shared.ops.shapes import as_tensor_like, broadcast_to, c_order, flip, reshape
from shared.spec import Operand, Spec, many_axes, one_axis, str_shape

Axis = int | Sequence[int] | None


def reduced(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    """The shape that is left when `axes` are reduced."""
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def restore(value: Any, shape: Shape, axes: tuple[int, ...]) -> Any:
    """A reduced value in a shape that broadcasts: with its lost axes back, as sizes of 1."""
    if axes == tuple(range(len(axes))):
        return value  # leading axes come back by themselves
    kept = reduced(shape, axes, keepdims=True)
    return value if same_shape(tuple(value.shape), kept) else reshape(value, kept)


def count_of(shape: Shape, axes: tuple[int, ...]) -> Size:
    """How many elements of that shape are reduced to one."""
    return product(tuple(shape[i] for i in axes))


def reduction(
    name: str,
    compute: Callable[..., Any],
    rule: Any,
    dtype: Callable[[Operand], np.dtype[Any]],
    needs_elements: bool = False,
    kind: type[Op] = Op,
) -> Op:
    """An op, of a `kind` that may be narrower than Op, that reduces over the axes in its setting `axis`;
    `dtype` says what comes out."""

    def infer(x: Operand, *, axis: tuple[int, ...], keepdims: bool, **settings: Any) -> Spec:
        if needs_elements and builtins.any(same_size(x.shape[i], 0) for i in axis):
            raise ShapeError(
                f"{name}: nothing to choose from: {str_shape(x.shape)} has no elements along axis {axis}"
            )
        return Spec(reduced(x.shape, axis, keepdims), dtype(x))

    return kind(name, compute, infer, [rule], out=True)


def fold(method: str) -> Callable[..., Any]:
    """The compute of a reduction that arrays have as a method, in C order."""

    def compute(x: Any, *, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
        # Into an array of another memory order NumPy would add in another order.
        alike = out if out is not None and x.flags.c_contiguous else None
        y = getattr(x, method)(axis=axis, keepdims=keepdims, out=alike)
        return c_order(y) if out is None else put(y, out)

    return compute


def normal_form(name: str, x: Any, axis: Axis, keepdims: bool) -> tuple[Any, dict[str, Any]]:
    """What the ops of this file take: something with a shape, and settings in one form."""
    x = as_tensor_like(x)
    return x, {"axis": many_axes(name, axis, len(x.shape)), "keepdims": bool(keepdims)}


# --- sum and mean --------------------------------------------------------------------------


def sum_dtype(x: Operand) -> np.dtype[Any]:
    """What NumPy sums in: integers and bools widen to 64 bits."""
    if x.dtype.kind in "bi" and x.dtype.itemsize < 8:
        return np.dtype(np.int64)
    if x.dtype.kind == "u" and x.dtype.itemsize < 8:
        return np.dtype(np.uint64)
    return x.dtype


def _compute_sum(x: Any, *, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    dtype = sum_dtype(x)
    y = rounded(total(x, axis, keepdims, None if dtype.kind in "fc" else dtype), dtype)
    return c_order(y) if out is None else put(y, out)


_sum = reduction(
    "sum",
    _compute_sum,
    Rule(lambda g, y, x, *, axis, keepdims: broadcast_to(restore(g, x.shape, axis), x.shape)),
    sum_dtype,
)


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over `axis`. Integers and bools are summed in 64 bits, floats in their own dtype, half
    precision in single.

    Floats are added in blocks, whatever the axis: of terms of one sign the relative error is at most
    4 eps log2(n).
    """
    x, settings = normal_form("sum", x, axis, keepdims)
    return _sum(x, **settings)


def _mean_dtype(x: Operand) -> np.dtype[Any]:
    return x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)


def _compute_mean(x: Any, *, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    y = rounded(average(x, axis, keepdims), _mean_dtype(x))
    return c_order(y) if out is None else put(y, out)


def _mean_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    count = count_of(x.shape, axis)
    return broadcast_to(restore(g / at_least(count, 1), x.shape, axis), x.shape)


_mean = reduction("mean", _compute_mean, Rule(_mean_rule), _mean_dtype)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over `axis`, summed as in `sum`; of integers and bools in float64. Of nothing it is NaN."""
    x, settings = normal_form("mean", x, axis, keepdims)
    return _mean(x, **settings)


# --- variance ------------------------------------------------------------------------------


def _shared_out(g: Any, shape: Shape, axes: tuple[int, ...], correction: int) -> Any:
    """g / (n - correction); NaN where too few elements are left."""
    left = count_of(shape, axes) - correction
    if isinstance(left, Dim):
        zero = zeros((), g.dtype, like=g)
        return g / where(less(zero, left), zero + at_least(left, 1), math.nan)
    return g / (left if left > 0 else math.nan)


def _compute_var(
    x: Any, *, axis: tuple[int, ...], keepdims: bool, correction: int, out: Any = None
) -> Any:
    y = _variance(x.astype(work_dtype(x.dtype), order="C"), axis, keepdims, correction)
    y = rounded(y, _mean_dtype(x))
    return c_order(y) if out is None else put(y, out)


def _variance(x: Any, axis: tuple[int, ...], keepdims: bool, correction: int) -> Any:
    """Of an array that nobody else has."""
    x -= total(x, axis, keepdims=True) / builtins.max(count_of(x.shape, axis), 1)
    x *= x
    return _shared_out(total(x, axis, keepdims), x.shape, axis, correction)


def _var_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool, correction: int) -> Any:
    scale = _shared_out(g * 2, x.shape, axis, correction)
    return (x - mean(x, axis, keepdims=True)) * restore(scale, x.shape, axis)


_var = reduction("var", _compute_var, Rule(_var_rule, reads="x"), _mean_dtype, kind=RealOp)


def var(x: Any, axis: Axis = None, keepdims: bool = False, correction: int = 1) -> Any:
    """The variance over `axis`: the sum of squares about the mean, divided by n - `correction`.

    As in PyTorch the correction is 1 by default (the unbiased estimate); 0 gives NumPy's default.
    Two passes, so that a large mean costs no precision; of integers in float64. NaN where
    n <= correction. Raises SettingError for a correction that is not an int from 0 on.
    """
    x, settings = normal_form("var", x, axis, keepdims)
    return _var(x, **settings, correction=_correction("var", correction))


def _correction(name: str, correction: Any) -> int:
    if not isinstance(correction, (int, np.integer)) or correction < 0:
        raise SettingError(f"{name}: correction must be an int from 0 on, not {correction!r}")
    return int(correction)


def _compute_std(
    x: Any, *, axis: tuple[int, ...], keepdims: bool, correction: int, out: Any = None
) -> Any:
    work = x.astype(work_dtype(x.dtype), order="C")
    with np.errstate(over="ignore", invalid="ignore"):
        squares = _variance(work, axis, True, correction)
    y = np.sqrt(squares)
    if not squares_fit(squares):
        size = magnitude(x.astype(work.dtype, copy=False), axis)
        y = np.sqrt(_variance(x / size, axis, True, correction)) * size
    y = rounded(y.reshape(reduced(x.shape, axis, keepdims)), _mean_dtype(x))
    return c_order(y) if out is None else put(y, out)


def _std_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool, correction: int) -> Any:
    """(x - mean) / ((n - correction) std); 0 where all elements are equal, as PyTorch takes it."""
    g, y = _shared_out(gate(g, not_equal(y, 0)), x.shape, axis, correction), where(equal(y, 0), 1, y)
    return (x - mean(x, axis, keepdims=True)) / restore(y, x.shape, axis) * restore(g, x.shape, axis)


_std = reduction("std", _compute_std, Rule(_std_rule, reads="x y"), _mean_dtype, kind=RealOp)


def std(x: Any, axis: Axis = None, keepdims: bool = False, correction: int = 1) -> Any:
    """The standard deviation over `axis`: the root of `var`, which see for `correction`.

    Its derivative where all elements are equal is taken as 0.
    """
    x, settings = normal_form("std", x, axis, keepdims)
    return _std(x, **settings, correction=_correction("std", correction))


# --- extremes ------------------------------------------------------------------------------


def _extreme_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Elements that tie for the extreme share its cotangent evenly; where it is NaN, none has any."""
    chosen = equal(x, restore(y, x.shape, axis))
    count = maximum(cast(sum(chosen, axis, keepdims=True), g.dtype), 1)
    return gate(restore(g, x.shape, axis) / count, chosen)


_max = reduction(
    "max",
    fold("max"),
    Rule(_extreme_rule, reads="x y"),
    lambda x: x.dtype,
    needs_elements=True,
    kind=RealOp,
)

_min = reduction(
    "min",
    fold("min"),
    Rule(_extreme_rule, reads="x y"),
    lambda x: x.dtype,
    needs_elements=True,
    kind=RealOp,
)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element over `axis`; ties share the gradient evenly, NaN gives NaN.

    Raises ShapeError where there are no elements.
    """
    x, settings = normal_form("max", x, axis, keepdims)
    return _max(x, **settings)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element over `axis`; ties share the gradient evenly, NaN gives NaN.

    Raises ShapeError where there are no elements.
    """
    x, settings = normal_form("min", x, axis, keepdims)
    return _min(x, **settings)


def _place_of(name: str) -> Op:
    def infer(x: Operand, *, axis: int, keepdims: bool) -> Spec:
        if same_size(x.shape[axis], 0):
            raise ShapeError(f"{name}: {str_shape(x.shape)} has no elements along axis {axis}")
        return Spec(reduced(x.shape, (axis,), keepdims), np.dtype(np.intp))

    return RealOp(name, fold(name), infer, [ZERO], out=True)


_argmax, _argmin = _place_of("argmax"), _place_of("argmin")


def _place(op: Op, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = as_tensor_like(x)
    if axis is None:
        ndim = len(x.shape)
        found = op(reshape(x, -1), axis=0, keepdims=False)
        return reshape(found, (1,) * ndim) if keepdims else found
    return op(x, axis=one_axis(op.name, axis, len(x.shape)), keepdims=bool(keepdims))


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where along `axis` the largest element is, int64; the first of several, or the first NaN.

    Over all elements, counted in C order, if `axis` is None. No gradient. Raises ShapeError
    where there are no elements.
    """
    return _place(_argmax, x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where along `axis` the smallest element is; all else as in `argmax`."""
    return _place(_argmin, x, axis, keepdims)


# --- running sum ---------------------------------------------------------------------------

_cumsum = Op(
    "cumsum",
    lambda x, *, axis, out=None: c_order(x.cumsum(axis=axis, out=out)),
    lambda x, *, axis: Spec(x.shape, sum_dtype(x)),
    [Rule(lambda g, y, x, *, axis: flip(cumsum(flip(g, axis), axis), axis))],
    out=True,
)


def cumsum(x: Any, axis: int | None = None) -> Any:
    """The running sum along `axis`, x's shape; over all elements in C order, flat, if None.

    Integers and bools are summed in 64 bits. Adds from first to last, in x's own dtype.
    """
    x = as_tensor_like(x)
    if axis is None:
        return _cumsum(reshape(x, -1), axis=0)
    return _cumsum(x, axis=one_axis("cumsum", axis, len(x.shape)))


# --- truth ---------------------------------------------------------------------------------

_BOOL = np.dtype(bool)

_any = reduction("any", fold("any"), ZERO, lambda x: _BOOL)
_all = reduction("all", fold("all"), ZERO, lambda x: _BOOL)


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether any element over `axis` is true (not 0). Gives bool, and no gradient."""
    x, settings = normal_form("any", x, axis, keepdims)
    return _any(x, **settings)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether all elements over `axis` are true (not 0). Gives bool, and no gradient."""
    x, settings = normal_form("all", x, axis, keepdims)
    return _all(x, **settings)
