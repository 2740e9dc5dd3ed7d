"""Whole numbers with a scale: quantised, and back; products and convolutions of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.dims import same_size
from shared.errors import OnnxError
from shared.onnx.narrowing import narrowed
from shared.onnx.ops.convolutions import conv
from shared.onnx.ops.elementwise import dtype_named
from shared.onnx.table import onnx_op
from shared.onnx.values import Narrow, is_narrow

LIMITS = {"int2": (-2, 1), "uint2": (0, 3), "int4": (-8, 7), "uint4": (0, 15)}


def limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The least and the largest whole number of a dtype."""
    if dtype.name in LIMITS:
        return LIMITS[dtype.name]
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def plain(x: Any) -> Any:
    """What carries a value."""
    return x.value if isinstance(x, Narrow) else x


def aligned(part: Any, x: Any, axis: int, block: int) -> Any:
    """A scale or zero point as it stands beside x: one number, one for each place on an axis, or one for each
    block of so many places."""
    if not len(part.shape) or (len(part.shape) == 1 and same_size(part.shape[0], 1) and not block):
        return ops.reshape(part, ())
    if block:
        return ops.narrow(ops.repeat(part, block, axis), axis, 0, x.shape[axis])
    shape = [1] * len(x.shape)
    shape[axis] = -1
    return ops.reshape(part, shape)


@onnx_op("QuantizeLinear", since=10, narrow=True)
def quantize_linear(
    x: Any, scale: Any, zero: Any = None, *, axis: int = 1, block_size: int = 0, output_dtype: int = 0,
    precision: int = 0, saturate: int = 1,
) -> Any:  # fmt: skip
    """x / scale rounded, ties to even, and moved by the zero point; what is beyond the dtype becomes its
    end.
    """
    dtype = np.dtype(np.uint8)
    if zero is not None:
        dtype = zero.dtype
    elif output_dtype:
        dtype = dtype_named(output_dtype)
    x, factor, zero = plain(x), plain(scale), None if zero is None else plain(zero)
    kind = dtype_named(precision) if precision else scale.dtype
    kind = kind if kind.kind == "f" and not is_narrow(kind) else np.dtype(np.float32)
    axis = axis if len(factor.shape) else 0
    y = ops.div(ops.cast(x, kind), ops.cast(aligned(factor, x, axis, block_size), kind))
    if "float" in dtype.name:
        if not is_narrow(dtype):
            raise OnnxError(f"QuantizeLinear: gives whole numbers or narrow ones, not {dtype}")
        return narrowed(y, dtype, saturate=bool(saturate))
    low, high = limits(dtype)
    y = ops.round(y)
    if zero is not None:
        y = ops.add(y, ops.cast(aligned(zero, x, axis, block_size), kind))
    y = ops.clip(y, float(low), float(high))
    return narrowed(y, dtype) if is_narrow(dtype) else ops.cast(y, dtype)


@onnx_op("DequantizeLinear", since=10, narrow=True)
def dequantize_linear(
    x: Any, scale: Any, zero: Any = None, *, axis: int = 1, block_size: int = 0, output_dtype: int = 0
) -> Any:
    """(x - zero point) scale."""
    dtype = dtype_named(output_dtype) if output_dtype else scale.dtype
    kind = np.dtype(np.float32)
    y, factor = ops.cast(plain(x), kind), ops.cast(plain(scale), kind)
    axis = axis if len(factor.shape) else 0
    if zero is not None:
        y = ops.sub(y, ops.cast(aligned(plain(zero), y, axis, block_size), kind))
    y = ops.mul(y, aligned(factor, y, axis, block_size))
    return narrowed(y, dtype) if is_narrow(dtype) else ops.cast(y, dtype)


