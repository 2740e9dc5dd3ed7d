"""Normalisation and softmax: ops that relate an element to its neighbours along axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, product, same_size
from shared.errors import DTypeError, SettingError, ShapeError
from shared.op import Joint, Op, PlannerHints, Rule, array_module, put
from shared.ops.choosing import cast
from shared.ops.creation import ones
from shared.ops.elementwise import exp, neg, sqrt
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, broadcast_to, reshape
from shared.spec import Operand, Spec, one_axis, promote, sizes_match, str_shape


def floating(x: Any) -> Any:
    """`x` if it is floating point; integers and bools as float64."""
    x = as_tensor_like(x)
    return x if x.dtype.kind in "fc" else cast(x, np.float64)


# --- softmax -------------------------------------------------------------------------------


def _below_largest(x: Any, axis: int, out: Any) -> Any:
    """`x` minus its largest element along the axis: its exponentials can not overflow."""
    largest = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.subtract(x, largest, out=out, order="C")


def _compute_softmax(x: Any, *, axis: int, out: Any = None) -> Any:
    y = _below_largest(x, axis, out)
    np.exp(y, out=y)
    y /= np.add.reduce(y, axis=axis, keepdims=True)
    return y


_softmax = Op(
    "softmax",
    _compute_softmax,
    lambda x, *, axis: Spec(x.shape, x.dtype),
    [Rule(lambda g, y, x, *, axis: y * (g - sum(g * y, axis, keepdims=True)), reads="y")],
    out=True,
    hints=PlannerHints(inplace=(0,)),
)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) scaled to add up to 1 along `axis`; the largest element is taken off first, so that
    nothing overflows. Integers give float64."""
    x = floating(x)
    return _softmax(x, axis=one_axis("softmax", axis, len(x.shape)))


def _compute_log_softmax(x: Any, *, axis: int, out: Any = None) -> Any:
    y = _below_largest(x, axis, out)
    if y.size:  # the logarithm of no exponentials would be minus infinity
        y -= np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True))
    return y


_log_softmax = Op(
    "log_softmax",
    _compute_log_softmax,
    lambda x, *, axis: Spec(x.shape, x.dtype),
    [Rule(lambda g, y, x, *, axis: g - exp(y) * sum(g, axis, keepdims=True), reads="y")],
    out=True,
    hints=PlannerHints(inplace=(0,)),
)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of softmax, finite where softmax itself would underflow. Integers give float64."""
    x = floating(x)
    return _log_softmax(x, axis=one_axis("log_softmax", axis, len(x.shape)))


# --- what both normalisations share --------------------------------------------------------


def _plus(a: Any, b: Any) -> Any:
    """The sum of two cotangents of which one or both may be absent."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def _within(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """`ufunc(a, b)`, in the memory of `a` where the dtype stays."""
    return ufunc(a, b, out=a if np.result_type(a.dtype, b.dtype) == a.dtype else None)


def _alike(out: Any, x: Any) -> Any:
    """`out`, if it is of x's dtype and so can hold what is not yet the result."""
    return out if out is not None and out.dtype == x.dtype else None


def _through_statistics(g_mean: Any, g_inv_std: Any, centred: Any, inv_std: Any, count: Size) -> Any:
    """What the cotangents of mean and inv_std send back to x: d mean / dx = 1 / count, and
    d inv_std / dx = -inv_std^3 (x - mean) / count."""
    found = None
    if g_inv_std is not None:
        found = centred * (neg(g_inv_std * (inv_std * inv_std * inv_std)) / count)
    if g_mean is not None:
        spread = g_mean / count
        found = broadcast_to(spread, centred.shape) if found is None else found + spread
    return found


_READS = {"x", "weight", "mean", "inv_std"}


def _more_than_bias(wanted: tuple[bool, ...], weight: int) -> bool:
    """Whether the gradient by x or by the weight, the argument at `weight`, is wanted."""
    return wanted[0] or True in wanted[weight : weight + 1]


def _check_floating(call: str, x: Operand) -> None:
    if x.dtype.kind != "f":
        raise DTypeError(f"{call}: x must be floating point, not {x.dtype}; cast it first")


