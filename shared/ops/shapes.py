"""Ops that move elements and compute nothing: reshape, transpose, broadcast, join, split."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, divide, product
from shared.errors import SettingError, ShapeError
from shared.op import Joint, Op, Rule, array_module, as_array
from shared.ops.creation import zeros
from shared.spec import (
    Operand,
    Spec,
    many_axes,
    ndim_of,
    one_axis,
    promote,
    shape_of,
    sizes_match,
    str_shape,
)


def as_tensor_like(x: Any) -> Any:
    """`x` itself if it has a shape already, else an array of it (lists, numbers)."""
    return x if hasattr(x, "shape") else as_array(x)


# --- reshape and its kin -------------------------------------------------------------------


def _infer_reshape(x: Operand, *, shape: Shape) -> Spec:
    before, after = product(shape_of(x)), product(shape)
    if not (isinstance(before, Dim) or isinstance(after, Dim)) and before != after:
        raise ShapeError(
            f"reshape: {str_shape(shape_of(x))} has {before} elements and "
            f"{str_shape(shape)} has {after}; put -1 for one size to have it worked out"
        )
    return Spec(shape, x.dtype)


_reshape = Op(
    "reshape",
    lambda x, *, shape: x.reshape(shape),
    _infer_reshape,
    [Rule(lambda g, y, x, *, shape: reshape(g, x.shape))],
    alias=(0,),
)


def reshape(x: Any, shape: Sequence[Size] | Size) -> Any:
    """`x` in another shape with the same elements in the same (C) order.

    One size may be -1: it is worked out from the others. May share memory with `x`.
    Raises ShapeError if the numbers of elements differ.
    """
    x = as_tensor_like(x)
    target: Shape = (shape,) if isinstance(shape, (int, Dim, np.integer)) else tuple(shape)
    target = tuple(size if isinstance(size, Dim) else int(size) for size in target)
    free = [axis for axis, size in enumerate(target) if not isinstance(size, Dim) and size == -1]
    if free:
        rest = product(tuple(size for axis, size in enumerate(target) if axis != free[0]))
        total = product(x.shape)
        known = not (isinstance(rest, Dim) or isinstance(total, Dim))
        if len(free) > 1 or rest == 0 or (known and total % rest):  # type: ignore[operator]
            raise ShapeError(
                f"reshape: {str_shape(x.shape)} does not go into {str_shape(target)}; "
                "one size may be -1, and the others must divide the number of elements"
            )
        target = (*target[: free[0]], divide(total, rest), *target[free[0] + 1 :])
    return _reshape(x, shape=target)


def flatten(x: Any, start_axis: int = 0) -> Any:
    """The axes from `start_axis` on, made one. `flatten(x, 1)` keeps the batch axis."""
    x = as_tensor_like(x)
    start = one_axis("flatten", start_axis, builtins.max(x.ndim, 1))
    return reshape(x, (*x.shape[:start], product(x.shape[start:])))


def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    """`x` with axes of size 1 put in, so that they stand at `axis` of the result."""
    x = as_tensor_like(x)
    added = (axis,) if isinstance(axis, int) else tuple(axis)
    ndim = x.ndim + len(added)
    places = many_axes("expand_dims", added, ndim)
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if i in places else next(sizes) for i in range(ndim)))


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`x` without the axes of size 1 (all of them, or those named)."""
    x = as_tensor_like(x)
    if axis is None:
        gone = [i for i, size in enumerate(x.shape) if not isinstance(size, Dim) and size == 1]
    else:
        gone = list(many_axes("squeeze", axis, x.ndim))
        for i in gone:
            if not sizes_match(x.shape[i], 1):
                raise ShapeError(
                    f"squeeze: axis {i} of {str_shape(x.shape)} has size {x.shape[i]}, not 1"
                )
    return reshape(x, tuple(size for i, size in enumerate(x.shape) if i not in gone))


# --- transpose -----------------------------------------------------------------------------

