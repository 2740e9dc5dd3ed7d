"""Ops that work on each element alone: arithmetic, comparisons, powers, `where`, `cast`."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.op import ZERO, Op, Rule, array_module, elementwise
from shared.spec import Spec, as_dtype, float_dtype, promote, shape_of

# --- arithmetic ----------------------------------------------------------------------------

add = elementwise(
    "add", np.add, "({0} + {1})",
    Rule(lambda g, y, a, b: g),
    Rule(lambda g, y, a, b: g),
    doc="`a + b`, elementwise with broadcasting.",
)  # fmt: skip

sub = elementwise(
    "sub", np.subtract, "({0} - {1})",
    Rule(lambda g, y, a, b: g),
    Rule(lambda g, y, a, b: neg(g)),
    doc="`a - b`, elementwise with broadcasting.",
)  # fmt: skip

mul = elementwise(
    "mul", np.multiply, "({0} * {1})",
    Rule(lambda g, y, a, b: g * b, reads="b"),
    Rule(lambda g, y, a, b: g * a, reads="a"),
    doc="`a * b`, elementwise with broadcasting.",
)  # fmt: skip

div = elementwise(
    "div", np.true_divide, "({0} / {1})",
    Rule(lambda g, y, a, b: g / b, reads="b"),
    Rule(lambda g, y, a, b: neg(g * y / b), reads="y b"),
    doc="`a / b`, elementwise with broadcasting; integers give floats.",
)  # fmt: skip

neg = elementwise(
    "neg", np.negative, "(-{0})",
    Rule(lambda g, y, x: neg(g)),
    doc="`-x`, elementwise.",
)  # fmt: skip


def _power_by_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    """d a^b / db = a^b log a, taken as 0 where a = 0 (as PyTorch takes it)."""
    positive = where(equal(a, 0), 1, a)
    return where(equal(a, 0), 0, g * y * log(positive))


pow = elementwise(
    "pow", np.power, "({0} ** {1})",
    Rule(lambda g, y, a, b: g * b * pow(a, b - 1), reads="a b"),
    Rule(_power_by_exponent, reads="y a"),
    doc="`a ** b`, elementwise with broadcasting. Integers to a negative power are an error.",
)  # fmt: skip

# --- exponentials, roots, trigonometry -----------------------------------------------------

exp = elementwise(
    "exp", np.exp, "exp({0})",
    Rule(lambda g, y, x: g * y, reads="y"),
    doc="e to the power x, elementwise.",
)  # fmt: skip

log = elementwise(
    "log", np.log, "log({0})",
    Rule(lambda g, y, x: g / x, reads="x"),
    doc="The natural logarithm, elementwise.",
)  # fmt: skip

sqrt = elementwise(
    "sqrt", np.sqrt, "sqrt({0})",
    Rule(lambda g, y, x: g / (y * 2), reads="y"),
    doc="The square root, elementwise.",
)  # fmt: skip

square = elementwise(
    "square", np.square, "({0} * {0})",
    Rule(lambda g, y, x: g * (x * 2), reads="x"),
    doc="`x * x`, elementwise.",
)  # fmt: skip

tanh = elementwise(
    "tanh", np.tanh, "tanh({0})",
    Rule(lambda g, y, x: g * (1 - y * y), reads="y"),
    doc="The hyperbolic tangent, elementwise.",
)  # fmt: skip

sin = elementwise(
    "sin", np.sin, "sin({0})",
    Rule(lambda g, y, x: g * cos(x), reads="x"),
    doc="The sine of x in radians, elementwise.",
)  # fmt: skip

cos = elementwise(
    "cos", np.cos, "cos({0})",
    Rule(lambda g, y, x: neg(g * sin(x)), reads="x"),
    doc="The cosine of x in radians, elementwise.",
)  # fmt: skip

abs = elementwise(
    "abs", np.abs, "abs({0})",
    Rule(lambda g, y, x: g * sign(x), reads="x"),
    doc="The absolute value, elementwise; its derivative at 0 is taken as 0.",
)  # fmt: skip

sign = elementwise(
    "sign", np.sign, "sign({0})", ZERO, doc="-1, 0 or 1 by the sign of x, elementwise."
)

# --- comparisons and logic: no gradient ----------------------------------------------------


def _comparison(name: str, ufunc: np.ufunc, scalar: str, doc: str) -> Op:
    return elementwise(name, ufunc, scalar, ZERO, ZERO, doc=doc + " Gives bool.")


equal = _comparison("equal", np.equal, "({0} == {1})", "`a == b`, elementwise.")
not_equal = _comparison("not_equal", np.not_equal, "({0} != {1})", "`a != b`, elementwise.")
less = _comparison("less", np.less, "({0} < {1})", "`a < b`, elementwise.")
less_equal = _comparison("less_equal", np.less_equal, "({0} <= {1})", "`a <= b`, elementwise.")
greater = _comparison("greater", np.greater, "({0} > {1})", "`a > b`, elementwise.")
greater_equal = _comparison(
    "greater_equal", np.greater_equal, "({0} >= {1})", "`a >= b`, elementwise."
)
logical_and = _comparison("logical_and", np.logical_and, "({0} and {1})", "Both true.")
logical_or = _comparison("logical_or", np.logical_or, "({0} or {1})", "One or both true.")
logical_not = elementwise(
    "logical_not", np.logical_not, "(not {0})", ZERO, doc="Not true. Gives bool."
)

# --- choosing ------------------------------------------------------------------------------

where = elementwise(
    "where", lambda mask, a, b: array_module(mask).where(mask, a, b),
    "({1} if {0} else {2})",
    ZERO,
    Rule(lambda g, y, mask, a, b: where(mask, g, 0), reads="mask"),
    Rule(lambda g, y, mask, a, b: where(mask, 0, g), reads="mask"),
    dtype=lambda mask, a, b: promote(a, b),
    doc="`a` where `mask` is true, else `b`; the three broadcast. The values not chosen get a\n"
    "zero cotangent (which is not enough to hide a NaN that was made further back).",
)  # fmt: skip

maximum = elementwise(
    "maximum", np.maximum, "max({0}, {1})",
    Rule(lambda g, y, a, b: g * _share(greater(a, b), equal(a, b), g), reads="a b"),
    Rule(lambda g, y, a, b: g * _share(less(a, b), equal(a, b), g), reads="a b"),
    doc="The larger of a and b, elementwise; equal ones share the gradient evenly.\n"
    "NaN in either gives NaN.",
)  # fmt: skip

minimum = elementwise(
    "minimum", np.minimum, "min({0}, {1})",
    Rule(lambda g, y, a, b: g * _share(less(a, b), equal(a, b), g), reads="a b"),
    Rule(lambda g, y, a, b: g * _share(greater(a, b), equal(a, b), g), reads="a b"),
    doc="The smaller of a and b, elementwise; equal ones share the gradient evenly.\n"
    "NaN in either gives NaN.",
)  # fmt: skip


def _share(wins: Any, ties: Any, g: Any) -> Any:
    """1 where this argument was chosen, a half where both were, in g's dtype."""
    return cast(wins, g.dtype) + cast(ties, g.dtype) * 0.5