def _same(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(map(sizes_match, a, b))


# --- batch normalisation -------------------------------------------------------------------


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
    *, momentum: float, eps: float, out: Any = (None,) * 5,
) -> tuple[Any, ...]:  # fmt: skip
    xp = array_module(x)
    axes, row = _others(x.ndim), (1, -1) + (1,) * (x.ndim - 2)
    mean = xp.mean(x, axis=axes)
    centred = np.subtract(x, mean.reshape(row), out=_alike(out[0], x), order="C")
    var = xp.mean(centred * centred, axis=axes)
    inv_std = 1 / np.sqrt(var + eps)
    scale = inv_std if weight is None else inv_std * weight
    y = _within(np.multiply, centred, scale.reshape(row))
    if bias is not None:
        y = _within(np.add, y, bias.reshape(row))
    count: Any = _count(x)
    unbiased = var * (count / max(count - 1, 1))
    new_mean = running_mean + momentum * (mean - running_mean)
    new_var = running_var + momentum * (unbiased - running_var)
    made = (
        y, mean, inv_std,
        new_mean.astype(running_mean.dtype, copy=False), new_var.astype(running_var.dtype, copy=False),
    )  # fmt: skip
    return tuple(map(put, made, out))


def _check_batch_norm(x: Operand, *of_channels: Operand) -> None:
    _check_floating("batch_norm", x)
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise ShapeError(f"batch_norm: x {str_shape(shape)} needs at least 2 axes, (N, C, ...)")
    for name, value in zip(("running_mean", "running_var", "weight", "bias"), of_channels, strict=True):
        if value is not None and not _same(tuple(value.shape), shape[1:2]):
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
    one = Spec((channels,), x.dtype)
    return (
        Spec(x.shape, promote(*given)), one, one,
        Spec((channels,), running_mean.dtype), Spec((channels,), running_var.dtype),
    )  # fmt: skip


def _batch_norm_rule(
    g: Any, y: Any, x: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    *, wanted: Any, momentum: float, eps: float,
) -> tuple[Any, ...]:  # fmt: skip
    """Ioffe and Szegedy 2015, section 3; and, since the rule itself reads `mean` and `inv_std`,
    what their own cotangents (which second derivatives bring) send back to x."""
    gy, g_mean, g_inv_std = g[:3]
    mean, inv_std = y[1], y[2]
    ndim, axes = len(x.shape), _others(len(x.shape))
    if not _more_than_bias(wanted, 3):
        return None, None, None, None, None if gy is None else sum(gy, axes)
    centred = x - _row(mean, ndim)
    g_x = g_weight = g_bias = None
    if gy is not None:
        g_bias, by_centred = sum(gy, axes), sum(gy * centred, axes)
        g_weight = by_centred * inv_std
        scale = inv_std if weight is None else inv_std * weight
        g_mean = _plus(g_mean, neg(g_bias * scale))
        g_inv_std = _plus(g_inv_std, by_centred if weight is None else by_centred * weight)
        g_x = gy * _row(scale, ndim) if wanted[0] else None
    if wanted[0]:
        g_mean, g_inv_std = (None if v is None else _row(v, ndim) for v in (g_mean, g_inv_std))
        statistics = _through_statistics(g_mean, g_inv_std, centred, _row(inv_std, ndim), _count(x))
        g_x = _plus(g_x, statistics)
    return g_x, None, None, g_weight, g_bias


