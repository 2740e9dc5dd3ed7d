"""The table of digits: how far each op, and its gradient, is from mpmath, in units in the last place.

Arguments are of every exponent that float32 and float64 have, subnormals among them, and many near 0, where
functions bend and where they saturate. The bounds hold for both dtypes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

import dynamic
import static
from shared import ops

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
Real = Any
"""One of mpmath's numbers."""

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


@dataclass(frozen=True)
class Row:
    """An op of one argument.

    call, value, slope  what it computes, and mpmath's value and derivative
    ulps    the worst errors of the value and of the gradient
    fast    those where kernels compute it, if they are more
    only    where it is tried
    terms   of what size the terms are whose sum the derivative is: near its root, units are theirs
    summed  the same of the value
    least   what counts as one unit where the result is less than the smallest normal number, in
            multiples of the smallest there is: products of x and of what has no more digits there
    """

    call: Callable[[Any], Any]
    value: Callable[[Real], Real]
    slope: Callable[[Real], Real]
    ulps: tuple[float, float]
    fast: tuple[float, float] = (0, 0)
    only: Callable[[float], bool] = lambda x: True
    terms: Callable[[Real], Real] = lambda x: mp.mpf(0)
    summed: Callable[[Real], Real] = lambda x: mp.mpf(0)
    least: int = 1


def _held(x: Real) -> Real:
    """x within bounds beyond which exp(-|x|) is 0 in every dtype, and mpmath would compute its digits."""
    return max(mp.mpf(-3000), min(mp.mpf(3000), x))


def _sigmoid(x: Real) -> Real:
    return 1 / (1 + mp.exp(-_held(x)))


def _softplus(x: Real) -> Real:
    return max(x, mp.mpf(0)) + mp.log1p(mp.exp(-abs(_held(x))))


def _normal(x: Real) -> Real:
    return mp.erfc(-_held(x) / mp.sqrt(2)) / 2


def _density(x: Real) -> Real:
    return mp.exp(-_held(x) ** 2 / 2) / mp.sqrt(2 * mp.pi)


def _bell(x: Real) -> Real:
    return mp.exp(-_held(x) ** 2) * 2 / mp.sqrt(mp.pi)


def _tanh_softplus(x: Real) -> Real:
    return mp.tanh(_softplus(_held(x)))


def _tanhshrink(x: Real) -> Real:
    """Near 0 the first terms of the series: there mpmath, too, would subtract what is equal."""
    return x**3 / 3 * (1 - 2 * x**2 / 5) if abs(x) < 1e-8 else x - mp.tanh(_held(x))


def _cubic(x: Real) -> Real:
    """The exponent of the logistic function that gelu by tanh is."""
    return 2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)


def _cubic_slope(x: Real) -> Real:
    return 2 * mp.sqrt(2 / mp.pi) * (1 + 3 * mp.mpf("0.044715") * x**2)


def _positive(x: float) -> bool:
    return x > 0


def _not_zero(x: float) -> bool:
    return x != 0


def _inside(x: float) -> bool:
    return -1 < x < 1


def _cross_entropy(label: int) -> Callable[[Any], Any]:
    """Of two classes whose logits are x and 0."""

    def call(x: Any) -> Any:
        column = ops.reshape(x, (-1, 1))
        logits = ops.concatenate([column, column * 0], axis=1)
        return ops.cross_entropy(logits, ops.full((x.shape[0],), label, "int64", like=x), reduction="none")

    return call


def _log_softmax(x: Any) -> Any:
    column = ops.reshape(x, (-1, 1))
    return ops.log_softmax(ops.concatenate([column, column * 0], axis=1))[:, 0]


def _logsumexp(x: Any) -> Any:
    column = ops.reshape(x, (-1, 1))
    return ops.logsumexp(ops.concatenate([column, column * 0], axis=1), axis=1)


def _bce(target: float) -> Callable[[Any], Any]:
    return lambda x: ops.binary_cross_entropy_with_logits(x, target, reduction="none")


def _moderate(x: float) -> bool:
    return abs(x) < 1e30  # x * 0 is no number where x is infinite


M = mp.mpf
SELU = M(1.6732632423543772), M(1.0507009873554805)