def _centred(x: Any, zero: Any, axis: int | None = None) -> Any:
    """x - zero point, in float64, in which products of whole numbers are exact."""
    x = ops.cast(x, "float64")
    if zero is None:
        return x
    zero = ops.cast(zero, "float64")
    if axis is not None and len(zero.shape) == 1 and len(x.shape) > 1:
        shape = [1] * len(x.shape)
        shape[axis] = -1
        zero = ops.reshape(zero, shape)
    return ops.sub(x, zero)


@onnx_op("MatMulInteger", weights=("a", "b"))
def matmul_integer(a: Any, b: Any, a_zero: Any = None, b_zero: Any = None) -> Any:
    """The product of whole numbers, in int32."""
    return ops.cast(ops.matmul(_centred(a, a_zero, -2), _centred(b, b_zero, -1)), "int32")


@onnx_op("ConvInteger", weights=("x", "weight"))
def conv_integer(
    x: Any, weight: Any, x_zero: Any = None, w_zero: Any = None, *, auto_pad: str = "NOTSET",
    dilations: Any = None, group: int = 1, kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """A convolution of whole numbers, in int32."""
    y = conv(
        _centred(x, x_zero), _centred(weight, w_zero, 0), auto_pad=auto_pad, dilations=dilations, group=group,
        pads=pads, strides=strides,
    )  # fmt: skip
    return ops.cast(y, "int32")


def _requantised(total: Any, factor: Any, zero: Any) -> Any:
    """A sum in float64 as whole numbers of the zero point's dtype."""
    low, high = limits(zero.dtype)
    y = ops.add(ops.round(ops.mul(total, factor)), ops.cast(zero, "float64"))
    return ops.cast(ops.clip(y, float(low), float(high)), zero.dtype)


def _wide(x: Any) -> Any:
    return ops.cast(x, "float64")


@onnx_op("QLinearMatMul", weights=("a", "b"))
def qlinear_matmul(
    a: Any, a_scale: Any, a_zero: Any, b: Any, b_scale: Any, b_zero: Any, y_scale: Any, y_zero: Any
) -> Any:
    """The product of quantised matrices, quantised."""
    total = ops.matmul(_centred(a, a_zero, -2), _centred(b, b_zero, -1))
    rows = _wide(a_scale)
    if len(a_scale.shape) == 1 and not same_size(a_scale.shape[0], 1):
        rows = ops.expand_dims(rows, -1)
    factor = ops.div(ops.mul(rows, _wide(b_scale)), _wide(y_scale))
    return _requantised(total, factor, y_zero)


@onnx_op("QLinearConv", weights=("x", "weight", "bias"))
def qlinear_conv(
    x: Any, x_scale: Any, x_zero: Any, weight: Any, w_scale: Any, w_zero: Any, y_scale: Any, y_zero: Any,
    bias: Any = None, *, auto_pad: str = "NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """A convolution of quantised images, quantised; a bias is in units of x_scale w_scale."""
    total = conv(
        _centred(x, x_zero), _centred(weight, w_zero, 0), None if bias is None else _wide(bias),
        auto_pad=auto_pad, dilations=dilations, group=group, pads=pads, strides=strides,
    )  # fmt: skip
    factor = ops.div(ops.mul(_wide(x_scale), _wide(w_scale)), _wide(y_scale))
    if len(factor.shape) == 1 and not same_size(factor.shape[0], 1):
        factor = ops.reshape(factor, (1, -1) + (1,) * (len(x.shape) - 2))
    return _requantised(total, factor, y_zero)


@onnx_op("DynamicQuantizeLinear", since=11)
def dynamic_quantize_linear(x: Any) -> Any:
    """As uint8, with the scale and zero point by which x just fits."""
    low, high = ops.minimum(ops.min(x), 0), ops.maximum(ops.max(x), 0)
    scale = ops.div(ops.sub(high, low), 255)
    start = ops.round(ops.clip(ops.div(ops.neg(low), scale), 0, 255))
    y = ops.clip(ops.add(ops.round(ops.div(x, scale)), start), 0, 255)
    return ops.cast(y, "uint8"), scale, ops.cast(start, "uint8")
