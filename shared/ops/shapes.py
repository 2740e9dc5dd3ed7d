"""Ops that give elements another place and compute nothing: reshape, transpose, flip, broadcast."""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, Shape, Size, divide, product, same_shape, same_size
from shared.dispatch import ENGINE_OF
from shared.errors import DTypeError, SettingError, ShapeError, UnknownSizeError
from shared.numerics.half import rounded
from shared.numerics.summing import total
from shared.op import Op, PlannerHints, Rule, array_module, as_array
from shared.spec import (
    NUMBERS,
    Operand,
    Spec,
    in_short,
    many_axes,
    ndim_of,
    one_axis,
    shape_of,
    sizes_match,
    str_shape,
)


def as_tensor_like(x: Any) -> Any:
    """`x` itself if it has a shape already, else an array of it (lists, numbers).

    Raises DTypeError for what holds no numbers, ShapeError for lists of unequal lengths.
    """
    if ENGINE_OF[type(x)] is not None or (hasattr(x, "shape") and not isinstance(x, np.generic)):
        return x
    if x is None:
        raise DTypeError("None is neither an array nor numbers; does a forward() end without its return?")
    try:
        array = as_array(x)
    except ShapeError:
        raise
    except ValueError as error:
        raise ShapeError(f"{in_short(x)} does not make an array: {error}") from None
    if array.dtype.kind not in NUMBERS:
        raise DTypeError(f"{in_short(x)} is neither an array nor numbers; for several tensors use ops.stack")
    return array


def as_sizes(name: str, shape: Sequence[Size] | Size) -> Shape:
    """A shape as a tuple of ints and Dims, or SettingError. One size may stand for a tuple of one."""
    sizes = (shape,) if isinstance(shape, (int, Dim, np.integer)) else shape
    try:
        return tuple(size if isinstance(size, Dim) else int(operator.index(size)) for size in sizes)
    except TypeError:
        raise SettingError(f"{name}: {shape!r} is no shape; give a tuple of ints") from None


def c_order(y: Any) -> Any:
    """y in C order: NumPy keeps the memory order of what it reduces or joins."""
    return y if y.flags.c_contiguous else y.copy(order="C")


# --- reshape and its kin -------------------------------------------------------------------


def _infer_reshape(x: Operand, *, shape: Shape) -> Spec:
    if shape_of(x) is UNKNOWN_RANK:  # then a run works a -1 out
        return Spec(tuple(Dim() if size == -1 else size for size in shape), x.dtype)
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
    hints=PlannerHints(view=lambda *, shape: True),
)


def reshape(x: Any, shape: Sequence[Size] | Size) -> Any:
    """`x` in another shape with the same elements in the same (C) order.

    One size may be -1: it is worked out from the others. May share memory with `x`.
    Raises ShapeError if the numbers of elements differ, SettingError for what is no shape.
    """
    x = as_tensor_like(x)
    target = as_sizes("reshape", shape)
    free = [axis for axis, size in enumerate(target) if not isinstance(size, Dim) and size < 0]
    if free:
        if builtins.any(target[axis] != -1 for axis in free):
            raise SettingError(f"reshape: {str_shape(target)} has a negative size; only -1 may stand for one")
        if x.shape is UNKNOWN_RANK and len(free) == 1:
            return _reshape(x, shape=target)
        rest = product(tuple(size for axis, size in enumerate(target) if axis != free[0]))
        total = product(x.shape)
        known = not (isinstance(rest, Dim) or isinstance(total, Dim))
        if len(free) > 1 or same_size(rest, 0) or (known and total % rest):
            raise ShapeError(
                f"reshape: {str_shape(x.shape)} does not go into {str_shape(target)}; "
                "one size may be -1, and the others must divide the number of elements"
            )
        target = (*target[: free[0]], divide(total, rest), *target[free[0] + 1 :])
    return _reshape(x, shape=target)