ROWS = {
    "reciprocal": Row(ops.reciprocal, lambda x: 1 / x, lambda x: -1 / x**2, (1, 2), only=_not_zero),
    "div of 3": Row(lambda x: 3.0 / x, lambda x: 3 / x, lambda x: -3 / x**2, (1, 3), only=_not_zero),
    "div by 3": Row(lambda x: x / 3.0, lambda x: x / 3, lambda x: 1 / M(3), (1, 1)),
    "square": Row(ops.square, lambda x: x**2, lambda x: 2 * x, (1, 1)),
    "sqrt": Row(ops.sqrt, mp.sqrt, lambda x: 1 / mp.sqrt(x) / 2, (1, 2), only=_positive),
    "rsqrt": Row(
        ops.rsqrt, lambda x: 1 / mp.sqrt(x), lambda x: -1 / mp.sqrt(x) / x / 2, (2, 2), only=_positive
    ),
    "pow 3": Row(lambda x: x**3, lambda x: x**3, lambda x: 3 * x**2, (2, 2)),
    "pow -2": Row(lambda x: x**-2, lambda x: x**-2, lambda x: -2 * x**-3, (2, 3), only=_not_zero),
    "pow 2.5": Row(
        lambda x: x**2.5, lambda x: x ** M(2.5), lambda x: x ** M(1.5) * 2.5, (4, 5), only=_positive
    ),
    "pow -0.5": Row(
        lambda x: x**-0.5, lambda x: 1 / mp.sqrt(x), lambda x: -1 / mp.sqrt(x) / x / 2, (2, 5), only=_positive
    ),
    "pow of 2": Row(lambda x: 2.0**x, lambda x: M(2) ** x, lambda x: M(2) ** x * mp.log(2), (4, 5)),
    "exp": Row(ops.exp, mp.exp, mp.exp, (3, 3)),
    "expm1": Row(ops.expm1, mp.expm1, mp.exp, (3, 3)),
    "log": Row(ops.log, mp.log, lambda x: 1 / x, (2, 1), only=_positive),
    "log1p": Row(ops.log1p, mp.log1p, lambda x: 1 / (1 + x), (2, 2), only=lambda x: x > -1),
    "sin": Row(ops.sin, mp.sin, mp.cos, (2, 2)),
    "cos": Row(ops.cos, mp.cos, lambda x: -mp.sin(x), (2, 2)),
    "tan": Row(ops.tan, mp.tan, lambda x: 1 / mp.cos(x) ** 2, (4, 8)),
    "tanh": Row(ops.tanh, mp.tanh, lambda x: 1 / mp.cosh(x) ** 2, (4, 4), (4, 6)),
    "sigmoid": Row(ops.sigmoid, _sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x), (4, 4), (4, 6)),
    "log_sigmoid": Row(ops.log_sigmoid, lambda x: -_softplus(-x), lambda x: _sigmoid(-x), (4, 4), (4, 6)),
    "softplus": Row(ops.softplus, _softplus, _sigmoid, (4, 4), (4, 6)),
    "silu": Row(
        ops.silu, lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x)),
        (6, 6), (8, 8), terms=_sigmoid, least=1024,
    ),
    "relu": Row(ops.relu, lambda x: max(x, M(0)), lambda x: M(x > 0), (0, 0)),
    "leaky_relu": Row(ops.leaky_relu, lambda x: max(x, x / 100), lambda x: M(1 if x > 0 else 0.01), (1, 1)),
    "elu": Row(
        ops.elu, lambda x: x if x > 0 else mp.expm1(x), lambda x: mp.exp(min(x, M(0))), (3, 3), only=_not_zero
    ),
    "elu of 1.5": Row(
        lambda x: ops.elu(x, 1.5), lambda x: x if x > 0 else mp.expm1(x) * 1.5,
        lambda x: M(1) if x > 0 else mp.exp(x) * 1.5, (3, 4), (4, 4), only=_not_zero,
    ),
    "selu": Row(
        ops.selu, lambda x: SELU[1] * (x if x > 0 else mp.expm1(x) * SELU[0]),
        lambda x: SELU[1] * (M(1) if x > 0 else mp.exp(x) * SELU[0]), (4, 5), (5, 5), only=_not_zero,
    ),
    "celu": Row(
        lambda x: ops.celu(x, 0.75), lambda x: x if x > 0 else mp.expm1(x / M(0.75)) * M(0.75),
        lambda x: mp.exp(min(x, M(0)) / M(0.75)), (4, 400),  # x / alpha is rounded
    ),
    "mish": Row(
        ops.mish, lambda x: x * _tanh_softplus(x),
        lambda x: _tanh_softplus(x) + x * (1 - _tanh_softplus(x) ** 2) * _sigmoid(x), (8, 8), (8, 8),
        terms=_tanh_softplus, least=1024,
    ),
    "softsign": Row(ops.softsign, lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, (2, 4)),
    "tanhshrink": Row(ops.tanhshrink, _tanhshrink, lambda x: mp.tanh(_held(x)) ** 2, (4, 8), (8, 8)),
    "hardsigmoid": Row(
        ops.hardsigmoid, lambda x: max(M(0), min(M(6), x + 3)) / 6, lambda x: M(-3 < x < 3) / 6, (2, 1)
    ),
    "erf": Row(ops.erf, lambda x: mp.erf(_held(x)), _bell, (2, 5), (4, 6)),
    "erfc": Row(ops.erfc, lambda x: mp.erfc(_held(x)), lambda x: -_bell(x), (8, 5), (8, 6)),
    "normal_cdf": Row(ops.normal_cdf, _normal, _density, (6, 5), (6, 6)),
    "gelu": Row(
        ops.gelu, lambda x: x * _normal(x), lambda x: _normal(x) + x * _density(x), (6, 6), (8, 8),
        terms=_normal, least=1024,
    ),
    "gelu by tanh": Row(  # whose exponent is rounded: as many units as it is large
        lambda x: ops.gelu(x, "tanh"), lambda x: x * _sigmoid(_cubic(x)),
        lambda x: _sigmoid(_cubic(x)) * (1 + x * _sigmoid(-_cubic(x)) * _cubic_slope(x)), (600, 800),
        terms=lambda x: _sigmoid(_cubic(x)), least=1 << 16,
    ),
    "huber_loss": Row(
        lambda x: ops.huber_loss(x, 0.0, "none", 0.75),
        lambda x: x**2 / 2 if abs(x) <= 0.75 else M(0.75) * (abs(x) - M(0.375)),
        lambda x: max(M(-0.75), min(M(0.75), x)), (2, 1),
    ),
    "smooth_l1_loss": Row(
        lambda x: ops.smooth_l1_loss(x, 0.0, "none", 0.75),
        lambda x: x**2 / M(1.5) if abs(x) <= 0.75 else abs(x) - M(0.375),
        lambda x: max(M(-1), min(M(1), x / M(0.75))), (3, 2),
    ),
    "soft_margin_loss": Row(
        lambda x: ops.soft_margin_loss(x, -1.0, "none"), _softplus, _sigmoid, (4, 4), (4, 6)
    ),
    "binary_cross_entropy at 0": Row(  # as in PyTorch, the gradient's denominator is 1e-12 at least
        lambda x: ops.binary_cross_entropy(x, 0.0, reduction="none"), lambda x: -mp.log1p(-x),
        lambda x: 1 / (1 - x), (2, 4), only=lambda x: 1e-11 < x < 1,
    ),
    "binary_cross_entropy at 1": Row(
        lambda x: ops.binary_cross_entropy(x, 1.0, reduction="none"), lambda x: -mp.log(x),
        lambda x: -1 / x, (2, 4), only=lambda x: 1e-11 < x < 1,
    ),
    "... with logits, at 0": Row(_bce(0.0), _softplus, _sigmoid, (4, 4), (4, 6)),
    "... with logits, at 1": Row(_bce(1.0), lambda x: _softplus(-x), lambda x: -_sigmoid(-x), (4, 4), (4, 6)),
    "... with logits, at 1/4": Row(
        _bce(0.25), lambda x: _softplus(x) * 0.75 + _softplus(-x) * 0.25,
        lambda x: _sigmoid(x) * 0.75 - _sigmoid(-x) * 0.25, (4, 6), (4, 6), terms=_sigmoid,
    ),
    "cross_entropy, the first": Row(
        _cross_entropy(0), lambda x: _softplus(-x), lambda x: -_sigmoid(-x), (4, 4), only=_moderate
    ),
    "cross_entropy, the other": Row(_cross_entropy(1), _softplus, _sigmoid, (4, 4), only=_moderate),
    "log_softmax": Row(
        _log_softmax, lambda x: -_softplus(-x), lambda x: _sigmoid(-x), (4, 5), only=_moderate
    ),
    "asin": Row(ops.asin, mp.asin, lambda x: 1 / mp.sqrt(1 - x**2), (2, 3), only=_inside),
    "acos": Row(ops.acos, mp.acos, lambda x: -1 / mp.sqrt(1 - x**2), (2, 3), only=_inside),
    "atan": Row(ops.atan, mp.atan, lambda x: 1 / (1 + x**2), (2, 4)),
    "atan2 over 1.5": Row(
        lambda x: ops.atan2(x, 1.5), lambda x: mp.atan(x / 1.5), lambda x: 1.5 / (2.25 + x**2), (2, 5)
    ),
    "atan2 of 1.5": Row(
        lambda x: ops.atan2(1.5, x), lambda x: mp.atan2(1.5, x), lambda x: -1.5 / (2.25 + x**2), (2, 5)
    ),
    "hypot": Row(
        lambda x: ops.hypot(x, 1.5), lambda x: mp.sqrt(x**2 + 2.25), lambda x: x / mp.sqrt(x**2 + 2.25),
        (1, 2),
    ),
    "sinh": Row(ops.sinh, lambda x: mp.sinh(_held(x)), lambda x: mp.cosh(_held(x)), (4, 4)),
    "cosh": Row(ops.cosh, lambda x: mp.cosh(_held(x)), lambda x: mp.sinh(_held(x)), (4, 4)),
    "asinh": Row(ops.asinh, mp.asinh, lambda x: 1 / mp.sqrt(x**2 + 1), (4, 3)),
    "acosh": Row(ops.acosh, mp.acosh, lambda x: 1 / mp.sqrt(x**2 - 1), (4, 4), only=lambda x: x > 1),
    "atanh": Row(ops.atanh, mp.atanh, lambda x: 1 / (1 - x**2), (4, 4), only=_inside),
    "exp2": Row(ops.exp2, lambda x: M(2) ** x, lambda x: M(2) ** x * mp.log(2), (3, 4)),
    "log2": Row(
        ops.log2, lambda x: mp.log(x) / mp.log(2), lambda x: 1 / x / mp.log(2), (3, 2), only=_positive
    ),
    "log10": Row(ops.log10, mp.log10, lambda x: 1 / x / mp.log(10), (3, 2), only=_positive),
    "logaddexp with 0": Row(lambda x: ops.logaddexp(x, 0.0), _softplus, _sigmoid, (4, 4), (4, 6)),
    "logit": Row(
        ops.logit, lambda x: mp.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), (3, 3), (4, 3),
        only=lambda x: 0 < x < 1,
    ),
    "deg2rad": Row(ops.deg2rad, lambda x: x * mp.pi / 180, lambda x: mp.pi / 180, (2, 1)),
    "erfinv": Row(
        ops.erfinv, mp.erfinv, lambda x: mp.exp(mp.erfinv(x) ** 2) * mp.sqrt(mp.pi) / 2, (3, 5), only=_inside
    ),
    "lgamma": Row(
        ops.lgamma, mp.loggamma, mp.digamma, (4, 6), only=_positive, terms=lambda x: 1 + 1 / x
    ),
    "lgamma below 0": Row(
        ops.lgamma, lambda x: mp.log(abs(mp.gamma(x))), mp.digamma, (6, 6),
        only=lambda x: -40 < x < -1e-3 and x % 1 != 0,
        terms=lambda x: mp.pi * (1 + abs(mp.cot(mp.pi * x))) + abs(mp.log(1 - x)),
        summed=lambda x: 2 + abs(mp.log(abs(mp.sinpi(x)))) + abs(mp.loggamma(1 - x)),
    ),
    "digamma": Row(
        ops.digamma, mp.digamma, lambda x: mp.psi(1, x), (6, 6), only=_positive, summed=lambda x: 1 + 1 / x
    ),
    "trigamma": Row(
        lambda x: ops.polygamma(1, x), lambda x: mp.psi(1, x), lambda x: mp.psi(2, x), (6, 6), only=_positive
    ),
    "sinc": Row(
        ops.sinc, lambda x: mp.sinpi(x) / (mp.pi * x),
        lambda x: (mp.cospi(x) - mp.sinpi(x) / (mp.pi * x)) / x, (4, 6),
        only=lambda x: 1e-15 < abs(x) < 1e9, terms=lambda x: 2 / abs(x) if abs(x) > 1 else M(0),
    ),
    "logsumexp": Row(_logsumexp, _softplus, _sigmoid, (4, 24), only=_moderate),
}  # fmt: skip


