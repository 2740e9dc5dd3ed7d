"""Normalisation of each example by itself: over groups of channels and all that lies behind them, by the mean
square, by neighbours, to length 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Shape, Size, divide, product, same_size
from shared.errors import SettingError, ShapeError
from shared.numerics.half import rounded
from shared.numerics.scaling import magnitude, squares_fit
from shared.numerics.summing import average, work_dtype
from shared.op import Op, Rule, put
from shared.ops.averaging import avg_pool2d
from shared.ops.batch_normalization import batch_norm
from shared.ops.choosing import cast, maximum
from shared.ops.elementwise import pow, square
from shared.ops.layer_normalization import layer_norm
from shared.ops.linalg.norms import vector_norm
from shared.ops.normalization import (
    as_last_axes,
    check_floating,
    last_axes,
    through_statistics,
    widened,
)
from shared.ops.padding import pad
from shared.ops.reductions import mean, sum
from shared.ops.shapes import as_tensor_like, broadcast_to, c_order, of_one_size, reshape
from shared.spec import Operand, Spec, as_number, one_axis, sizes_match, str_shape

# --- in groups of channels -----------------------------------------------------------------


def _of_channels(call: str, y: Any, shape: Shape, weight: Any, bias: Any) -> Any:
    """y, of which weight and bias (C,) scale and shift each channel, axis 1 of `shape`."""
    for name, value in (("weight", weight), ("bias", bias)):
        given = None if value is None else tuple(as_tensor_like(value).shape)
        if given is not None and not (len(given) == 1 and sizes_match(given[0], shape[1])):
            raise ShapeError(
                f"{call}: {name} {str_shape(given)} must have shape ({shape[1]},), one for each channel of x "
                f"{str_shape(shape)}"
            )
    behind = (1,) * (len(shape) - 2)
    y = y if weight is None else y * reshape(weight, (shape[1], *behind))
    return y if bias is None else y + reshape(bias, (shape[1], *behind))


def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """x (N, C, ...) normalised, in each example, over each of `num_groups` groups of neighbouring channels
    and all axes behind: (x - mean) / sqrt(var + eps) weight + bias, as `torch.nn.functional.group_norm`.

    weight and bias (C,), or None. ShapeError where C does not go into so many groups, or nothing is in one.
    Wu and He 2018.
    """
    x = as_tensor_like(x)
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise ShapeError(f"group_norm: x {str_shape(shape)} needs at least 2 axes, (N, C, ...)")
    if not isinstance(num_groups, (int, np.integer)) or num_groups < 1:
        raise SettingError(f"group_norm: num_groups must be an int from 1 on, not {num_groups!r}")
    if isinstance(shape[1], int) and shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: {shape[1]} channels of x {str_shape(shape)} do not go into {num_groups} groups"
        )
    inside = (divide(shape[1], num_groups), *shape[2:])
    y = layer_norm(reshape(x, (shape[0], num_groups, *inside)), inside, eps=eps)
    return _of_channels("group_norm", reshape(y, shape), shape, weight, bias)


def instance_norm(
    x: Any, weight: Any = None, bias: Any = None, running_mean: Any = None, running_var: Any = None,
    momentum: float = 0.1, eps: float = 1e-5, training: bool = True,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """x (N, C, ...) normalised, in each example and channel, over all axes behind: a group_norm of as many
    groups as channels.

    Gives (y, new_running_mean, new_running_var), as `batch_norm` does; None where none were given. In
    training by the example's own mean and variance; the running ones (C,) move by `momentum` towards the
    mean over the batch of these means, and of the unbiased variances, and carry no gradient. Else by the
    running ones, if there are any. weight and bias (C,) may be None. ShapeError where a size is not C, or
    there is nothing to take a mean of. Ulyanov, Vedaldi and Lempitsky 2016.
    """
    x = as_tensor_like(x)
    shape = tuple(x.shape)
    if len(shape) < 3:
        raise ShapeError(f"instance_norm: x {str_shape(shape)} needs at least 3 axes, (N, C, ...)")
    if (running_mean is None) != (running_var is None):
        raise SettingError("instance_norm: give both running_mean and running_var, or neither")
    if running_mean is not None and not training:
        return batch_norm(x, weight, bias, running_mean, running_var, eps=eps, training=False)
    momentum = as_number("instance_norm", "momentum", momentum)
    y = layer_norm(x, shape[2:], eps=eps)
    y = _of_channels("instance_norm", y, shape, weight, bias)
    if running_mean is None:
        return y, None, None
    return y, *_followed(x, running_mean, running_var, momentum, eps)


def _followed(x: Any, running_mean: Any, running_var: Any, momentum: float, eps: float) -> tuple[Any, Any]:
    """The mean over the batch of what each example makes of the running statistics."""
    n, channels = x.shape[:2]
    rows = reshape(x, (1, n * channels, *x.shape[2:]))
    means, variances = (
        reshape(broadcast_to(v, (n, channels)), (n * channels,)) for v in (running_mean, running_var)
    )
    _, *moved = batch_norm(rows, None, None, means, variances, momentum, eps)
    new_mean, new_var = (mean(reshape(v, (n, channels)), 0) for v in moved)
    return new_mean, new_var


# --- without a mean ------------------------------------------------------------------------


def _compute_rms_norm(x: Any, *, shape: Shape, eps: float, out: Any = (None, None)) -> tuple[Any, Any]:
    axes = last_axes(x.ndim, shape)
    wide = x.astype(work_dtype(x.dtype), copy=False)
    with np.errstate(over="ignore"):
        squares = average(wide * wide, axes, keepdims=True) + eps
    if squares_fit(squares):
        inv_rms = 1 / np.sqrt(squares)
        y = wide * inv_rms
    else:
        size = magnitude(wide, axes, least=math.sqrt(eps))
        scaled = wide / size
        scaled_inv = 1 / np.sqrt(average(scaled * scaled, axes, keepdims=True) + eps / size / size)
        y, inv_rms = scaled * scaled_inv, scaled_inv / size
    return put(c_order(rounded(y, x.dtype)), out[0]), put(c_order(inv_rms), out[1])


def _infer_rms_norm(x: Operand, *, shape: Shape, eps: float) -> tuple[Spec, Spec]:
    check_floating("rms_norm", x)
    lead = len(x.shape) - len(shape)
    if not shape or lead < 0 or not all(map(sizes_match, x.shape[lead:], shape)):
        raise ShapeError(
            f"rms_norm: the last axes of x {str_shape(x.shape)} are not the normalised shape "
            f"{str_shape(shape)}"
        )
    if same_size(product(shape), 0):
        raise ShapeError(f"rms_norm: x {str_shape(x.shape)} has no elements to take a mean of")
    return x, Spec((*x.shape[:lead], *(1,) * len(shape)), work_dtype(x.dtype))


def _rms_norm_rule(g: Any, y: Any, x: Any, *, shape: Shape, eps: float) -> Any:
    """With u = x inv_rms, of which (1 / rms)' = -u / (n rms^2): inv_rms (g - u mean(g u))."""
    gy, g_inv = widened(g[0], y[1]), g[1]
    inv_rms, axes, count = y[1], last_axes(len(x.shape), shape), product(shape)
    unit = x * inv_rms
    found = None
    if gy is not None:
        found = (gy - unit * (sum(gy * unit, axes, keepdims=True) / count)) * inv_rms
    return through_statistics(found, None, g_inv, unit, inv_rms, count)


