"""The normal distribution's functions: erf, erfc and erfinv, the bell curve, and gelu.

All are elementwise and keep floating dtypes; integers become floats as in NumPy's exp. Their tails keep
their digits: what is exponentially small is computed as such, and never as a difference from one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.errors import SettingError
from shared.kernels.erf import DOUBLE, FARTHEST, NEAR, SINGLE
from shared.kernels.mapping import mapped, swept, worth_mapping
from shared.numerics.half import rounded
from shared.op import Joint, Rule, elementwise, put
from shared.ops.choosing import maximum, minimum, where
from shared.ops.elementwise import square
from shared.ops.reals import RealOp
from shared.ops.sigmoids import as_floating, in_place, logistic, sigmoid, sigmoid_slope
from shared.spec import Operand, Spec, float_dtype

# --- exp(-scale x^2) -------------------------------------------------------------------------

STEP = 16
"""Squares of multiples of 1/16 are exact in either precision as far out as they matter."""


def _bell(x: Any, scale: float) -> Any:
    """With r = |x| rounded down to a multiple of 1/16, exp(-scale r^2) exp(-scale (|x| - r)(|x| + r)):
    the exponent is as exact as x, where that of the rounded square is off by x^2 units (Cody 1969)."""
    size = np.minimum(np.absolute(x), FARTHEST)
    r = in_place(np.floor, size * STEP)
    r *= 1 / STEP
    rest = size - r
    size += r
    rest *= size
    rest *= -scale
    r *= r
    r *= -scale
    y = in_place(np.exp, r)
    y *= in_place(np.exp, rest)
    return y


def _in_pieces(function: Any, x: Any, out: Any, form: str = "") -> Any:
    """`function(x)`; half precision is computed in single. A large x goes through its scalar `form` at once,
    if it has one."""
    x = as_floating(x)
    if x.dtype.itemsize == 2:
        return put(rounded(function(x.astype(np.float32)), x.dtype), out)
    if form and worth_mapping(x):
        return mapped(form.format("a0"), x, out)
    if x.size <= _CHUNK or not isinstance(x, np.ndarray):
        return put(function(x), out)
    y = np.empty(x.shape, x.dtype) if out is None else out
    to, given = y.reshape(-1), x.reshape(-1)
    for start in range(0, x.size, _CHUNK):
        to[start : start + _CHUNK] = function(given[start : start + _CHUNK])
    return y


def in_double(function: Any, x: Any, out: Any) -> Any:
    """`function(x)`, computed in float64."""
    return _in_pieces(lambda part: rounded(function(part.astype(np.float64)), part.dtype), x, out)


_CHUNK = 16384
"""Elements at a time: some thirty passes over them run within the cache."""

_SIZE, _FLOOR = f"min(abs({{0}}), {FARTHEST})", f"floor(min(abs({{0}}), {FARTHEST}) * {STEP}) * {1 / STEP}"

_BELL = (
    f"(exp(({_FLOOR}) * ({_FLOOR}) * -{{scale}})"
    f" * exp(({_SIZE} - {_FLOOR}) * ({_SIZE} + {_FLOOR}) * -{{scale}}))"
)


def _compute_gaussian(x: Any, *, scale: float, out: Any = None) -> Any:
    return _in_pieces(lambda part: _bell(part, scale), x, out, _BELL.replace("{scale}", repr(scale)))


_gaussian = elementwise(
    "gaussian", _compute_gaussian, _BELL,
    Rule(lambda g, y, x, *, scale: g * (y * x * (-2 * scale)), reads="y x"),
    kind=RealOp, dtype=lambda x, *, scale: float_dtype(x), out=True, inplace=(0,),
    doc="exp(-scale x^2), elementwise, for a scale of 1 or 1/2; right to 3 units in the last place however\n"
    "far out.",
)  # fmt: skip

# --- the error function --------------------------------------------------------------------


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """Horner's rule, in place."""
    y = x * coefficients[0]
    y += coefficients[1]
    for c in coefficients[2:]:
        y *= x
        y += c
    return y


def _ratio(x: Any, above: tuple[float, ...], below: tuple[float, ...]) -> Any:
    y = polynomial(x, above)
    if below:
        y /= polynomial(x, below)
    return y


def _parts(x: Any, size: Any) -> tuple[Any, Any, Any]:
    """x held near 0, there erf(x) - x, and for far |x| what exp(-x^2) times is erfc(|x|)."""
    near, far = DOUBLE if x.dtype.itemsize > 4 else SINGLE
    low = np.minimum(np.maximum(x, -NEAR), NEAR)
    return low, low * _ratio(low * low, *near), _ratio(np.minimum(size, FARTHEST), *far)


def _erf_of(x: Any) -> Any:
    size = np.absolute(x)
    low, more, tail = _parts(x, size)
    low += more
    tail *= _bell(size, 1.0)
    return where(np.less_equal(size, NEAR), low, np.copysign(1 - tail, x))


