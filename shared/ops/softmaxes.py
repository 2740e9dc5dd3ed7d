"""Softmax and its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.numerics.half import in_single
from shared.numerics.summing import exponentials_but_one, total
from shared.op import PlannerHints, Rule
from shared.ops.choosing import floating, greater, where
from shared.ops.elementwise import exp, expm1, neg
from shared.ops.reals import RealOp
from shared.ops.reductions import sum
from shared.spec import Spec, one_axis


def _below_largest(x: Any, axis: int, out: Any) -> Any:
    """`x` minus its largest element along the axis: its exponentials can not overflow."""
    largest = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.subtract(x, largest, out=out, order="C")


@in_single
def _compute_softmax(x: Any, *, axis: int, out: Any = None) -> Any:
    y = _below_largest(x, axis, out)
    np.exp(y, out=y)
    y /= total(y, (axis,), keepdims=True)
    return y


_softmax = RealOp(
    "softmax",
    _compute_softmax,
    lambda x, *, axis: Spec(x.shape, x.dtype),
    [Rule(lambda g, y, x, *, axis: y * (g - sum(g * y, axis, keepdims=True)), reads="y")],
    out=True,
    hints=PlannerHints(inplace=(0,)),
)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) scaled to add up to 1 along `axis`; the largest element is taken off first, so that
    nothing overflows. Integers give float64."""
    x = floating(x)
    return _softmax(x, axis=one_axis("softmax", axis, len(x.shape)))


def softmin(x: Any, axis: int = -1) -> Any:
    """softmax(-x): the smallest element has the largest share."""
    return softmax(neg(floating(x)), axis)


@in_single
def _compute_log_softmax(x: Any, *, axis: int, out: Any = None) -> Any:
    y = _below_largest(x, axis, out)
    if y.size:  # the logarithm of no exponentials would be minus infinity
        y -= np.log1p(exponentials_but_one(y, (axis,)))
    return y


def _log_softmax_rule(g: Any, y: Any, x: Any, *, axis: int) -> Any:
    """g - p sum(g) with p = exp(y); where p is near 1, of a picked g of 1 only 1 - p = -expm1(y) is left."""
    all_g = sum(g, axis, keepdims=True)
    return where(greater(y, -0.5), g - all_g - expm1(y) * all_g, g - exp(y) * all_g)


_log_softmax = RealOp(
    "log_softmax",
    _compute_log_softmax,
    lambda x, *, axis: Spec(x.shape, x.dtype),
    [Rule(_log_softmax_rule, reads="y")],
    out=True,
    hints=PlannerHints(inplace=(0,)),
)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of softmax, finite where softmax itself would underflow. Integers give float64."""
    x = floating(x)
    return _log_softmax(x, axis=one_axis("log_softmax", axis, len(x.shape)))
