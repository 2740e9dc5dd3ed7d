"""Activations."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.onnx.ops.elementwise import one
from shared.onnx.table import onnx_op

for _name, _function in {
    "Relu": ops.relu, "Sigmoid": ops.sigmoid, "Softplus": ops.softplus, "Softsign": ops.softsign,
    "Mish": ops.mish, "HardSwish": ops.hardswish,
}.items():  # fmt: skip
    onnx_op(_name)(one(_function))


@onnx_op("Elu")
def elu(x: Any, *, alpha: float = 1.0) -> Any:
    """x above 0, alpha (exp(x) - 1) below."""
    return ops.elu(x, alpha)


@onnx_op("Celu")
def celu(x: Any, *, alpha: float = 1.0) -> Any:
    """The same, smooth at 0 for each alpha."""
    return ops.celu(x, alpha)


@onnx_op("Selu")
def selu(
    x: Any, *, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875
) -> Any:
    """gamma times Elu."""
    return ops.mul(ops.where(ops.greater(x, 0), x, ops.mul(ops.expm1(ops.minimum(x, 0)), alpha)), gamma)


@onnx_op("LeakyRelu")
def leaky_relu(x: Any, *, alpha: float = 0.01) -> Any:
    """x above 0, alpha x below."""
    return ops.leaky_relu(x, alpha)


@onnx_op("PRelu", since=7, weights=("slope",))
def prelu(x: Any, slope: Any) -> Any:
    """x above 0, slope x below."""
    return ops.where(ops.less(x, 0), ops.mul(x, slope), x)


@onnx_op("ThresholdedRelu")
def thresholded_relu(x: Any, *, alpha: float = 1.0) -> Any:
    """x above alpha, else 0."""
    return ops.where(ops.greater(x, alpha), x, ops.mul(x, 0))


@onnx_op("HardSigmoid")
def hard_sigmoid(x: Any, *, alpha: float = 0.2, beta: float = 0.5) -> Any:
    """alpha x + beta, between 0 and 1."""
    return ops.clip(ops.add(ops.mul(x, alpha), beta), 0, 1)


@onnx_op("Shrink")
def shrink(x: Any, *, bias: float = 0.0, lambd: float = 0.5) -> Any:
    """x moved by `bias` towards 0 outside of (-lambd, lambd), else 0."""
    outside = ops.where(ops.greater(x, lambd), ops.sub(x, _in(x, bias)), ops.mul(x, 0))
    return ops.where(ops.less(x, -lambd), ops.add(x, _in(x, bias)), outside)


def _in(x: Any, number: float) -> Any:
    return number if x.dtype.kind == "f" else int(number)


@onnx_op("Gelu", since=20)
def gelu(x: Any, *, approximate: str = "none") -> Any:
    """x times the normal distribution's function of x, or its approximation by tanh."""
    return ops.gelu(x, approximate)


@onnx_op("Swish", since=24)
def swish(x: Any, *, alpha: float = 1.0) -> Any:
    """x sigmoid(alpha x)."""
    return ops.mul(x, ops.sigmoid(ops.mul(x, alpha)))


def _two_axes(x: Any, axis: int, function: Any) -> Any:
    """Of opset 12 and before: all axes from `axis` on as one."""
    return ops.reshape(function(ops.flatten(x, axis) if axis else ops.reshape(x, (1, -1)), -1), x.shape)


@onnx_op("Softmax", since=1)
def old_softmax(x: Any, *, axis: int = 1) -> Any:
    """Over all axes from `axis` on."""
    return _two_axes(x, axis, ops.softmax)


@onnx_op("Softmax", since=13)
def softmax(x: Any, *, axis: int = -1) -> Any:
    """Over one axis."""
    return ops.softmax(x, axis)


@onnx_op("LogSoftmax", since=1)
def old_log_softmax(x: Any, *, axis: int = 1) -> Any:
    """Over all axes from `axis` on."""
    return _two_axes(x, axis, ops.log_softmax)


@onnx_op("LogSoftmax", since=13)
def log_softmax(x: Any, *, axis: int = -1) -> Any:
    """Over one axis."""
    return ops.log_softmax(x, axis)


@onnx_op("Hardmax", since=13)
def hardmax(x: Any, *, axis: int = -1) -> Any:
    """1 at the first largest along an axis, 0 else."""
    places = ops.one_hot(ops.argmax(x, axis), x.shape[axis], x.dtype)
    return ops.moveaxis(places, -1, axis)
