"""Ops that join arrays and cut them apart: concatenate and split, stack and unbind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, divide
from shared.errors import SettingError, ShapeError, UnknownSizeError
from shared.op import Joint, Op, PlannerHints, array_module
from shared.ops.creation import zeros
from shared.ops.shapes import as_sizes, as_tensor_like, c_order
from shared.spec import Operand, Spec, one_axis, promote, shape_of, sizes_match, str_shape

# --- concatenate ---------------------------------------------------------------------------


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
                f"concatenate: shapes {listed} must be equal but for axis {axis}; use stack for a new axis"
            )
        total = total + shape[axis]
    return Spec((*first[:axis], total, *first[axis + 1 :]), promote(*xs))


_concatenate = Op(
    "concatenate",
    lambda *xs, axis, out=None: c_order(array_module(xs[0]).concatenate(xs, axis=axis, out=out)),
    _infer_concatenate,
    Joint(lambda g, y, *xs, wanted, axis: split(g, [x.shape[axis] for x in xs], axis)),
    out=True,
)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """The arrays joined along an axis that they have; other sizes equal, dtypes promoted.

    Raises ShapeError if other sizes differ, SettingError if there are no arrays.
    """
    xs = [as_tensor_like(x) for x in xs]
    if not xs:
        raise SettingError("concatenate: needs at least one array")
    return _concatenate(*xs, axis=one_axis("concatenate", axis, xs[0].ndim))


# --- stack ---------------------------------------------------------------------------------


def _infer_stack(*xs: Operand, axis: int) -> Spec:
    first = shape_of(xs[0])
    for x in xs:
        if len(x.shape) != len(first) or not all(map(sizes_match, x.shape, first)):
            listed = ", ".join(str_shape(x.shape) for x in xs)
            raise ShapeError(f"stack: shapes {listed} must be equal; concatenate joins along an axis")
    return Spec((*first[:axis], len(xs), *first[axis:]), promote(*xs))


def _stack_rule(g: Any, y: Any, *xs: Any, wanted: Any, axis: int) -> Any:
    return _unbind(g, axis=axis, count=len(xs))


_stack = Op(
    "stack",
    lambda *xs, axis, out=None: c_order(array_module(xs[0]).stack(xs, axis=axis, out=out)),
    _infer_stack,
    Joint(_stack_rule),
    out=True,
)


def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """The arrays, all of one shape, joined along a new axis that stands at `axis`; dtypes promoted.

    Raises ShapeError if the shapes differ, SettingError if there are no arrays.
    """
    xs = [as_tensor_like(x) for x in xs]
    if not xs:
        raise SettingError("stack: needs at least one array")
    return _stack(*xs, axis=one_axis("stack", axis, xs[0].ndim + 1))


def _compute_unbind(x: Any, *, axis: int, count: int) -> tuple[Any, ...]:
    lead = (slice(None),) * axis
    return tuple([x[(*lead, i, ...)] for i in range(count)])


_unbind = Op(
    "unbind",
    _compute_unbind,
    lambda x, *, axis, count: (Spec((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype),) * count,
    Joint(lambda g, y, x, *, wanted, axis, count: (_stack(*_present(g, y, x), axis=axis),)),
    outputs=None,
    alias=(0,),
    hints=PlannerHints(view=lambda *, axis, count: axis == 0),
)


def unbind(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """`x` cut along an axis into slices without that axis: what undoes `stack`. The slices are views.

    Raises UnknownSizeError where the size of the axis, and so the number of slices, is not known.
    """
    x = as_tensor_like(x)
    axis = one_axis("unbind", axis, len(x.shape))
    count = x.shape[axis]
    if isinstance(count, Dim):
        raise UnknownSizeError(
            f"unbind: into how many slices axis {axis} of {str_shape(x.shape)} goes only a run will show; "
            "use ops.scan to go over it"
        )
    return _unbind(x, axis=axis, count=count)


def _present(g: Sequence[Any], y: Sequence[Any], x: Any) -> list[Any]:
    """The parts' cotangents, with zeros for those that have none."""
    some = next(part for part in g if part is not None)
    return [
        zeros(like.shape, x.dtype, like=some) if part is None else part
        for part, like in zip(g, y, strict=True)
    ]


# --- split ---------------------------------------------------------------------------------


def _compute_split(x: Any, *, sizes: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    ends = list(accumulate(sizes))
    if (ends[-1] if ends else 0) != x.shape[axis]:
        _infer_split(x, sizes=sizes, axis=axis)
    lead = (slice(None),) * axis
    return tuple([x[(*lead, slice(end - size, end))] for size, end in zip(sizes, ends, strict=True)])


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


_split = Op(
    "split",
    _compute_split,
    _infer_split,
    Joint(lambda g, y, x, *, wanted, sizes, axis: (concatenate(_present(g, y, x), axis),)),
    outputs=None,
    alias=(0,),
    hints=PlannerHints(view=lambda *, sizes, axis: axis == 0),
)


def split(x: Any, sizes: int | Sequence[Size], axis: int = 0) -> tuple[Any, ...]:
    """`x` cut along an axis: into parts of the given sizes, or into `sizes` equal parts.

    The parts are views. Raises ShapeError if the sizes do not add up, SettingError for a size
    that is not an int from 0 on.
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
        parts = as_sizes("split", sizes)
        if any(not isinstance(size, Dim) and size < 0 for size in parts):
            raise SettingError(f"split: sizes {str_shape(parts)} must not be negative")
    return _split(x, sizes=parts, axis=axis)
