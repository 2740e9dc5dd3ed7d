"""Picking by integers along one axis, its adjoint, and tables that are looked up by number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.device.capture import capturing, refuse_if
from shared.dims import Dim, Shape, Size
from shared.errors import RangeError, SettingError, ShapeError
from shared.kernels.scatter import scatter_along, zeroed
from shared.op import ZERO, Op, Rule, array_module
from shared.ops.choosing import not_equal, where
from shared.ops.creation import full
from shared.ops.elementwise import add
from shared.ops.indexing import ARRAY, integer_array, scatter_index
from shared.ops.shapes import as_tensor_like, broadcast_to, expand_dims
from shared.spec import (
    Operand,
    Spec,
    as_dtype,
    is_weak,
    one_axis,
    promote,
    sizes_match,
    spec_of,
    str_shape,
)

FEW = 32
"""So many integers are looked at one by one."""


def extremes(values: Any) -> tuple[int, int]:
    """The smallest and the largest of some integers, as Python's."""
    if values.size <= FEW:  # for which two reductions cost more than what is asked for
        listed = values.reshape(-1).tolist()
        return int(min(listed)), int(max(listed))
    return int(values.min()), int(values.max())


def check_range(call: str, name: str, values: Any, low: int, high: int) -> None:
    """RangeError, with the value and where it stands, unless all are from low to high - 1."""
    if not values.size:
        return
    if not capturing():
        least, largest = extremes(values)
        if low <= least and largest < high:
            return
    flat = values.reshape(-1)
    wrong = (flat < low) | (flat >= high)

    def error() -> RangeError:
        at = int(wrong.argmax())
        position = tuple(int(i) for i in np.unravel_index(at, values.shape))
        return RangeError(
            f"{call}: {name} {int(flat[at])} at position {position[0] if len(position) == 1 else position} "
            f"is out of range; it goes from {low} to {high - 1}"
        )

    refuse_if(wrong.any(), error)


def _admit_index(x: Any, index: Any, *, axis: int) -> None:
    check_range("gather", "index", index, -x.shape[axis], x.shape[axis])


# --- gather and its adjoint ----------------------------------------------------------------


def others_within(index: Shape, x: Shape, axis: int) -> bool:
    """Whether the index has x's axes, and on each but `axis` at most x's size."""
    return len(index) == len(x) and all(
        isinstance(a, Dim) or isinstance(b, Dim) or a <= b
        for i, (a, b) in enumerate(zip(index, x, strict=True))
        if i != axis
    )


def _block(shape: tuple[int, ...], axis: int) -> tuple[slice, ...]:
    """The part of an array that an index of this shape reaches on the axes other than `axis`."""
    return tuple(slice(None) if i == axis else slice(size) for i, size in enumerate(shape))


def _compute_gather(x: Any, index: Any, *, axis: int) -> Any:
    _infer_gather(x, index, axis=axis)  # take_along_axis would stretch some that do not fit
    try:
        block = x[_block(index.shape, axis)]
        return array_module(x).take_along_axis(block, index, axis=axis)
    except IndexError:
        check_range("gather", "index", index, -x.shape[axis], x.shape[axis])
        raise


def _infer_gather(x: Operand, index: Operand, *, axis: int) -> Spec:
    if not others_within(index.shape, x.shape, axis):
        raise ShapeError(
            f"gather: index {str_shape(index.shape)} along axis {axis} of x {str_shape(x.shape)}: it "
            "needs as many axes as x, and on the others no more than x's sizes; expand_dims it?"
        )
    return Spec(index.shape, x.dtype)


_gather = Op(
    "gather",
    _compute_gather,
    _infer_gather,
    [
        Rule(
            lambda g, y, x, index, *, axis: _scatter_sum(g, index, axis=axis, shape=x.shape),
            reads="index",
        ),
        ZERO,
    ],
    judges=(1,),
    admits=_admit_index,
)


def gather(x: Any, index: Any, axis: int) -> Any:
    """Elements of `x` picked along `axis`, as `torch.gather`.

    index: integers with as many axes as x, on the others at most x's size; -1 is the last. Gives
    the index's shape: `y[i, j] = x[i, index[i, j]]` for axis 1 of 2. Duplicates add up in the
    gradient. Raises RangeError for an index outside, ShapeError for one that does not fit.
    """
    x = as_tensor_like(x)
    return _gather(x, integer_array("gather", "index", index), axis=one_axis("gather", axis, x.ndim))


def _compute_scatter_sum(
    values: Any, index: Any, *, axis: int, shape: tuple[int, ...], out: Any = None
) -> Any:
    _infer_scatter_sum(values, index, axis=axis, shape=shape)
    size, reached = shape[axis], index.shape
    parts = math.prod(reached[:axis]), reached[axis], math.prod(reached[axis + 1 :])
    whole = (*reached[:axis], size, *reached[axis + 1 :]) == shape
    to = out.reshape(parts[0], size, parts[2]) if out is not None and whole else None
    try:
        summed = scatter_along(values.reshape(parts), index.reshape(parts), size, to)
    except IndexError:
        check_range("scatter_sum", "index", index, -size, size)
        raise
    if whole:
        return summed.reshape(shape) if out is None else out
    y = zeroed(array_module(values), shape, values.dtype, out)
    y[_block(reached, axis)] = summed.reshape(*reached[:axis], size, *reached[axis + 1 :])
    return y