def flatten(x: Any, start_axis: int = 0, end_axis: int = -1) -> Any:
    """The axes from `start_axis` to `end_axis` made one. `flatten(x, 1)` keeps the batch axis."""
    x = as_tensor_like(x)
    start, end = (one_axis("flatten", axis, builtins.max(x.ndim, 1)) for axis in (start_axis, end_axis))
    if start > end:
        raise SettingError(f"flatten: start_axis {start_axis} stands behind end_axis {end_axis}")
    return reshape(x, (*x.shape[:start], product(x.shape[start : end + 1]), *x.shape[end + 1 :]))


def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    """`x` with axes of size 1 put in, so that they stand at `axis` of the result. Shares memory."""
    x = as_tensor_like(x)
    added = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    ndim = x.ndim + len(added)
    places = many_axes("expand_dims", added, ndim)
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if i in places else next(sizes) for i in range(ndim)))


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`x` without the axes of size 1 (all of them, or those named). Shares memory.

    Raises ShapeError if a named axis has another size, UnknownSizeError if none is named and a
    size is not known yet.
    """
    x = as_tensor_like(x)
    if axis is None:
        if builtins.any(isinstance(size, Dim) for size in x.shape):
            raise UnknownSizeError(
                f"squeeze: which axes of {str_shape(x.shape)} have size 1 only a run will show; name them"
            )
        gone = [i for i, size in enumerate(x.shape) if size == 1]
    else:
        gone = list(many_axes("squeeze", axis, x.ndim))
        for i in gone:
            if not sizes_match(x.shape[i], 1):
                raise ShapeError(f"squeeze: axis {i} of {str_shape(x.shape)} has size {x.shape[i]}, not 1")
            x = sized("squeeze", x, i, 1)
    return reshape(x, tuple(size for i, size in enumerate(x.shape) if i not in gone))


# --- sizes that must be ----------------------------------------------------------------------


def _infer_sized(x: Operand, *, shape: Shape, call: str) -> Spec:
    if len(x.shape) != len(shape) or not all(map(sizes_match, x.shape, shape)):
        raise ShapeError(f"{call}: {str_shape(x.shape)} must have the shape {str_shape(shape)} here")
    return Spec(shape, x.dtype)


_sized = Op(
    "sized",
    lambda x, *, shape, call: x,
    _infer_sized,
    [Rule(lambda g, y, x, *, shape, call: g)],
    alias=(0,),
    check=True,
    doc="`x`, of which a run checks that it has this shape: else it might broadcast, or be cut, unnoticed.",
)


def sized(call: str, x: Any, axis: int, size: Size) -> Any:
    """`x`, whose `axis` must have this size. What only a run knows is checked there; ShapeError else."""
    shape = list(x.shape)
    shape[axis] = size
    return shaped(call, x, tuple(shape))


def shaped(call: str, x: Any, shape: Shape) -> Any:
    """`x`, which must have this shape: a result, where an argument might have stretched it."""
    return x if same_shape(tuple(x.shape), shape) else _sized(x, shape=shape, call=call)


def of_one_size(call: str, a: Any, axis_a: int, b: Any, axis_b: int) -> tuple[Any, Any]:
    """a and b, of which these axes must have the same size, be it one that only a run knows."""
    if isinstance(a.shape[axis_a], Dim):
        return sized(call, a, axis_a, b.shape[axis_b]), b
    return a, sized(call, b, axis_b, a.shape[axis_a])


# --- transpose -----------------------------------------------------------------------------

_transpose = Op(
    "transpose",
    lambda x, *, axes: x.transpose(axes),
    lambda x, *, axes: Spec(tuple(x.shape[axis] for axis in axes), x.dtype),
    [Rule(lambda g, y, x, *, axes: transpose(g, tuple(axes.index(i) for i in range(len(axes)))))],
    alias=(0,),
    hints=PlannerHints(view=lambda *, axes: axes == tuple(range(len(axes)))),
)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """`x` with its axes in another order; reversed where `axes` is None. A view."""
    x = as_tensor_like(x)
    order = tuple(reversed(range(x.ndim))) if axes is None else tuple(axes)
    order = tuple(one_axis("transpose", axis, x.ndim) for axis in order)
    if sorted(order) != list(range(x.ndim)):
        raise SettingError(
            f"transpose: axes {order} must name each of the {x.ndim} axes of {str_shape(x.shape)} once"
        )
    return _transpose(x, axes=order)


permute = transpose
"""PyTorch's name for it."""


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """`x` with two axes exchanged. A view."""
    x = as_tensor_like(x)
    a, b = one_axis("swapaxes", axis1, x.ndim), one_axis("swapaxes", axis2, x.ndim)
    order = list(range(x.ndim))
    order[a], order[b] = order[b], order[a]
    return transpose(x, order)