_rms_norm = Op(
    "rms_norm",
    _compute_rms_norm,
    _infer_rms_norm,
    [Rule(_rms_norm_rule, reads="x inv_rms")],
    outputs=("y", "inv_rms"),
    out=True,
    check=True,
)


def rms_norm(
    x: Any, normalized_shape: int | Sequence[Size], weight: Any = None, eps: float | None = None
) -> Any:
    """x / sqrt(mean(x^2) + eps) weight over its last axes, as `torch.nn.functional.rms_norm`: a layer_norm
    that takes no mean off.

    x (..., *normalized_shape) in floating point; weight of that last shape, or None. eps None is the distance
    of 1 from the next number of the dtype in which it is computed, which is single precision for half.
    ShapeError where the last axes differ or are empty. Zhang and Sennrich 2019.
    """
    x = as_tensor_like(x)
    check_floating("rms_norm", x)
    sizes = as_last_axes("rms_norm", normalized_shape)
    eps = float(np.finfo(work_dtype(x.dtype)).eps) if eps is None else as_number("rms_norm", "eps", eps)
    y = _rms_norm(x, shape=sizes, eps=eps)[0]
    if weight is None:
        return y
    weight = as_tensor_like(weight)
    if len(weight.shape) != len(sizes) or not all(map(sizes_match, weight.shape, sizes)):
        raise ShapeError(
            f"rms_norm: weight {str_shape(tuple(weight.shape))} must have the normalised shape "
            f"{str_shape(sizes)}, the last axes of x {str_shape(tuple(x.shape))}"
        )
    for axis in range(-len(sizes), 0):
        y, weight = of_one_size("rms_norm", y, axis, weight, axis)
    return y * weight


# --- by neighbours, and to length 1 --------------------------------------------------------


def local_response_norm(
    x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """x / (k + alpha mean(x^2))^beta, the mean being over `size` neighbouring channels, as
    `torch.nn.functional.local_response_norm`: what lies beyond the first and the last counts as 0.

    x (N, C, ...), with one axis behind at least; half precision is computed in single. ShapeError for fewer
    axes. Krizhevsky, Sutskever and Hinton 2012, but for the mean, which is a sum there.
    """
    x, call = as_tensor_like(x), "local_response_norm"
    shape = tuple(x.shape)
    alpha, beta, k = (as_number(call, n, v) for n, v in (("alpha", alpha), ("beta", beta), ("k", k)))
    if len(shape) < 3:
        raise ShapeError(f"local_response_norm: x {str_shape(shape)} needs at least 3 axes, (N, C, ...)")
    if not isinstance(size, (int, np.integer)) or size < 1:
        raise SettingError(f"local_response_norm: size must be an int from 1 on, not {size!r}")
    wide = cast(x, np.float32) if x.dtype == np.float16 else x
    squares = reshape(square(wide), (shape[0], 1, shape[1], product(shape[2:])))
    around = pad(squares, ((0, 0), (0, 0), (size // 2, (size - 1) // 2), (0, 0)))
    means = reshape(avg_pool2d(around, (size, 1), 1), shape)
    y = wide / pow(means * alpha + k, beta)
    return y if y.dtype == x.dtype else cast(y, x.dtype)


def normalize(x: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Any:
    """x / max(its p-norm along `axis`, eps), as `torch.nn.functional.normalize`.

    p is any order that `linalg.vector_norm` has. Half precision is computed in single, in which eps is not 0.
    """
    x = as_tensor_like(x)
    wide = cast(x, np.float32) if x.dtype == np.float16 else x
    axis = one_axis("normalize", axis, len(x.shape))
    y = wide / maximum(vector_norm(wide, ord=p, axis=axis, keepdims=True), as_number("normalize", "eps", eps))
    return cast(y, x.dtype) if x.dtype == np.float16 else y