_batch_norm = Op(
    "batch_norm",
    _compute_batch_norm,
    _infer_batch_norm,
    Joint(_batch_norm_rule, reads=lambda wanted: _READS if _more_than_bias(wanted, 3) else set()),
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
        scale = 1 / sqrt(running_var + eps)
        scale = scale if weight is None else weight * scale
        shift = neg(running_mean * scale)
        shift = shift if bias is None else shift + bias
        ndim = len(x.shape)
        return x * _row(scale, ndim) + _row(shift, ndim), running_mean, running_var
    if weight is None and bias is not None:
        weight = ones((x.shape[1],), x.dtype, like=x)
    affine = [as_tensor_like(value) for value in (weight, bias) if value is not None]
    settings = {"momentum": float(momentum), "eps": float(eps)}
    y, _, _, new_mean, new_var = _batch_norm(x, running_mean, running_var, *affine, **settings)
    return y, new_mean, new_var


# --- layer normalisation -------------------------------------------------------------------


def _last(ndim: int, shape: Shape) -> tuple[int, ...]:
    """The last axes, those that `shape` is of."""
    return tuple(range(ndim - len(shape), ndim))


def _compute_layer_norm(
    x: Any, weight: Any = None, bias: Any = None, *, shape: Shape, eps: float, out: Any = (None,) * 3
) -> tuple[Any, ...]:
    xp, axes = array_module(x), _last(x.ndim, shape)
    mean = xp.mean(x, axis=axes, keepdims=True)
    y = np.subtract(x, mean, out=_alike(out[0], x), order="C")
    inv_std = 1 / np.sqrt(xp.mean(y * y, axis=axes, keepdims=True) + eps)
    y *= inv_std
    y = y if weight is None else _within(np.multiply, y, weight)
    y = y if bias is None else _within(np.add, y, bias)
    return tuple(map(put, (y, mean, inv_std), out))


def _infer_layer_norm(
    x: Operand, weight: Operand = None, bias: Operand = None, *, shape: Shape, eps: float
) -> tuple[Spec, Spec, Spec]:
    _check_floating("layer_norm", x)
    lead = len(x.shape) - len(shape)
    if not shape or lead < 0 or not _same(x.shape[lead:], shape):
        raise ShapeError(
            f"layer_norm: the last axes of x {str_shape(x.shape)} are not the normalised shape "
            f"{str_shape(shape)}"
        )
    if same_size(product(shape), 0):
        raise ShapeError(f"layer_norm: x {str_shape(x.shape)} has no elements to take statistics of")
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and not _same(value.shape, shape):
            raise ShapeError(
                f"layer_norm: {name} {str_shape(value.shape)} must have the normalised shape "
                f"{str_shape(shape)}, the last axes of x {str_shape(x.shape)}"
            )
    one = Spec((*x.shape[:lead], *(1,) * len(shape)), x.dtype)
    return Spec(x.shape, promote(*(v for v in (x, weight, bias) if v is not None))), one, one


def _layer_norm_rule(
    g: Any, y: Any, x: Any, weight: Any = None, bias: Any = None, *, wanted: Any, shape: Shape, eps: float
) -> tuple[Any, Any, Any]:
    """As batch norm's, but that the weight differs within what is normalised together."""
    gy, g_mean, g_inv_std = g
    _, mean, inv_std = y
    axes = _last(len(x.shape), shape)
    if not _more_than_bias(wanted, 1):
        return None, None, gy
    centred = x - mean
    g_x = g_weight = None
    if gy is not None:
        g_weight = gy * (centred * inv_std) if True in wanted[1:2] else None
        inner = gy if weight is None else gy * weight
        g_x = inner * inv_std
        g_mean = _plus(g_mean, neg(sum(g_x, axes, keepdims=True)))
        g_inv_std = _plus(g_inv_std, sum(inner * centred, axes, keepdims=True))
    if wanted[0]:
        g_x = _plus(g_x, _through_statistics(g_mean, g_inv_std, centred, inv_std, product(shape)))
    return g_x, g_weight, gy


_layer_norm = Op(
    "layer_norm",
    _compute_layer_norm,
    _infer_layer_norm,
    Joint(_layer_norm_rule, reads=lambda wanted: _READS if _more_than_bias(wanted, 1) else set()),
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
    sizes = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not all(isinstance(size, (int, np.integer, Dim)) for size in sizes):
        raise SettingError(f"layer_norm: normalized_shape is made of sizes, not {normalized_shape!r}")
    if weight is None and bias is not None:
        weight = ones(sizes, x.dtype, like=x)
    affine = [as_tensor_like(value) for value in (weight, bias) if value is not None]
    return _layer_norm(x, *affine, shape=sizes, eps=float(eps))[0]
