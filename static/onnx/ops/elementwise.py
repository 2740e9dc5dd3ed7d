"""Rows for elementwise ops: arithmetic, comparisons, activations, casts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.spec import float_dtype, promote, spec_of
from static.onnx.writer import Row, Writer

_NAMES = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "neg": "Neg", "reciprocal": "Reciprocal",
    "abs": "Abs", "sign": "Sign", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "sin": "Sin",
    "cos": "Cos", "tan": "Tan", "tanh": "Tanh", "maximum": "Max", "minimum": "Min", "erf": "Erf",
    "sigmoid": "Sigmoid", "softplus": "Softplus", "softsign": "Softsign", "matmul": "MatMul",
}  # fmt: skip
"""Ops whose arguments have the dtype of the result, and that ONNX has as they are."""


def named(op_type: str, **attributes: Any) -> Row:
    """An op that ONNX has as it is."""
    return lambda w, *xs: w(op_type, *w.given(*xs), **attributes)


def _rounding(op_type: str) -> Row:
    """Whole numbers stay as they are."""
    return lambda w, x: w(op_type, w.one(x)) if w.dtype.kind == "f" else w.one(x)


def _comparison(op_type: str, negated: bool = False) -> Row:
    def row(w: Writer, a: Any, b: Any) -> str:
        dtype = promote(spec_of(a), spec_of(b))
        if dtype.kind in "biu" and dtype.itemsize < 4:  # which runtimes can not compare
            dtype = np.dtype(np.int32)
        y = w(op_type, *w.given(a, b, dtype=dtype))
        return w("Not", y) if negated else y

    return row


_FORMATS = {
    "bfloat16": 16, "float8_e4m3fn": 17, "float8_e4m3fnuz": 18, "float8_e5m2": 19, "float8_e5m2fnuz": 20,
}  # fmt: skip
"""ONNX's numbers of the types that NumPy lacks, in the opset that is written."""


def _rounded_to(w: Writer, x: Any, *, format: str) -> str:  # noqa: A002
    """There and back; what is beyond the format becomes what it is there."""
    if format not in _FORMATS:
        raise w.refusal(f"the opset that is written has no {format}; round outside of the model")
    saturate = {} if format == "bfloat16" else {"saturate": 0}
    there = w("Cast", w.one(x), to=_FORMATS[format], **saturate)
    return w.cast(there, w.dtype)


def _logic(op_type: str) -> Row:
    return lambda w, *xs: w(op_type, *w.given(*xs, dtype=bool))


def _expm1(w: Writer, x: Any) -> str:
    """tanh(x / 2) (exp(x) + 1), which is exact also near 0."""
    x = w.one(x)
    return w("Mul", w("Tanh", w("Mul", x, w.one(0.5))), w("Add", w("Exp", x), w.one(1)))


def _log1p(w: Writer, x: Any) -> str:
    """Near 0 2 artanh(x / (2 + x)), which is exact there."""
    x, two = w.one(x), w.one(2)
    near = w("Mul", two, w("Atanh", w("Div", x, w("Add", two, x))))
    return w("Where", w("Less", w("Abs", x), w.one(0.5)), near, w("Log", w("Add", w.one(1), x)))


def _erfc(w: Writer, x: Any) -> str:
    return w("Sub", w.one(1), w("Erf", w.one(x)))


def _normal_cdf(w: Writer, x: Any) -> str:
    scaled = w("Mul", w.one(x), w.one(math.sqrt(0.5)))
    return w("Mul", w("Add", w("Erf", scaled), w.one(1)), w.one(0.5))


def _silu(w: Writer, x: Any) -> str:
    x = w.one(x)
    return w("Mul", x, w("Sigmoid", x))


def _relu(w: Writer, x: Any) -> str:
    x = w.one(x)
    return w("Relu", x) if w.dtype.kind == "f" else w("Max", x, w.one(0))


def _hardtanh(w: Writer, x: Any, *, low: float, high: float) -> str:
    return w("Min", w("Max", w.one(x), w.one(low)), w.one(high))


def _tanhshrink(w: Writer, x: Any) -> str:
    x = w.one(x)
    return w("Sub", x, w("Tanh", x))


def _clip(w: Writer, x: Any, low: Any, high: Any) -> str:
    y = w.one(x)
    for op_type, bound, none in (("Max", low, -math.inf), ("Min", high, math.inf)):
        if not isinstance(bound, float) or bound != none:
            y = w(op_type, y, w.one(bound))
    return y


def _where(w: Writer, mask: Any, a: Any, b: Any) -> str:
    mask, (a, b) = w.one(mask, bool), w.given(a, b)
    if w.dtype != np.bool_:
        return w("Where", mask, a, b)
    return w("Or", w("And", mask, a), w("And", w("Not", mask), b))  # onnxruntime's Where takes no bools


def _isfinite(w: Writer, x: Any) -> str:
    x = w.one(x, float_dtype(spec_of(x)))
    return w("Not", w("Or", w("IsNaN", x), w("IsInf", x)))


ELEMENTWISE: dict[str, Row] = {
    **{name: named(op_type) for name, op_type in _NAMES.items()},
    "gelu": lambda w, x: [w("Gelu", w.one(x))],
    "gelu_tanh": named("Gelu", approximate="tanh"),
    "leaky_relu": lambda w, x, *, slope: w("LeakyRelu", w.one(x), alpha=slope),
    "elu": lambda w, x, *, alpha: w("Elu", w.one(x), alpha=alpha),
    "rsqrt": lambda w, x: w("Reciprocal", w("Sqrt", w.one(x))),
    "square": lambda w, x: w("Mul", *w.given(x, x)),
    "log_sigmoid": lambda w, x: w("Neg", w("Softplus", w("Neg", w.one(x)))),
    "expm1": _expm1, "log1p": _log1p, "erfc": _erfc, "normal_cdf": _normal_cdf, "silu": _silu, "relu": _relu,
    "clip": _clip, "hardtanh": _hardtanh, "tanhshrink": _tanhshrink,
    "floor": _rounding("Floor"), "ceil": _rounding("Ceil"), "round": _rounding("Round"),
    "equal": _comparison("Equal"), "not_equal": _comparison("Equal", negated=True),
    "less": _comparison("Less"), "less_equal": _comparison("LessOrEqual"),
    "greater": _comparison("Greater"), "greater_equal": _comparison("GreaterOrEqual"),
    "logical_and": _logic("And"), "logical_or": _logic("Or"), "logical_xor": _logic("Xor"),
    "logical_not": _logic("Not"),
    "isnan": lambda w, x: w("IsNaN", w.one(x, float_dtype(spec_of(x)))), "isfinite": _isfinite,
    "where": _where, "gate": lambda w, x, mask: _where(w, mask, x, 0),
    "cast": lambda w, x, *, dtype: w.one(x),
    "round_to": _rounded_to,
}  # fmt: skip