_transpose = Op(
    "transpose",
    lambda x, *, axes: x.transpose(axes),
    lambda x, *, axes: Spec(tuple(x.shape[axis] for axis in axes), x.dtype),
    [Rule(lambda g, y, x, *, axes: transpose(g, tuple(axes.index(i) for i in range(len(axes)))))],
    alias=(0,),
)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """`x` with its axes in another order; reversed where `axes` is None. A view."""
    x = as_tensor_like(x)
    order = tuple(reversed(range(x.ndim))) if axes is None else tuple(axes)
    order = tuple(one_axis("transpose", axis, x.ndim) for axis in order)
    if sorted(order) != list(range(x.ndim)):
        raise SettingError(
            f"transpose: axes {order} must name each of the {x.ndim} axes of "
            f"{str_shape(x.shape)} once"
        )
    return _transpose(x, axes=order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """`x` with two axes exchanged. A view."""
    x = as_tensor_like(x)
    a, b = one_axis("swapaxes", axis1, x.ndim), one_axis("swapaxes", axis2, x.ndim)
    order = list(range(x.ndim))
    order[a], order[b] = order[b], order[a]
    return transpose(x, order)


# --- broadcasting --------------------------------------------------------------------------


def _infer_broadcast_to(x: Operand, *, shape: Shape) -> Spec:
    lead = len(shape) - ndim_of(x)
    if lead < 0 or any(
        not sizes_match(have, want) and have != 1
        for have, want in zip(shape_of(x), shape[lead:], strict=True)
    ):
        raise ShapeError(
            f"broadcast_to: {str_shape(shape_of(x))} does not stretch to {str_shape(shape)}; "
            "only sizes of 1, and new axes in front, can be stretched"
        )
    return Spec(shape, x.dtype)


_broadcast_to = Op(
    "broadcast_to",
    lambda x, *, shape: array_module(x).broadcast_to(x, shape),
    _infer_broadcast_to,
    [Rule(lambda g, y, x, *, shape: g)],  # the reverse loop sums over what was stretched
    alias=(0,),
)


def broadcast_to(x: Any, shape: Sequence[Size]) -> Any:
    """`x` stretched to `shape` by NumPy's rules. A read-only view."""
    x = as_tensor_like(x)
    return _broadcast_to(x, shape=tuple(shape))


def _compute_sum_to(x: Any, *, shape: Shape) -> Any:
    lead = x.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        axis + lead for axis, size in enumerate(shape) if size == 1 and x.shape[axis + lead] != 1
    )
    return np.add.reduce(x, axis=axes, keepdims=True).reshape(shape) if axes else x.reshape(shape)


def _infer_sum_to(x: Operand, *, shape: Shape) -> Spec:
    lead = ndim_of(x) - len(shape)
    if lead < 0 or any(
        not sizes_match(have, want) and want != 1
        for have, want in zip(shape_of(x)[lead:], shape, strict=True)
    ):
        raise ShapeError(f"sum_to: {str_shape(shape)} does not broadcast to {str_shape(x.shape)}")
    return Spec(shape, x.dtype)


_sum_to = Op(
    "sum_to",
    _compute_sum_to,
    _infer_sum_to,
    [Rule(lambda g, y, x, *, shape: broadcast_to(g, x.shape))],
    alias=(0,),
)


def sum_to(x: Any, shape: Sequence[Size]) -> Any:
    """The sum of `x` over whatever axes were stretched to make it from `shape`.

    What undoes `broadcast_to`: the gradient of broadcasting.
    """
    x = as_tensor_like(x)
    return x if tuple(shape) == tuple(x.shape) else _sum_to(x, shape=tuple(shape))


# --- joining and splitting -----------------------------------------------------------------


