"""Arithmetic, comparisons, logic, bits and functions of one element at a time; casts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared import ops
from shared.onnx.table import onnx_op

ONE = {
    "Abs": ops.abs, "Acos": ops.acos, "Acosh": ops.acosh, "Asin": ops.asin, "Asinh": ops.asinh,
    "Atan": ops.atan, "Atanh": ops.atanh, "Ceil": ops.ceil, "Cos": ops.cos, "Cosh": ops.cosh, "Exp": ops.exp,
    "Floor": ops.floor,
    "Log": ops.log, "Neg": ops.neg, "Reciprocal": ops.reciprocal, "Round": ops.round, "Sign": ops.sign,
    "Sin": ops.sin, "Sinh": ops.sinh, "Sqrt": ops.sqrt, "Tan": ops.tan, "Tanh": ops.tanh, "Erf": ops.erf,
    "Not": ops.logical_not, "IsNaN": ops.isnan, "BitwiseNot": ops.bitwise_not,
}  # fmt: skip
"""Of one argument, under another name."""

TWO = {
    "Add": ops.add, "Sub": ops.sub, "Mul": ops.mul, "Equal": ops.equal, "Less": ops.less,
    "LessOrEqual": ops.less_equal, "Greater": ops.greater, "GreaterOrEqual": ops.greater_equal,
    "And": ops.logical_and, "Or": ops.logical_or, "Xor": ops.logical_xor, "BitwiseAnd": ops.bitwise_and,
    "BitwiseOr": ops.bitwise_or, "BitwiseXor": ops.bitwise_xor,
}  # fmt: skip
"""Of two, likewise."""


def one(function: Any) -> Any:
    """A row that is a function of one argument."""
    return lambda x: function(x)


def _two(function: Any) -> Any:
    return lambda a, b: function(a, b)


for _name, _function in ONE.items():
    onnx_op(_name)(one(_function))
for _name, _function in TWO.items():
    onnx_op(_name, since=7)(_two(_function))


def whole(x: Any) -> bool:
    """Whether a value holds whole numbers."""
    return x.dtype.kind in "iu"


@onnx_op("Div", since=7)
def div(a: Any, b: Any) -> Any:
    """Of whole numbers, rounded towards 0."""
    if not whole(a):
        return ops.div(a, b)
    if a.dtype.kind == "u":
        return ops.floor_divide(a, b)
    down = ops.floor_divide(a, b)
    inexact = ops.not_equal(ops.mul(down, b), a)
    apart = ops.not_equal(ops.less(a, 0), ops.less(b, 0))
    return ops.add(down, ops.cast(ops.logical_and(inexact, apart), a.dtype))


@onnx_op("Mod", since=10)
def mod(a: Any, b: Any, *, fmod: int = 0) -> Any:
    """The rest has the divisor's sign, or with `fmod` the dividend's."""
    return ops.fmod(a, b) if fmod else ops.remainder(a, b)


@onnx_op("Pow", since=7)
def power(x: Any, y: Any) -> Any:
    """In the dtype of the base."""
    if whole(x) and not whole(y):
        return ops.cast(ops.pow(ops.cast(x, "float64"), ops.cast(y, "float64")), x.dtype)
    return ops.cast(ops.pow(x, y), x.dtype)


def _joined(function: Any) -> Any:
    def row(*xs: Any) -> Any:
        made = xs[0]
        for x in xs[1:]:
            made = function(made, x)
        return made

    return row


onnx_op("Sum")(_joined(ops.add))
onnx_op("Max")(_joined(ops.maximum))
onnx_op("Min")(_joined(ops.minimum))


@onnx_op("Mean")
def mean(*xs: Any) -> Any:
    """Of several values, elementwise."""
    return ops.div(_joined(ops.add)(*xs), len(xs))


@onnx_op("Where")
def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`."""
    return ops.where(condition, a, b)


@onnx_op("IsInf")
def is_inf(x: Any, *, detect_negative: int = 1, detect_positive: int = 1) -> Any:
    """Whether infinite, on one side or both."""
    if detect_negative and detect_positive:
        return ops.isinf(x)
    if detect_negative:
        return ops.isneginf(x)
    return ops.isposinf(x) if detect_positive else ops.not_equal(x, x) & False


@onnx_op("BitShift")
def bit_shift(a: Any, b: Any, *, direction: str) -> Any:
    """By as many places to the LEFT or the RIGHT."""
    return (ops.bitwise_left_shift if direction == "LEFT" else ops.bitwise_right_shift)(a, b)


@onnx_op("Clip", since=6)
def clip_by_attributes(x: Any, *, min: float = -math.inf, max: float = math.inf) -> Any:  # noqa: A002
    """With limits that are attributes."""
    return ops.minimum(ops.maximum(x, min), max)


@onnx_op("Clip", since=11)
def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """First from below, then from above."""
    x = x if low is None else ops.maximum(x, low)
    return x if high is None else ops.minimum(x, high)


@onnx_op("Identity", narrow=True)
def identity(x: Any) -> Any:
    """The value itself."""
    return x


@onnx_op("CumSum", since=11, known=("axis",))
def cumsum(x: Any, axis: Any, *, exclusive: int = 0, reverse: int = 0) -> Any:
    """Sums up to each element, with it or (`exclusive`) without it, from either end."""
    return _running(ops.cumsum, 0, x, int(axis.ravel()[0]), exclusive, reverse)


@onnx_op("CumProd", known=("axis",))
def cumprod(x: Any, axis: Any, *, exclusive: int = 0, reverse: int = 0) -> Any:
    """Products, likewise."""
    return _running(ops.cumprod, 1, x, int(axis.ravel()[0]), exclusive, reverse)


def _running(function: Any, nothing: int, x: Any, axis: int, exclusive: int, reverse: int) -> Any:
    dtype = x.dtype
    x = ops.flip(x, axis) if reverse else x
    y = ops.cast(function(x, axis), dtype)
    if exclusive:
        widths = [(0, 0)] * len(x.shape)
        widths[axis] = (1, -1)
        y = ops.pad(y, widths, value=nothing)
    return ops.flip(y, axis) if reverse else y


def dtype_named(number: int) -> np.dtype[Any]:
    """The dtype of one of ONNX's numbers of types."""
    import onnx

    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(number))
