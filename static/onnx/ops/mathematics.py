"""Rows for remainders, angles, hyperbolic functions, logarithms, signs and infinities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.spec import float_dtype, spec_of
from static.onnx.ops.elementwise import named
from static.onnx.ops.whole import power
from static.onnx.writer import Row, Writer

# --- remainders ----------------------------------------------------------------------------


def _wide(w: Writer, a: Any, b: Any) -> list[str]:
    """Both as runtimes divide them: integers in 32 bits or 64."""
    small = w.dtype.kind in "iu" and w.dtype.itemsize < 4
    unsigned = w.dtype.kind == "u" and w.dtype.itemsize >= 4
    return w.given(a, b, dtype=np.int32 if small else np.int64 if unsigned else w.dtype)


def _like(w: Writer, y: str) -> str:
    return y if w.dtype.kind == "f" or w.dtype in (np.int32, np.int64) else w.cast(y, w.dtype)


def _crossed(w: Writer, rest: str, b: str, zero: str) -> str:
    """Whether a rest of a division towards 0 has not the sign of b, which that of one rounded down has."""
    other = w("Xor", w("Less", b, zero), w("Less", rest, zero))
    return w("And", w("Not", w("Equal", rest, zero)), other)


def _fmod(w: Writer, a: Any, b: Any) -> str:
    return _like(w, w("Mod", *_wide(w, a, b), fmod=1))


def _remainder(w: Writer, a: Any, b: Any) -> str:
    a, b = _wide(w, a, b)
    if w.dtype.kind != "f":
        return _like(w, w("Mod", a, b))
    rest = w("Mod", a, b, fmod=1)
    return w("Where", _crossed(w, rest, b, w.one(0)), w("Add", rest, b), rest)


def _floor_divide(w: Writer, a: Any, b: Any) -> str:
    a, b = _wide(w, a, b)
    if w.dtype.kind != "f":
        return _like(w, w("Div", w("Sub", a, w("Mod", a, b)), b))
    rest, zero = w("Mod", a, b, fmod=1), w.one(0)
    whole = w("Round", w("Div", w("Sub", a, rest), b))
    whole = w("Where", _crossed(w, rest, b, zero), w("Sub", whole, w.one(1)), whole)
    return w("Where", w("Equal", b, zero), w("Div", a, b), whole)


def _trunc(w: Writer, x: Any) -> str:
    x = w.one(x)
    return w("Mul", w("Sign", x), w("Floor", w("Abs", x))) if w.dtype.kind == "f" else x


# --- signs and infinities ------------------------------------------------------------------


def _negative(w: Writer, x: str, dtype: Any) -> str:
    """Whether a float has a minus, -0 too: one by it is minus infinity."""
    zero, one = w.one(0, dtype), w.one(1, dtype)
    minus_zero = w("And", w("Equal", x, zero), w("Less", w("Div", one, x), zero))
    return w("Or", w("Less", x, zero), minus_zero)


def _signbit(w: Writer, x: Any) -> str:
    dtype = float_dtype(spec_of(x))
    return _negative(w, w.one(x, dtype), dtype)


def _copysign(w: Writer, a: Any, b: Any) -> str:
    a, b = w.given(a, b)
    size = w("Abs", a)
    return w("Where", _negative(w, b, w.dtype), w("Neg", size), size)


def _heaviside(w: Writer, a: Any, b: Any) -> str:
    a, b = w.given(a, b)
    zero = w.one(0)
    above = w("Where", w("Greater", a, zero), w.one(1), a)
    below = w("Where", w("Less", a, zero), zero, above)
    return w("Where", w("Equal", a, zero), b, below)


def _infinite(**which: int) -> Row:
    return lambda w, x: w("IsInf", w.one(x, float_dtype(spec_of(x))), **which)


def _not_nan(op_type: str) -> Row:
    """The larger or the smaller one, or the one that is no NaN."""

    def row(w: Writer, a: Any, b: Any) -> str:
        a, b = w.given(a, b)
        both = w(op_type, a, b)
        if w.dtype.kind != "f":
            return both
        return w("Where", w("IsNaN", a), b, w("Where", w("IsNaN", b), a, both))

    return row


def _lerp(w: Writer, a: Any, b: Any, weight: Any) -> str:
    a, b, weight = w.given(a, b, weight)
    way, rest = w("Sub", b, a), w("Sub", w.one(1), weight)
    near = w("Add", a, w("Mul", weight, way))
    far = w("Sub", b, w("Mul", way, rest))
    return w("Where", w("Less", w("Abs", weight), w.one(0.5)), near, far)


# --- angles --------------------------------------------------------------------------------


def _atan2(w: Writer, a: Any, b: Any) -> str:
    """The angle of (|b|, |a|), mirrored into the quadrant that the signs say."""
    a, b = w.given(a, b)
    up, right = w("Abs", a), w("Abs", b)
    slope = w("Where", w("Equal", up, right), w.one(1), w("Div", up, right))
    angle = w("Where", w("Equal", up, w.one(0)), w.one(0), w("Atan", slope))
    angle = w("Where", _negative(w, b, w.dtype), w("Sub", w.one(math.pi), angle), angle)
    return w("Where", _negative(w, a, w.dtype), w("Neg", angle), angle)


def _hypot(w: Writer, a: Any, b: Any) -> str:
    """The longer side times sqrt(1 + the square of a ratio up to 1)."""
    a, b = (w("Abs", x) for x in w.given(a, b))
    longer, one = w("Max", a, b), w.one(1)
    ratio = w("Div", w("Min", a, b), w("Where", w("Equal", longer, w.one(0)), one, longer))
    y = w("Mul", longer, w("Sqrt", w("Add", one, w("Mul", ratio, ratio))))
    return w("Where", w("IsInf", longer), longer, y)


def _sinc(w: Writer, x: Any, *, n: int) -> str:
    if n:
        raise w.refusal("it is part of a gradient; export what a forward pass gives")
    x = w.one(x)
    angle = w("Mul", x, w.one(math.pi))
    return w("Where", w("Equal", x, w.one(0)), w.one(1), w("Div", w("Sin", angle), angle))


# --- logarithms ----------------------------------------------------------------------------


def _log_to(base: float) -> Row:
    return lambda w, x: w("Mul", w("Log", w.one(x)), w.one(1 / math.log(base)))


def _logaddexp(w: Writer, a: Any, b: Any, base: float = math.e) -> str:
    """The larger one and log(1 + exp(-|a - b|)); equal ones, infinite too, and log 2."""
    scale = math.log(base)
    a, b = w.given(a, b)
    alike = w("Equal", a, b)
    apart = w("Where", alike, w.one(0), w("Abs", w("Sub", a, b)))
    more = w("Softplus", w("Mul", apart, w.one(-scale)))
    return w("Add", w("Max", a, b), w("Mul", more, w.one(1 / scale)))


def _logit(w: Writer, x: Any) -> str:
    x = w.one(x)
    return w("Log", w("Div", x, w("Sub", w.one(1), x)))


_NAMES = {
    "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Asinh",
    "acosh": "Acosh", "atanh": "Atanh",
}  # fmt: skip
MATHEMATICS: dict[str, Row] = {
    **{name: named(op_type) for name, op_type in _NAMES.items()},
    "fmod": _fmod, "remainder": _remainder, "floor_divide": _floor_divide, "trunc": _trunc,
    "signbit": _signbit, "copysign": _copysign, "heaviside": _heaviside,
    "isinf": _infinite(), "isposinf": _infinite(detect_negative=0), "isneginf": _infinite(detect_positive=0),
    "fmax": _not_nan("Max"), "fmin": _not_nan("Min"), "lerp": _lerp,
    "atan2": _atan2, "hypot": _hypot, "sinc": _sinc,
    "pow": power, "exp2": lambda w, x: w("Pow", w.one(2), w.one(x)), "log2": _log_to(2), "log10": _log_to(10),
    "logaddexp": _logaddexp, "logaddexp2": lambda w, a, b: _logaddexp(w, a, b, 2), "logit": _logit,
}  # fmt: skip
