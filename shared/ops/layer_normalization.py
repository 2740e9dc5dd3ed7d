"""Normalisation over the last axes of each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Shape, Size, product, same_size
from shared.errors import ShapeError
from shared.kernels import plain, row_normalizing
from shared.numerics.half import rounded
from shared.numerics.scaling import fitting
from shared.numerics.summing import work_dtype
from shared.op import Joint, Op, put
from shared.ops.creation import ones
from shared.ops.elementwise import neg
from shared.ops.normalization import (
    READS,
    as_last_axes,
    by_normalised,
    check_floating,
    last_axes,
    more_than_bias,
    plus,
    same_shape,
    statistics,
    through_statistics,
    widened,
    within,
)
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, broadcast_to
from shared.spec import Operand, Spec, as_number, promote, str_shape


def _compute_layer_norm(
    x: Any, weight: Any = None, bias: Any = None, *, shape: Shape, eps: float, out: Any = (None,) * 3
) -> tuple[Any, ...]:
    width: Any = product(shape)
    by_kernel = row_normalizing.suits(width, x, weight, bias)
    made = (_by_kernel if by_kernel else _normalised)(x, weight, bias, shape, eps, out[0])
    return tuple(map(put, made, out))


def _by_kernel(x: Any, weight: Any, bias: Any, shape: Shape, eps: float, out: Any) -> tuple[Any, ...]:
    """By the kernel; rows whose squares leave the range, by its twin."""
    lead, width = x.shape[: x.ndim - len(shape)], product(shape)
    y, rows = _room(x, out), plain(x).reshape(-1, width)
    weight, bias = (None if value is None else plain(value).reshape(-1) for value in (weight, bias))
    to = y.reshape(-1, width)
    mean, inv_std, var = row_normalizing.normalize(rows, weight, bias, eps, to)
    if (lost := ~fitting(var + eps)).any():
        again = _normalised(rows[lost], weight, bias, (width,), eps, None)
        for into, value in zip((to, mean, inv_std), again, strict=True):
            into[lost] = value.reshape(into[lost].shape)
    ones_behind = (1,) * len(shape)
    return y, mean.reshape(*lead, *ones_behind), inv_std.reshape(*lead, *ones_behind)


def _room(x: Any, out: Any) -> Any:
    """Where the kernel writes what is like x: where it shall be, if that is in C order."""
    return np.empty(x.shape, x.dtype) if out is None or not out.flags.c_contiguous else out


def _normalised(x: Any, weight: Any, bias: Any, shape: Shape, eps: float, out: Any) -> tuple[Any, ...]:
    """The twin of the kernel, for any x."""
    y, mean, inv_std, _ = statistics(x, last_axes(x.ndim, shape), eps, out)
    y = y if weight is None else within(np.multiply, y, weight)
    y = y if bias is None else within(np.add, y, bias)
    return rounded(y, promote(*(value for value in (x, weight, bias) if value is not None))), mean, inv_std


def _infer_layer_norm(
    x: Operand, weight: Operand = None, bias: Operand = None, *, shape: Shape, eps: float
) -> tuple[Spec, Spec, Spec]:
    check_floating("layer_norm", x)
    lead = len(x.shape) - len(shape)
    if not shape or lead < 0 or not same_shape(x.shape[lead:], shape):
        raise ShapeError(
            f"layer_norm: the last axes of x {str_shape(x.shape)} are not the normalised shape "
            f"{str_shape(shape)}"
        )
    if same_size(product(shape), 0):
        raise ShapeError(f"layer_norm: x {str_shape(x.shape)} has no elements to take statistics of")
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and not same_shape(value.shape, shape):
            raise ShapeError(
                f"layer_norm: {name} {str_shape(value.shape)} must have the normalised shape "
                f"{str_shape(shape)}, the last axes of x {str_shape(x.shape)}"
            )
    one = Spec((*x.shape[:lead], *(1,) * len(shape)), work_dtype(x.dtype))
    return Spec(x.shape, promote(*(v for v in (x, weight, bias) if v is not None))), one, one


# --- its gradient --------------------------------------------------------------------------


def layer_norm_grad_composed(
    g: Any, x: Any, mean: Any, inv_std: Any, weight: Any = None, *, axes: tuple[int, ...]
) -> tuple[Any, ...]:
    """What `layer_norm_grad` computes, out of plain ops; `axes` are the last ones."""
    lead = len(x.shape) - len(axes)
    rows = tuple(range(lead))
    unit = (x - mean) * inv_std
    inner = g if weight is None else g * weight
    sums = sum(inner, axes, keepdims=True), sum(inner * unit, axes, keepdims=True)
    g_x = by_normalised(inner, unit, *sums, inv_std, product(x.shape[lead:]))
    return g_x, sum(g * unit, rows), sum(g, rows)


def _compute_layer_norm_grad(
    g: Any, x: Any, mean: Any, inv_std: Any, weight: Any = None,
    *, axes: tuple[int, ...], out: Any = (None,) * 3,
) -> tuple[Any, ...]:  # fmt: skip
    shape = x.shape[x.ndim - len(axes) :]
    width: Any = product(shape)
    if not row_normalizing.suits(width, x, g, mean, inv_std, weight):
        return tuple(map(put, layer_norm_grad_composed(g, x, mean, inv_std, weight, axes=axes), out))
    g_x = _room(x, out[0])
    g, x = (plain(value).reshape(-1, width) for value in (g, x))
    mean, inv_std = (plain(value).reshape(-1) for value in (mean, inv_std))
    weight = None if weight is None else plain(weight).reshape(-1)
    sums = row_normalizing.normalize_grad(g, x, mean, inv_std, weight, g_x.reshape(-1, width))
    return tuple(map(put, (g_x, *(value.reshape(shape) for value in sums)), out))


def _infer_layer_norm_grad(
    g: Operand, x: Operand, mean: Operand, inv_std: Operand, weight: Operand = None,
    *, axes: tuple[int, ...],
) -> tuple[Spec, Spec, Spec]:  # fmt: skip
    every = (g, x, mean, inv_std) if weight is None else (g, x, mean, inv_std, weight)
    shape = x.shape[len(x.shape) - len(axes) :]
    by_unit = Spec(shape, promote(g, x, mean, inv_std))
    return Spec(x.shape, promote(*every)), by_unit, Spec(shape, g.dtype)


def _layer_norm_grad_rule(
    c: Any, y: Any, g: Any, x: Any, mean: Any, inv_std: Any, weight: Any = None,
    *, wanted: Any, axes: tuple[int, ...],
) -> tuple[Any, ...]:  # fmt: skip
    """The inner product of the cotangents (a, b, c) with what comes out is
    sum(a (h - unit U / n - H / n) s) + sum(b g unit) + sum(c g), with s = inv_std, h = g weight, and for each
    row H = sum(h), U = sum(h unit)."""
    a, by_weight, by_bias = c
    count = product(x.shape[len(x.shape) - len(axes) :])

    def of_row(value: Any) -> Any:
        return sum(value, axes, keepdims=True)

    away = x - mean
    unit = away * inv_std
    g_g = g_unit = g_inv = g_weight = None
    if a is not None:
        inner = g if weight is None else g * weight
        a_unit, inner_unit = of_row(a * unit), of_row(inner * unit)
        g_inner = by_normalised(a, unit, of_row(a), a_unit, inv_std, count)
        g_g = g_inner if weight is None else g_inner * weight
        g_weight = None if weight is None else g_inner * g
        g_unit = neg((a * inner_unit + inner * a_unit) * (inv_std / count))
        g_inv = of_row(a * (inner - (unit * (inner_unit / count) + of_row(inner) / count)))
    if by_weight is not None:
        g_g, g_unit = plus(g_g, unit * by_weight), plus(g_unit, g * by_weight)
    if by_bias is not None:
        g_g = plus(g_g, broadcast_to(by_bias, g.shape))
    g_x = g_mean = None
    if g_unit is not None:
        g_x = g_unit * inv_std
        g_mean, g_inv = neg(of_row(g_x)), plus(g_inv, of_row(g_unit * away))
    return g_g, g_x, g_mean, g_inv, g_weight


_layer_norm_grad = Op(
    "layer_norm_grad",
    _compute_layer_norm_grad,
    _infer_layer_norm_grad,
    Joint(_layer_norm_grad_rule, reads="g x mean inv_std weight"),
    outputs=("g_x", "g_weight", "g_bias"),
    out=True,
)


def _layer_norm_rule(
    g: Any, y: Any, x: Any, weight: Any = None, bias: Any = None, *, wanted: Any, shape: Shape, eps: float
) -> tuple[Any, Any, Any]:
    mean, inv_std = y[1], y[2]
    gy, g_mean, g_inv_std = widened(g[0], mean), g[1], g[2]
    if not more_than_bias(wanted, 1):
        return None, None, gy
    g_x = g_weight = g_bias = None
    if gy is not None:
        given = (gy, x, mean, inv_std) if weight is None else (gy, x, mean, inv_std, weight)
        g_x, g_weight, g_bias = _layer_norm_grad(*given, axes=last_axes(len(x.shape), shape))
    if wanted[0] and (g_mean is not None or g_inv_std is not None):
        unit = (x - mean) * inv_std
        g_x = through_statistics(g_x, g_mean, g_inv_std, unit, inv_std, product(shape))
    return g_x, g_weight, g_bias


# --- the op --------------------------------------------------------------------------------

_layer_norm = Op(
    "layer_norm",
    _compute_layer_norm,
    _infer_layer_norm,
    Joint(_layer_norm_rule, reads=lambda wanted: READS if more_than_bias(wanted, 1) else set()),
    outputs=("y", "mean", "inv_std"),
    out=True,
    check=True,
)


def layer_norm(
    x: Any, normalized_shape: int | Sequence[Size], weight: Any = None, bias: Any = None,
    eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each example normalised over its last axes, as `torch.nn.functional.layer_norm`:
    (x - mean) / sqrt(var + eps) weight + bias, with the biased variance.

    x (..., *normalized_shape) in floating point; weight and bias of that last shape, or None.
    ShapeError where the last axes differ or are empty. Ba, Kiros and Hinton 2016.
    """
    x = as_tensor_like(x)
    sizes = as_last_axes("layer_norm", normalized_shape)
    if weight is None and bias is not None:
        last = tuple(x.shape)[-len(sizes) :]
        fits = same_shape(last, sizes)  # what does not is refused below, not made first
        weight = ones(sizes if fits else (), x.dtype, like=x)
    affine = [as_tensor_like(value) for value in (weight, bias) if value is not None]
    return _layer_norm(x, *affine, shape=sizes, eps=as_number("layer_norm", "eps", eps))[0]