def everywhere(dtype: Any) -> Any:
    """Numbers of both signs and all exponents, and many where functions bend; the same in every run."""
    limits = np.finfo(dtype)
    rng = np.random.default_rng(7)
    exponents = np.arange(limits.minexp - limits.nmant, limits.maxexp, 4 if dtype == np.float32 else 29)
    sizes = np.ldexp(rng.uniform(1, 2, exponents.size), exponents)
    near = [rng.uniform(-size, size, 24) for size in (1e-3, 0.3, 2, 6, 12, 25, 110, 750)]
    edges = [0.0, -0.0, 0.5, 1.0, 2.0, float(limits.max), float(limits.tiny)]
    return np.concatenate([sizes, -sizes, *near, edges, np.negative(edges)]).astype(dtype)


def unit(size: Real, dtype: Any, least: int) -> Real:
    """The distance of the numbers of that size from each other."""
    limits = np.finfo(dtype)
    exponent = mp.frexp(size)[1] - 1 if size else limits.minexp
    if exponent < limits.minexp:
        return mp.ldexp(least, limits.minexp - limits.nmant)
    return mp.ldexp(1, exponent - limits.nmant)


@dataclass(frozen=True)
class Reference:
    """The arguments of a row, what the op should give and its gradient, and the units of each."""

    x: Any
    values: list[Real]
    slopes: list[Real]
    units: tuple[list[Real], list[Real]]


