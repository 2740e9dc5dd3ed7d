"""How each op is said in ONNX's words.

A row is called with the writer, which adds nodes, and with the op's arguments and settings as
its `compute` takes them; it gives the name of the value, or the names of several. Where ONNX has
the very op, the row is its name in a table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.dims import Dim
from shared.spec import float_dtype, promote, spec_of
from static.onnx.control import branch, repeat, repeat_while
from static.onnx.indexing import PLACES
from static.onnx.layers import LAYERS

if TYPE_CHECKING:
    from static.onnx.writer import Writer

Row = Callable[..., Any]

SAME_VALUE = ("identity", "stop_gradient", "placeholder_with_default")
"""Nodes that give on what they are given, and are no ops of the table."""

_EVALUATE = "a model that is exported has done with training: build it after model.eval()"
_NO_DRAWS = "ONNX can not draw the same numbers; draw them outside and feed them to a placeholder"
_NO_EFFECTS = "an ONNX model only computes; export what does not depend on it"
_NO_LOSS = "a loss belongs to training; export the model's outputs"
_NO_GRADIENT = "it is part of a gradient; export what a forward pass gives"
NO_WORDS = {
    **dict.fromkeys(("batch_norm", "dropout"), _EVALUATE),
    **dict.fromkeys(("uniform", "normal", "bernoulli"), _NO_DRAWS),
    **dict.fromkeys(("print", "assert", "check_numerics"), _NO_EFFECTS),
    **dict.fromkeys(
        ("cross_entropy", "class_index", "bce", "bce_with_logits", "huber", "of_shape"), _NO_LOSS
    ),
    **dict.fromkeys(
        ("adaptive_avg_unpool2d", "conv2d_weight", "crop", "gru_cell_grad", "lstm_cell_grad", "max_pick2d",
         "max_unpool2d", "others_product", "relu_grad", "scatter_index", "sum_unpool2d"), _NO_GRADIENT,
    ),
}  # fmt: skip
"""What to do about ops that are not exported."""

# --- elementwise ---------------------------------------------------------------------------

_NAMES = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "neg": "Neg", "reciprocal": "Reciprocal",
    "abs": "Abs", "sign": "Sign", "pow": "Pow", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "sin": "Sin",
    "cos": "Cos", "tan": "Tan", "tanh": "Tanh", "maximum": "Max", "minimum": "Min", "erf": "Erf",
    "sigmoid": "Sigmoid", "softplus": "Softplus", "matmul": "MatMul",
}  # fmt: skip
"""Ops whose arguments have the dtype of the result, and that ONNX has as they are."""


def _named(op_type: str, **attributes: Any) -> Row:
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


def _normal_cdf(w: Writer, x: Any) -> str:
    scaled = w("Mul", w.one(x), w.one(math.sqrt(0.5)))
    return w("Mul", w("Add", w("Erf", scaled), w.one(1)), w.one(0.5))


def _silu(w: Writer, x: Any) -> str:
    x = w.one(x)
    return w("Mul", x, w("Sigmoid", x))


def _relu(w: Writer, x: Any) -> str:
    x = w.one(x)
    return w("Relu", x) if w.dtype.kind == "f" else w("Max", x, w.one(0))


def _clip(w: Writer, x: Any, low: Any, high: Any) -> str:
    y = w.one(x)
    for op_type, bound, none in (("Max", low, -math.inf), ("Min", high, math.inf)):
        if not isinstance(bound, float) or bound != none:
            y = w(op_type, y, w.one(bound))
    return y


def _where(w: Writer, mask: Any, a: Any, b: Any) -> str:
    return w("Where", w.one(mask, bool), *w.given(a, b))


def _isfinite(w: Writer, x: Any) -> str:
    x = w.one(x, float_dtype(spec_of(x)))
    return w("Not", w("Or", w("IsNaN", x), w("IsInf", x)))


ROWS: dict[str, Row] = {
    **{name: _named(op_type) for name, op_type in _NAMES.items()},
    "gelu_tanh": _named("Gelu", approximate="tanh"),
    "leaky_relu": lambda w, x, *, slope: w("LeakyRelu", w.one(x), alpha=slope),
    "elu": lambda w, x, *, alpha: w("Elu", w.one(x), alpha=alpha),
    "rsqrt": lambda w, x: w("Reciprocal", w("Sqrt", w.one(x))),
    "square": lambda w, x: w("Mul", *w.given(x, x)),
    "log_sigmoid": lambda w, x: w("Neg", w("Softplus", w("Neg", w.one(x)))),
    "expm1": _expm1, "log1p": _log1p, "normal_cdf": _normal_cdf, "silu": _silu, "relu": _relu, "clip": _clip,
    "floor": _rounding("Floor"), "ceil": _rounding("Ceil"), "round": _rounding("Round"),
    "equal": _comparison("Equal"), "not_equal": _comparison("Equal", negated=True),
    "less": _comparison("Less"), "less_equal": _comparison("LessOrEqual"),
    "greater": _comparison("Greater"), "greater_equal": _comparison("GreaterOrEqual"),
    "logical_and": _logic("And"), "logical_or": _logic("Or"), "logical_xor": _logic("Xor"),
    "logical_not": _logic("Not"),
    "isnan": lambda w, x: w("IsNaN", w.one(x, float_dtype(spec_of(x)))), "isfinite": _isfinite,
    "where": _where, "gate": lambda w, x, mask: _where(w, mask, x, 0),
    "cast": lambda w, x, *, dtype: w.one(x),
}  # fmt: skip

# --- reductions ----------------------------------------------------------------------------


def _reduced(w: Writer, op_type: str, x: str, axis: tuple[int, ...], keepdims: bool) -> str:
    return w(op_type, x, w.integers(axis), keepdims=int(keepdims), noop_with_empty_axes=1)


def _reduction(op_type: str) -> Row:
    return lambda w, x, *, axis, keepdims: _reduced(w, op_type, w.one(x), axis, keepdims)


def _var(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool, correction: int) -> str:
    """Two passes, as the op does it."""
    count: Any = math.prod([x.shape[i] for i in axis]) - correction
    x = w.one(x)
    centred = w("Sub", x, _reduced(w, "ReduceMean", x, axis, True))
    total = _reduced(w, "ReduceSum", w("Mul", centred, centred), axis, keepdims)
    return w("Div", total, w.one(count if isinstance(count, Dim) or count > 0 else math.nan))


def _norm(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool, p: float) -> str:
    x = w("Abs", w.one(x))
    if p == 2:
        return _reduced(w, "ReduceL2", x, axis, keepdims)
    total = _reduced(w, "ReduceSum", w("Pow", x, w.one(p)), axis, keepdims)
    return w("Pow", total, w.one(1 / p))


def _any(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> str:
    """By counting, which is right also where there is nothing."""
    count = _reduced(w, "ReduceSum", w.cast(w.one(x, bool), np.int64), axis, keepdims)
    return w.cast(count, bool)


def _all(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> str:
    count = _reduced(w, "ReduceSum", w.cast(w("Not", w.one(x, bool)), np.int64), axis, keepdims)
    return w("Not", w.cast(count, bool))


def _place_of(op_type: str) -> Row:
    def row(w: Writer, x: Any, *, axis: int, keepdims: bool) -> str:
        x = w.one(x, np.int32) if x.dtype.kind == "b" else w.name(x)
        return w(op_type, x, axis=axis, keepdims=int(keepdims))

    return row


ROWS |= {
    "sum": _reduction("ReduceSum"), "mean": _reduction("ReduceMean"), "prod": _reduction("ReduceProd"),
    "max": _reduction("ReduceMax"), "min": _reduction("ReduceMin"),
    "logsumexp": _reduction("ReduceLogSumExp"), "norm": _norm,
    "var": _var, "std": lambda w, x, **settings: w("Sqrt", _var(w, x, **settings)),
    "any": _any, "all": _all, "argmax": _place_of("ArgMax"), "argmin": _place_of("ArgMin"),
    "cumsum": lambda w, x, *, axis: w("CumSum", w.one(x), w.constant(np.int64(axis))),
    "softmax": lambda w, x, *, axis: w("Softmax", w.one(x), axis=axis),
    "log_softmax": lambda w, x, *, axis: w("LogSoftmax", w.one(x), axis=axis),
}  # fmt: skip

ROWS |= LAYERS | PLACES | {"scan": repeat, "cond": branch, "while_loop": repeat_while}
