"""Reductions that measure the size of what they reduce: logsumexp and norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.errors import SettingError
from shared.numerics.half import in_single, rounded
from shared.numerics.scaling import magnitude, squares_fit
from shared.numerics.summing import exponentials_but_one, total, work_dtype
from shared.op import Rule, array_module, put
from shared.ops.choosing import cast, equal, gate, not_equal, where
from shared.ops.elementwise import abs, exp, pow, sign
from shared.ops.reals import RealOp
from shared.ops.reductions import Axis, max, normal_form, reduced, reduction, restore, sum
from shared.ops.shapes import c_order
from shared.spec import Spec, float_dtype

# --- logsumexp -----------------------------------------------------------------------------


def _compute_logsumexp(x: Any, *, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    xp = array_module(x)
    dtype = float_dtype(x)
    shape = reduced(x.shape, axis, keepdims)
    if 0 in [x.shape[i] for i in axis]:
        return put(xp.full(shape, -math.inf, dtype), out)
    x = x.astype(work_dtype(dtype), copy=False)
    top = x.max(axis=axis, keepdims=True)
    top = xp.where(np.isfinite(top), top, xp.zeros((), x.dtype))
    with np.errstate(divide="ignore", over="ignore"):  # of minus infinities alone it is log 0
        y = np.log1p(exponentials_but_one(x - top, axis)) + top
    return put(c_order(rounded(y, dtype).reshape(shape)), out)


def _logsumexp_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    """softmax(x); of minus infinities alone 0, and of infinities what they share. The sum makes up for what
    was rounded from y."""
    top = where(equal(y, -math.inf), 0, y)
    e = exp(where(equal(x, math.inf), 0, x - restore(top, x.shape, axis)))
    all_e = sum(e, axis, keepdims=True)
    return restore(g, x.shape, axis) * e / where(equal(all_e, 0), 1, all_e)


_logsumexp = reduction(
    "logsumexp", _compute_logsumexp, Rule(_logsumexp_rule, reads="x y"), float_dtype, kind=RealOp
)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over `axis`, with the largest element taken out, so that nothing overflows.

    Minus infinity where all elements are (or there are none), and the gradient is 0 there; elements that are
    infinite share it.
    Integers and bools become floats as in exp.
    """
    x, settings = normal_form("logsumexp", x, axis, keepdims)
    return _logsumexp(x, **settings)


# --- norm ----------------------------------------------------------------------------------


@in_single
def _compute_norm(x: Any, *, axis: tuple[int, ...], keepdims: bool, p: float, out: Any = None) -> Any:
    if p == 2:
        with np.errstate(over="ignore"):
            squares = total(x * x, axis, keepdims=True)
        if squares_fit(squares):
            y = np.sqrt(squares)
        else:
            size = magnitude(x, axis)
            x = x / size
            y = np.sqrt(total(x * x, axis, keepdims=True)) * size
    else:
        size = magnitude(x, axis)
        with np.errstate(divide="ignore"):  # of negative powers of 0
            y = np.power(total(np.power(np.absolute(x) / size, p), axis, keepdims=True), 1 / p) * size
    return put(c_order(y.reshape(reduced(x.shape, axis, keepdims))), out)


def _norm_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool, p: float) -> Any:
    """sign(x) (|x| / y)^(p - 1), which is x / y for p = 2; 0 where y is."""
    g, y = (restore(v, x.shape, axis) for v in (gate(g, not_equal(y, 0)), where(equal(y, 0), 1, y)))
    if p == 2:
        return x / y * g
    part = abs(x) / y if p >= 1 else where(equal(x, 0), 1, abs(x) / y)
    return sign(x) * pow(part, p - 1) * g


_norm = reduction("norm", _compute_norm, Rule(_norm_rule, reads="x y"), lambda x: x.dtype)


def norm(x: Any, p: float = 2, axis: Axis = None, keepdims: bool = False) -> Any:
    """The p-norm over `axis`, taken as one vector: (sum |x|^p)^(1/p), the largest |x| for p = inf.

    linalg.vector_norm has the other orders too, linalg.matrix_norm those of matrices. The derivative where
    all elements are 0 is taken as 0. Integers and bools become floats as in exp. Raises SettingError for p
    below 1, which makes no norm.
    """
    if not isinstance(p, (int, float)) or not p >= 1:
        raise SettingError(f"norm: p must be a number from 1 on, or inf, not {p!r}")
    return powers(x, float(p), axis, keepdims)


def powers(x: Any, p: float, axis: Axis, keepdims: bool) -> Any:
    """(sum |x|^p)^(1/p) over `axis` for any p but 0 and minus infinity; the derivative by a 0 is taken as 0
    where p is below 1."""
    x, settings = normal_form("norm", x, axis, keepdims)
    if x.dtype.kind not in "fc":
        x = cast(x, float_dtype(Spec((), x.dtype)))
    x = abs(x) if x.dtype.kind == "c" else x
    if p == math.inf:
        return max(abs(x), axis, keepdims)
    return sum(abs(x), axis, keepdims) if p == 1 else _norm(x, **settings, p=p)
