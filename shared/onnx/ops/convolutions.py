"""Convolutions and pooling, over one, two or three axes."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.onnx.table import onnx_op
from shared.onnx.windows import geometry

CONV: dict[int, Any] = {1: ops.conv1d, 2: ops.conv2d, 3: ops.conv3d}


@onnx_op("Conv", weights=("weight", "bias"))
def conv(
    x: Any, weight: Any, bias: Any = None, *, auto_pad: str = "NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """Cross-correlation."""
    kernel = tuple(weight.shape[2:])
    window = geometry(x.shape[2:], kernel, auto_pad, pads, strides, dilations)
    if len(kernel) == 1:
        return ops.conv1d(x, weight, bias, window.strides[0], [window.pads[0]], window.dilations[0], group)
    return CONV[len(kernel)](x, weight, bias, window.strides, window.pads, window.dilations, group)
