"""The functions that kernels have of their own keep within their stated errors, over the whole range."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from shared.kernels import machine
from shared.kernels.fused import Element, Input, Recipe, kernel_of

pytestmark = pytest.mark.skipif(machine.available() != "", reason=machine.available())

UNITS = {
    "exp": 2, "expm1": 3, "log": 2, "log1p": 2, "tanh": 4, "erf": 4, "erfc": 8, "normcdf": 6, "bell": 3,
}  # fmt: skip
"""The errors that fast_math states, in units in the last place."""
MEASURES: dict[str, Any] = {
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "normcdf": lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "bell": lambda x: mpmath.exp(-x * x / 2),
}
EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]

each_function = pytest.mark.parametrize("name", UNITS)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def everywhere(dtype: Any) -> Any:
    """Numbers of every sign and exponent, subnormals and edges among them, and many near 0 and 1."""
    rng = np.random.default_rng(3)
    whole = np.dtype(f"u{np.dtype(dtype).itemsize}")
    bits = rng.integers(0, np.iinfo(whole).max, 200_000, whole, endpoint=True).view(dtype)
    near = [rng.uniform(-scale, scale, 50_000) for scale in (1e-3, 1, 10, 100, 750)]
    return np.concatenate([bits, *(part.astype(dtype) for part in near), np.array(EDGES, dtype)])


def applied(name: str, x: Any) -> Any:
    kind = x.dtype.name
    kernel = kernel_of(
        Recipe(None, (Input(kind, (True,)),), (Element(f"{name}(a0)", (0,), kind),), ((1,),))
    )
    y = np.empty_like(x)
    assert kernel(y, x) is True
    return y


def measured(name: str, x: float) -> float:
    """mpmath's value, but that it has neither NaN's nor a zero's sign."""
    if x != x or (x == 0 and name == "erf"):
        return x
    with mpmath.workprec(120):
        return float(MEASURES[name](mpmath.mpf(x)))


def exact(name: str, x: Any) -> Any:
    """The function in a wider format: 53 bits for float32, what the machine has for float64; for the error
    functions mpmath's."""
    if name in MEASURES:
        return np.array([measured(name, v) for v in np.clip(x, -1e3, 1e3).tolist()])
    wider = np.float64 if x.dtype == np.float32 else np.longdouble
    return getattr(np, name)(x.astype(wider))


@each_dtype
@each_function
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_errors_stay_within_what_is_stated(name: str, dtype: Any) -> None:
    x = everywhere(dtype)
    x = x[::150].copy() if name in MEASURES else x  # mpmath takes its time
    y, wanted = applied(name, x), exact(name, x)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(wanted))
    rounded = wanted.astype(dtype)
    finite = np.isfinite(rounded) & np.isfinite(y)
    unit = np.spacing(np.abs(rounded[finite])).astype(wanted.dtype)
    worst = np.max(np.abs(y[finite] - wanted[finite]) / unit)
    assert worst <= UNITS[name], (worst, x[finite][np.argmax(np.abs(y[finite] - wanted[finite]) / unit)])
    # Where one of the two is infinite, the other is, or is the largest number there is.
    largest = np.finfo(dtype).max
    np.testing.assert_array_less(0.9999 * largest, np.abs(y[~finite & np.isfinite(rounded)]))
    np.testing.assert_array_less(0.9999 * largest, np.abs(rounded[~finite & np.isfinite(y)]))


@each_dtype
@each_function
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_edges_are_exact(name: str, dtype: Any) -> None:
    """NaN, infinities, 1 and both zeros, with the signs of what comes out."""
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype)
    y, wanted = applied(name, x), exact(name, x).astype(dtype)
    np.testing.assert_array_equal(y, wanted)
    held = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(y[held]), np.signbit(wanted[held]))


@each_function
def test_an_element_does_not_depend_on_its_neighbours(name: str) -> None:
    """A vector's tail is computed as its body is."""
    x = np.random.default_rng(0).uniform(0.1, 3, 37).astype(np.float32)
    whole = applied(name, x)
    for start in range(0, 37, 5):
        part = np.ascontiguousarray(x[start : start + 3])
        np.testing.assert_array_equal(applied(name, part), whole[start : start + 3])