# --- cast ----------------------------------------------------------------------------------

_cast = Op(
    "cast",
    lambda x, *, dtype: array_module(x).asarray(x).astype(dtype, order="C"),
    lambda x, *, dtype: Spec(shape_of(x), dtype),
    [Rule(lambda g, y, x, *, dtype: cast(g, x.dtype))],
    scalar="cast({0}, {dtype})",
)


def cast(x: Any, dtype: Any) -> Any:
    """`x` in another dtype, always a fresh array. The cotangent is cast back.

    Raises DTypeError if `dtype` names none.
    """
    return _cast(x, dtype=as_dtype(dtype))


# --- activations ---------------------------------------------------------------------------


def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) by way of tanh, which can not overflow."""
    xp = array_module(x)
    half = xp.multiply(x, 0.5)
    return xp.tanh(half) * 0.5 + 0.5


sigmoid = elementwise(
    "sigmoid", _sigmoid, "(tanh({0} * 0.5) * 0.5 + 0.5)",
    Rule(lambda g, y, x: g * (y * (1 - y)), reads="y"),
    dtype=float_dtype,
    doc="1 / (1 + exp(-x)), elementwise, as (1 + tanh(x / 2)) / 2, which can not overflow.",
)  # fmt: skip

relu = elementwise(
    "relu", lambda x: np.maximum(x, 0), "max({0}, 0)",
    Rule(lambda g, y, x: g * greater(y, 0), reads="y"),
    doc="max(x, 0), elementwise; its derivative at 0 is taken as 0, as in PyTorch.",
)  # fmt: skip
