"""Activation functions that are cut and bent at other places than 0, and those whose bends are learnt.

All are elementwise. Where pieces meet, the derivative is PyTorch's: that of the flat piece.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import same_size
from shared.errors import SettingError, ShapeError
from shared.op import Rule, elementwise
from shared.ops.choosing import clip, gate, greater, less, less_equal, logical_and, logical_not, where
from shared.ops.elementwise import abs, mul, sub
from shared.ops.reals import RealOp
from shared.ops.shapes import as_tensor_like, reshape, shaped
from shared.ops.sigmoids import as_floating
from shared.spec import as_number, float_dtype, sizes_match, str_shape

# --- held between two bounds ---------------------------------------------------------------

_hardtanh = elementwise(
    "hardtanh",
    lambda x, *, low, high, out=None: np.minimum(np.maximum(as_floating(x), low), high, out=out, order="C"),
    "min(max({0}, {low}), {high})",
    Rule(lambda g, y, x, *, low, high: gate(g, logical_and(greater(y, low), less(y, high))), reads="y"),
    kind=RealOp, dtype=lambda x, *, low, high: float_dtype(x), out=True, inplace=(0,),
)  # fmt: skip


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x held between `min_val` and `max_val`, elementwise; floats, also of integers.

    The derivative is 0 on the bounds, where that of `clip` is 1, as in PyTorch. SettingError for bounds of
    which the lower is the higher.
    """
    low, high = as_number("hardtanh", "min_val", min_val), as_number("hardtanh", "max_val", max_val)
    if not low <= high:
        raise SettingError(f"hardtanh: min_val {low} must not be above max_val {high}")
    return _hardtanh(x, low=low, high=high)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6), elementwise: a relu that half precision can hold. Krizhevsky 2010."""
    return _hardtanh(x, low=0.0, high=6.0)


def hardsigmoid(x: Any) -> Any:
    """(x + 3) / 6 held between 0 and 1, elementwise: a sigmoid of straight pieces."""
    return (_hardtanh(x, low=-3.0, high=3.0) + 3) / 6


def hardswish(x: Any) -> Any:
    """x hardsigmoid(x), elementwise: a silu of pieces. Howard and others 2019."""
    return mul(x, hardsigmoid(x))


# --- shrunk, and cut off -------------------------------------------------------------------


def _not_negative(call: str, setting: str, value: Any) -> float:
    found = as_number(call, setting, value)
    if not 0 <= found < math.inf:
        raise SettingError(f"{call}: {setting} must be a number from 0 on, not {value!r}")
    return found


def softshrink(x: Any, lambd: float = 0.5) -> Any:
    """x moved towards 0 by `lambd`, and 0 where it is no further away, elementwise."""
    lambd = _not_negative("softshrink", "lambd", lambd)
    return sub(x, clip(x, -lambd, lambd))


def hardshrink(x: Any, lambd: float = 0.5) -> Any:
    """x, or 0 where |x| <= `lambd`, elementwise."""
    return where(less_equal(abs(x), as_number("hardshrink", "lambd", lambd)), 0, x)


def threshold(x: Any, threshold: float, value: float) -> Any:
    """x where it is above `threshold`, else `value`, elementwise."""
    bound = as_number("threshold", "threshold", threshold)
    return where(less_equal(x, bound), as_number("threshold", "value", value), x)


# --- with a slope that is learnt -----------------------------------------------------------


def prelu(x: Any, weight: Any) -> Any:
    """x where x > 0, else `weight` x. He, Zhang, Ren and Sun 2015.

    weight  one number for all (shape (), or (1,)), or (C,), one for each channel of x (N, C, ...)
    ShapeError for a weight of another shape.
    """
    x, weight = as_tensor_like(x), as_tensor_like(weight)
    shape, given = tuple(x.shape), tuple(weight.shape)
    if len(given) > 1 or (given and not same_size(given[0], 1) and (
        len(shape) < 2 or not sizes_match(given[0], shape[1])
    )):  # fmt: skip
        raise ShapeError(
            f"prelu: weight {str_shape(given)} must be one number, or one for each channel, which are axis 1 "
            f"of x {str_shape(shape)}"
        )
    if given:
        weight = reshape(weight, () if same_size(given[0], 1) else (given[0],) + (1,) * (len(shape) - 2))
    positive = greater(x, 0)
    low = gate(x, logical_not(positive))  # a product of what is not chosen may be no number
    return shaped("prelu", where(positive, x, low * weight), shape)