def _erfc_of(x: Any, z: Any, bell: Any) -> Any:
    """erfc(z), z being x times a constant: `bell` is exp(-z^2), of which x knows more digits."""
    size = np.absolute(z)
    low, more, tail = _parts(z, size)
    low -= 0.5  # 0.5 - (z - 0.5 + more): not even at 0.84 a digit is lost (fdlibm 1993)
    low += more
    tail *= bell
    far = where(np.less(x, 0), 2 - tail, tail)
    return where(np.less_equal(size, NEAR), 0.5 - low, far)


erf = elementwise(
    "erf", lambda x, out=None: _in_pieces(_erf_of, x, out, "erf({0})"), "erf({0})",
    Rule(lambda g, y, x: g * (_gaussian(x, scale=1.0) * (2 / math.sqrt(math.pi))), reads="x"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,),
    doc="The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x, elementwise.\n"
    "Right to 1 unit in the last place in float64, 2 in float32 (Cody 1969; Sun's fdlibm 1993).",
)  # fmt: skip

def _erfc_alone(x: Any) -> Any:
    return _erfc_of(x, x, _bell(x, 1.0))


erfc = elementwise(
    "erfc", lambda x, out=None: _in_pieces(_erfc_alone, x, out, "erfc({0})"), "erfc({0})",
    Rule(lambda g, y, x: g * (_gaussian(x, scale=1.0) * (-2 / math.sqrt(math.pi))), reads="x"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,),
    doc="1 - erf(x), elementwise, right to 8 units in the last place also where erf(x) is 1 to the last one.",
)  # fmt: skip

_CENTRAL = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
    -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
"""Where w = -log(1 - x^2) is below 5, erfinv(x) / x by w - 5/2, to seven digits (Giles, Approximating the
erfinv function, 2012)."""
_TAIL = (-0.000381211011, 0.00109014988, -0.000562167007, 4.35767335e-05, 1.00945617, 3.84004228)
"""From there to the last number below 1, by sqrt(w) - 4: a fit, off by 0.0004."""


def _erfinv_of(x: Any) -> Any:
    """A few digits, of which two of Halley's steps make all. Far out they look at 1 - x, exact there."""
    size = np.minimum(np.absolute(x), 1)
    w = -np.log((1 - size) * (size + 1))
    central = polynomial(np.minimum(w, 5) - 2.5, _CENTRAL)
    tail = polynomial(np.sqrt(np.minimum(np.maximum(w, 5), 40)) - 4, _TAIL)
    y = size * where(np.less(w, 5), central, tail)
    for _ in range(2):
        bell = _bell(y, 1.0)
        off = where(np.less(size, 0.75), _erf_of(y) - size, (1 - size) - _erfc_of(y, y, bell))
        off /= bell * (2 / math.sqrt(math.pi))
        y -= off / (y * off + 1)
    y = where(np.equal(size, 1), math.inf, y)
    return where(np.less_equal(np.absolute(x), 1), np.copysign(y, x), math.nan)


erfinv = elementwise(
    "erfinv", lambda x, out=None: in_double(_erfinv_of, x, out), None,
    Rule(lambda g, y, x: g * (math.sqrt(math.pi) / 2) / _gaussian(y, scale=1.0), reads="y"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,),
    doc="The number whose erf is x, elementwise: infinite at 1 and -1, NaN beyond. Right to 4 units in the\n"
    "last place. erfinv(2 p - 1) sqrt(2) is the quantile of p of the standard normal distribution.",
)  # fmt: skip

# --- the normal distribution, and gelu -----------------------------------------------------

ROOT_HALF = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
"""The normal density at 0."""


def _normal_cdf_of(x: Any) -> Any:
    y = _erfc_of(-x, x * -ROOT_HALF, _bell(x, 0.5))
    y *= 0.5
    return y


normal_cdf = elementwise(
    "normal_cdf", lambda x, out=None: _in_pieces(_normal_cdf_of, x, out, "normcdf({0})"), "normcdf({0})",
    Rule(lambda g, y, x: g * (_gaussian(x, scale=0.5) * _DENSITY), reads="x"),
    kind=RealOp, dtype=float_dtype, out=True, inplace=(0,),
    doc="The distribution function of the standard normal distribution, erfc(-x / sqrt(2)) / 2,\n"
    "elementwise; its derivative is the density.",
)  # fmt: skip

def _compute_gelu(x: Any, out: Any = (None, None)) -> tuple[Any, Any]:
    x = as_floating(x)
    if worth_mapping(x) and all(to is None or to.flags.c_contiguous for to in out):
        y, cdf = (np.empty_like(x) if to is None else to for to in out)
        if swept((("normcdf(a0)", (0,)), ("(a0 * a1)", (0, 1))), (2, 1), (y, cdf), (x,)):
            return y, cdf
    cdf = _in_pieces(_normal_cdf_of, x, out[1], "normcdf({0})")
    return put(x * cdf, out[0]), cdf


