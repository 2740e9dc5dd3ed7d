"""The logarithm of the gamma function with its derivatives, and sinc.

All are elementwise, keep floating dtypes and are computed in float64, whatever they are given: none of them
is where a model spends its time, and so they are right to the last place in the shorter dtypes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shared.errors import DTypeError, SettingError
from shared.op import Op, Rule, elementwise
from shared.ops.choosing import where
from shared.ops.gaussian import in_double, polynomial
from shared.spec import Operand, float_dtype


def _real(name: str) -> Callable[..., np.dtype[Any]]:
    """The dtype of a function of real numbers."""

    def dtype(x: Operand, **settings: Any) -> np.dtype[Any]:
        found = float_dtype(x)
        if found.kind != "f":
            raise DTypeError(f"{name}: {found} is not computed; it takes real numbers")
        return found

    return dtype


def _special(name: str, function: Callable[..., Any], rule: Callable[..., Any], doc: str) -> Op:
    """An op made of a function of float64, whose rule reads x."""
    dtype = _real(name)

    def compute(x: Any, out: Any = None, **settings: Any) -> Any:
        dtype(x)
        return in_double(lambda part: function(part, **settings), x, out)

    return elementwise(
        name, compute, None, Rule(rule, reads="x"), dtype=dtype, out=True, inplace=(0,), doc=doc
    )


def _in_turns(x: Any) -> tuple[Any, Any]:
    """sin(pi x) and cos(pi x): the whole half turns are taken off x itself, which is exact."""
    turns = np.rint(x)
    rest = x - turns
    sign = 1 - 2 * (turns - 2 * np.floor(turns * 0.5))
    return sign * np.sin(rest * math.pi), sign * np.sin((0.5 - np.absolute(rest)) * math.pi)


# --- the gamma function --------------------------------------------------------------------

_ZETA = (
    0.3224670334241132, 0.0673523010531981, 0.020580808427784546, 0.007385551028673986, 0.0028905103307415234,
    0.001192753911703261, 0.0005096695247430425, 0.00022315475845357939, 9.945751278180853e-05,
    4.492623673813314e-05, 2.050721277567069e-05, 9.439488275268397e-06, 4.374866789907488e-06,
    2.039215753801366e-06, 9.55141213040742e-07, 4.492469198764566e-07, 2.1207184805554665e-07,
    1.0043224823968099e-07, 4.7698101693639804e-08, 2.2711094608943164e-08, 1.0838659214896955e-08,
    5.183475041970047e-09, 2.4836745438024785e-09, 1.1921401405860912e-09, 5.731367241678862e-10,
)  # fmt: skip
"""(zeta(k) - 1) / k for k from 2 on: log gamma(2 + z) is (1 - Euler's constant) z + the sum of them times
(-z)^k (Abramowitz and Stegun 1964, 6.1.33)."""
_NEAR_TWO = (*[(-1) ** k * c for k, c in enumerate(_ZETA, 2)][::-1], 0.42278433509846714)
_BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
)  # fmt: skip
"""The numbers B_2, B_4, ... of Stirling's series."""
_STIRLING = tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1))[::-1]
_FAR = 8
"""From here on Stirling's series has all digits."""
_LOWEST = -(2.0**60)
"""Below, every number is whole, as this one is."""


def _log_gamma_above_zero(x: Any) -> Any:
    """Near 2 by the series there, of which 1 and 0 are one and two steps away: so that nothing is lost near
    the roots at 1 and 2. Further up by steps, then by Stirling's series."""
    low = np.minimum(x, _FAR)
    steps = np.floor(low + 0.5)
    z = low - steps
    product = where(np.less(steps, 3), 1.0, z + 2)
    for j in range(3, _FAR):
        product *= where(np.greater(steps, j), z + j, 1.0)
    low = where(np.less(steps, 2), low, 1.0) * where(np.less(steps, 1), low + 1, 1.0)
    near = z * polynomial(z, _NEAR_TWO) + (np.log(product) - np.log(low))
    high = np.maximum(x, _FAR)
    over = 1 / high
    rest = over * polynomial(over * over, _STIRLING) + (math.log(2 * math.pi) - 1) / 2
    return where(np.less(x, _FAR), near, (high - 0.5) * (np.log(high) - 1) + rest)


def _log_gamma(x: Any) -> Any:
    """Below 0 by gamma(x) gamma(1 - x) = pi / sin(pi x)."""
    x = np.maximum(x, _LOWEST)
    below = np.less(x, 0)
    y = _log_gamma_above_zero(where(below, 1 - x, x))
    sine = np.absolute(_in_turns(where(below, x, 0.5))[0])
    return where(below, math.log(math.pi) - np.log(sine) - y, y)


