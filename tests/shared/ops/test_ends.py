"""What the functions of single numbers give where they end: at 0 and 1, at poles, at infinity, for NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import DTypeError, SettingError

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")

INF, NAN = math.inf, math.nan
ENDS: dict[str, tuple[Callable[[Any], Any], list[float], list[float], list[float] | None]] = {
    "asin": (ops.asin, [1, -1, 1.5], [math.pi / 2, -math.pi / 2, NAN], [INF, INF, NAN]),
    "acos": (ops.acos, [1, -1, -1.5], [0, math.pi, NAN], [-INF, -INF, NAN]),
    "atan": (ops.atan, [1e30, -INF, -0.0], [math.pi / 2, -math.pi / 2, -0.0], [0, 0, 1]),
    "acosh": (ops.acosh, [1, 0.5, INF], [0, NAN, INF], [INF, NAN, 0]),
    "atanh": (ops.atanh, [1, -1, 2, -0.0], [INF, -INF, NAN, -0.0], [INF, INF, -1 / 3, 1]),
    "sinh": (ops.sinh, [1000, -1000, -0.0], [INF, -INF, -0.0], [INF, INF, 1]),
    "log2": (ops.log2, [0, 8, 2.0**-20, -1], [-INF, 3, -20, NAN], None),
    "log10": (ops.log10, [0, 1000, INF], [-INF, 3, INF], None),
    "exp2": (ops.exp2, [-INF, 10, 5000], [0, 1024, INF], [0, 1024 * math.log(2), INF]),
    "trunc": (ops.trunc, [-0.5, 0.5, -0.0, INF, NAN], [-0.0, 0, -0.0, INF, NAN], [0, 0, 0, 0, 0]),
    "logit": (ops.logit, [0, 1, 0.5, 1.5], [-INF, INF, 0, NAN], [INF, INF, 4, -4 / 3]),
    "logit, held": (lambda x: ops.logit(x, eps=0.0), [0, 1], [-INF, INF], None),
    "erfinv": (ops.erfinv, [1, -1, 1.5, -0.0], [INF, -INF, NAN, -0.0],
               [INF, INF, NAN, math.sqrt(math.pi) / 2]),
    "lgamma": (ops.lgamma, [0, -0.0, 1, 2, -1, -7, INF, -INF, 1e306],
               [INF, INF, 0, 0, INF, INF, INF, INF, INF], None),
    "digamma": (ops.digamma, [0, -0.0, -1, INF, -INF], [-INF, INF, NAN, INF, NAN], None),
    "trigamma": (lambda x: ops.polygamma(1, x), [0, -1, INF, -INF], [INF, INF, 0, INF], None),
    "sinc": (ops.sinc, [0, -0.0, 1, -2, 1e18], [1, 1, 0, 0, 0], [0, 0, -1, -0.5, 1e-18]),
    "logaddexp with 0": (lambda x: ops.logaddexp(x, 0.0), [-INF, INF, 1000], [0, INF, 1000], [0, 1, 1]),
    "logaddexp of itself": (lambda x: ops.logaddexp(x, x), [-INF, INF], [-INF, INF], [0, 1]),
    "hypot": (lambda x: ops.hypot(x, 0.0), [0, -3, 1e30], [0, 3, 1e30], [0, -1, 1]),
    "atan2": (lambda x: ops.atan2(x, 0.0), [0, -0.0, INF], [0, -0.0, math.pi / 2], [0, 0, 0]),
    "xlogy with 0": (lambda x: ops.xlogy(x, 0.0), [0, 2], [0, -INF], None),
    "xlogy with NaN": (lambda x: ops.xlogy(x, NAN), [0, 2], [NAN, NAN], None),
    "nan_to_num": (lambda x: ops.nan_to_num(x, 1.0, 9.0, -9.0), [NAN, INF, -INF, 2], [1, 9, -9, 2],
                   [0, 0, 0, 1]),
    "isinf": (ops.isinf, [INF, -INF, NAN, 1], [1, 1, 0, 0], None),
    "fmax": (lambda x: ops.fmax(x, 1.0), [NAN, 2, 1, -INF], [1, 2, 1, 1], [0, 1, 1, 0]),
    "heaviside": (lambda x: ops.heaviside(x, 0.5), [-INF, -0.0, INF, NAN], [0, 0.5, 1, NAN], None),
    "copysign": (lambda x: ops.copysign(3.0, x), [-0.0, 0, -INF, INF], [-3, 3, -3, 3], None),
}  # fmt: skip
"""By name a call, numbers, what comes out and the gradient there."""
each_end = pytest.mark.parametrize("name", ENDS)


@each_end
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_at_the_ends(name: str, dtype: Any) -> None:
    call, numbers, wanted, slopes = ENDS[name]
    if name in ("lgamma", "sinc") and dtype == np.float32:
        numbers = [min(x, 3e38) if x != INF else x for x in numbers]
    x = dynamic.tensor(np.array(numbers, dtype), requires_grad=True)
    y = call(x)
    assert_same(y.numpy(), wanted, dtype)
    if slopes is not None:
        g = dynamic.grad(ops.sum(y), x, allow_unused=True) if y.requires_grad else None
        assert_same(np.zeros(len(wanted)) if g is None else g.numpy(), slopes, dtype)


@each_end
def test_so_they_are_in_a_program(name: str) -> None:
    """Fused or not."""
    call, numbers, wanted, _ = ENDS[name]
    with static.Graph().as_default():
        x = static.placeholder("float64", (None,))
        y = call(x)
        for level in ("exact", "fast"):
            with static.Session(optimize=level) as session:
                assert_same(session.run(y, {x: np.array(numbers)}), wanted, np.float64)


def assert_same(got: Any, wanted: list[float], dtype: Any) -> None:
    """Nearly equal; zeros have their signs."""
    right = np.array(wanted)
    near = 8 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(got, right, rtol=near, atol=near * 1e-3)
    minus = np.signbit(right) & (right == 0)
    assert np.signbit(got[minus]).all()


def test_nan_to_num_puts_the_ends_of_the_dtype() -> None:
    for dtype in (np.float16, np.float32, np.float64):
        y = ops.nan_to_num(np.array([NAN, INF, -INF], dtype))
        most = np.finfo(dtype).max
        np.testing.assert_array_equal(y, np.array([0, most, -most], dtype))
    np.testing.assert_array_equal(ops.nan_to_num(np.arange(3)), np.arange(3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_long_array_is_worked_through_in_pieces(dtype: Any) -> None:
    x = np.random.default_rng(0).uniform(0.1, 9, (257, 129)).astype(dtype)
    for op in (ops.lgamma, ops.digamma, ops.sinc):
        np.testing.assert_array_equal(op(x.T), np.stack([op(row) for row in x], axis=1))
        np.testing.assert_array_equal(op(x[:4].T.copy().T), op(x[:4]))


def test_what_is_refused_is_said() -> None:
    for call, error, words in (
        (lambda: ops.polygamma(-1, 2.0), SettingError, "polygamma: the order n is a whole number from 0"),
        (lambda: ops.polygamma(1.5, 2.0), SettingError, "polygamma: the order"),
        (lambda: ops.logit(np.ones(2), eps=0.7), SettingError, "logit: eps must be from 0 to 1/2"),
        (lambda: ops.lgamma(np.ones(2, np.complex64)), DTypeError, "lgamma: complex64"),
        (lambda: ops.isposinf(np.ones(2, np.complex64)), DTypeError, "isposinf: complex64 has no order"),
        (lambda: ops.nan_to_num(np.ones(2, np.complex64)), DTypeError, "nan_to_num: complex64"),
        (lambda: ops.nan_to_num(np.ones(2), nan="0"), SettingError, "nan_to_num: nan must be a number"),
    ):
        with pytest.raises(error, match=words):
            call()


def test_derivatives_of_sinc_end_with_the_eighth() -> None:
    x = dynamic.tensor(np.array([0.3]), requires_grad=True)
    y = ops.sinc(x)
    for _ in range(8):
        y = dynamic.grad(ops.sum(y), x, create_graph=True)
    with pytest.raises(SettingError, match="derivatives beyond the 8th are not written"):
        dynamic.grad(ops.sum(y), x)