@cache
def reference(name: str, dtype: Any) -> Reference:
    row, x = ROWS[name], everywhere(dtype)
    x = x[[row.only(value) for value in x.tolist()]]
    end = mp.ldexp(1, np.finfo(dtype).maxexp)  # infinite counts as the power of two behind the largest number
    with mpmath.workprec(200):
        given = [M(value) for value in x.tolist()]
        values, slopes = ([max(-end, min(end, of(v))) for v in given] for of in (row.value, row.slope))
        units = tuple(
            [unit(max(abs(y), terms(v)), dtype, row.least) for v, y in zip(given, made, strict=True)]
            for made, terms in ((values, row.summed), (slopes, row.terms))
        )
    return Reference(x, values, slopes, units)


def held(what: str, x: Any, got: Any, wanted: list[Real], units: list[Real], bound: float) -> None:
    """No result is further off than so many units."""
    end = mp.ldexp(1, np.finfo(x.dtype).maxexp)
    assert not np.isnan(got).any(), f"{what} is no number at {x[np.isnan(got)]}"
    with mpmath.workprec(200):
        close = [max(-end, min(end, M(y))) for y in got.tolist()]
        off = [float(abs(y - w) / one) for y, w, one in zip(close, wanted, units, strict=True)]
    at = int(np.argmax(off))
    assert off[at] <= bound, f"{what} is off by {off[at]} units at {x[at]!r}"


