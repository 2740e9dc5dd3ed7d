"""Ops that work on each element alone: arithmetic, powers, exponentials, angles, rounding.

Floating dtypes stay as they are, also beside Python numbers. Where a result is no integer by
nature (exp of an int), integers and bools become floats as NumPy 2's ufuncs make them: 64 bits
for int32 and int64. Derivatives are those of any calculus book; a source is named where there
was a choice.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from shared.errors import DTypeError
from shared.op import ZERO, Joint, Rule, elementwise
from shared.ops.choosing import BROADCAST, PROMOTE, equal, gate, greater_equal, logical_and, where
from shared.ops.complexes import conj, real
from shared.ops.reals import RealOp
from shared.ops.shapes import as_tensor_like
from shared.spec import Operand, float_dtype, is_weak, spec_of, ufunc_dtype

_FLOATS = "Any shape; floats keep their dtype, integers and bools become floats."

# --- arithmetic ----------------------------------------------------------------------------

add = elementwise(
    "add", np.add, "({0} + {1})",
    Rule(lambda g, y, a, b: g),
    Rule(lambda g, y, a, b: g),
    doc=f"`a + b`, elementwise. {BROADCAST} {PROMOTE}",
)  # fmt: skip

sub = elementwise(
    "sub", np.subtract, "({0} - {1})",
    Rule(lambda g, y, a, b: g),
    Rule(lambda g, y, a, b: neg(g)),
    doc=f"`a - b`, elementwise. {BROADCAST} {PROMOTE}\nRaises DTypeError for two bools.",
)  # fmt: skip

mul = elementwise(
    "mul", np.multiply, "({0} * {1})",
    Rule(lambda g, y, a, b: g * b, reads="b"),
    Rule(lambda g, y, a, b: g * a, reads="a"),
    doc=f"`a * b`, elementwise. {BROADCAST} {PROMOTE}",
)  # fmt: skip


def _div_rule(g: Any, y: Any, a: Any, b: Any, *, wanted: Any) -> tuple[Any, Any]:
    """d(a/b) = da / b - (a/b) / b db, divided in this order: of a b that is all but 0, 1 / b may be infinite
    where a / b^2 is not."""
    return g / b if wanted[0] else None, neg(g * (y / b)) if wanted[1] else None


div = elementwise(
    "div", np.true_divide, "({0} / {1})",
    Joint(_div_rule, reads=lambda wanted: {"b", "y"} if wanted[1] else {"b"}),
    doc=f"`a / b`, elementwise; integers give floats. {BROADCAST}",
)  # fmt: skip

neg = elementwise(
    "neg", np.negative, "(-{0})",
    Rule(lambda g, y, x: neg(g)),
    doc="`-x`, elementwise. Raises DTypeError for bools.",
)  # fmt: skip

reciprocal = elementwise(
    "reciprocal", lambda x, out=None: np.true_divide(1, x, out=out, order="C"), "(1 / {0})",
    Rule(lambda g, y, x: neg(g * (y * y)), reads="y"),
    dtype=lambda x: ufunc_dtype("reciprocal", np.true_divide, (1, x)), out=True, inplace=(0,),
    doc=f"`1 / x`, elementwise.\n{_FLOATS}",
)  # fmt: skip

abs = elementwise(
    "abs", np.absolute, "abs({0})",
    Rule(lambda g, y, x: g * (conj(sign(x)) if x.dtype.kind == "c" else _sign(x)), reads="x"),
    doc="The absolute value, elementwise, of complex numbers in the dtype of their parts; its derivative\n"
    "at 0 is taken as 0, as in PyTorch.",
)  # fmt: skip

_sign = elementwise("sign", np.sign, "sign({0})", ZERO, kind=RealOp)


def sign(x: Any) -> Any:
    """-1, 0 or 1 by the sign of x, elementwise; NaN stays NaN. No gradient. Of complex numbers x / |x|, and 0
    of 0, with a gradient. Raises DTypeError for bools."""
    x = as_tensor_like(x)
    if x.dtype.kind != "c":
        return _sign(x)
    size = abs(x)
    return x / where(equal(size, 0), 1, size)


# --- powers and roots ----------------------------------------------------------------------

_POWERS = {
    1: lambda a, out: np.positive(a, out=out, order="C"),
    2: lambda a, out: np.square(a, out=out, order="C"),
    3: lambda a, out: np.multiply(np.square(a), a, out=out, order="C"),
    -1: lambda a, out: np.true_divide(1, a, out=out, order="C"),
    -2: lambda a, out: np.square(np.true_divide(1, a, out=out), out=out, order="C"),
    0.5: lambda a, out: np.sqrt(a, out=out, order="C"),
    -0.5: lambda a, out: np.true_divide(1, np.sqrt(a, out=out), out=out, order="C"),
}
"""Exponents (Python numbers, over floats) for which a general power costs 10 to 30 times too
much: those for which PyTorch, too, has a way of its own."""


def _compute_pow(a: Any, b: Any, out: Any = None) -> Any:
    if is_weak(b) and not is_weak(a):
        if a.dtype.kind == "f" and (short := _POWERS.get(b)):
            return short(a, out)
        _check_power(a, b)
    try:
        return np.power(a, b, out=out, order="C")
    except ValueError as error:
        if "negative integer power" in str(error):
            raise DTypeError(f"pow: {error} Cast one of the two to a float.") from None
        raise


def _check_power(a: Operand, b: Operand) -> None:
    if type(b) is int and b < 0 and not is_weak(a) and a.dtype.kind in "biu":
        raise DTypeError(
            f"pow: {a.dtype.name} to the power {b} is no {a.dtype.name}; cast it to a float first"
        )


def _pow_dtype(a: Operand, b: Operand) -> np.dtype[Any]:
    _check_power(a, b)
    return ufunc_dtype("pow", np.power, (a, b))


def _by_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    """b a^(b-1). Where a and b are both 0 the factor b settles it, whatever 0^-1 is."""
    if is_weak(b) and not isinstance(b, complex):
        if b == 0:
            return gate(g, False)
        if b == 1:
            return g
        if b == 2:
            return g * (a * 2)
        if -1 < b < 0:  # in two halves, since a^(b-1) may be out of range where b times it is not
            half = pow(a, (b - 1) / 2)
            return g * (half * b * half)
        return g * (pow(a, b - 1) * b)
    base = where(logical_and(equal(a, 0), equal(b, 0)), 1, a)
    return g * (pow(base, b - 1) * b)


def _by_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    """a^b log a; 0 where a is 0 and b is not negative, as PyTorch takes it."""
    if is_weak(a):
        return g * (y * _log_of(a))
    power = b.real if is_weak(b) else real(b)
    return g * (y * log(where(logical_and(equal(a, 0), greater_equal(power, 0)), 1, a)))


def _log_of(number: Any) -> Any:
    if isinstance(number, complex):
        return cmath.log(number) if number else 0.0
    return math.log(number) if number > 0 else 0.0 if number == 0 else math.nan


def _admit_exponent(a: Any, b: Any) -> None:
    _check_power(a, b)
    if not is_weak(b) and b.dtype.kind == "i" and spec_of(a).dtype.kind in "biu" and (b < 0).any():
        raise DTypeError("pow: integers to a negative power are no integers; cast one of the two to a float")


pow = elementwise(
    "pow", _compute_pow, "({0} ** {1})",
    Rule(_by_base, reads="a b"),
    Rule(_by_exponent, reads="y a b"),
    dtype=_pow_dtype, out=True, inplace=(0,), judges=(1,), admits=_admit_exponent,
    doc=f"`a ** b`, elementwise. {BROADCAST} `x ** 0.5` is sqrt(x), `x ** -0.5` is 1 / sqrt(x),\n"
    "small whole powers are products. Derivatives: b a^(b-1) by a, a^b log(a) by b (0 where a = 0).\n"
    "Raises DTypeError for integers to a negative power.",
)  # fmt: skip

sqrt = elementwise(
    "sqrt", np.sqrt, "sqrt({0})",
    Rule(lambda g, y, x: g / (y * 2), reads="y"),
    doc=f"The square root, elementwise; of negative numbers NaN. Its derivative at 0 is infinite.\n{_FLOATS}",
)  # fmt: skip

rsqrt = elementwise(
    "rsqrt", lambda x, out=None: np.true_divide(1, np.sqrt(x, out=out), out=out, order="C"),
    "(1 / sqrt({0}))",
    Rule(lambda g, y, x: g * (y * -0.5 / x), reads="y x"),  # whose cube may be out of range
    dtype=float_dtype, out=True, inplace=(0,),
    doc=f"1 / sqrt(x), elementwise; of 0 infinite, of negative numbers NaN.\n{_FLOATS}",
)  # fmt: skip

square = elementwise(
    "square", np.square, "({0} * {0})",
    Rule(lambda g, y, x: g * (x * 2), reads="x"),
    doc="`x * x`, elementwise, in x's dtype.",
)  # fmt: skip

# --- exponentials and logarithms -----------------------------------------------------------

exp = elementwise(
    "exp", np.exp, "exp({0})",
    Rule(lambda g, y, x: g * y, reads="y"),
    doc=f"e to the power x, elementwise.\n{_FLOATS}",
)  # fmt: skip

expm1 = elementwise(
    "expm1", np.expm1, "expm1({0})",
    Rule(lambda g, y, x: g * exp(x), reads="x"),  # y + 1 loses what is small
    doc=f"exp(x) - 1, elementwise, exact also near 0.\n{_FLOATS}",
)  # fmt: skip

log = elementwise(
    "log", np.log, "log({0})",
    Rule(lambda g, y, x: g / x, reads="x"),
    doc=f"The natural logarithm, elementwise; of 0 minus infinity, of negative numbers NaN.\n{_FLOATS}",
)  # fmt: skip

log1p = elementwise(
    "log1p", np.log1p, "log1p({0})",
    Rule(lambda g, y, x: g / (x + 1), reads="x"),
    doc=f"log(1 + x), elementwise, exact also near 0.\n{_FLOATS}",
)  # fmt: skip

# --- angles --------------------------------------------------------------------------------

sin = elementwise(
    "sin", np.sin, "sin({0})",
    Rule(lambda g, y, x: g * cos(x), reads="x"),
    doc=f"The sine of x in radians, elementwise.\n{_FLOATS}",
)  # fmt: skip

cos = elementwise(
    "cos", np.cos, "cos({0})",
    Rule(lambda g, y, x: neg(g * sin(x)), reads="x"),
    doc=f"The cosine of x in radians, elementwise.\n{_FLOATS}",
)  # fmt: skip

tan = elementwise(
    "tan", np.tan, "tan({0})",
    Rule(lambda g, y, x: g * (y * y + 1), reads="y"),
    doc=f"The tangent of x in radians, elementwise.\n{_FLOATS}",
)  # fmt: skip

# --- rounding: no gradient -----------------------------------------------------------------

floor = elementwise(
    "floor", np.floor, "floor({0})", ZERO,
    doc="The largest whole number not above x, elementwise, in x's dtype. No gradient.",
)  # fmt: skip

ceil = elementwise(
    "ceil", np.ceil, "ceil({0})", ZERO,
    doc="The smallest whole number not below x, elementwise, in x's dtype. No gradient.",
)  # fmt: skip

round = elementwise(
    "round", lambda x, out=None: (np.rint if _is_float(x) else np.floor)(x, out=out, order="C"),
    "round({0})", ZERO,
    dtype=lambda x: ufunc_dtype("round", np.floor, (x,)), out=True, inplace=(0,),
    doc="The nearest whole number, halves to the even one, elementwise, in x's dtype. No gradient.",
)  # fmt: skip


def _is_float(x: Any) -> bool:
    return isinstance(x, float) if is_weak(x) else x.dtype.kind == "f"
