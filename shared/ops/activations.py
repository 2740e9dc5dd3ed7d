"""Activation functions, and the error function that one of them needs.

All are elementwise and keep floating dtypes; integers become floats as in NumPy's exp (relu
keeps them). None overflows: saturated inputs keep finite values and gradients, and where a
rule can read y, which the next op mostly keeps anyway, it does not read x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.errors import SettingError
from shared.kernels.erf import DOUBLE, NEAR, SINGLE
from shared.kernels.gating import gate_positive, worth_gating
from shared.op import ZERO, Rule, array_module, elementwise, put
from shared.ops.choosing import gate, greater, where
from shared.ops.elementwise import exp, expm1, mul, neg, square, tanh
from shared.spec import Spec, float_dtype, ufunc_dtype


def _floating(x: Any) -> Any:
    """x as a C-ordered array of floats."""
    x = array_module(x).asarray(x, order="C")
    return x if x.dtype.kind in "fc" else x.astype(float_dtype(Spec((), x.dtype)))


def _in_place(ufunc: np.ufunc, x: Any) -> Any:
    """`ufunc(x)` in the memory of x, which is nobody else's; NumPy's 0-d results have none."""
    return ufunc(x, out=x) if isinstance(x, np.ndarray) else ufunc(x)


# --- sigmoids ------------------------------------------------------------------------------


def _one_plus_exp_neg(x: Any, out: Any = None) -> Any:
    """1 + exp(-x); what overflows is infinite, and its reciprocal 0, as it should be."""
    with np.errstate(over="ignore"):
        e = _in_place(np.exp, np.negative(x, out=out))
    e += 1
    return e


sigmoid = elementwise(
    "sigmoid", lambda x, out=None: _in_place(np.reciprocal, _one_plus_exp_neg(_floating(x), out)),
    "(1 / (1 + exp(-{0})))",
    Rule(lambda g, y, x: g * (y * (1 - y)), reads="y"),
    dtype=float_dtype, out=True, inplace=(0,),
    doc="1 / (1 + exp(-x)), elementwise; precise to the last place for negative x too.",
)  # fmt: skip


def _compute_log_sigmoid(x: Any, out: Any = None) -> Any:
    x = _floating(x)
    return np.subtract(np.minimum(x, 0), _log1p_exp_neg_abs(x, out), out=out)


def _log1p_exp_neg_abs(x: Any, out: Any) -> Any:
    """log(1 + exp(-|x|)): what softplus adds to max(x, 0)."""
    size = _in_place(np.negative, np.abs(x, out=out))
    return _in_place(np.log1p, _in_place(np.exp, size))


log_sigmoid = elementwise(
    "log_sigmoid", _compute_log_sigmoid, "(min({0}, 0) - log1p(exp(-abs({0}))))",
    Rule(lambda g, y, x: neg(g * expm1(y)), reads="y"),
    dtype=float_dtype, out=True,
    doc="log(sigmoid(x)), elementwise; finite where sigmoid itself would be 0.\n"
    "Its derivative is sigmoid(-x) = 1 - exp(y).",
)  # fmt: skip


def _compute_softplus(x: Any, out: Any = None) -> Any:
    x = _floating(x)
    return np.add(np.maximum(x, 0), _log1p_exp_neg_abs(x, out), out=out)


softplus = elementwise(
    "softplus", _compute_softplus, "(max({0}, 0) + log1p(exp(-abs({0}))))",
    Rule(lambda g, y, x: neg(g * expm1(neg(y))), reads="y"),
    dtype=float_dtype, out=True,
    doc="log(1 + exp(x)), elementwise; x itself where exp(x) would overflow.\n"
    "Its derivative is sigmoid(x) = 1 - exp(-y). Dugas and others 2001.",
)  # fmt: skip


def _compute_silu(x: Any, out: Any = None) -> Any:
    x = _floating(x)
    return np.true_divide(x, _one_plus_exp_neg(x, out), out=out)


def _silu_rule(g: Any, y: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * (s * (x * (1 - s) + 1))


silu = elementwise(
    "silu", _compute_silu, "({0} / (1 + exp(-{0})))",
    Rule(_silu_rule, reads="x"),
    dtype=float_dtype, out=True,
    doc="x sigmoid(x), elementwise, also called swish. Elfwing, Uchibe and Doya 2017.",
)  # fmt: skip

# --- with a kink ---------------------------------------------------------------------------


def _compute_relu_grad(g: Any, y: Any, out: Any = None) -> Any:
    return gate_positive(g, y, out) if worth_gating(g, y) else gate.compute(g, greater(y, 0), out=out)


relu_grad = elementwise(
    "relu_grad", _compute_relu_grad, "({0} if {1} > 0 else 0)",
    Rule(lambda gg, _, g, y: relu_grad(gg, y), reads="y"),
    ZERO,
    dtype=lambda g, y: g.dtype, out=True, inplace=(0,),
    doc="`g` where `y` is positive, else 0, whatever g is there: `gate(g, y > 0)` in one pass.",
)  # fmt: skip

relu = elementwise(
    "relu", lambda x, out=None: np.maximum(x, 0, out=out, order="C"), "max({0}, 0)",
    Rule(lambda g, y, x: relu_grad(g, y), reads="y"),
    dtype=lambda x: ufunc_dtype("relu", np.maximum, (x, 0)), out=True, inplace=(0,),
    doc="max(x, 0), elementwise; NaN stays NaN. Its derivative at 0 is taken as 0, as in PyTorch.",
)  # fmt: skip


def _compute_leaky_relu(x: Any, *, slope: float, out: Any = None) -> Any:
    x = _floating(x)
    if 0 < slope <= 1:
        return np.maximum(x, x * slope, out=out)
    return put(where(np.greater(x, 0), x, x * slope), out)


_leaky_relu = elementwise(
    "leaky_relu", _compute_leaky_relu, "({0} if {0} > 0 else {0} * {slope})",
    Rule(lambda g, y, x, *, slope: where(greater(y, 0), g, g * slope), reads="y"),
    dtype=lambda x, *, slope: float_dtype(x), out=True, inplace=(0,),
)  # fmt: skip


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where x > 0, else `negative_slope` x, elementwise. Maas, Hannun and Ng 2013.

    Raises SettingError for a slope below 0, with which y would not tell the sign of x.
    """
    return _leaky_relu(x, slope=_not_negative("leaky_relu", "negative_slope", negative_slope))