lgamma = _special(
    "lgamma", _log_gamma, lambda g, y, x: g * digamma(x),
    "The logarithm of the absolute value of the gamma function, elementwise: infinite at 0 and the negative\n"
    "whole numbers. Right to a few units in the last place for positive x; of negative x, near the roots,\n"
    "to as many units of the terms that cancel there. Its derivative is `digamma`.",
)  # fmt: skip


def _cotangents(order: int) -> list[int]:
    """The derivative of that order of cot, as a polynomial of cot from the highest power down: each is
    -(1 + c^2) times the derivative of the one before by c."""
    found = [0, 1]  # from the lowest power up
    for _ in range(order):
        slope = [-k * c for k, c in enumerate(found)][1:]
        found = [a + b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return found[::-1]


def _polygamma_above_zero(x: Any, n: int) -> Any:
    """By steps up to where the asymptotic series has all digits (Abramowitz and Stegun 1964, 6.4.11)."""
    far, factor = 10 + n, float(math.factorial(n))
    steps: Any = 0.0
    for _ in range(far):
        low = np.less(x, far)
        steps = steps + where(low, x ** -(n + 1), 0.0)
        x = where(low, x + 1, x)
    over = 1 / x
    terms = [b * (math.factorial(2 * k + n - 1) / math.factorial(2 * k)) for k, b in enumerate(_BERNOULLI, 1)]
    series = over * (polynomial(over * over, terms[::-1]) * over + factor / 2)
    if n == 0:
        return np.log(x) - series - steps
    series = (series + factor / n) * over**n + steps * factor
    return series if n % 2 else -series


def _compute_polygamma(x: Any, *, n: int) -> Any:
    """Below 0 by the derivatives of digamma(1 - x) - digamma(x) = pi cot(pi x)."""
    x = np.maximum(x, _LOWEST)
    below = np.less(x, 0)
    y = _polygamma_above_zero(where(below, 1 - x, x), n)
    sine, cosine = _in_turns(where(below, x, 0.25))
    pole = np.equal(sine, 0)
    turned = math.pi ** (n + 1) * polynomial(cosine / where(pole, 1.0, sine), _cotangents(n))
    mirrored = where(pole, math.inf if n % 2 else math.nan, (y if n % 2 == 0 else -y) - turned)
    return where(below, mirrored, y)


_polygamma = _special(
    "polygamma", _compute_polygamma, lambda g, y, x, *, n: g * polygamma(n + 1, x),
    "`polygamma` of a whole order.",
)  # fmt: skip


def digamma(x: Any) -> Any:
    """The derivative of log gamma(x), elementwise: minus infinity at 0, NaN at the negative whole numbers.

    Right to a few units in the last place of the terms that it is the sum of: they cancel near its root at
    1.4616 and those of negative x. Its derivative is polygamma(1, x).
    """
    return _polygamma(x, n=0)


_HIGHEST = 100


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of digamma(x), elementwise, for an order n from 0 to 100.

    At the negative whole numbers infinite for odd n; NaN for even n, of which the infinities on either side
    differ in sign. Its derivative is polygamma(n + 1, x). Raises SettingError for another order.
    """
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or not 0 <= n <= _HIGHEST:
        raise SettingError(f"polygamma: the order n is a whole number from 0 to {_HIGHEST}, not {n!r}")
    return _polygamma(x, n=int(n))


# --- sinc ----------------------------------------------------------------------------------

_STEEPEST = 8


def _compute_sinc(x: Any, *, n: int) -> Any:
    """Of pi x y = sin(pi x) the n-th derivative, pi (x y_n + n y_(n-1)) = pi^n sin(pi x + n pi / 2), gives
    each derivative from the one before; within 1, where these cancel, the power series is short."""
    sine, cosine = _in_turns(x)
    far = where(np.less(np.absolute(x), 2.0**-30 if n == 0 else 1.0), 1.0, x)
    y = sine / (far * math.pi)
    for k in range(1, n + 1):
        y = ((sine, cosine, -sine, -cosine)[k % 4] * math.pi ** (k - 1) - y * k) / far
    low = np.minimum(np.maximum(x, -1.0), 1.0)
    first = (n + 1) // 2
    terms = [
        (-1) ** k * math.pi ** (2 * k) / ((2 * k + 1) * math.factorial(2 * k - n))
        for k in range(first, first + 16)
    ]
    series = polynomial(low * low, terms[::-1])
    return where(np.equal(far, x), y, series * low if n % 2 else series)


def _sinc_rule(g: Any, y: Any, x: Any, *, n: int) -> Any:
    if n == _STEEPEST:
        raise SettingError(f"sinc: derivatives beyond the {n}th are not written; they would have few digits")
    return g * _sinc(x, n=n + 1)


_sinc = _special("sinc", _compute_sinc, _sinc_rule, "The n-th derivative of `sinc`.")


def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), elementwise, and 1 where x is 0, as NumPy has it; exactly 0 at the other whole
    numbers. Its first eight derivatives are written."""
    return _sinc(x, n=0)
