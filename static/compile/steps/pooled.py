"""Convolutions with the relu and the pooling behind them as one op, and its gradients.

Unlisted: the pass `convolve` puts them in the place of ops of the table, after differentiation. Where
the kernels of `shared.kernels.convolution` suit, an image's answer stays in the cache until it is
pooled; elsewhere the ops run one by one, in blocks of memory of their own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.kernels import convolving, plain
from shared.kernels.convolution import (
    FEWEST,
    Geometry,
    Unpooling,
    bytes_to_correlate,
    bytes_to_correlate_weight,
    correlate,
    correlate_weight,
)
from shared.kernels.convolution_source import Epilogue
from shared.op import TABLE, Op, PlannerHints
from shared.ops.convolution import alike, geometry_of
from shared.spec import Operand, Spec, promote

Pair = tuple[int, int]
Arrays = tuple[Any, ...]


def pooling(pool: Pair) -> dict[str, Any]:
    """The settings of max_pool2d for windows side by side."""
    return {"kernel": pool, "stride": pool, "padding": (0, 0), "dilation": (1, 1), "ceil": False}


def _bytes(spec: Spec) -> int:
    return math.prod(int(size) for size in spec.shape) * spec.dtype.itemsize


def pooled(shape: Any, pool: Pair) -> tuple[Any, ...]:
    """What such windows side by side make of a shape."""
    return (*shape[:2], shape[2] // pool[0], shape[3] // pool[1])


def _in_one_pass(geometry: Geometry, x: Operand, w: Operand, groups: int) -> bool:
    """Whether what is pooled is made an image at a time: as the convolution alone would be."""
    few = w.shape[0] // groups < FEWEST
    return not few and geometry.suits(x, w, groups) and geometry.at_once(w, groups)


def _back(geometry: Geometry, g: Operand, w: Operand, groups: int) -> Geometry | None:
    """The window of the gradient by the image, if that is made an image at a time."""
    back = convolving.transposed(geometry)
    fits = back is not None and _in_one_pass(back, g, convolving.back_spec(w, groups), groups)
    return back if fits else None


# --- forward -------------------------------------------------------------------------------


def _forward(
    x: Any, w: Any, b: Any, groups: int, epilogue: Epilogue, window: dict[str, Pair], outs: Arrays
) -> Arrays:
    """y and argmax (None without pooling), in `outs` where these are given."""
    geometry = geometry_of("conv2d", x.shape[2:], w.shape[2:], **window)
    dtype = promote(x, w) if b is None else promote(x, w, b)
    if not epilogue.pools and alike(x, w) and x.dtype == dtype and geometry.suits(x, w, groups):
        y = np.empty((len(x), len(w), *geometry.output), dtype) if outs[0] is None else outs[0]
        b = None if b is None else plain(b, dtype)
        return convolving.convolve(plain(x), plain(w), b, geometry, groups, y, epilogue.relu), None
    if alike(x, w) and x.dtype == dtype and _in_one_pass(geometry, x, w, groups):
        shape = pooled((len(x), len(w), *geometry.output), epilogue.pool)
        y, argmax = outs
        y = np.empty(shape, dtype) if y is None else y
        if epilogue.pools and argmax is None:
            argmax = np.empty(shape, np.uint8)
        b = None if b is None else plain(b, dtype)
        correlate(plain(x), plain(w), b, geometry, groups, y, epilogue, argmax)
        return y, argmax
    y = TABLE["conv2d"].compute(x, w, *(() if b is None else (b,)), groups=groups, **window)
    if epilogue.relu:
        y = TABLE["relu"].compute(y, out=outs[0] if not epilogue.pools else y)
    return TABLE["max_pool2d"].compute(y, out=outs, **pooling(epilogue.pool)) if epilogue.pools else (y, None)


def _forward_work(
    x: Operand, w: Operand, b: Operand = None, *, groups: int, relu: bool = True, pool: Pair = (1, 1),
    **window: Pair,
) -> int:  # fmt: skip
    geometry = geometry_of("conv2d", x.shape[2:], w.shape[2:], **window)
    if pool == (1, 1) and geometry.suits(x, w, groups):
        return convolving.bytes_to_convolve(x, w, geometry, groups)
    if _in_one_pass(geometry, x, w, groups):
        return bytes_to_correlate(x, w, geometry, groups)
    spec, work = _whole(x, w, b, groups, window), TABLE["conv2d"].hints.workspace
    assert work is not None
    return work(x, w, b, groups=groups, **window) + _bytes(spec)


def _whole(x: Operand, w: Operand, b: Operand, groups: int, window: dict[str, Pair]) -> Spec:
    """What the convolution itself gives."""
    found: Spec = TABLE["conv2d"].infer(x, w, *(() if b is None else (b,)), groups=groups, **window)
    return found


def _infer_pool(
    x: Operand, w: Operand, b: Operand = None, *, groups: int, relu: bool, pool: Pair, **window: Pair
) -> tuple[Spec, Spec]:
    spec = _whole(x, w, b, groups, window)
    y, argmax = TABLE["max_pool2d"].infer(spec, **pooling(pool))
    return y, argmax


conv2d_relu = Op(
    "conv2d_relu",
    lambda x, w, b=None, *, groups, out=None, **window: _forward(
        x, w, b, groups, Epilogue(True), window, (out, None)
    )[0],
    lambda x, w, b=None, *, groups, **window: _whole(x, w, b, groups, window),
    out=True,
    hints=PlannerHints(workspace=_forward_work),
    check=True,
    listed=False,
    doc="relu(conv2d(x, w, b)) in one pass.",
)

conv2d_pool = Op(
    "conv2d_pool",
    lambda x, w, b=None, *, groups, relu, pool, out=(None, None), **window: _forward(
        x, w, b, groups, Epilogue(relu, pool), window, out
    ),
    _infer_pool,
    outputs=("y", "argmax"),
    constant=("argmax",),
    out=True,
    hints=PlannerHints(workspace=_forward_work),
    check=True,
    listed=False,
    doc="The largest of each window of conv2d(x, w, b), after relu or not, and which one it was.",
)

# --- gradients -----------------------------------------------------------------------------


def _unpooled(g: Any, y: Any, argmax: Any, epilogue: Epilogue, size: Pair) -> Any:
    """The gradient by what the convolution gave."""
    if epilogue.relu:
        g = TABLE["relu_grad"].compute(g, y)
    return TABLE["max_pool2d_input"].compute(g, argmax, size=size, **pooling(epilogue.pool))


def _compute_input(
    g: Any, w: Any, y: Any, argmax: Any, *, size: Pair, groups: int, relu: bool, pool: Pair,
    out: Any = None, **window: Pair,
) -> Any:  # fmt: skip
    geometry = geometry_of("conv_transpose2d", size, w.shape[2:], **window)
    if alike(g, w, y) and (back := _back(geometry, g, w, groups)):
        x = np.empty((len(g), w.shape[1] * groups, *size), g.dtype) if out is None else out
        unpooling = Unpooling(plain(y), plain(argmax), Epilogue(relu, pool))
        turned = convolving.turned(w, groups)
        return correlate(plain(g), turned, None, back, groups, x, unpooling=unpooling)
    g = _unpooled(g, y, argmax, Epilogue(relu, pool), geometry.output)
    return TABLE["conv2d_input"].compute(g, w, size=size, groups=groups, out=out, **window)


def _input_work(
    g: Operand, w: Operand, y: Operand, argmax: Operand, *, size: Pair, groups: int, relu: bool, pool: Pair,
    **window: Pair,
) -> int:  # fmt: skip
    geometry = geometry_of("conv_transpose2d", size, w.shape[2:], **window)
    if back := _back(geometry, g, w, groups):
        weights = math.prod(w.shape) * g.dtype.itemsize
        return weights + bytes_to_correlate(g, convolving.back_spec(w, groups), back, groups)
    whole, work = Spec((*g.shape[:2], *geometry.output), g.dtype), TABLE["conv2d_input"].hints.workspace
    assert work is not None
    return _bytes(whole) + work(whole, w, size=size, groups=groups, **window)


def _compute_weight(
    x: Any, g: Any, y: Any, argmax: Any, *, kernel: Pair, groups: int, relu: bool, pool: Pair,
    out: Any = None, **window: Pair,
) -> Any:  # fmt: skip
    geometry = geometry_of("conv2d", x.shape[2:], kernel, **window)
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    if alike(x, g, y) and _in_one_pass(geometry, x, Spec(shape, g.dtype), groups):
        w = np.empty(shape, g.dtype) if out is None else out
        unpooling = Unpooling(plain(y), plain(argmax), Epilogue(relu, pool))
        return correlate_weight(plain(x), plain(g), geometry, groups, w, unpooling)
    g = _unpooled(g, y, argmax, Epilogue(relu, pool), geometry.output)
    return TABLE["conv2d_weight"].compute(x, g, kernel=kernel, groups=groups, out=out, **window)


def _weight_work(
    x: Operand, g: Operand, y: Operand, argmax: Operand, *, kernel: Pair, groups: int, relu: bool, pool: Pair,
    **window: Pair,
) -> int:  # fmt: skip
    geometry = geometry_of("conv2d", x.shape[2:], kernel, **window)
    if _in_one_pass(geometry, x, Spec((g.shape[1], x.shape[1] // groups, *kernel), g.dtype), groups):
        return bytes_to_correlate_weight(x, g, geometry, groups)
    whole, work = Spec((*g.shape[:2], *geometry.output), g.dtype), TABLE["conv2d_weight"].hints.workspace
    assert work is not None
    return _bytes(whole) + work(x, whole, kernel=kernel, groups=groups, **window)


conv2d_pool_input = Op(
    "conv2d_pool_input",
    _compute_input,
    lambda g, w, y, argmax, *, size, groups, relu, pool, **window: Spec(
        (g.shape[0], w.shape[1] * groups, *size), promote(g, w)
    ),
    out=True,
    hints=PlannerHints(workspace=_input_work),
    listed=False,
    doc="The gradient of conv2d_pool by x; g is that by its output y.",
)

conv2d_pool_weight = Op(
    "conv2d_pool_weight",
    _compute_weight,
    lambda x, g, y, argmax, *, kernel, groups, relu, pool, **window: Spec(
        (g.shape[1], x.shape[1] // groups, *kernel), promote(x, g)
    ),
    out=True,
    hints=PlannerHints(workspace=_weight_work),
    listed=False,
    doc="The gradient of conv2d_pool by w; g is that by its output y.",
)
