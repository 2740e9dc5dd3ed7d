"""Convolutions and pooling, over one, two or three axes."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.onnx.table import onnx_op
from shared.onnx.windows import geometry

CONV: dict[int, Any] = {1: ops.conv1d, 2: ops.conv2d, 3: ops.conv3d}

TRANSPOSED: dict[int, Any] = {1: ops.conv_transpose1d, 2: ops.conv_transpose2d, 3: ops.conv_transpose3d}


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


@onnx_op("ConvTranspose", weights=("weight", "bias"))
def conv_transpose(
    x: Any, weight: Any, bias: Any = None, *, auto_pad: str = "NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, output_padding: Any = None, output_shape: Any = None, pads: Any = None,
    strides: Any = None,
) -> Any:  # fmt: skip
    """What a convolution's gradient gives its image: the whole of it, and then what `pads` leave."""
    kernel = tuple(weight.shape[2:])
    axes = len(kernel)
    steps, holes = tuple(strides or (1,) * axes), tuple(dilations or (1,) * axes)
    more = tuple(output_padding or (0,) * axes)
    whole = [
        (n - 1) * s + d * (k - 1) + 1 for n, k, s, d in zip(x.shape[2:], kernel, steps, holes, strict=True)
    ]
    one = axes == 1
    y = TRANSPOSED[axes](x, weight, None, steps[0] if one else steps, 0, 0, group, holes[0] if one else holes)
    widths: list[tuple[Any, Any]] = [(0, 0), (0, 0)]
    if pads is None and (output_shape is not None or auto_pad in ("SAME_UPPER", "SAME_LOWER")):
        wanted = output_shape or [n * s for n, s in zip(x.shape[2:], steps, strict=True)]
        for full, extra, size in zip(whole, more, wanted[-axes:], strict=True):
            off = full + extra - size
            less = off // 2
            before, after = (less, off - less) if auto_pad == "SAME_UPPER" else (off - less, less)
            widths.append((-before, extra - after))
    else:
        around = tuple(pads or (0,) * 2 * axes)
        widths += [(-around[i], more[i] - around[axes + i]) for i in range(axes)]
    y = ops.pad(y, widths)
    return y if bias is None else ops.add(y, ops.reshape(bias, (1, -1) + (1,) * axes))


@onnx_op("CausalConvWithState", since=26, weights=("weight", "bias"))
def causal_conv_with_state(
    x: Any, weight: Any, bias: Any = None, past: Any = None, *, activation: str = "none", outputs: int = 1
) -> Any:
    """Over sequences, each channel by itself, behind what came before; and what the next call takes for
    that.
    """
    n, channels = x.shape[:2]
    width = weight.shape[2] - 1
    before = ops.zeros((n, channels, width), x.dtype, like=x) if past is None else past
    whole = ops.concatenate([before, x], 2)
    y = ops.conv1d(whole, weight, bias, groups=channels)
    y = y if activation == "none" else ops.cast(ops.silu(ops.cast(y, "float32")), x.dtype)
    size = whole.shape[2]
    return (y, ops.getitem(whole, (..., slice(size - width, size))))[:outputs]
