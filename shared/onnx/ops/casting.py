"""Casts, to dtypes that NumPy lacks too, and to and from strings."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.errors import DTypeError
from shared.onnx.narrowing import narrowed
from shared.onnx.ops.elementwise import dtype_named
from shared.onnx.table import onnx_op
from shared.onnx.values import STRINGS, Narrow, is_narrow, known


@onnx_op("Cast", since=6, narrow=True)
def cast(x: Any, *, to: int, saturate: int = 1, round_mode: str = "up") -> Any:
    """In another dtype; with `saturate` what is too large for a float of 8 bits becomes its largest."""
    return cast_to(x, STRINGS if to == 8 else dtype_named(to), bool(saturate), round_mode)


@onnx_op("CastLike", narrow=True)
def cast_like(x: Any, like: Any, *, saturate: int = 1, round_mode: str = "up") -> Any:
    """In another value's dtype."""
    return cast_to(x, like.dtype, bool(saturate), round_mode)


@onnx_op("BitCast", since=26)
def bit_cast(x: Any, *, to: int) -> Any:
    """The same bits as another dtype."""
    return ops.bitcast(x, dtype_named(to))


def cast_to(x: Any, dtype: np.dtype[Any], saturate: bool, round_mode: str) -> Any:
    """The same, by dtype."""
    if x.dtype == dtype:
        return x
    if dtype == STRINGS:
        return _written(known("Cast", "x", x))
    if x.dtype == STRINGS:
        x = _read(x, dtype)
    value = x.value if isinstance(x, Narrow) else x
    if dtype.name == "float8_e8m0fnu":
        return Narrow(_power_of_two(ops.cast(value, "float32"), saturate, round_mode), dtype)
    if is_narrow(dtype):
        return narrowed(value, dtype, saturate and dtype.name.startswith("float8"))
    return ops.cast(value, dtype)


def _read(x: Any, dtype: np.dtype[Any]) -> Any:
    try:
        numbers = [float(part) for part in x.ravel()]
    except ValueError as error:
        raise DTypeError(f"Cast: a string that is no number: {error}") from None
    wide = np.array(numbers, np.float64).reshape(x.shape)
    return wide.astype(dtype) if not is_narrow(dtype) else wide.astype(np.float32)


def _written(array: Any) -> Any:
    if array.dtype.kind in "fV":
        parts = [_short(value) for value in array.ravel()]
    else:
        parts = [str(value) for value in array.ravel()]
    return np.array(parts, STRINGS).reshape(array.shape)


def _short(value: Any) -> str:
    text = str(value)
    return {"nan": "NaN", "inf": "INF", "-inf": "-INF"}.get(text, text)


def _power_of_two(x: Any, saturate: bool, round_mode: str) -> Any:
    """Exponents alone, as scales of blocks have them: up, down, or to the nearer power of two."""
    exponent = ops.log2(ops.abs(x))
    low = ops.exp2(ops.floor(exponent))
    low = ops.where(
        ops.greater(low, ops.abs(x)), low / 2, low
    )  # a logarithm may be rounded up to a whole number
    low = ops.where(ops.less_equal(low * 2, ops.abs(x)), low * 2, low)
    if round_mode == "down":
        y = low
    elif round_mode == "up":
        y = ops.where(ops.equal(low, ops.abs(x)), low, low * 2)
    else:
        y = ops.where(ops.greater_equal(ops.abs(x), low * 1.5), low * 2, low)
    least, largest = 2.0**-127, 2.0**127
    y = ops.maximum(y, least)
    beyond = ops.greater(y, largest)
    return ops.where(beyond, largest if saturate else float("nan"), y)
