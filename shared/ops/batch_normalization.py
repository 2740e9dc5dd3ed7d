"""Normalisation over a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Size, product, same_size
from shared.errors import ShapeError
from shared.kernels import normalizing, plain
from shared.numerics.half import rounded
from shared.numerics.scaling import squares_fit
from shared.numerics.summing import work_dtype
from shared.op import Joint, Op, put
from shared.ops.activations import relu_grad
from shared.ops.creation import ones
from shared.ops.elementwise import neg, sqrt
from shared.ops.normalization import (
    READS,
    by_normalised,
    check_floating,
    more_than_bias,
    plus,
    same_shape,
    statistics,
    through_statistics,
    widened,
    within,
)
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, broadcast_to, of_one_size, reshape
from shared.spec import Operand, Spec, as_number, promote, str_shape


def _others(ndim: int) -> tuple[int, ...]:
    """All axes but the channel axis, which is axis 1."""
    return (0, *range(2, ndim))


def _row(value: Any, ndim: int) -> Any:
    """A (C,) value so that it broadcasts over (N, C, ...)."""
    return reshape(value, (1, value.shape[0]) + (1,) * (ndim - 2))


def _count(x: Any) -> Size:
    """How many elements of (N, C, ...) each channel has."""
    return product((x.shape[0], *x.shape[2:]))


def _compute_batch_norm(
    x: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    *, momentum: float, eps: float, out: Any = (None,) * 5, added: Any = None, relu: bool = False,
) -> tuple[Any, ...]:  # fmt: skip
    """What a compiler may have made in the same pass: y plus `added`, of y's shape and dtype, and relu."""
    found = _by_kernel(x, weight, bias, eps, out[0], added, relu)
    y, mean, inv_std, var = _normalised(x, weight, bias, eps, out[0]) if found is None else found
    if found is None and added is not None:
        y = np.add(y, added, out=y)
    if found is None and relu:
        y = np.maximum(y, 0, out=y)
    count: Any = _count(x)
    unbiased = var * (count / max(count - 1, 1))
    new_mean = running_mean + momentum * (mean - running_mean)
    new_var = running_var + momentum * (unbiased - running_var)
    made = (
        y, mean, inv_std,
        new_mean.astype(running_mean.dtype, copy=False), new_var.astype(running_var.dtype, copy=False),
    )  # fmt: skip
    return tuple(map(put, made, out))


def _by_kernel(
    x: Any, weight: Any, bias: Any, eps: float, out: Any, added: Any, relu: bool
) -> tuple[Any, ...] | None:
    """y, mean, inv_std and var, where the kernel can make them: squares must not leave the range."""
    if not normalizing.suits(x, weight, bias, out, added):
        return None
    y = np.empty(x.shape, x.dtype) if out is None else out
    weight, bias, added = (None if value is None else plain(value) for value in (weight, bias, added))
    found = normalizing.normalize(plain(x), weight, bias, eps, y, added, relu)
    return (y, *found) if squares_fit(found[2] + eps) else None


def _normalised(x: Any, weight: Any, bias: Any, eps: float, out: Any) -> tuple[Any, ...]:
    """The twin of the kernel, for any x."""
    row = (1, -1) + (1,) * (x.ndim - 2)
    y, *found = statistics(x, _others(x.ndim), eps, out)
    mean, inv_std, var = (value.reshape(-1) for value in found)
    if weight is not None:
        y = within(np.multiply, y, weight.reshape(row))
    if bias is not None:
        y = within(np.add, y, bias.reshape(row))
    return rounded(y, promote(*(v for v in (x, weight, bias) if v is not None))), mean, inv_std, var


def _check_batch_norm(x: Operand, *of_channels: Operand) -> None:
    check_floating("batch_norm", x)
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise ShapeError(f"batch_norm: x {str_shape(shape)} needs at least 2 axes, (N, C, ...)")
    for name, value in zip(("running_mean", "running_var", "weight", "bias"), of_channels, strict=True):
        if value is not None and not same_shape(tuple(value.shape), shape[1:2]):
            raise ShapeError(
                f"batch_norm: {name} {str_shape(tuple(value.shape))} must have shape ({shape[1]},), "
                f"one for each channel of x {str_shape(shape)}"
            )


