"""Ops as they were before opset 7, in which two shapes broadcast only where an attribute says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared import ops
from shared.onnx.ops import elementwise
from shared.onnx.ops.normalisation import batch_normalization
from shared.onnx.table import onnx_op


def beside(x: Any, y: Any, broadcast: int, axis: int | None) -> Any:
    """y with axes behind it, so that its first stands at `axis` of x; its last at x's last unless given."""
    if not broadcast or axis is None:
        return y
    behind = len(x.shape) - axis - len(y.shape)
    return ops.reshape(y, (*y.shape, *(1,) * behind)) if behind > 0 else y


def _early(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def row(a: Any, b: Any, *, axis: int | None = None, broadcast: int = 0, consumed_inputs: Any = ()) -> Any:
        return function(a, beside(a, b, broadcast, axis))

    return row


EARLY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": ops.add, "Sub": ops.sub, "Mul": ops.mul, "Div": elementwise.div, "Pow": elementwise.power,
    "Equal": ops.equal, "Less": ops.less, "Greater": ops.greater, "And": ops.logical_and,
    "Or": ops.logical_or, "Xor": ops.logical_xor,
}  # fmt: skip
for _name, _function in EARLY.items():
    onnx_op(_name, since=1)(_early(_function))


@onnx_op("PRelu", since=1, weights=("slope",))
def prelu(x: Any, slope: Any, *, consumed_inputs: Any = ()) -> Any:
    """x above 0, slope x below: one slope, or one for each channel."""
    if len(slope.shape) == 1:
        slope = ops.reshape(slope, (-1, *(1,) * (len(x.shape) - 2)))
    return ops.where(ops.less(x, 0), ops.mul(x, slope), x)


@onnx_op("BatchNormalization", since=1, weights=("scale", "bias"))
def early_batch_normalization(
    x: Any, scale: Any, bias: Any, mean: Any, var: Any, *, consumed_inputs: Any = (), epsilon: float = 1e-5,
    is_test: int = 0, momentum: float = 0.9, spatial: int = 1,
) -> Any:  # fmt: skip
    """By running means and variances."""
    return batch_normalization(x, scale, bias, mean, var, epsilon=epsilon)
