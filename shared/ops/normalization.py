"""Normalisation over the axes of each example, and what all normalisations share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, product, same_size
from shared.errors import DTypeError, SettingError, ShapeError
from shared.numerics.half import rounded
from shared.numerics.scaling import magnitude, squares_fit
from shared.numerics.summing import average, work_dtype
from shared.op import Joint, Op, put
from shared.ops.choosing import cast
from shared.ops.creation import ones
from shared.ops.elementwise import neg
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, broadcast_to
from shared.spec import Operand, Spec, as_number, promote, sizes_match, str_shape

# --- what normalisations share -------------------------------------------------------------


def plus(a: Any, b: Any) -> Any:
    """The sum of two cotangents of which one or both may be absent."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def within(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """`ufunc(a, b)`, in the memory of `a` where the dtype stays."""
    return ufunc(a, b, out=a if np.result_type(a.dtype, b.dtype) == a.dtype else None)


def statistics(x: Any, axes: tuple[int, ...], eps: float, out: Any = None) -> tuple[Any, ...]:
    """x normalised over some axes, then its mean, 1 / sqrt(var + eps) and var; the axes stay behind as sizes
    of 1. Half precision is computed, and given, in single."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = average(x, axes, keepdims=True)
        y = np.subtract(x, mean, out=out if out is not None and out.dtype == mean.dtype else None, order="C")
        var = average(y * y, axes, keepdims=True)
    if squares_fit(var + eps):
        inv_std = 1 / np.sqrt(var + eps)
        y *= inv_std
        return y, mean, inv_std, var
    size = magnitude(x.astype(mean.dtype, copy=False), axes, least=math.sqrt(eps))
    scaled = x / size
    middle = average(scaled, axes, keepdims=True)
    scaled -= middle
    part = average(scaled * scaled, axes, keepdims=True)
    scaled_inv = 1 / np.sqrt(part + eps / size / size)
    with np.errstate(over="ignore"):
        return put(scaled * scaled_inv, y), middle * size, scaled_inv / size, part * size * size


def through_statistics(g: Any, g_mean: Any, g_inv_std: Any, unit: Any, inv_std: Any, count: Size) -> Any:
    """What the cotangents of mean and inv_std themselves, which second derivatives bring, add to g:
    d mean / dx = 1 / count, d inv_std / dx = -inv_std^2 unit / count, `unit` being the normalised x."""
    if g_inv_std is not None:
        g = plus(g, unit * (neg(g_inv_std * inv_std * inv_std) / count))
    return g if g_mean is None else plus(g, broadcast_to(g_mean / count, unit.shape))


def by_normalised(g: Any, unit: Any, g_sum: Any, g_unit_sum: Any, scale: Any, count: Size) -> Any:
    """The cotangent of x, given that of the normalised x but for the factor `scale`, and the sums of g and of
    g unit over what is normalised together (Ioffe and Szegedy 2015, section 3)."""
    return (g - (unit * (g_unit_sum / count) + g_sum / count)) * scale


def widened(g: Any, like: Any) -> Any:
    """A cotangent in the dtype of the statistics, where that is wider."""
    return g if g is None or g.dtype.itemsize >= like.dtype.itemsize else cast(g, like.dtype)


READS = {"x", "weight", "mean", "inv_std"}


def more_than_bias(wanted: tuple[bool, ...], weight: int) -> bool:
    """Whether the gradient by x or by the weight, the argument at `weight`, is wanted."""
    return wanted[0] or True in wanted[weight : weight + 1]


def check_floating(call: str, x: Operand) -> None:
    """DTypeError unless x is floating point."""
    if x.dtype.kind != "f":
        raise DTypeError(f"{call}: x must be floating point, not {x.dtype}; cast it first")


def same_shape(a: Shape, b: Shape) -> bool:
    """Whether two shapes may be the same one."""
    return len(a) == len(b) and all(map(sizes_match, a, b))


# --- layer normalisation -------------------------------------------------------------------


def last_axes(ndim: int, shape: Shape) -> tuple[int, ...]:
    """The last axes, those that `shape` is of."""
    return tuple(range(ndim - len(shape), ndim))


def as_last_axes(call: str, normalized_shape: int | Sequence[Size]) -> Shape:
    """The sizes of the axes that are normalised together, as a tuple."""
    sizes = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not all(isinstance(size, (int, np.integer, Dim)) for size in sizes):
        raise SettingError(f"{call}: normalized_shape is made of sizes, not {normalized_shape!r}")
    return sizes


def _compute_layer_norm(
    x: Any, weight: Any = None, bias: Any = None, *, shape: Shape, eps: float, out: Any = (None,) * 3
) -> tuple[Any, ...]:
    y, mean, inv_std, _ = statistics(x, last_axes(x.ndim, shape), eps, out[0])
    y = y if weight is None else within(np.multiply, y, weight)
    y = y if bias is None else within(np.add, y, bias)
    y = rounded(y, promote(*(value for value in (x, weight, bias) if value is not None)))
    return tuple(map(put, (y, mean, inv_std), out))


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


def _layer_norm_rule(
    g: Any, y: Any, x: Any, weight: Any = None, bias: Any = None, *, wanted: Any, shape: Shape, eps: float
) -> tuple[Any, Any, Any]:
    """As batch norm's, but that the weight differs within what is normalised together."""
    gy, g_mean, g_inv_std = g
    _, mean, inv_std = y
    axes, count = last_axes(len(x.shape), shape), product(shape)
    if not more_than_bias(wanted, 1):
        return None, None, gy
    gy = widened(gy, mean)
    unit = (x - mean) * inv_std
    g_x = g_weight = None
    if gy is not None:
        g_weight = gy * unit if True in wanted[1:2] else None
        if wanted[0]:
            inner = gy if weight is None else gy * weight
            g_sum, g_unit_sum = sum(inner, axes, keepdims=True), sum(inner * unit, axes, keepdims=True)
            g_x = by_normalised(inner, unit, g_sum, g_unit_sum, inv_std, count)
    if wanted[0]:
        g_x = through_statistics(g_x, g_mean, g_inv_std, unit, inv_std, count)
    return g_x, g_weight, gy


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
