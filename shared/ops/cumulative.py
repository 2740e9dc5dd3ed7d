"""Ops that run along an axis and keep it: products, extremes, sums of exponentials, differences.

`axis` counts from either end. Whatever is made one by one is made from first to last.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import Dim
from shared.errors import SettingError, ShapeError
from shared.kernels.recurrence import run_along
from shared.numerics.half import rounded
from shared.op import ZERO, Joint, Op, Rule, array_module
from shared.ops.arranging import roll
from shared.ops.choosing import cast, equal, gate, greater, less, logical_and, not_equal, where
from shared.ops.creation import arange, ones_like, zeros
from shared.ops.elementwise import add, exp, sub
from shared.ops.indexing import EVERY, getitem
from shared.ops.joining import concatenate
from shared.ops.lookup import gather
from shared.ops.reals import RealOp
from shared.ops.reductions import cumsum, sum_dtype
from shared.ops.shapes import as_tensor_like, c_order, reshape
from shared.rules import Wanted
from shared.spec import Operand, Spec, float_dtype, is_weak, one_axis, promote, sizes_match, str_shape

MOST = 2**10
"""How often differences may be taken along an axis of unknown size: each is an op of its own."""


def _along(call: str, x: Any, axis: int | None) -> tuple[Any, int]:
    """What runs, and along which axis: flat, over all elements in C order, if the axis is None."""
    x = as_tensor_like(x)
    return (reshape(x, -1), 0) if axis is None else (x, one_axis(call, axis, x.ndim))


def _accumulated(ufunc: np.ufunc, x: Any, axis: int) -> Any:
    """`ufunc.accumulate`, which CuPy has of sums and products alone."""
    if isinstance(x, np.ndarray):
        return c_order(ufunc.accumulate(x, axis=axis))
    y, lead = x.copy(), (EVERY,) * axis
    for k in range(1, x.shape[axis]):
        y[(*lead, k)] = ufunc(y[(*lead, k - 1)], x[(*lead, k)])
    return y


def has_neighbour(x: Any, axis: int, behind: bool = False) -> Any:
    """Bools that broadcast with x: whether an element has one before it along `axis`, or behind it."""
    sizes = [1] * x.ndim
    sizes[axis] = x.shape[axis]
    numbers = reshape(arange(x.shape[axis], like=x), sizes)
    return less(numbers, x.shape[axis] - 1) if behind else greater(numbers, 0)


# --- the recurrence that gradients are made of -----------------------------------------------


def _compute_recurrence(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    """In double precision, at least: each step rounds what all before it have come to."""
    _infer_recurrence(a, b, axis=axis, reverse=reverse)
    dtype, (lead, n, trail) = promote(a, b), (b.shape[:axis], b.shape[axis], b.shape[axis + 1 :])
    wide = np.result_type(dtype, np.float64)
    y = b.astype(wide, order="C")
    lines = math.prod(lead), n, math.prod(trail)
    if y.size:
        run_along(a.astype(wide, copy=False).reshape(lines), y.reshape(lines), reverse)
    return rounded(y, dtype)


def _infer_recurrence(a: Operand, b: Operand, *, axis: int, reverse: bool) -> Spec:
    if len(a.shape) != len(b.shape) or not all(map(sizes_match, a.shape, b.shape)):
        raise ShapeError(f"recurrence: shapes {str_shape(a.shape)} and {str_shape(b.shape)} must be the same")
    return Spec(b.shape, promote(a, b))


def _recurrence_rule(
    g: Any, y: Any, a: Any, b: Any, *, wanted: Wanted, axis: int, reverse: bool
) -> tuple[Any, Any]:
    """The cotangents run the other way, by the same law: the family is closed. What comes around in a
    roll stands at the far end, where nobody reads it, or is gated."""
    step = -1 if reverse else 1
    sent = recurrence(roll(a, -step, axis), g, axis=axis, reverse=not reverse)
    if not wanted[0]:
        return None, sent
    return sent * gate(roll(y, step, axis), has_neighbour(y, axis, behind=reverse)), sent


recurrence = Op(
    "recurrence",
    _compute_recurrence,
    _infer_recurrence,
    Joint(_recurrence_rule, reads=lambda wanted: {"a", "y"} if wanted[0] else {"a"}),
    doc="`y[k] = a[k] * y[k - 1] + b[k]` along an axis, and `y[0] = b[0]`; with `reverse` from the last\n"
    "on, by `y[k + 1]`. The gradients of cumprod and logcumsumexp are such, and their own are again.",
)

# --- products and sums of exponentials -------------------------------------------------------


def _cumprod_rule(g: Any, y: Any, x: Any, *, axis: int) -> Any:
    """What stands before, times the sum of all that comes after: no division, so zeros are like others."""
    before = where(has_neighbour(y, axis), roll(y, 1, axis), 1)
    return before * recurrence(roll(x, -1, axis), g, axis=axis, reverse=True)


_cumprod = Op(
    "cumprod",
    lambda x, *, axis, out=None: c_order(x.cumprod(axis=axis, out=out)),
    lambda x, *, axis: Spec(x.shape, sum_dtype(x)),
    [Rule(_cumprod_rule, reads="x y")],
    out=True,
)


def cumprod(x: Any, axis: int | None = None) -> Any:
    """The running product along `axis`, x's shape; over all elements in C order, flat, if None.

    Integers and bools are multiplied in 64 bits. Derivatives are right to any order where elements are 0.
    """
    x, axis = _along("cumprod", x, axis)
    return _cumprod(x, axis=axis)


def _compute_logcumsumexp(x: Any, *, axis: int) -> Any:
    """In double precision: the roundings of very many steps would show."""
    return rounded(_accumulated(np.logaddexp, x.astype(np.float64, copy=False), axis), float_dtype(x))


def _logcumsumexp_rule(g: Any, y: Any, x: Any, *, axis: int) -> Any:
    """sum over k from i on of g[k] exp(x[i] - y[k]), where no exponent is above 0. An infinite y[k] is shared
    by the infinities up to k. In double precision: a product of many ratios would show how they round."""
    boundless, over = equal(x, np.inf), equal(y, np.inf)
    some = logical_and(not_equal(y, -np.inf), not_equal(y, np.inf))
    top = cast(gate(y, some), np.float64)
    ratio = exp(gate(sub(top, roll(top, -1, axis)), logical_and(some, has_neighbour(y, axis, behind=True))))
    below = exp(sub(where(boundless, 0, x), top)) * recurrence(ratio, gate(g, some), axis=axis, reverse=True)
    among = gate(g, over) / where(over, cumsum(cast(boundless, g.dtype), axis), 1)
    return where(boundless, recurrence(ones_like(g), among, axis=axis, reverse=True), below)


_logcumsumexp = RealOp(
    "logcumsumexp",
    _compute_logcumsumexp,
    lambda x, *, axis: Spec(x.shape, float_dtype(x)),
    [Rule(_logcumsumexp_rule, reads="x y")],
)


def logcumsumexp(x: Any, axis: int | None = None) -> Any:
    """The logarithm of the running sum of exponentials along `axis`, flat over all elements if None.

    Nothing overflows: each step is a logaddexp. Integers and bools become floats as in exp. Where all
    elements so far are minus infinity so is the result, and the gradient is 0 there.
    """
    x, axis = _along("logcumsumexp", x, axis)
    return _logcumsumexp(x, axis=axis)


# --- running extremes --------------------------------------------------------------------------


def _running(name: str, ufunc: np.ufunc) -> Op:
    """The op that says where the running extreme stands: the latest of several, the latest NaN."""

    def compute(x: Any, *, axis: int) -> Any:
        xp = array_module(x)
        reached = np.equal(x, _accumulated(ufunc, x, axis)) | np.isnan(x)
        numbers = xp.arange(x.shape[axis]).reshape(-1, *(1,) * (x.ndim - axis - 1))
        return _accumulated(np.maximum, xp.where(reached, numbers, 0), axis)

    return RealOp(
        name, compute, lambda x, *, axis: Spec(x.shape, np.dtype(np.intp)), [ZERO],
        doc=f"Where along an axis the elements that {name.partition('_')[0]} gives stand.",
    )  # fmt: skip


_cummax_index, _cummin_index = _running("cummax_index", np.maximum), _running("cummin_index", np.minimum)


def cummax(x: Any, axis: int | None = None) -> tuple[Any, Any]:
    """The largest element so far along `axis`, and where it stands, int64; flat over all elements if None.

    As `torch.cummax`: of equal elements the latest, and the cotangent is that one's; from a NaN on, NaN.
    """
    x, axis = _along("cummax", x, axis)
    index = _cummax_index(x, axis=axis)
    return gather(x, index, axis), index


def cummin(x: Any, axis: int | None = None) -> tuple[Any, Any]:
    """The smallest element so far along `axis`, and where it stands; all else as in `cummax`."""
    x, axis = _along("cummin", x, axis)
    index = _cummin_index(x, axis=axis)
    return gather(x, index, axis), index


# --- differences -------------------------------------------------------------------------------


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The difference of each element and the one before it along `axis`, `n` times over.

    Each time the axis is one shorter, down to 0. `prepend` and `append` are put at its ends first: arrays
    that fit there, or numbers. Of bools: whether the two differ. No times at all gives x as it is. Raises
    SettingError for an n that is not an int from 0 on.
    """
    x = as_tensor_like(x)
    axis = one_axis("diff", axis, x.ndim)
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 0:
        raise SettingError(f"diff: n must be an int from 0 on, not {n!r}")
    before, after = ([] if end is None else [_end(end, x, axis)] for end in (prepend, append))
    if n and (before or after):
        x = concatenate([*before, x, *after], axis)
    size, lead = x.shape[axis], (EVERY,) * axis
    if isinstance(size, Dim) and n > MOST:
        raise SettingError(f"diff: n must be at most {MOST} where the size of the axis is not known, not {n}")
    for _ in range(n if isinstance(size, Dim) else min(n, size)):
        later, sooner = getitem(x, (*lead, slice(1, None))), getitem(x, (*lead, slice(None, -1)))
        x = not_equal(later, sooner) if x.dtype.kind == "b" else sub(later, sooner)
    return x


def _end(end: Any, x: Any, axis: int) -> Any:
    """What is put at an end of the axis; of a number one."""
    if not is_weak(end) and as_tensor_like(end).ndim:
        return as_tensor_like(end)
    return add(zeros((*x.shape[:axis], 1, *x.shape[axis + 1 :]), x.dtype, like=x), end)
