"""What all normalisations share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size
from shared.errors import DTypeError, SettingError
from shared.numerics.scaling import magnitude, squares_fit
from shared.numerics.summing import average
from shared.op import put
from shared.ops.choosing import cast
from shared.ops.elementwise import neg
from shared.ops.shapes import broadcast_to
from shared.spec import Operand, sizes_match

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


def last_axes(ndim: int, shape: Shape) -> tuple[int, ...]:
    """The last axes, those that `shape` is of."""
    return tuple(range(ndim - len(shape), ndim))


def as_last_axes(call: str, normalized_shape: int | Sequence[Size]) -> Shape:
    """The sizes of the axes that are normalised together, as a tuple."""
    sizes = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not all(isinstance(size, (int, np.integer, Dim)) for size in sizes):
        raise SettingError(f"{call}: normalized_shape is made of sizes, not {normalized_shape!r}")
    return sizes
