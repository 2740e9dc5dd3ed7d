"""Law: which dtype comes out of an array and a number, in every form of writing it, on both engines.

NumPy 2's, where there are floating arrays or no floats at all; float32, where Python floats are all that is
floating.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import DiptychError, DTypeError
from shared.op import TABLE, in_single_precision, single_floats
from shared.spec import spec_of

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")

DTYPES = ["bool", "int8", "uint8", "int32", "int64", "uint64", "float16", "float32", "float64"]
SCALARS = [
    True, 2, 2.5, -0.5,
    *(np.dtype(kind).type(2) for kind in DTYPES), np.float64(2.5), np.int64(2**40), np.uint8(200),
    np.float32(1e30),
]  # fmt: skip
Form = Callable[[Any, Any, Any], Any]
"""Of a namespace (`ops`, or what stands for it in NumPy), an array and a scalar."""

FORMS: dict[str, Form] = {
    "x + s": lambda m, x, s: x + s,
    "s + x": lambda m, x, s: s + x,
    "x - s": lambda m, x, s: x - s,
    "s - x": lambda m, x, s: s - x,
    "x * s": lambda m, x, s: x * s,
    "s * x": lambda m, x, s: s * x,
    "x / s": lambda m, x, s: x / s,
    "s / x": lambda m, x, s: s / x,
    "x // s": lambda m, x, s: x // s,
    "x % s": lambda m, x, s: x % s,
    "x > s": lambda m, x, s: x > s,
    "s == x": lambda m, x, s: s == x,
    "add": lambda m, x, s: m.add(x, s),
    "add, turned": lambda m, x, s: m.add(s, x),
    "sub": lambda m, x, s: m.sub(x, s),
    "mul": lambda m, x, s: m.mul(x, s),
    "div": lambda m, x, s: m.div(s, x),
    "maximum": lambda m, x, s: m.maximum(x, s),
    "minimum": lambda m, x, s: m.minimum(s, x),
    "where": lambda m, x, s: m.where(np.array([True, False, True]), x, s),
    "where, turned": lambda m, x, s: m.where(np.array([True, False, True]), s, x),
    "where of two numbers": lambda m, x, s: m.where(x == x, s, s),
    "clip": lambda m, x, s: m.clip(x, s, s),
    "fmod": lambda m, x, s: m.fmod(x, s),
    "atan2": lambda m, x, s: m.atan2(s, x),
    "copysign": lambda m, x, s: m.copysign(x, s),
    "logaddexp": lambda m, x, s: m.logaddexp(x, s),
    "pow of floats": lambda m, x, s: m.pow(x, s),
}


class Numpy:
    """NumPy's functions by our names."""

    add, sub, mul, div = np.add, np.subtract, np.multiply, np.true_divide
    maximum, minimum, where, pow = np.maximum, np.minimum, np.where, np.power
    fmod, atan2, copysign, logaddexp = np.fmod, np.arctan2, np.copysign, np.logaddexp

    @staticmethod
    def clip(x: Any, low: Any, high: Any) -> Any:
        return np.minimum(np.maximum(x, low), high)


def array(kind: str) -> Any:
    return np.array([1, 0, 1] if kind == "bool" else [1, 100, 3], kind)


def wanted(form: str, kind: str, scalar: Any) -> Any:
    """What NumPy gives: of 0-d arrays for its own scalars, but for float64, which is a Python float; and of
    float32 in the place of integers that meet nothing but Python floats. None if NumPy refuses it."""
    x = array(kind)
    if isinstance(scalar, np.float64):
        scalar = float(scalar)
    elif isinstance(scalar, np.generic):
        scalar = np.asarray(scalar)
    compares = form in ("x > s", "s == x")
    if isinstance(scalar, float) and not compares:
        x = x if x.dtype.kind == "f" else x.astype(np.float32)
        scalar = np.asarray(scalar, np.float32) if form == "where of two numbers" else scalar
    try:
        return np.asarray(FORMS[form](Numpy, x, scalar))
    except (TypeError, ValueError, OverflowError):
        return None


def on_static(form: str, kind: str, scalar: Any, known: bool) -> tuple[Any, Any]:
    with static.Graph().as_default():
        x = static.placeholder(kind, (3,) if known else (None,))
        y = FORMS[form](ops, x, scalar)
        with static.Session(optimize="exact" if known else "fast") as session:
            return y.dtype, session.run(y, {x: array(kind)})


def same(got: Any, right: Any, what: str) -> None:
    assert got.dtype == right.dtype, f"{what}: {got.dtype}, not {right.dtype}"
    rounds = {} if right.dtype.kind != "f" else {"rtol": 4 * float(np.finfo(right.dtype).eps)}
    np.testing.assert_allclose(got, right, err_msg=what, **rounds) if rounds else (
        np.testing.assert_array_equal(got, right, err_msg=what)
    )


def left_out(form: str, kind: str) -> bool:
    """Powers of integers and bounds of bools are refused in words of their own."""
    return (form == "pow of floats" and np.dtype(kind).kind != "f") or (form == "clip" and kind == "bool")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", DTYPES)
