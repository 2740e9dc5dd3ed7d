"""Sums of products, element by element: lerp, addcmul, addcdiv."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.op import Rule, array_module, elementwise, put
from shared.ops.choosing import BROADCAST, PROMOTE, where
from shared.ops.elementwise import add, div, mul
from shared.spec import is_weak, promote, spec_of


def _compute_lerp(a: Any, b: Any, weight: Any, out: Any = None) -> Any:
    given = a, b, weight
    if any([not is_weak(x) and x.dtype.kind not in "fc" for x in given]) or (is_weak(a) and is_weak(b)):
        dtype = promote(*map(spec_of, given))  # what two numbers, or a number and bools, make would widen it
        xp = array_module(next((x for x in given if not is_weak(x)), a))
        a, b, weight = (xp.asarray(x, dtype=dtype) for x in given)
    way = np.subtract(b, a)
    return put(where(abs(weight) < 0.5, a + weight * way, b - way * (1 - weight)), out)


lerp = elementwise(
    "lerp", _compute_lerp, "({0} + {2} * ({1} - {0}) if abs({2}) < 0.5 else {1} - ({1} - {0}) * (1 - {2}))",
    Rule(lambda g, y, a, b, weight: g * (1 - weight), reads="weight"),
    Rule(lambda g, y, a, b, weight: g * weight, reads="weight"),
    Rule(lambda g, y, a, b, weight: g * (b - a), reads="a b"),
    out=True, workspace=4,
    doc="a + weight (b - a), elementwise, computed from the nearer end: at a weight of 1 it is b itself.\n"
    f"Weights below 0 and above 1 go on along the line. {BROADCAST} {PROMOTE}",
)  # fmt: skip


def addcmul(x: Any, a: Any, b: Any, value: float = 1) -> Any:
    """x + value a b, elementwise. The arguments broadcast; raises ShapeError where they do not."""
    return add(x, _times(value, mul(a, b)))


def addcdiv(x: Any, a: Any, b: Any, value: float = 1) -> Any:
    """x + value a / b, elementwise. The arguments broadcast; raises ShapeError where they do not."""
    return add(x, _times(value, div(a, b)))


def _times(value: float, x: Any) -> Any:
    return x if isinstance(value, (int, float)) and value == 1 else mul(x, value)