def _infer_gelu(x: Operand) -> tuple[Spec, Spec]:
    spec = Spec(x.shape, float_dtype(x))
    return spec, spec


def _gelu_rule(g: Any, y: Any, x: Any, *, wanted: Any) -> tuple[Any]:
    gy, g_cdf = g
    g_x = None if gy is None else _gelu_grad(gy, x, y[1])
    if g_cdf is None:
        return (g_x,)
    more = g_cdf * (_gaussian(x, scale=0.5) * _DENSITY)
    return (more if g_x is None else g_x + more,)


_gelu = RealOp(
    "gelu", _compute_gelu, _infer_gelu, Joint(_gelu_rule, reads="x cdf"), outputs=("y", "cdf"), out=True,
    doc="x times the normal distribution's function at x, and that.",
)  # fmt: skip

_GELU_GRAD = f"({{0}} * ({{2}} + bell({{1}}) * {_DENSITY!r} * {{1}}))"


def _compute_gelu_grad(g: Any, x: Any, cdf: Any, out: Any = None) -> Any:
    same = all(worth_mapping(a) and a.dtype == x.dtype and a.shape == x.shape for a in (g, x, cdf))
    if same and (out is None or out.flags.c_contiguous):
        y = np.empty_like(x) if out is None else out
        if swept(((_GELU_GRAD.format("a0", "a1", "a2"), (0, 1, 2)),), (3,), (y,), (g, x, cdf)):
            return y
    slope = _compute_gaussian(x, scale=0.5) * _DENSITY
    return put(g * (slope * x + cdf), out)


def _bend(x: Any) -> Any:
    """The second derivative but for a density: density(x) (1 - x^2), no square of which leaves the range."""
    density = _gaussian(x, scale=0.5) * _DENSITY
    return density - density * x * x


_gelu_grad = elementwise(
    "gelu_grad", _compute_gelu_grad, _GELU_GRAD,
    Rule(lambda c, y, g, x, cdf: _gelu_grad(c, x, cdf), reads="x cdf"),
    Rule(lambda c, y, g, x, cdf: c * g * _bend(x), reads="g x"),
    Rule(lambda c, y, g, x, cdf: c * g, reads="g"),
    kind=RealOp, out=True, inplace=(0, 1, 2),
    doc="g (cdf + x density(x)): the gradient of `gelu`, cdf being the normal distribution's function at x.",
)  # fmt: skip

_SLOPE, _CUBIC = 2 * math.sqrt(2 / math.pi), 0.044715
_FLAT = 25.0
"""From here on the logistic function in `gelu` by tanh is 0 or 1 in every precision; its argument is held
within these bounds, lest its cube overflow."""


def _gelu_tanh_of(x: Any) -> Any:
    held = np.minimum(np.maximum(x, -_FLAT), _FLAT)
    y = held * held
    y *= _SLOPE * _CUBIC
    y += _SLOPE
    y *= held
    return logistic(y) * x


def _gelu_tanh_rule(g: Any, y: Any, x: Any) -> Any:
    """With s the logistic function of u, s + x s' u'."""
    held = maximum(minimum(x, _FLAT), -_FLAT)
    squares = square(held)
    u = held * (squares * (_SLOPE * _CUBIC) + _SLOPE)
    slope = squares * (3 * _SLOPE * _CUBIC) + _SLOPE
    return g * (sigmoid(u) + held * slope * sigmoid_slope(u))


_HELD = f"min(max({{0}}, -{_FLAT}), {_FLAT})"
_U = f"({_HELD} * ({_HELD} * {_HELD} * {_SLOPE * _CUBIC!r} + {_SLOPE!r}))"

_GELU_TANH = f"({{0}} * ((1 if {_U} > 0 else exp(-abs({_U}))) / (1 + exp(-abs({_U})))))"

_gelu_tanh = elementwise(
    "gelu_tanh", lambda x, out=None: _in_pieces(_gelu_tanh_of, x, out, _GELU_TANH), _GELU_TANH,
    Rule(_gelu_tanh_rule, reads="x"),
    kind=RealOp, dtype=float_dtype, out=True,
    doc="`gelu` with approximate=\"tanh\".",
)  # fmt: skip


def gelu(x: Any, approximate: str = "none") -> Any:
    """x times the normal distribution's function at x, elementwise. Hendrycks and Gimpel 2016.

    Exactly, by erfc; or, with approximate="tanh", x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2,
    which is off by less than 0.0005. Raises SettingError for any other name.
    """
    if approximate not in ("none", "tanh"):
        raise SettingError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")
    return _gelu_tanh(x) if approximate == "tanh" else _gelu(x)[0]