# --- flip ----------------------------------------------------------------------------------

_flip = Op(
    "flip",
    lambda x, *, axis: x[tuple(slice(None, None, -1 if i in axis else None) for i in range(x.ndim))],
    lambda x, *, axis: x,
    [Rule(lambda g, y, x, *, axis: _flip(g, axis=axis))],
    alias=(0,),
    hints=PlannerHints(view=lambda *, axis: not axis),
)


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`x` with its elements in reverse along an axis, several, or all (None). A view."""
    x = as_tensor_like(x)
    return _flip(x, axis=many_axes("flip", axis, x.ndim))


# --- broadcasting --------------------------------------------------------------------------


def _infer_broadcast_to(x: Operand, *, shape: Shape) -> Spec:
    lead = len(shape) - ndim_of(x)
    if lead < 0 or any(
        not sizes_match(have, want) and not same_size(have, 1)
        for have, want in zip(shape_of(x), shape[lead:], strict=True)
    ):
        raise ShapeError(
            f"broadcast_to: {str_shape(shape_of(x))} does not stretch to {str_shape(shape)}; "
            "only sizes of 1, and new axes in front, can be stretched"
        )
    return Spec(shape, x.dtype)


_SHORT = 4096
"""Up to about this size a copy is made sooner than NumPy makes a view."""


def _compute_broadcast_to(x: Any, *, shape: Shape) -> Any:
    xp = array_module(x)
    if math.prod(shape) > _SHORT or x.ndim > len(shape):
        return xp.broadcast_to(x, shape)
    y = xp.empty(shape, x.dtype)
    y[...] = x
    return y


_broadcast_to = Op(
    "broadcast_to",
    _compute_broadcast_to,
    _infer_broadcast_to,
    [Rule(lambda g, y, x, *, shape: g)],  # the reverse loop sums over what was stretched
    alias=(0,),
)


def broadcast_to(x: Any, shape: Sequence[Size] | Size) -> Any:
    """`x` stretched to `shape` by NumPy's rules. May be a read-only view.

    Raises ShapeError where x does not stretch to it, SettingError for what is no shape.
    """
    x = as_tensor_like(x)
    return _broadcast_to(x, shape=as_sizes("broadcast_to", shape))


def _compute_sum_to(x: Any, *, shape: Shape) -> Any:
    lead = x.ndim - len(shape)
    stretched = lead >= 0 and all([a == b or b == 1 for a, b in zip(x.shape[lead:], shape, strict=True)])
    if not stretched:  # reshape alone would let some pass
        _infer_sum_to(x, shape=shape)
    axes = tuple(range(lead)) + tuple(
        axis + lead for axis, size in enumerate(shape) if size == 1 and x.shape[axis + lead] != 1
    )
    if not axes:
        return x.reshape(shape)
    return rounded(total(x, axes, dtype=x.dtype if x.dtype.kind in "biu" else None), x.dtype).reshape(shape)


def _infer_sum_to(x: Operand, *, shape: Shape) -> Spec:
    if shape_of(x) is UNKNOWN_RANK:  # a run looks whether it fits
        return Spec(shape, x.dtype)
    lead = ndim_of(x) - len(shape)
    if lead < 0 or any(
        not sizes_match(have, want) and not same_size(want, 1)
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


def sum_to(x: Any, shape: Sequence[Size] | Size) -> Any:
    """The sum of `x` over whatever axes were stretched to make it from `shape`, in x's dtype.

    What undoes `broadcast_to`: the gradient of broadcasting. Raises ShapeError if x's shape does
    not come from `shape` by stretching.
    """
    x = as_tensor_like(x)
    target = shape if type(shape) is tuple else as_sizes("sum_to", shape)
    return x if same_shape(target, x.shape) else _sum_to(x, shape=target)