def _infer_batch_norm(
    x: Operand, running_mean: Operand, running_var: Operand, weight: Operand = None,
    bias: Operand = None, *, momentum: float, eps: float,
) -> tuple[Spec, ...]:  # fmt: skip
    _check_batch_norm(x, running_mean, running_var, weight, bias)
    if same_size(_count(x), 0):
        raise ShapeError(f"batch_norm: x {str_shape(x.shape)} has no elements to take statistics of")
    channels, given = x.shape[1], [value for value in (x, weight, bias) if value is not None]
    one = Spec((channels,), work_dtype(x.dtype))
    return (
        Spec(x.shape, promote(*given)), one, one,
        Spec((channels,), running_mean.dtype), Spec((channels,), running_var.dtype),
    )  # fmt: skip


# --- its gradient --------------------------------------------------------------------------


def batch_norm_grad_composed(g: Any, x: Any, mean: Any, inv_std: Any, weight: Any = None) -> tuple[Any, ...]:
    """What `batch_norm_grad` computes, out of plain ops; in terms of the normalised x, which no size of x
    takes out of range."""
    ndim, axes = len(x.shape), _others(len(x.shape))
    unit = (x - _row(mean, ndim)) * _row(inv_std, ndim)
    g_bias, g_weight = sum(g, axes), sum(g * unit, axes)
    scale = _row(inv_std if weight is None else inv_std * weight, ndim)
    g_x = by_normalised(g, unit, _row(g_bias, ndim), _row(g_weight, ndim), scale, _count(x))
    return g_x, g_weight, g_bias


def _compute_batch_norm_grad(
    g: Any, x: Any, mean: Any, inv_std: Any, weight: Any = None, out: Any = (None,) * 3, relu: Any = None
) -> tuple[Any, ...]:
    """relu: what relu made of y, if g is the gradient by that."""
    if not normalizing.suits(x, g, mean, inv_std, weight, relu, *out):
        g = g if relu is None else relu_grad.compute(g, relu)
        return tuple(map(put, batch_norm_grad_composed(g, x, mean, inv_std, weight), out))
    shapes = x.shape, mean.shape, mean.shape
    made = tuple(np.empty(s, x.dtype) if o is None else o for s, o in zip(shapes, out, strict=True))
    g, x, mean, inv_std, weight, relu = (
        None if value is None else plain(value) for value in (g, x, mean, inv_std, weight, relu)
    )
    normalizing.normalize_grad(g, x, mean, inv_std, weight, made[0], made[1], made[2], relu)
    return made


def _infer_batch_norm_grad(
    g: Operand, x: Operand, mean: Operand, inv_std: Operand, weight: Operand = None
) -> tuple[Spec, Spec, Spec]:
    every = (g, x, mean, inv_std) if weight is None else (g, x, mean, inv_std, weight)
    by_unit = Spec(mean.shape, promote(g, x, mean, inv_std))
    return Spec(x.shape, promote(*every)), by_unit, Spec(mean.shape, g.dtype)


def _batch_norm_grad_rule(
    c: Any, y: Any, g: Any, x: Any, mean: Any, inv_std: Any, weight: Any = None, *, wanted: Any
) -> tuple[Any, ...]:
    """The inner product of the cotangents (a, b, c) with what comes out is
    sum(a (g - unit W / n - B / n) s) + b W + c B, with s = inv_std weight, B = sum(g), W = sum(g unit)."""
    a, by_weight, by_bias = c
    ndim, axes, count = len(x.shape), _others(len(x.shape)), _count(x)
    away = x - _row(mean, ndim)
    unit = away * _row(inv_std, ndim)
    g_unit = g_scale = g_g = None
    if a is not None:
        scale = inv_std if weight is None else inv_std * weight
        sums = [sum(g, axes), sum(g * unit, axes)]
        rest = g - (unit * (_row(sums[1], ndim) / count) + _row(sums[0], ndim) / count)
        g_scale = sum(a * rest, axes)
        scaled = a * _row(scale, ndim)
        g_g, g_unit = scaled, neg(scaled * (_row(sums[1], ndim) / count))
        by_weight = plus(by_weight, neg(sum(scaled * unit, axes) / count))
        by_bias = plus(by_bias, neg(sum(scaled, axes) / count))
    if by_weight is not None:
        by_row = _row(by_weight, ndim)
        g_g, g_unit = plus(g_g, unit * by_row), plus(g_unit, g * by_row)
    if by_bias is not None:
        g_g = plus(g_g, broadcast_to(_row(by_bias, ndim), g.shape))
    g_x = g_mean = g_inv = None
    if g_unit is not None:
        g_x = g_unit * _row(inv_std, ndim)
        g_mean, g_inv = neg(sum(g_x, axes)), sum(g_unit * away, axes)
    if g_scale is not None:
        g_inv = plus(g_inv, g_scale if weight is None else g_scale * weight)
    return g_g, g_x, g_mean, g_inv, None if g_scale is None else g_scale * inv_std


