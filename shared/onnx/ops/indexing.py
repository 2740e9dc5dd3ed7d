"""Elements by their places: read, and written."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim
from shared.onnx.table import onnx_op
from shared.onnx.values import ints, outward

REDUCE = {"none": "set", "add": "add", "mul": "mul", "max": "max", "min": "min"}


def counted(index: Any, size: Any) -> Any:
    """Indices from 0 up: those below 0 count from the end."""
    if isinstance(index, np.ndarray) and not (isinstance(size, Dim) and (index < 0).any()):
        return index if isinstance(size, Dim) else np.where(index < 0, index + size, index)
    index = ops.cast(outward(index), "int64")
    return ops.where(ops.less(index, 0), ops.add(index, size), index)


@onnx_op("Gather", weights=("x",))
def gather(x: Any, index: Any, *, axis: int = 0) -> Any:
    """The parts of x along an axis that indices name."""
    return ops.take(x, counted(index, x.shape[axis]), axis)


@onnx_op("GatherElements")
def gather_elements(x: Any, index: Any, *, axis: int = 0) -> Any:
    """For each index the element at it along an axis."""
    return ops.gather(x, counted(index, x.shape[axis]), axis)


@onnx_op("GatherND")
def gather_nd(x: Any, index: Any, *, batch_dims: int = 0) -> Any:
    """The parts of x that rows of indices name."""
    return ops.gather_nd(x, _rows(index, x.shape, batch_dims), batch_dims)


def _rows(index: Any, shape: Any, batch: int) -> Any:
    width = index.shape[-1]
    parts = [counted(ops.getitem(index, (..., i)), shape[batch + i]) for i in range(width)]
    return ops.stack(parts, -1)


@onnx_op("ScatterElements", "Scatter")
def scatter_elements(x: Any, index: Any, updates: Any, *, axis: int = 0, reduction: str = "none") -> Any:
    """x with updates at the indices along an axis: put there, added, multiplied, the larger, the smaller."""
    return ops.scatter(x, counted(index, x.shape[axis]), updates, axis, REDUCE[reduction])


@onnx_op("ScatterND")
def scatter_nd(x: Any, index: Any, updates: Any, *, reduction: str = "none") -> Any:
    """x with updates at the places that rows of indices name, likewise."""
    return ops.scatter_nd(x, _rows(index, x.shape, 0), updates, REDUCE[reduction])


@onnx_op("Slice", since=1)
def old_slice(x: Any, *, starts: Any, ends: Any, axes: Any = None) -> Any:
    """A part whose limits are attributes."""
    return sliced(x, starts, ends, axes, None)


@onnx_op("Slice", since=10, known=("starts", "ends", "axes", "steps"))
def slice_(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    """From starts to ends along some axes, in steps; limits beyond x are its own."""
    return sliced(
        x,
        ints(starts),
        ints(ends),
        None if axes is None else ints(axes),
        None if steps is None else ints(steps),
    )


def sliced(x: Any, starts: Any, ends: Any, axes: Any, steps: Any) -> Any:
    """The same, of tuples."""
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    place: list[Any] = [slice(None)] * len(x.shape)
    for axis, start, stop, step in zip(axes, starts, ends, steps, strict=True):
        size = x.shape[axis]
        if step < 0 and not isinstance(stop, Dim) and not isinstance(size, Dim) and stop < -size:
            stop = None
        if step < 0 and not isinstance(stop, Dim) and stop is not None and stop <= -(2**31):
            stop = None
        place[axis] = slice(_limited(start), stop if stop is None else _limited(stop), step)
    return ops.getitem(x, tuple(place))


def _limited(limit: Any) -> Any:
    """Exporters write the largest whole numbers for an end that is x's own."""
    if isinstance(limit, Dim):
        return limit
    return None if limit >= 2**31 - 1 else limit


@onnx_op("Compress")
def compress(x: Any, condition: Any, *, axis: int | None = None) -> Any:
    """The parts along an axis, or the elements in order, for which a condition holds."""
    x = ops.flatten(x) if axis is None else x
    axis = 0 if axis is None else axis
    return ops.take(x, ops.nonzero(condition)[0], axis)


@onnx_op("ReverseSequence")
def reverse_sequence(x: Any, lengths: Any, *, batch_axis: int = 1, time_axis: int = 0) -> Any:
    """Each sequence of a batch backwards, as far as it is long."""
    x = ops.moveaxis(x, (time_axis, batch_axis), (0, 1))
    steps = ops.expand_dims(ops.arange(x.shape[0], dtype="int64", like=x), 1)
    lengths = ops.cast(lengths, "int64")
    places = ops.where(ops.less(steps, lengths), ops.sub(ops.sub(lengths, 1), steps), steps)
    for _ in range(len(x.shape) - 2):
        places = ops.expand_dims(places, -1)
    found = ops.gather(x, ops.broadcast_to(places, x.shape), 0)
    return ops.moveaxis(found, (0, 1), (time_axis, batch_axis))


@onnx_op("TensorScatter", since=24)
def tensor_scatter(
    past: Any, update: Any, starts: Any = None, *, axis: int = -2, mode: str = "linear"
) -> Any:
    """A cache with an update written along an axis, for each of the batch from its own place on."""
    rank = len(past.shape)
    axis = axis % rank
    steps = ops.arange(update.shape[axis], dtype="int64", like=update)
    places = ops.reshape(steps, (-1, *(1,) * (rank - 1 - axis)))
    if starts is not None:
        places = places + ops.reshape(ops.cast(starts, "int64"), (-1, *(1,) * (rank - 1)))
    if mode == "circular":
        places = ops.remainder(places, past.shape[axis])
    return ops.scatter(past, ops.broadcast_to(places, update.shape), update, axis)


@onnx_op("Unique", since=11)
def unique(x: Any, *, axis: int | None = None, sorted: int = 1, outputs: int = 1) -> Any:  # noqa: A002
    """Each value, or slice, once, in order or as they come first; where it is first, which each is, how
    often.
    """
    found, first, which, counts = ops.unique(x, axis, True, True, True)
    which = ops.reshape(which, (-1,))
    if not sorted:
        order = ops.argsort(first)
        place = ops.argsort(order)
        found = ops.take(found, order, 0 if axis is None else axis)
        first, counts, which = (
            ops.take(first, order, 0),
            ops.take(counts, order, 0),
            ops.take(place, which, 0),
        )
    parts = (found, *(ops.cast(part, "int64") for part in (first, which, counts)))
    return parts[:outputs] if outputs > 1 else found
