"""exp, log, tanh and their like as straight-line arithmetic, so that loops over them vectorise.

Each takes and gives a term (float32 or float64), and is exact at NaN, infinities and both zeros. Errors,
in units in the last place, over the whole range (`test_fast_math.py` measures them): exp, log and
log1p 2, expm1 and bell 3, tanh and erf 4, normcdf 6, erfc 8. The methods are those of any handbook (Muller,
Elementary Functions, 2016): reduction to a short interval in two steps of ln 2 (Cody and Waite 1980), and
there the Taylor series, which is short enough to need no fitted coefficients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.kernels.erf import DOUBLE, FARTHEST, NEAR, SINGLE
from shared.kernels.scalars import FLOAT32, FLOAT64, Code, Term

_LN2 = math.log(2.0)
_LN2_SCALED = 921350637599661305226344307672478454  # floor(2^120 ln 2)


@dataclass(frozen=True)
class Format:
    """What depends on the precision.

    mantissa     bits after the point
    whole        an integer dtype of the same width
    ln2          ln 2 in two parts; the first has so few bits that its multiples are exact
    series       terms of the exponential's series, and of the logarithm's
    low, high    beyond these exp is 0, or infinite
    """

    mantissa: int
    whole: np.dtype[Any]
    ln2: tuple[float, float]
    series: tuple[int, int]
    low: float
    high: float

    @property
    def bias(self) -> int:
        return (1 << (8 * self.whole.itemsize - self.mantissa - 2)) - 1

    @property
    def magic(self) -> float:
        """Added to a number it pushes the fraction out: what is left in the low bits is rint(x)."""
        return 1.5 * 2.0**self.mantissa


def _ln2_parts(bits: int) -> tuple[float, float]:
    """ln 2 cut after so many bits, and the rest of it (to 53 bits more)."""
    high = _LN2_SCALED >> (120 - bits)
    return high / 2**bits, (_LN2_SCALED - (high << (120 - bits))) / 2**120


FORMATS = {
    FLOAT32: Format(23, np.dtype(np.int32), _ln2_parts(15), (7, 4), -104.0, 89.0),
    FLOAT64: Format(52, np.dtype(np.int64), _ln2_parts(41), (13, 10), -746.0, 710.0),
}


def _horner(code: Code, x: Term, coefficients: list[float]) -> Term:
    """A polynomial, its coefficients from the highest power down."""
    y: Any = coefficients[0]
    for c in coefficients[1:]:
        y = code.multiply_add(x, y, c)
    return y


def _clamped(code: Code, x: Term, low: float, high: float) -> Term:
    """x held in bounds; NaN stays NaN."""
    x = code.select(x < low, low, x)
    return code.select(x > high, high, x)


def _power_of_two(code: Code, n: Term, f: Format, dtype: np.dtype[Any]) -> Term:
    """2^n for an integer n that is no exponent of a subnormal."""
    return code.bits(code.shifted(n + f.bias, f.mantissa), dtype)


def _reduced(code: Code, x: Term, f: Format) -> tuple[Term, Term]:
    """x = n ln 2 + r with |r| <= ln 2 / 2: (n, r). Of NaN, r is NaN and n is anything."""
    t = code.multiply_add(x, 1 / _LN2, f.magic)
    n = code.bits(t, f.whole) - int(np.asarray(f.magic, x.dtype).view(f.whole))
    whole = t - f.magic
    r = code.multiply_add(whole, -f.ln2[0], x)
    return n, code.multiply_add(whole, -f.ln2[1], r)


def _exp_series(f: Format, first: int) -> list[float]:
    """1/k! from the last one down to k = first."""
    return [1 / math.factorial(k) for k in range(f.series[0], first - 1, -1)]


def exp(code: Code, x: Term) -> Term:
    """e^x; subnormal results are rounded twice."""
    f = FORMATS[x.dtype]
    n, r = _reduced(code, _clamped(code, x, f.low, f.high), f)
    y = _horner(code, r, _exp_series(f, 0))
    half = code.shifted(n, -1)  # 2^n in two factors: one alone may be out of range
    y = y * _power_of_two(code, half, f, x.dtype)
    return y * _power_of_two(code, n - half, f, x.dtype)


def expm1(code: Code, x: Term) -> Term:
    """e^x - 1 as 2^n (e^r - 1) + (2^n - 1); halved meanwhile, so that 2^n stays in range."""
    f = FORMATS[x.dtype]
    n, r = _reduced(code, _clamped(code, x, -2.0 * f.mantissa, f.high), f)
    q = code.multiply_add(r * r, _horner(code, r, _exp_series(f, 2)), r)
    half = _power_of_two(code, n - 1, f, x.dtype)
    return code.signed(code.multiply_add(half, q, half - 0.5) * 2, x)


def tanh(code: Code, x: Term) -> Term:
    """(e^2x - 1) / (e^2x + 1) of |x|, with the sign of x. From 20 on it is 1."""
    e = expm1(code, _clamped(code, code.absolute(x), 0.0, 20.0) * 2)
    return code.signed(e / (e + 2), x)


def log(code: Code, x: Term) -> Term:
    """x = 2^k (1 + f), 1 + f within a root of 2 from 1; log(1 + f) = 2 artanh(s), s = f / (2 + f)."""
    f = FORMATS[x.dtype]
    tiny = float(np.finfo(x.dtype).tiny)
    scale = f.mantissa + 2
    normal = code.select(x < tiny, x * 2.0**scale, x)
    root = int(np.asarray(math.sqrt(0.5), x.dtype).view(f.whole))
    above = code.bits(normal, f.whole) - root
    k = code.shifted(above, -f.mantissa)
    k = code.select(x < tiny, k - scale, k)
    m = code.bits(code.masked(above, (1 << f.mantissa) - 1) + root, x.dtype) - 1
    y = _log1p_near(code, m, f, code.cast(k, x.dtype))
    y = code.select(x == math.inf, x, y)
    y = code.select(x == 0, -math.inf, y)
    return code.select(code.either(x < 0, x != x), math.nan, y)


def _log1p_near(code: Code, m: Term, f: Format, k: Term) -> Term:
    """log(1 + m) + k ln 2 for |m| < 0.42, with m - m^2/2 as it is: the rest is small (fdlibm 1993)."""
    s = m / (m + 2)
    z = s * s
    rest = z * _horner(code, z, [2 / (2 * i + 3) for i in range(f.series[1] - 1, -1, -1)])
    square = m * m * 0.5
    low = code.multiply_add(s, square + rest, k * f.ln2[1])
    return code.multiply_add(k, f.ln2[0], m - (square - low))


def log1p(code: Code, x: Term) -> Term:
    """log(u) for u = 1 + x, and what rounding took from u divided by u (Hewlett-Packard 1982)."""
    u = x + 1
    y = log(code, u)
    y = code.select(code.either(u == 0, u == math.inf), y, y + (x - (u - 1)) / u)
    return code.signed(y, x)


def erf(code: Code, x: Term) -> Term:
    """x + x P(x^2) / Q(x^2) near 0; further on 1 - exp(-x^2) P(|x|) / Q(|x|), with the sign of x."""
    low, more, tail = _erf_parts(code, x, _bell(code, x, 1.0))
    return code.select(code.absolute(x) <= NEAR, low + more, code.signed(1 - tail, x))


def erfc(code: Code, x: Term) -> Term:
    """1 - erf(x): near 0 as 1/2 - (x - 1/2 + ...), further on from its tail."""
    return _erfc_of(code, x, _bell(code, x, 1.0))


def normcdf(code: Code, x: Term) -> Term:
    """erfc(-x / sqrt(2)) / 2, with exp(-x^2 / 2) computed from x itself."""
    return _erfc_of(code, x * -math.sqrt(0.5), _bell(code, x, 0.5)) * 0.5


def bell(code: Code, x: Term) -> Term:
    """exp(-x^2 / 2)."""
    return _bell(code, x, 0.5)


def _erfc_of(code: Code, z: Term, bell: Term) -> Term:
    low, more, tail = _erf_parts(code, z, bell)
    far = code.select(z < 0, 2 - tail, tail)
    return code.select(code.absolute(z) <= NEAR, 0.5 - ((low - 0.5) + more), far)


def _erf_parts(code: Code, z: Term, bell: Term) -> tuple[Term, Term, Term]:
    """z held near 0, there erf(z) - z, and erfc(|z|) for far |z|; `bell` is exp(-z^2)."""
    near, far = SINGLE if z.dtype == FLOAT32 else DOUBLE
    low = _clamped(code, z, -NEAR, NEAR)  # of the other part's z nothing may overflow
    more = low * _ratio(code, low * low, *near)
    return low, more, bell * _ratio(code, _clamped(code, code.absolute(z), 0.0, FARTHEST), *far)


def _bell(code: Code, x: Term, scale: float) -> Term:
    """exp(-scale x^2) in two factors: the square of |x| rounded down to sixteenths is exact (Cody 1969)."""
    size = _clamped(code, code.absolute(x), 0.0, FARTHEST)
    r = code.rounded("floor", size * 16) * 0.0625
    parts = r * r * -scale, (size - r) * (size + r) * -scale
    near, rest = (code.functions["exp"](code, part) for part in parts)  # on a GPU its own
    return near * rest


def _ratio(code: Code, x: Term, above: tuple[float, ...], below: tuple[float, ...]) -> Term:
    y = _horner(code, x, list(above))
    return y / _horner(code, x, list(below)) if below else y
