"""Ops that pick elements by integers and masks, made of `getitem` and `gather`."""

from __future__ import annotations

from typing import Any

from shared.dims import Dim, Shape, same_shape
from shared.errors import SettingError, ShapeError, UnknownSizeError
from shared.ops.choosing import check_mask, where
from shared.ops.creation import arange, full
from shared.ops.indexing import getitem, integer_array
from shared.ops.joining import unbind
from shared.ops.lookup import gather
from shared.ops.shapes import as_tensor_like, broadcast_to, reshape
from shared.spec import Spec, broadcast_shapes, one_axis, sizes_match, spec_of, str_shape


def take_along_axis(x: Any, index: Any, axis: int | None = -1) -> Any:
    """Elements of `x` picked along `axis`, as `numpy.take_along_axis`; of the flat `x` if the axis is None.

    index: integers with as many axes as x; on the others sizes of 1 stretch, of either. What `argsort` and
    `argmax(keepdims=True)` give picks what they found. Raises RangeError for an index outside, ShapeError
    for one that does not broadcast.
    """
    x, index = as_tensor_like(x), integer_array("take_along_axis", "index", index)
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = one_axis("take_along_axis", axis, x.ndim)
    lead, trail = together("take_along_axis", x, index, axis)
    x = stretched(x, (*lead, x.shape[axis], *trail), index)
    return gather(x, stretched(index, (*lead, index.shape[axis], *trail), x), axis)


def stretched(x: Any, shape: Shape, beside: Any) -> Any:
    """`x` stretched to a shape whose sizes the graph of `beside` may know alone: so it goes there first."""
    if same_shape(tuple(x.shape), tuple(shape)):
        return x
    return broadcast_to(placed(x, beside), shape)


def placed(x: Any, beside: Any) -> Any:
    """A copy of `x` in the graph, or on the device, of `beside`, where x is an array of neither."""
    return where(full((), True, "bool", like=beside), x, x)


def together(call: str, x: Any, index: Any, axis: int) -> tuple[Shape, Shape]:
    """What the sizes of x and of an index broadcast to before `axis` and behind it."""
    if index.ndim != x.ndim:
        raise ShapeError(
            f"{call}: index {str_shape(index.shape)} along axis {axis} of x {str_shape(x.shape)}: it needs "
            "as many axes as x; expand_dims it?"
        )
    others = [Spec((*a.shape[:axis], *a.shape[axis + 1 :]), a.dtype) for a in (x, index)]
    shape = broadcast_shapes(call, *others)
    return shape[:axis], shape[axis:]


def gather_nd(x: Any, indices: Any, batch_dims: int = 0) -> Any:
    """What rows of integers name: `y[i] = x[tuple(indices[i])]`, as ONNX's GatherND has it and TensorFlow.

    indices (..., d): each row picks along the first d axes of x, -1 is the last, and what stands behind them
    is taken whole: gives (..., x's other sizes). The first `batch_dims` axes are common to both, and each
    row picks in its own part. Raises RangeError for an index outside, ShapeError for rows that are too long.
    """
    x, indices = as_tensor_like(x), integer_array("gather_nd", "indices", indices)
    return getitem(x, rows_as_index("gather_nd", x, indices, batch_dims))


def rows_as_index(call: str, x: Any, indices: Any, batch_dims: int = 0) -> tuple[Any, ...]:
    """The index that rows of integers amount to: arrays for the first axes of x."""
    if not isinstance(batch_dims, int) or not 0 <= batch_dims < max(indices.ndim, 1):
        most = max(indices.ndim, 1) - 1
        raise SettingError(f"{call}: batch_dims must be an int from 0 to {most}, not {batch_dims!r}")
    width = indices.shape[-1] if indices.ndim else 0
    if isinstance(width, Dim) or not width:
        kind = UnknownSizeError if isinstance(width, Dim) else ShapeError
        raise kind(f"{call}: indices {str_shape(indices.shape)} must have rows, of a known size from 1 on")
    shared = zip(x.shape[:batch_dims], indices.shape[:batch_dims], strict=False)
    if batch_dims + width > x.ndim or not all(sizes_match(a, b) for a, b in shared):
        raise ShapeError(
            f"{call}: indices {str_shape(indices.shape)} in {str_shape(x.shape)}: rows of {width} behind "
            f"{batch_dims} axes that are the same in both"
        )
    batches = [
        reshape(arange(indices.shape[axis], like=indices), (-1, *(1,) * (indices.ndim - axis - 2)))
        for axis in range(batch_dims)
    ]
    return (*batches, *unbind(indices, axis=-1))


def masked_select(x: Any, mask: Any) -> Any:
    """The elements of `x` where `mask` (bool) is true, flat and in C order, as `torch.masked_select`; the two
    broadcast. How many there are only a run knows."""
    x, mask = as_tensor_like(x), as_tensor_like(mask)
    check_mask("masked_select", mask)
    shape = broadcast_shapes("masked_select", spec_of(x), spec_of(mask))
    x = stretched(x, shape, mask)
    return getitem(x, stretched(mask, shape, x))


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """`value`, a number or what broadcasts, where `mask` (bool) is true, else `x`: PyTorch's `where`."""
    return where(mask, value, x)