_batch_norm_grad = Op(
    "batch_norm_grad",
    _compute_batch_norm_grad,
    _infer_batch_norm_grad,
    Joint(_batch_norm_grad_rule, reads="g x mean inv_std weight"),
    outputs=("g_x", "g_weight", "g_bias"),
    out=True,
)


def _batch_norm_rule(
    g: Any, y: Any, x: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    *, wanted: Any, momentum: float, eps: float,
) -> tuple[Any, ...]:  # fmt: skip
    mean, inv_std = y[1], y[2]
    gy, g_mean, g_inv_std = widened(g[0], mean), g[1], g[2]
    ndim = len(x.shape)
    if not more_than_bias(wanted, 3):
        return None, None, None, None, None if gy is None else sum(gy, _others(ndim))
    g_x = g_weight = g_bias = None
    if gy is not None:
        weights = () if weight is None else (weight,)
        g_x, g_weight, g_bias = _batch_norm_grad(gy, x, mean, inv_std, *weights)
    if wanted[0] and (g_mean is not None or g_inv_std is not None):
        unit = (x - _row(mean, ndim)) * _row(inv_std, ndim)
        g_mean, g_inv_std = (None if v is None else _row(v, ndim) for v in (g_mean, g_inv_std))
        g_x = through_statistics(g_x, g_mean, g_inv_std, unit, _row(inv_std, ndim), _count(x))
    return g_x, None, None, g_weight, g_bias


# --- the op --------------------------------------------------------------------------------

_batch_norm = Op(
    "batch_norm",
    _compute_batch_norm,
    _infer_batch_norm,
    Joint(_batch_norm_rule, reads=lambda wanted: READS if more_than_bias(wanted, 3) else set()),
    outputs=("y", "mean", "inv_std", "new_mean", "new_var"),
    out=True,
    constant=("new_mean", "new_var"),
    check=True,
)


def batch_norm(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any,
    momentum: float = 0.1, eps: float = 1e-5, training: bool = True,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """x (N, C, ...) normalised over all axes but C: (x - mean) / sqrt(var + eps) weight + bias.

    Gives (y, new_running_mean, new_running_var). In training by the batch's own mean and
    variance; the running ones move by `momentum` towards that mean and the unbiased variance,
    as in PyTorch, and carry no gradient. Else by the running ones, which stay as they are.
    weight and bias (C,) may be None. ShapeError where a size is not C, or there is nothing to
    take a mean of. Ioffe and Szegedy 2015.
    """
    x = as_tensor_like(x)
    if not training:
        _check_batch_norm(x, running_mean, running_var, weight, bias)
        values = [running_mean, running_var, weight, bias]
        for i, value in enumerate(values):
            if value is not None:
                x, values[i] = of_one_size("batch_norm", x, 1, value, 0)
        mean, var, weight, bias = values
        scale = 1 / sqrt(var + eps)
        scale = scale if weight is None else weight * scale
        shift = neg(mean * scale)
        shift = shift if bias is None else shift + bias
        ndim = len(x.shape)
        return x * _row(scale, ndim) + _row(shift, ndim), running_mean, running_var
    if weight is None and bias is not None:
        weight = ones((x.shape[1],), x.dtype, like=x)
    affine = [as_tensor_like(value) for value in (weight, bias) if value is not None]
    settings = {
        "momentum": as_number("batch_norm", "momentum", momentum), "eps": as_number("batch_norm", "eps", eps),
    }  # fmt: skip
    y, _, _, new_mean, new_var = _batch_norm(x, running_mean, running_var, *affine, **settings)
    return y, new_mean, new_var