def _infer_scatter_sum(values: Operand, index: Operand, *, axis: int, shape: Shape) -> Spec:
    same = len(values.shape) == len(index.shape) and all(map(sizes_match, values.shape, index.shape))
    if not same or not others_within(index.shape, shape, axis):
        raise ShapeError(
            f"scatter_sum: values {str_shape(values.shape)} at index {str_shape(index.shape)} along "
            f"axis {axis} into {str_shape(shape)}: values and index need one shape, with as many "
            "axes as the result and on the others no more than its sizes"
        )
    return Spec(shape, values.dtype)


_scatter_sum = Op(
    "scatter_sum",
    _compute_scatter_sum,
    _infer_scatter_sum,
    [
        Rule(lambda g, y, values, index, *, axis, shape: _gather(g, index, axis=axis), reads="index"),
        ZERO,
    ],
    out=True,
    judges=(1,),
    admits=lambda values, index, *, axis, shape: check_range(
        "scatter_sum", "index", index, -shape[axis], shape[axis]
    ),
)


def scatter_sum(values: Any, index: Any, axis: int, size: Size) -> Any:
    """Zeros of `size` along `axis`, with `values` added in at `index`: the adjoint of gather.

    values and index (integers; -1 is the last place) have one shape. `y[i, index[i, j]] +=
    values[i, j]` for axis 1 of 2, in C order. Raises RangeError for an index outside.
    """
    values = as_tensor_like(values)
    axis = one_axis("scatter_sum", axis, values.ndim)
    shape = (*values.shape[:axis], size, *values.shape[axis + 1 :])
    return _scatter_sum(values, integer_array("scatter_sum", "index", index), axis=axis, shape=shape)


def scatter_add(x: Any, index: Any, values: Any, axis: int) -> Any:
    """`x` with `values` added in at `index` along `axis`, as `torch.scatter_add`.

    index: integers with as many axes as x, on the others at most x's size; values: of the index's
    shape, or what broadcasts to it. Duplicates add up. Raises RangeError for an index outside.
    """
    x, index = as_tensor_like(x), integer_array("scatter_add", "index", index)
    if is_weak(values):
        values = full((), values, promote(spec_of(x), values), like=x)
    values = broadcast_to(values, index.shape)
    axis = one_axis("scatter_add", axis, x.ndim)
    return add(x, _scatter_sum(values, index, axis=axis, shape=x.shape))


# --- tables --------------------------------------------------------------------------------


def _compute_one_hot(labels: Any, *, classes: int, dtype: Any) -> Any:
    check_range("one_hot", "label", labels, 0, classes)
    xp = array_module(labels)
    out = xp.zeros((labels.size, classes), dtype)
    out[xp.arange(labels.size), labels.reshape(-1)] = 1
    return out.reshape(*labels.shape, classes)


_one_hot = Op(
    "one_hot",
    _compute_one_hot,
    lambda labels, *, classes, dtype: Spec((*labels.shape, classes), dtype),
    [ZERO],
    judges=(0,),
    admits=lambda labels, *, classes, dtype: check_range("one_hot", "label", labels, 0, classes),
)


def one_hot(labels: Any, classes: Size, dtype: Any = "float32") -> Any:
    """1 at each label's place along a new last axis of size `classes`, 0 elsewhere.

    labels: integers from 0 to classes - 1, of any shape. Carries no gradient. Raises RangeError
    for a label outside, naming it and its position.
    """
    if not isinstance(classes, Dim) and classes < 0:
        raise SettingError(f"one_hot: classes must not be negative, but is {classes}")
    labels = integer_array("one_hot", "labels", labels)
    return _one_hot(labels, classes=classes, dtype=as_dtype(dtype))


def _compute_embedding(ids: Any, weight: Any, *, padding: int | None, out: Any = None) -> Any:
    check_range("embedding", "id", ids, 0, weight.shape[0])
    places = ids.astype(np.intp, copy=False)
    if out is None:
        return weight.take(places, axis=0)
    return weight.take(places, axis=0, out=out, mode="clip")  # the default would fill a copy of out first


def _infer_embedding(ids: Operand, weight: Operand, *, padding: int | None) -> Spec:
    if not weight.shape:
        raise ShapeError("embedding: the weight needs a row for each id, but it is 0-d")
    return Spec((*ids.shape, *weight.shape[1:]), weight.dtype)


def _embedding_rule(g: Any, y: Any, ids: Any, weight: Any, *, padding: int | None) -> Any:
    if padding is not None:
        axes = tuple(range(len(ids.shape), len(g.shape)))
        g = where(expand_dims(not_equal(ids, padding), axes), g, 0)
    return scatter_index(g, ids, shape=weight.shape, index=(ARRAY,))


_embedding = Op(
    "embedding", _compute_embedding, _infer_embedding, [ZERO, Rule(_embedding_rule, reads="ids")], out=True,
    judges=(0,),
    admits=lambda ids, weight, *, padding: check_range("embedding", "id", ids, 0, weight.shape[0]),
)  # fmt: skip


def embedding(ids: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The row of `weight` for each id, as `torch.nn.functional.embedding`.

    ids (...) integers from 0 to rows - 1, weight (rows, ...); gives (..., ...). Ids that come
    several times add up in the gradient; the row `padding_idx` gets none. Raises RangeError for
    an id outside, naming it and its position.
    """
    ids, weight = integer_array("embedding", "ids", ids), as_tensor_like(weight)
    if padding_idx is None or not weight.shape:
        return _embedding(ids, weight, padding=None)
    rows = weight.shape[0]
    if not isinstance(rows, Dim) and not -rows <= padding_idx < rows:
        raise SettingError(f"embedding: padding_idx {padding_idx} is none of the {rows} rows")
    return _embedding(ids, weight, padding=padding_idx + rows if padding_idx < 0 else padding_idx)
