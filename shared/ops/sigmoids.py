"""The logistic function and its kin: sigmoid, tanh, their logarithms, products and differences.

All are elementwise and keep floating dtypes; integers become floats as in NumPy's exp. None overflows,
and neither values nor gradients lose their digits where the function is all but flat: a derivative that
read y = 1 could only be 0, so the rules read x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.errors import SettingError
from shared.numerics.half import in_single
from shared.op import Rule, array_module, elementwise, put
from shared.ops.choosing import greater, where
from shared.ops.elementwise import abs, expm1, mul, neg, square
from shared.ops.reals import RealOp
from shared.spec import Spec, as_number, float_dtype


def as_floating(x: Any) -> Any:
    """x as a C-ordered array of floats."""
    x = array_module(x).asarray(x, order="C")
    return x if x.dtype.kind in "fc" else x.astype(float_dtype(Spec((), x.dtype)))


def in_place(ufunc: np.ufunc, x: Any) -> Any:
    """`ufunc(x)` in the memory of x, which is nobody else's; NumPy's 0-d results have none."""
    return ufunc(x, out=x) if isinstance(x, np.ndarray) else ufunc(x)


def _onto(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """`ufunc(a, b)` in the memory of a, in the same way."""
    return ufunc(a, b, out=a) if isinstance(a, np.ndarray) else ufunc(a, b)


def _exp_neg_abs(x: Any, out: Any = None) -> Any:
    """exp(-|x|)."""
    return in_place(np.exp, np.copysign(x, -1, out=out))


_E = "exp(-abs({0}))"

# --- sigmoid and tanh ----------------------------------------------------------------------


def logistic(x: Any, out: Any = None) -> Any:
    """What `sigmoid` computes of an array of floats: 1 / (1 + e), or e / (1 + e) of negative x, with
    e = exp(-|x|), so that nothing overflows."""
    positive = np.greater(x, 0)
    e = _exp_neg_abs(x, out)
    above = np.maximum(e, positive)
    e += 1
    return put(np.true_divide(above, e, out=e if isinstance(e, np.ndarray) else None), out)


def _compute_sigmoid_slope(x: Any, out: Any = None) -> Any:
    e = _exp_neg_abs(as_floating(x), out)
    below = e + 1
    below *= below
    return put(_onto(np.true_divide, e, below), out)


sigmoid_slope = elementwise(
    "sigmoid_slope", _compute_sigmoid_slope, f"({_E} / ((1 + {_E}) * (1 + {_E})))",
    Rule(lambda g, y, x: neg(g * (y * tanh(x * 0.5))), reads="y x"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,), workspace=1,
    doc="The derivative of sigmoid, s(x) s(-x) = exp(-|x|) / (1 + exp(-|x|))^2, elementwise. Where s(x) is\n"
    "1 to the last place the other factor still has all its digits.",
)  # fmt: skip

sigmoid = elementwise(
    "sigmoid", lambda x, out=None: logistic(as_floating(x), out),
    f"((1 if {{0}} > 0 else {_E}) / (1 + {_E}))",
    Rule(lambda g, y, x: g * sigmoid_slope(x), reads="x"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,), workspace=1.25,
    doc="1 / (1 + exp(-x)), elementwise; precise to the last place for negative x too.",
)  # fmt: skip



def _tanh_rule(g: Any, y: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        return g * (1 - square(tanh(x)))
    return g * (sigmoid_slope(x * 2) * 4)


tanh = elementwise(
    "tanh", np.tanh, "tanh({0})",
    Rule(_tanh_rule, reads="x"),
    doc="The hyperbolic tangent, elementwise. Its derivative, 1 - tanh(x)^2, is four times that of sigmoid\n"
    "at 2 x, which is not lost where tanh(x) is 1 to the last place.\n"
    "Any shape; floats keep their dtype, integers and bools become floats.",
)  # fmt: skip

def _compute_silu(x: Any, out: Any = None) -> Any:
    x = as_floating(x)
    root = in_place(np.exp, np.copysign(x, -1) * 0.5)  # for x exp(-|x|) may keep digits that exp(-|x|) loses
    above = np.maximum(root, np.greater(x, 0))
    root *= root
    root += 1
    y = np.multiply(x, above, out=out)
    y /= root
    y *= above
    return y


_ROOT = "exp(abs({0}) * -0.5)"

silu = elementwise(
    "silu", _compute_silu,
    f"({{0}} * (1 if {{0}} > 0 else {_ROOT}) / (1 + {_ROOT} * {_ROOT}) * (1 if {{0}} > 0 else {_ROOT}))",
    Rule(lambda g, y, x: g * (sigmoid(x) + x * sigmoid_slope(x)), reads="x"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,), workspace=2.25,
    doc="x sigmoid(x), elementwise, also called swish. Elfwing, Uchibe and Doya 2017.",
)  # fmt: skip

# --- their logarithms ----------------------------------------------------------------------


def _log1p_exp_neg_abs(x: Any) -> Any:
    """log(1 + exp(-|x|)): what softplus adds to max(x, 0)."""
    return in_place(np.log1p, _exp_neg_abs(x))


def _compute_log_sigmoid(x: Any, out: Any = None) -> Any:
    x = as_floating(x)
    more = _log1p_exp_neg_abs(x)
    return put(_onto(np.subtract, np.minimum(x, 0, out=out), more), out)


log_sigmoid = elementwise(
    "log_sigmoid", _compute_log_sigmoid, f"(min({{0}}, 0) - log1p({_E}))",
    Rule(lambda g, y, x: neg(g * expm1(y)), reads="y"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,), workspace=1,
    doc="log(sigmoid(x)), elementwise; finite where sigmoid itself would be 0.\n"
    "Its derivative is sigmoid(-x) = 1 - exp(y).",
)  # fmt: skip


def _compute_softplus(x: Any, out: Any = None) -> Any:
    x = as_floating(x)
    more = _log1p_exp_neg_abs(x)
    return put(_onto(np.add, np.maximum(x, 0, out=out), more), out)


_softplus = elementwise(
    "softplus", _compute_softplus, f"(max({{0}}, 0) + log1p({_E}))",
    Rule(lambda g, y, x: neg(g * expm1(neg(y))), reads="y"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,), workspace=1,
)  # fmt: skip


def softplus(x: Any, beta: float = 1.0, threshold: float = math.inf) -> Any:
    """log(1 + exp(beta x)) / beta, elementwise; x itself where exp(x) would overflow, and where beta x is
    above `threshold`. PyTorch's is 20, which costs digits in double precision; here nothing calls for one.

    The derivative is sigmoid(beta x). Dugas and others 2001. SettingError for a beta of 0.
    """
    beta, threshold = as_number("softplus", "beta", beta), as_number("softplus", "threshold", threshold)
    if not 0 < math.fabs(beta) < math.inf:
        raise SettingError(f"softplus: beta must be a number other than 0, not {beta!r}")
    y = _softplus(x) if beta == 1 else _softplus(mul(x, beta)) / beta
    return y if threshold == math.inf else where(greater(mul(x, beta), threshold), x, y)


def mish(x: Any) -> Any:
    """x tanh(softplus(x)), elementwise. Misra 2019."""
    return mul(x, tanh(softplus(x)))


# --- what tanh leaves, and what looks like it ----------------------------------------------

_NEAR, _DEPTH = 2, 23
"""Up to |x| = 2, x - tanh(x) would lose digits. There tanh(x) is x / (1 + k), with Lambert's continued
fraction k = x^2 / (3 + x^2 / (5 + ...)), which is exact to double precision if it ends with 23."""


def _compute_tanhshrink(x: Any, *, out: Any = None) -> Any:
    x = as_floating(x)
    low = np.minimum(np.maximum(x, -_NEAR), _NEAR)
    squares = low * low
    k = squares / _DEPTH
    for odd in range(_DEPTH - 2, 1, -2):
        k += odd
        k = squares / k
    low *= k
    low /= k + 1
    return put(where(np.less_equal(np.absolute(x), _NEAR), low, x - np.tanh(x)), out)


def _fraction() -> str:
    """Lambert's continued fraction in the words of kernels."""
    k = f"({{0}} * {{0}} / {_DEPTH})"
    for odd in range(_DEPTH - 2, 1, -2):
        k = f"({{0}} * {{0}} / ({odd} + {k}))"
    return k


tanhshrink = elementwise(
    "tanhshrink", in_single(_compute_tanhshrink),
    f"({{0}} * ({_fraction()} / (1 + {_fraction()})) if abs({{0}}) <= {_NEAR} else {{0}} - tanh({{0}}))",
    Rule(lambda g, y, x: g * square(tanh(x)), reads="x"),
    dtype=float_dtype, out=True,
    doc="x - tanh(x), elementwise, exact also near 0, where the two are all but equal.",
)  # fmt: skip


def _softsign_rule(g: Any, y: Any, x: Any) -> Any:
    """1 / (1 + |x|)^2, divided one by one: the square may be out of range."""
    below = abs(x) + 1
    return g / below / below


def _compute_softsign(x: Any, out: Any = None) -> Any:
    x = as_floating(x)
    return np.true_divide(x, 1 + np.absolute(x), out=out, order="C")


softsign = elementwise(
    "softsign", _compute_softsign,
    "({0} / (1 + abs({0})))",
    Rule(_softsign_rule, reads="x"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,), workspace=1,
    doc="x / (1 + |x|), elementwise: it nears 1 and -1 more slowly than tanh does.",
)  # fmt: skip