def _infer_concatenate(*xs: Operand, axis: int) -> Spec:
    first = shape_of(xs[0])
    total: Size = 0
    for x in xs:
        shape = shape_of(x)
        same = len(shape) == len(first) and all(
            sizes_match(a, b) for i, (a, b) in enumerate(zip(shape, first, strict=True)) if i != axis
        )
        if not same:
            listed = ", ".join(str_shape(shape_of(x)) for x in xs)
            raise ShapeError(
                f"concatenate: shapes {listed} must be equal but for axis {axis}; "
                "use stack for a new axis"
            )
        total = total + shape[axis]
    return Spec((*first[:axis], total, *first[axis + 1 :]), promote(*xs))


_concatenate = Op(
    "concatenate",
    lambda *xs, axis: array_module(xs[0]).concatenate(xs, axis=axis),
    _infer_concatenate,
    Joint(lambda g, y, *xs, wanted, axis: split(g, [x.shape[axis] for x in xs], axis)),
)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """The arrays joined along an axis that they have; other sizes equal, dtypes promoted."""
    xs = [as_tensor_like(x) for x in xs]
    if not xs:
        raise SettingError("concatenate: needs at least one array")
    return _concatenate(*xs, axis=one_axis("concatenate", axis, xs[0].ndim))


def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """The arrays, all of one shape, joined along a new axis that stands at `axis`."""
    xs = [as_tensor_like(x) for x in xs]
    if not xs:
        raise SettingError("stack: needs at least one array")
    place = one_axis("stack", axis, xs[0].ndim + 1)
    return concatenate([expand_dims(x, place) for x in xs], place)


def _cuts(sizes: Sequence[int], axis: int, ndim: int) -> list[tuple[slice, ...]]:
    """The index of each part of a split."""
    ends = np.cumsum(sizes).tolist()
    lead = (slice(None),) * axis
    return [(*lead, slice(end - size, end)) for size, end in zip(sizes, ends, strict=True)]


def _compute_split(x: Any, *, sizes: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    if builtins.sum(sizes) != x.shape[axis]:
        raise ShapeError(
            f"split: sizes {sizes} do not add up to {x.shape[axis]}, the size of axis {axis}"
        )
    return tuple(x[cut] for cut in _cuts(sizes, axis, x.ndim))


def _infer_split(x: Operand, *, sizes: Shape, axis: int) -> tuple[Spec, ...]:
    total: Size = 0
    for size in sizes:
        total = total + size
    if not sizes_match(total, x.shape[axis]):
        raise ShapeError(
            f"split: sizes {sizes} add up to {total}, but axis {axis} of "
            f"{str_shape(x.shape)} has size {x.shape[axis]}"
        )
    return tuple(Spec((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype) for size in sizes)


def _split_rule(
    g: Any, y: Any, x: Any, *, wanted: Any, sizes: Shape, axis: int
) -> tuple[Any]:
    some = next(part for part in g if part is not None)
    parts = [
        zeros(spec.shape, x.dtype, like=some) if part is None else part
        for part, spec in zip(g, y, strict=True)
    ]
    return (concatenate(parts, axis),)


_split = Op(
    "split", _compute_split, _infer_split, Joint(_split_rule), outputs=None, alias=(0,)
)


def split(x: Any, sizes: int | Sequence[Size], axis: int = 0) -> tuple[Any, ...]:
    """`x` cut along an axis: into parts of the given sizes, or into `sizes` equal parts.

    The parts are views. Raises ShapeError if the sizes do not add up.
    """
    x = as_tensor_like(x)
    axis = one_axis("split", axis, x.ndim)
    if isinstance(sizes, (int, np.integer)):
        count, whole = int(sizes), x.shape[axis]
        if count < 1 or (not isinstance(whole, Dim) and whole % count):
            raise ShapeError(
                f"split: axis {axis} of {str_shape(x.shape)} does not go into {count} equal "
                "parts; give a list of sizes"
            )
        parts: Shape = (divide(whole, count),) * count
    else:
        parts = tuple(size if isinstance(size, Dim) else int(size) for size in sizes)
    return _split(x, sizes=parts, axis=axis)