def _compute_elu(x: Any, *, alpha: float, out: Any = None) -> Any:
    x = _floating(x)
    low = _in_place(np.expm1, np.minimum(x, 0, out=out))
    if alpha != 1:
        low *= alpha
    low += np.maximum(x, 0)
    return low


_elu = elementwise(
    "elu", _compute_elu, "(max({0}, 0) + {alpha} * expm1(min({0}, 0)))",
    Rule(lambda g, y, x, *, alpha: where(greater(y, 0), g, g * (y + alpha)), reads="y"),
    dtype=lambda x, *, alpha: float_dtype(x), out=True,
)  # fmt: skip


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha (exp(x) - 1), elementwise. Clevert, Unterthiner and Hochreiter 2015.

    The derivative below 0 is y + alpha. Raises SettingError for an alpha below 0, with which y
    would not tell the sign of x.
    """
    return _elu(x, alpha=_not_negative("elu", "alpha", alpha))


def _not_negative(name: str, setting: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise SettingError(f"{name}: {setting} must be a number from 0 on, not {value!r}")
    return float(value)


# --- the error function --------------------------------------------------------------------

_CHUNK = 16384
"""Elements at a time: some thirty passes over them run within the cache."""


def _polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """Horner's rule, in place."""
    y = x * coefficients[0]
    y += coefficients[1]
    for c in coefficients[2:]:
        y *= x
        y += c
    return y


def _ratio(x: Any, above: tuple[float, ...], below: tuple[float, ...]) -> Any:
    y = _polynomial(x, above)
    if below:
        y /= _polynomial(x, below)
    return y


def _erf_chunk(x: Any) -> Any:
    near, far = DOUBLE if x.dtype.itemsize > 4 else SINGLE
    size = np.absolute(x)
    low = np.minimum(np.maximum(x, -NEAR), NEAR)
    low += low * _ratio(low * low, *near)
    high = np.minimum(size, 6.0)  # erf(6) is 1 in double precision
    tail = _in_place(np.exp, _in_place(np.negative, high * high))
    tail *= _ratio(high, *far)
    return where(np.less_equal(size, NEAR), low, np.copysign(1 - tail, x))


