"""`//` and `%` are Python's, of whatever they are written between; integers are not divided by 0."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import DivisionError, DTypeError
from shared.state import Parameter

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")

FORMS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "//": (operator.floordiv, operator.floordiv),
    "%": (operator.mod, operator.mod),
    "fmod": (ops.fmod, math.fmod),
}
"""What is written of ours, and of Python's numbers."""
each_form = pytest.mark.parametrize("form", FORMS)
FLOATS = [0.0, -0.0, 0.3, -0.3, 1.0, -1.0, 2.5, -2.5, 7.0, 1e300, -1e300, 5e-324, math.inf, -math.inf]
WHOLE = [-9, -4, -3, -1, 1, 2, 3, 7, 2**40]


def on_static(form: Any, *arrays: Any) -> Any:
    with static.Graph().as_default():
        xs = [static.placeholder(a.dtype, (None,)) for a in arrays]
        y = form(*xs)
        with static.Session() as session:
            return session.run(y, dict(zip(xs, arrays, strict=True)))


@each_form
def test_floats_are_divided_as_python_divides_them(form: str) -> None:
    """Signs of zeros too."""
    ours, python = FORMS[form]
    pairs = [(a, b) for a, b in itertools.product(FLOATS, FLOATS) if b]
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    wanted = np.array([_of(python, *pair) for pair in pairs])
    for y in (ours(dynamic.tensor(a), dynamic.tensor(b)).numpy(), on_static(ours, a, b)):
        np.testing.assert_array_equal(y, wanted)
        np.testing.assert_array_equal(np.signbit(y)[wanted == 0], np.signbit(wanted)[wanted == 0])


def _of(python: Any, a: float, b: float) -> float:
    try:
        return python(a, b)
    except ValueError:  # fmod of infinity
        return math.nan


@each_form
@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
def test_integers_are_divided_as_python_divides_them(form: str, dtype: Any) -> None:
    ours, python = FORMS[form]
    top = np.iinfo(dtype).max
    pairs = [(a, b) for a, b in itertools.product(WHOLE, WHOLE) if max(abs(a), abs(b)) <= top]
    a, b = (np.array(column, dtype) for column in zip(*pairs, strict=True))
    wanted = np.array([int(python(*pair)) for pair in pairs], dtype)
    for y in (ours(dynamic.tensor(a), dynamic.tensor(b)).numpy(), on_static(ours, a, b)):
        np.testing.assert_array_equal(y, wanted)
        assert y.dtype == dtype


@pytest.mark.parametrize("make", [dynamic.tensor, Parameter, None], ids=["Tensor", "Parameter", "static"])
def test_whatever_stands_on_either_side(make: Any) -> None:
    values = np.array([5.5, -2.0, 3.25], np.float32)

    def forms(x: Any) -> list[Any]:
        return [x % 2, 7 % x, x // 2, 7 // x, values % x, values // x, x % values, np.float64(7) % x]

    made = on_static(forms, values) if make is None else [y.numpy() for y in forms(make(values))]
    for y, right in zip(made, forms(values), strict=True):
        np.testing.assert_array_equal(y, right.astype(np.float32))
        assert y.dtype == np.float32


@pytest.mark.parametrize("name", ["remainder", "floor_divide", "fmod"])
def test_integers_are_not_divided_by_0(name: str) -> None:
    """NumPy gives 0; Python's own error is ours too, and of a number it comes before any run."""
    op, some = getattr(ops, name), np.array([3, 0])
    x = dynamic.tensor(np.array([1, 2]))
    for call in (lambda: op(x, some), lambda: op(x, 0), lambda: op(7, some), lambda: op(np.arange(3), 0)):
        with pytest.raises(DivisionError, match=rf"{name}: integers are divided by 0; cast one") as caught:
            call()
        assert isinstance(caught.value, ZeroDivisionError)
    with static.Graph().as_default():
        y = static.placeholder("int64", (2,))
        with pytest.raises(DivisionError, match=name):
            op(y, 0)
        with pytest.raises(DivisionError, match=name), static.Session() as session:
            session.run(op(y, some), {y: some})


def test_nor_in_place() -> None:
    x = dynamic.tensor(np.array([5, 7]))
    x %= 4
    x //= np.array([1, 2])
    np.testing.assert_array_equal(x.numpy(), [1, 1])
    with pytest.raises(DivisionError, match="integers are divided by 0"):
        x //= 0


def test_floats_and_what_promotes_to_them_are() -> None:
    x = np.array([1, 2], np.uint64)
    assert np.isnan(ops.remainder(x, np.zeros(2, np.int64))).all()
    np.testing.assert_array_equal(ops.floor_divide(np.array([1.0, -1.0]), 0), [np.inf, -np.inf])


def test_complex_numbers_have_no_remainder() -> None:
    with pytest.raises(DTypeError, match="remainder"):
        ops.remainder(np.ones(2, np.complex64), 2.0)


@pytest.mark.parametrize(("form", "slope"), [("%", -1.0), ("fmod", 0.0)])
def test_the_gradient_by_the_divisor_is_minus_the_whole_quotient(form: str, slope: float) -> None:
    b = dynamic.tensor(np.array([4.0]), requires_grad=True)
    y = FORMS[form][0](np.array([-1.5]), b)
    np.testing.assert_array_equal(dynamic.grad(ops.sum(y), b).numpy(), [-slope])