def test_every_dtype_by_every_scalar(kind: str, form: str) -> None:
    for scalar in SCALARS:
        if left_out(form, kind):
            continue
        what = f"{form} of {kind} and {type(scalar).__name__} {scalar}"
        right = wanted(form, kind, scalar)
        if right is None:
            with pytest.raises((DTypeError, TypeError, OverflowError)):
                FORMS[form](ops, dynamic.tensor(array(kind)), scalar)
            continue
        x = dynamic.tensor(array(kind))
        ours = FORMS[form](ops, x, scalar)
        same(ours.numpy() if isinstance(ours, dynamic.Tensor) else ours, right, f"dynamic: {what}")
        dtype, value = on_static(form, kind, scalar, known=True)
        assert dtype == right.dtype, what
        same(value, right, f"static: {what}")


@pytest.mark.parametrize("form", FORMS)
def test_at_fast_as_well(form: str) -> None:
    """Where kernels may compute it, and sizes are unknown."""
    for kind in ("bool", "int32", "float16", "float32"):
        for scalar in (2, 2.5, np.int64(2), np.float32(2.5), np.float64(2.5)):
            right = wanted(form, kind, scalar)
            if right is None or left_out(form, kind):
                continue
            dtype, value = on_static(form, kind, scalar, known=False)
            assert dtype == right.dtype
            same(value, right, f"{form} of {kind} and {scalar!r}")


def test_a_mask_of_numbers_does_not_widen_a_model() -> None:
    """`x * ops.where(x > 0, 1.0, 0.0)` was float64."""
    x = dynamic.tensor(np.ones(3, np.float32))
    assert (x * ops.where(x > 0, 1.0, 0.0)).dtype == np.float32
    assert ops.where(x > 0, 1.0, np.float64(0)).dtype == np.float32
    assert ops.exp(1.0).dtype == np.float32
    with static.Graph().as_default():
        y = static.placeholder("float32", (None,))
        made = y * ops.where(y > 0, 1.0, 0.0), ops.where(y > 0, 1, 0) * 0.5
        assert [value.dtype for value in made] == [np.float32, np.float32]


def test_numpy_s_scalars_are_arrays_without_axes() -> None:
    """200 * 2 was 144, 2^30 * 4 was 0 and 60000 * 2 infinite."""
    for values, scalar, right in (
        (np.array([200], np.uint8), np.int64(2), 400),
        (np.array([2**30], np.int32), np.int64(4), 2**32),
        (np.array([60000], np.float16), np.float32(2), 120000),
    ):
        assert (dynamic.tensor(values) * scalar).item() == right
        assert operator.mul(scalar, dynamic.tensor(values)).item() == right


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_a_root_of_a_number_stays_weak(kind: str) -> None:
    """np.sqrt(64) is a float64, and `x / np.sqrt(64)` should not be."""
    x = dynamic.tensor(np.ones(2, kind))
    assert (x / np.sqrt(64)).dtype == (np.float64(2) * x).dtype == np.dtype(kind)


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_the_size_of_a_tensor_is_weak(kind: str) -> None:
    """Though it may be called, or be one of TensorFlow's: `x / x.size` is of x's dtype, and can be saved."""
    x = dynamic.tensor(np.ones((2, 3), kind))
    made = x / x.size, x.size * x, ops.add(np.ones(2, kind), x.size)
    assert all(y.dtype == np.dtype(kind) for y in made)
    with static.Graph().as_default():
        y = static.placeholder(kind, (2, 3))
        calls = ops.full((), y.size, kind), ops.arange(y.size, dtype=kind), ops.take(y, [0], 0)[: y.size]
        for made in (y / y.size, y * y.get_shape()[1], *calls):
            assert made.dtype == np.dtype(kind)
            given = (*made.node.inputs, *made.node.settings.values())
            assert all(type(v) is int for v in given if isinstance(v, int))


SETTINGS: dict[str, dict[str, float]] = {
    "leaky_relu": {"slope": 0.5}, "elu": {"alpha": 0.5}, "huber": {"delta": 0.5}, "variance": {"least": 0.5},
    "gaussian": {"scale": 0.5}, "hardtanh": {"low": 0.5, "high": 0.7},
}  # fmt: skip
"""Of the elementwise ops that have some."""
OF_FLOATS = {"bce": 1, "bce_with_logits": 1, "gelu_grad": 3}
"""Elementwise ops behind the scenes, to which functions and rules give floating point alone: so many arrays,
then what may be a number."""


@pytest.mark.parametrize("kind", [*DTYPES, "int16", "uint16", "uint32", "complex64"])
def test_an_elementwise_op_declares_the_dtype_that_it_computes(kind: str) -> None:
    """softsign of 8 bits was declared as float16 and ran in float64: static went on with the wrong one."""
    x = np.array([1, 0, 1]).astype(kind)
    tried = 0
    for op in [op for op in TABLE.values() if op.broadcasts and op.line is None]:
        count = len(op.inputs)
        beside: tuple[Any, ...] = (2, 0.5) if op.name in OF_FLOATS else (2, 0.5, np.ones(3, bool))
        for args in product((x, *beside), repeat=count):
            settings = SETTINGS.get(op.name, {})
            if not any(arg is x for arg in args):
                continue
            arrays = OF_FLOATS.get(op.name, 0)
            if arrays and (x.dtype.kind != "f" or not all(arg is x for arg in args[:arrays])):
                continue
            try:
                made = op(*args, **settings)
            except DiptychError:
                continue
            taken = single_floats(op, list(args), in_single_precision)
            assert op.infer(*map(spec_of, taken), **settings).dtype == made.dtype, (op.name, args)
            tried += 1
    assert tried > 100