def _compute_erf(x: Any, out: Any = None) -> Any:
    x = _floating(x)
    if x.dtype.itemsize == 2:
        return put(_erf_chunk(x.astype(np.float32)).astype(x.dtype), out)
    if x.size <= _CHUNK or not isinstance(x, np.ndarray):
        return put(_erf_chunk(x), out)
    y = np.empty(x.shape, x.dtype) if out is None else out
    to, given = y.reshape(-1), x.reshape(-1)
    for start in range(0, x.size, _CHUNK):
        to[start : start + _CHUNK] = _erf_chunk(given[start : start + _CHUNK])
    return y


erf = elementwise(
    "erf", _compute_erf, "erf({0})",
    Rule(lambda g, y, x: g * (exp(neg(square(x))) * (2 / math.sqrt(math.pi))), reads="x"),
    dtype=float_dtype, out=True, inplace=(0,),
    doc="The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x, elementwise.\n"
    "Right to 1 unit in the last place in float64, 2 in float32 (Cody 1969; Sun's fdlibm 1993).",
)  # fmt: skip

# --- gelu ----------------------------------------------------------------------------------

_ROOT_HALF = math.sqrt(0.5)
_TANH_SCALE, _CUBIC = math.sqrt(2 / math.pi), 0.044715


def _compute_normal_cdf(x: Any, out: Any = None) -> Any:
    x = _floating(x)
    y = _compute_erf(np.multiply(x, _ROOT_HALF, out=out), out)
    y += 1
    y *= 0.5
    return y


normal_cdf = elementwise(
    "normal_cdf", _compute_normal_cdf, f"((1 + erf({{0}} * {_ROOT_HALF!r})) * 0.5)",
    Rule(lambda g, y, x: g * (exp(square(x) * -0.5) * (1 / math.sqrt(2 * math.pi))), reads="x"),
    dtype=float_dtype, out=True, inplace=(0,),
    doc="The distribution function of the standard normal distribution, (1 + erf(x / sqrt(2))) / 2,\n"
    "elementwise; its derivative is the density.",
)  # fmt: skip


def _compute_gelu_tanh(x: Any, out: Any = None) -> Any:
    x = _floating(x)
    y = np.multiply(x, x, out=out)
    y *= _TANH_SCALE * _CUBIC
    y += _TANH_SCALE
    y *= x
    y = _in_place(np.tanh, y)
    y += 1
    y *= x
    y *= 0.5
    return y


def _gelu_tanh_rule(g: Any, y: Any, x: Any) -> Any:
    """With t = tanh(u): (1 + t) / 2 + x (1 - t^2) u' / 2, and (1 - t^2) is (1 + t) (1 - t)."""
    squares = square(x)
    t = tanh(x * (squares * (_TANH_SCALE * _CUBIC) + _TANH_SCALE))
    slope = squares * (3 * _TANH_SCALE * _CUBIC) + _TANH_SCALE
    return g * ((t * 0.5 + 0.5) * (x * slope * (1 - t) + 1))


_gelu_tanh = elementwise(
    "gelu_tanh", _compute_gelu_tanh,
    f"({{0}} * (1 + tanh({{0}} * ({{0}} * {{0}} * {_TANH_SCALE * _CUBIC!r} + {_TANH_SCALE!r}))) * 0.5)",
    Rule(_gelu_tanh_rule, reads="x"),
    dtype=float_dtype, out=True,
    doc="`gelu` with approximate=\"tanh\".",
)  # fmt: skip


def gelu(x: Any, approximate: str = "none") -> Any:
    """x times the normal distribution's function at x, elementwise. Hendrycks and Gimpel 2016.

    Exactly, by erf; or, with approximate="tanh", x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2,
    which is off by less than 0.0005. Raises SettingError for any other name.
    """
    if approximate not in ("none", "tanh"):
        raise SettingError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")
    if approximate == "tanh":
        return _gelu_tanh(x)
    return mul(x, normal_cdf(x))  # two ops, so that the rules keep the costly factor
