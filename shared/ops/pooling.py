"""2-d pooling over images N C H W."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Dim
from shared.errors import SettingError, ShapeError
from shared.op import Op, Rule, array_module
from shared.ops.convolution import Pair, Window, pad_image, pair
from shared.ops.lookup import scatter_sum
from shared.ops.shapes import as_tensor_like, flatten, reshape
from shared.spec import Operand, Spec, str_shape


def _lowest(dtype: np.dtype[Any]) -> float:
    """What padding must hold so that it is never chosen."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _compute_max_pool2d(x: Any, *, kernel: Pair, stride: Pair, padding: Pair) -> tuple[Any, Any]:
    xp = array_module(x)
    window = Window(kernel, stride, padding)
    n, c, h, w = x.shape
    oh, ow = window.out_size(h, 0), window.out_size(w, 1)
    padded = pad_image(x, padding, _lowest(x.dtype))
    y = xp.full((n, c, oh, ow), _lowest(x.dtype), x.dtype)
    index = xp.zeros((n, c, oh, ow), np.int64)
    top = xp.arange(oh)[:, None] * stride[0] - padding[0]
    left = xp.arange(ow)[None, :] * stride[1] - padding[1]
    for (i, j), part in window.taps(oh, ow):
        values = padded[part]
        inside = (top + i >= 0) & (top + i < h) & (left + j >= 0) & (left + j < w)
        better = ((values > y) | (values != values)) & inside
        xp.copyto(y, values, where=better)
        xp.copyto(index, (top + i) * w + (left + j), where=better)
    return y, index


def _infer_max_pool2d(
    x: Operand, *, kernel: Pair, stride: Pair, padding: Pair
) -> tuple[Spec, Spec]:
    if len(x.shape) != 4:
        raise ShapeError(f"max_pool2d: x {str_shape(x.shape)} needs 4 axes, N C H W")
    window = Window(kernel, stride, padding)
    oh, ow = window.out_size(x.shape[2], 0), window.out_size(x.shape[3], 1)
    if any(not isinstance(size, Dim) and size < 1 for size in (oh, ow)):
        raise ShapeError(
            f"max_pool2d: a kernel of {kernel} does not fit into x {str_shape(x.shape)} with "
            f"padding {padding}; use a smaller kernel"
        )
    shape = (*x.shape[:2], oh, ow)
    return Spec(shape, x.dtype), Spec(shape, np.dtype(np.int64))


def _max_pool2d_rule(g: Any, y: Any, x: Any, **window: Any) -> Any:
    """Each cotangent goes to the one element that was the largest."""
    pooled, index = g[0], y[1]
    flat = scatter_sum(flatten(pooled, 2), flatten(index, 2), 2, x.shape[2] * x.shape[3])
    return reshape(flat, x.shape)


_max_pool2d = Op(
    "max_pool2d",
    _compute_max_pool2d,
    _infer_max_pool2d,
    [Rule(_max_pool2d_rule, reads="index")],
    outputs=("y", "index"),
    constant=("index",),
)


def max_pool2d(
    x: Any, kernel_size: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window, as `torch.nn.functional.max_pool2d`.

    x (N, C, H, W); `stride` is the kernel's size unless given; padding counts as minus
    infinity. Of equal elements the first one gets the gradient; NaN wins. With
    `return_indices`, also where each one stood in its flattened H*W image (int64).
    """
    x = as_tensor_like(x)
    kernel = pair("max_pool2d", "kernel_size", kernel_size, 1)
    padding = pair("max_pool2d", "padding", padding, 0)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise SettingError(
            f"max_pool2d: padding {padding} is more than half of the kernel {kernel}, so some "
            "windows would hold padding alone"
        )
    step = kernel if stride is None else pair("max_pool2d", "stride", stride, 1)
    y, index = _max_pool2d(x, kernel=kernel, stride=step, padding=padding)
    return (y, index) if return_indices else y


