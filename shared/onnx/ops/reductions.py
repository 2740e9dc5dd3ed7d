"""Sums, means, extremes along axes; what is largest, and where."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shared import ops
from shared.dims import same_size
from shared.onnx.table import onnx_op
from shared.onnx.values import check_room, ints


def _sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return ops.cast(ops.sum(x, axis, keepdims), x.dtype)


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    return ops.cast(ops.mean(x, axis, keepdims), x.dtype)


def _prod(x: Any, axis: Any, keepdims: bool) -> Any:
    return ops.cast(ops.prod(x, axis, keepdims), x.dtype)


def _floats(x: Any) -> Any:
    return x if x.dtype.kind == "f" else ops.cast(x, "float64")


def _extreme(function: Callable[..., Any], largest: bool) -> Callable[..., Any]:
    """Of nothing it is what all others are larger (or smaller) than."""

    def reduced(x: Any, axis: Any, keepdims: bool) -> Any:
        axes = range(len(x.shape)) if axis is None else [a % len(x.shape) for a in np.atleast_1d(axis)]
        if empty := [a for a in axes if same_size(x.shape[a], 0)]:
            x = ops.pad(x, [(0, a in empty) for a in range(len(x.shape))], value=_end(x.dtype, not largest))
        return function(x, axis, keepdims)

    return reduced


def _end(dtype: np.dtype[Any], top: bool) -> Any:
    """The largest or smallest number of a dtype."""
    if dtype.kind == "f":
        return math.inf if top else -math.inf
    if dtype.kind == "b":
        return top
    return int(np.iinfo(dtype).max if top else np.iinfo(dtype).min)


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceSum": _sum,
    "ReduceMean": _mean,
    "ReduceProd": _prod,
    "ReduceMax": _extreme(ops.max, True),
    "ReduceMin": _extreme(ops.min, False),
    "ReduceL1": lambda x, axis, keep: _sum(ops.abs(x), axis, keep),
    "ReduceL2": lambda x, axis, keep: ops.cast(
        ops.sqrt(ops.sum(ops.square(_floats(x)), axis, keep)), x.dtype
    ),
    "ReduceSumSquare": lambda x, axis, keep: _sum(ops.square(x), axis, keep),
    "ReduceLogSum": lambda x, axis, keep: ops.cast(ops.log(ops.sum(_floats(x), axis, keep)), x.dtype),
    "ReduceLogSumExp": lambda x, axis, keep: ops.cast(ops.logsumexp(_floats(x), axis, keep), x.dtype),
}
"""Each on (x, axes or None for all, keepdims), in x's dtype."""

FROM_INPUT = {"ReduceSum": 13}
"""Since which opset the axes are an input; 18 of all others."""


def _by_attribute(function: Callable[..., Any]) -> Callable[..., Any]:
    def row(x: Any, *, axes: Any = None, keepdims: int = 1) -> Any:
        return function(x, None if axes is None else tuple(axes), bool(keepdims))

    return row


def _by_input(function: Callable[..., Any]) -> Callable[..., Any]:
    def row(x: Any, axes: Any = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Any:
        axis = () if axes is None else ints(axes)
        if not axis and noop_with_empty_axes:
            return function(ops.expand_dims(x, 0), 0, False)
        return function(x, axis or None, bool(keepdims))

    return row


for _name, _function in REDUCTIONS.items():
    onnx_op(_name)(_by_attribute(_function))
    onnx_op(_name, since=FROM_INPUT.get(_name, 18), known=("axes",))(_by_input(_function))


def _place(function: Callable[..., Any]) -> Callable[..., Any]:
    def row(x: Any, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Any:
        if not select_last_index:
            return function(x, axis, bool(keepdims))
        return ops.sub(x.shape[axis] - 1, function(ops.flip(x, axis), axis, bool(keepdims)))

    return row


onnx_op("ArgMax")(_place(ops.argmax))
onnx_op("ArgMin")(_place(ops.argmin))


@onnx_op("TopK", since=10, sizes=("k",))
def topk(x: Any, k: Any, *, axis: int = -1, largest: int = 1, sorted: int = 1) -> Any:  # noqa: A002
    """The k largest along an axis in order, or smallest, and where they were."""
    return tuple(ops.topk(x, ints(k)[0], axis, bool(largest)))


@onnx_op("OneHot", since=9, sizes=("depth",))
def one_hot(indices: Any, depth: Any, values: Any, *, axis: int = -1) -> Any:
    """values[1] where an index stands, values[0] else, along a new axis; an index below 0 counts from the
    end.
    """
    count = ints(depth)[0]
    check_room("OneHot", (*indices.shape, count), values.dtype)
    places = ops.arange(count, dtype="int64", like=indices)
    whole = ops.cast(indices, "int64")
    whole = ops.where(ops.less(whole, 0), ops.add(whole, count), whole)
    on = ops.equal(ops.expand_dims(whole, -1), places)
    made = ops.where(on, ops.getitem(values, 1), ops.getitem(values, 0))
    return ops.moveaxis(made, -1, axis) if axis != -1 else made


@onnx_op("NonZero")
def nonzero(x: Any) -> Any:
    """The places of all that is not 0, a row for each axis."""
    return ops.stack(ops.nonzero(x)) if len(x.shape) else ops.stack(ops.nonzero(ops.reshape(x, (1,))))[:0]


@onnx_op("LpNormalization")
def lp_normalization(x: Any, *, axis: int = -1, p: int = 2) -> Any:
    """x divided by its norm along an axis; 0 where that is 0."""
    size = ops.norm(x, p, axis, True)
    nothing = ops.equal(size, 0)
    return ops.where(nothing, ops.mul(x, 0), ops.div(x, ops.where(nothing, np.ones((), x.dtype), size)))