@each_dtype
@pytest.mark.parametrize("name", ROWS)
def test_no_more_digits_are_lost_than_the_table_says(name: str, dtype: Any) -> None:
    row, known = ROWS[name], reference(name, dtype)
    x = dynamic.tensor(known.x, requires_grad=True)
    y = row.call(x)
    g = dynamic.grad(ops.sum(y), x).numpy()
    assert y.dtype == g.dtype == dtype
    held(name, known.x, y.numpy(), known.values, known.units[0], row.ulps[0])
    held(f"the gradient of {name}", known.x, g, known.slopes, known.units[1], row.ulps[1])


@each_dtype
def test_nor_where_kernels_compute_it(dtype: Any) -> None:
    feeds, fetches = {}, []
    with static.Graph().as_default():
        for name, row in ROWS.items():
            x = static.placeholder(dtype, (None,))
            feeds[x] = reference(name, dtype).x
            y = row.call(x)
            fetches.append((y, static.gradients(ops.sum(y), [x])[0]))
        with static.Session(optimize="fast") as session:
            found = session.run(fetches, feeds)
    for (name, row), (y, g) in zip(ROWS.items(), found, strict=True):
        known, bounds = reference(name, dtype), tuple(map(max, row.ulps, row.fast))
        held(name, known.x, y, known.values, known.units[0], bounds[0])
        held(f"the gradient of {name}", known.x, g, known.slopes, known.units[1], bounds[1])
