"""Activation functions that are different below 0 and above.

All but glu are elementwise; relu keeps integers, for the others they become floats as in NumPy's exp. Where
a rule can read y, which the next op mostly keeps anyway, it does not read x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.errors import SettingError
from shared.kernels.gating import gate_positive, worth_gating
from shared.op import ZERO, Rule, elementwise, put
from shared.ops.choosing import floating, gate, greater, logical_not, minimum, where
from shared.ops.elementwise import exp, expm1, mul
from shared.ops.joining import split
from shared.ops.reals import RealOp
from shared.ops.sigmoids import as_floating, in_place, sigmoid
from shared.spec import as_number, float_dtype, ufunc_dtype


def _compute_relu_grad(g: Any, y: Any, out: Any = None) -> Any:
    return gate_positive(g, y, out) if worth_gating(g, y) else gate.compute(g, greater(y, 0), out=out)


relu_grad = elementwise(
    "relu_grad", _compute_relu_grad, "({0} if {1} > 0 else 0)",
    Rule(lambda gg, _, g, y: relu_grad(gg, y), reads="y"),
    ZERO,
    kind=RealOp, dtype=lambda g, y: g.dtype, out=True, inplace=(0,),
    doc="`g` where `y` is positive, else 0, whatever g is there: `gate(g, y > 0)` in one pass.",
)  # fmt: skip

relu = elementwise(
    "relu", lambda x, out=None: np.maximum(x, 0, out=out, order="C"), "max({0}, 0)",
    Rule(lambda g, y, x: relu_grad(g, y), reads="y"),
    kind=RealOp, dtype=lambda x: ufunc_dtype("relu", np.maximum, (x, 0)), out=True, inplace=(0,),
    doc="max(x, 0), elementwise; NaN stays NaN. Its derivative at 0 is taken as 0, as in PyTorch.",
)  # fmt: skip


def _compute_leaky_relu(x: Any, *, slope: float, out: Any = None) -> Any:
    x = as_floating(x)
    if 0 < slope <= 1:
        return np.maximum(x, x * slope, out=out)
    return put(where(np.greater(x, 0), x, x * slope), out)


_leaky_relu = elementwise(
    "leaky_relu", _compute_leaky_relu, "({0} if {0} > 0 else {0} * {slope})",
    Rule(lambda g, y, x, *, slope: where(greater(y, 0), g, g * slope), reads="y"),
    kind=RealOp, dtype=lambda x, *, slope: float_dtype(x), out=True, inplace=(0,),
)  # fmt: skip


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where x > 0, else `negative_slope` x, elementwise. Maas, Hannun and Ng 2013.

    Raises SettingError for a slope below 0, with which y would not tell the sign of x.
    """
    return _leaky_relu(x, slope=_not_negative("leaky_relu", "negative_slope", negative_slope))


def _compute_elu(x: Any, *, alpha: float, out: Any = None) -> Any:
    x = as_floating(x)
    low = in_place(np.expm1, np.minimum(x, 0, out=out))
    if alpha != 1:
        low *= alpha
    low += np.maximum(x, 0)
    return low


_elu = elementwise(
    "elu", _compute_elu, "(max({0}, 0) + {alpha} * expm1(min({0}, 0)))",
    Rule(lambda g, y, x, *, alpha: where(greater(x, 0), g, g * (exp(minimum(x, 0)) * alpha)), reads="x"),
    kind=RealOp, dtype=lambda x, *, alpha: float_dtype(x), out=True,
)  # fmt: skip


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha (exp(x) - 1), elementwise. Clevert, Unterthiner and Hochreiter 2015.

    The derivative below 0 is alpha exp(x): y + alpha would lose what is small. Raises SettingError for an
    alpha below 0.
    """
    return _elu(x, alpha=_not_negative("elu", "alpha", alpha))


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha (exp(x / alpha) - 1), elementwise: an elu whose slope is 1 on both sides
    of 0. Barron 2017. SettingError for an alpha of 0."""
    alpha = as_number("celu", "alpha", alpha)
    if not 0 < math.fabs(alpha) < math.inf:
        raise SettingError(f"celu: alpha must be a number other than 0, not {alpha!r}")
    x = floating(x)
    positive = greater(x, 0)
    low = gate(x, logical_not(positive))  # the exponential of what is not chosen may overflow
    return where(positive, x, expm1(low / alpha) * alpha)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
"""With these, activations of mean 0 and variance 1 keep them from layer to layer."""


def selu(x: Any) -> Any:
    """1.0507 x where x > 0, else 1.0507 * 1.6733 (exp(x) - 1), elementwise. Klambauer and others 2017."""
    return mul(_elu(x, alpha=SELU_ALPHA), SELU_SCALE)


def glu(x: Any, axis: int = -1) -> Any:
    """a sigmoid(b), where a and b are the halves of x along `axis`. Dauphin, Fan, Auli and Grangier 2017.

    ShapeError for an axis that has no halves.
    """
    a, b = split(x, 2, axis)
    return a * sigmoid(b)


def _not_negative(name: str, setting: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise SettingError(f"{name}: {setting} must be a number from 0 on, not {value!r}")
    return float(value)
