"""Normalisation and softmax: ops that relate an element to its neighbours along axes."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from shared.errors import ShapeError
from shared.op import Joint, Op, Rule, array_module
from shared.ops.elementwise import exp, neg
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, broadcast_to, reshape
from shared.spec import Operand, Spec, float_dtype, one_axis, str_shape

# --- softmax -------------------------------------------------------------------------------


def _compute_softmax(x: Any, *, axis: int) -> Any:
    e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    return e / np.add.reduce(e, axis=axis, keepdims=True)


_softmax = Op(
    "softmax",
    _compute_softmax,
    lambda x, *, axis: Spec(x.shape, float_dtype(x)),
    [Rule(lambda g, y, x, *, axis: y * (g - sum(g * y, axis, keepdims=True)), reads="y")],
)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) scaled to add up to 1 along `axis`; the largest element is taken off first."""
    x = as_tensor_like(x)
    return _softmax(x, axis=one_axis("softmax", axis, x.ndim))


def _compute_log_softmax(x: Any, *, axis: int) -> Any:
    low = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return low - np.log(np.add.reduce(np.exp(low), axis=axis, keepdims=True))


_log_softmax = Op(
    "log_softmax",
    _compute_log_softmax,
    lambda x, *, axis: Spec(x.shape, float_dtype(x)),
    [Rule(lambda g, y, x, *, axis: g - exp(y) * sum(g, axis, keepdims=True), reads="y")],
)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of softmax, finite where softmax itself would underflow."""
    x = as_tensor_like(x)
    return _log_softmax(x, axis=one_axis("log_softmax", axis, x.ndim))


# --- batch normalisation -------------------------------------------------------------------


def _others(ndim: int) -> tuple[int, ...]:
    """All axes but the channel axis, which is axis 1."""
    return (0, *range(2, ndim))


def _per_channel(value: Any, ndim: int) -> Any:
    """A (C,) value so that it broadcasts over (N, C, ...)."""
    return reshape(value, (1, -1) + (1,) * (ndim - 2))


def _compute_batch_norm(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, *, momentum: float, eps: float
) -> tuple[Any, ...]:
    xp = array_module(x)
    axes, row = _others(x.ndim), (1, -1) + (1,) * (x.ndim - 2)
    mean = xp.mean(x, axis=axes)
    centred = x - mean.reshape(row)
    var = xp.mean(centred * centred, axis=axes)
    inv_std = 1 / np.sqrt(var + eps)
    y = centred * (inv_std * weight).reshape(row) + bias.reshape(row)
    count = x.size // x.shape[1]
    unbiased = var * (count / builtins.max(count - 1, 1))
    new_mean = running_mean + momentum * (mean - running_mean)
    new_var = running_var + momentum * (unbiased - running_var)
    return y, mean, inv_std, new_mean, new_var


def _infer_batch_norm(
    x: Operand, weight: Operand, bias: Operand, running_mean: Operand, running_var: Operand,
    *, momentum: float, eps: float,
) -> tuple[Spec, ...]:  # fmt: skip
    if len(x.shape) < 2:
        raise ShapeError(f"batch_norm: x {str_shape(x.shape)} needs at least 2 axes, (N, C, ...)")
    channels = (x.shape[1],)
    for name, value in (("weight", weight), ("bias", bias), ("running_mean", running_mean), ("running_var", running_var)):
        if tuple(value.shape) != channels:
            raise ShapeError(
                f"batch_norm: {name} {str_shape(value.shape)} must have shape {str_shape(channels)}, "
                f"one for each channel of x {str_shape(x.shape)}"
            )
    one = Spec(channels, x.dtype)
    return Spec(x.shape, x.dtype), one, one, Spec(channels, running_mean.dtype), Spec(channels, running_var.dtype)


def _batch_norm_rule(
    g: Any, y: Any, x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any,
    *, wanted: Any, momentum: float, eps: float,
) -> tuple[Any, ...]:  # fmt: skip
    """Ioffe and Szegedy 2015, section 3; and, since the rule itself reads `mean` and `inv_std`,
    what their own cotangents (which second derivatives bring) send back to x."""
    gy, g_mean, g_inv_std = g[:3]
    mean, inv_std = y[1], y[2]
    ndim, axes = len(x.shape), _others(len(x.shape))
    count = x.size // x.shape[1]
    centred = x - _per_channel(mean, ndim)
    g_bias = g_weight = g_x = None
    to_inv_std, to_mean = g_inv_std, g_mean
    if gy is not None:
        g_bias = sum(gy, axes)
        by_centred = sum(gy * centred, axes)
        g_weight = by_centred * inv_std if wanted[1] else None
        to_inv_std = _plus(to_inv_std, by_centred * weight)
        to_mean = _plus(to_mean, neg(g_bias * (inv_std * weight)))
    if wanted[0]:
        g_x = broadcast_to(_per_channel(to_mean / count, ndim), x.shape) if to_mean is not None else None
        if to_inv_std is not None:  # d inv_std / dx = -inv_std^3 (x - mean) / count
            scale = neg(to_inv_std * (inv_std * inv_std * inv_std)) / count
            g_x = _plus(g_x, centred * _per_channel(scale, ndim))
        if gy is not None:
            g_x = _plus(g_x, gy * _per_channel(inv_std * weight, ndim))
    return g_x, g_weight, g_bias, None, None


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a + b


_batch_norm = Op(
    "batch_norm",
    _compute_batch_norm,
    _infer_batch_norm,
    Joint(_batch_norm_rule, reads="x weight mean inv_std"),
    outputs=("y", "mean", "inv_std", "new_mean", "new_var"),
    constant=("new_mean", "new_var"),
)


def batch_norm(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any,
    momentum: float = 0.1, eps: float = 1e-5,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """x (N, C, ...) normalised over all axes but C by the batch's own statistics.

    Gives (y, new_running_mean, new_running_var); the statistics move by `momentum` towards the
    batch's mean and unbiased variance, as in PyTorch, and carry no gradient. Evaluation, with
    the running statistics, is plain arithmetic: see `nn.BatchNorm2d`.
    """
    y, _, _, new_mean, new_var = _batch_norm(
        x, weight, bias, running_mean, running_var, momentum=float(momentum), eps=float(eps)
    )
    return y, new_mean, new_var
