"""Powers and logarithms to other bases, and what is made of logarithms without losing their digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.errors import SettingError
from shared.op import Rule, elementwise, put
from shared.ops.choosing import BROADCAST, PROMOTE, cast, clip, equal, logical_and, maximum, where
from shared.ops.elementwise import log, mul
from shared.ops.shapes import as_tensor_like
from shared.ops.sigmoids import as_floating, sigmoid
from shared.spec import Spec, as_number, float_dtype, is_weak, promote, spec_of

_FLOATS = "Any shape; floats keep their dtype, integers and bools become floats."

exp2 = elementwise(
    "exp2", np.exp2, None,
    Rule(lambda g, y, x: g * (y * math.log(2)), reads="y"),
    doc=f"2 to the power x, elementwise.\n{_FLOATS}",
)  # fmt: skip

log2 = elementwise(
    "log2", np.log2, None,
    Rule(lambda g, y, x: g * (1 / math.log(2)) / x, reads="x"),
    doc=f"The logarithm to base 2, elementwise; of 0 minus infinity, of negative numbers NaN.\n{_FLOATS}",
)  # fmt: skip

log10 = elementwise(
    "log10", np.log10, None,
    Rule(lambda g, y, x: g * (1 / math.log(10)) / x, reads="x"),
    doc=f"The logarithm to base 10, elementwise; of 0 minus infinity, of negative numbers NaN.\n{_FLOATS}",
)  # fmt: skip


def _share(a: Any, b: Any, base: float = 1.0) -> Any:
    """exp(a) / (exp(a) + exp(b)): a half where they are alike, infinite ones too; 0 of a sum that is 0."""
    share = sigmoid(where(equal(a, b), 0.0, (a - b) * base))
    return where(equal(maximum(a, b), -math.inf), 0.0, share)


logaddexp = elementwise(
    "logaddexp", np.logaddexp, None,
    Rule(lambda g, y, a, b: g * _share(a, b), reads="a b"),
    Rule(lambda g, y, a, b: g * _share(b, a), reads="a b"),
    doc="log(exp(a) + exp(b)), elementwise, which neither overflows nor loses the smaller one.\n"
    f"{BROADCAST} {PROMOTE}",
)  # fmt: skip

logaddexp2 = elementwise(
    "logaddexp2", np.logaddexp2, None,
    Rule(lambda g, y, a, b: g * _share(a, b, math.log(2)), reads="a b"),
    Rule(lambda g, y, a, b: g * _share(b, a, math.log(2)), reads="a b"),
    doc=f"log2(2^a + 2^b), elementwise. {BROADCAST} {PROMOTE}",
)  # fmt: skip

# --- log(x / (1 - x)) ----------------------------------------------------------------------


def _compute_logit(x: Any, out: Any = None) -> Any:
    x = as_floating(x)
    odds = x / (1 - x)
    near = np.less(np.absolute(x - 0.5), 0.25)
    return put(where(near, np.log1p(where(near, (2 * x - 1) / (1 - x), 0)), np.log(odds)), out)


_logit = elementwise(
    "logit", _compute_logit,
    "(log1p((2 * {0} - 1) / (1 - {0})) if abs({0} - 0.5) < 0.25 else log({0} / (1 - {0})))",
    Rule(lambda g, y, x: g / (x * (1 - x)), reads="x"),
    dtype=float_dtype, out=True, workspace=4,
)  # fmt: skip


def logit(x: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x)), elementwise, the inverse of sigmoid; exact also near 1/2, where it is 0.

    Infinite at 0 and 1, NaN beyond. With `eps`, x is first held between eps and 1 - eps, and where it lies
    outside no gradient flows. Raises SettingError for an eps that is not from 0 to 1/2.
    """
    if eps is None:
        return _logit(x)
    held = as_number("logit", "eps", eps)
    if not 0 <= held <= 0.5:
        raise SettingError(f"logit: eps must be from 0 to 1/2, not {eps!r}; it is the smallest that x may be")
    return _logit(clip(x, held, 1 - held))


# --- x log(y) ------------------------------------------------------------------------------


def xlogy(x: Any, y: Any) -> Any:
    """x log(y), elementwise, and 0 where x is 0, whatever y is but NaN: a term of an entropy.

    Where x is 0 its derivatives are 0 too, as PyTorch has it. The arguments broadcast; raises ShapeError
    where they do not.
    """
    if is_weak(y):  # beside integers a float, as its logarithm will be: they may not hold it
        y = cast(y, float_dtype(Spec((), promote(spec_of(as_tensor_like(x)), y))))
    return mul(x, log(where(logical_and(equal(x, 0), equal(y, y)), 1, y)))
