"""Ops that put values where an index says: set, added, multiplied, averaged, or the extreme kept.

Each gives a new array. Where an index names an element several times, its values come one after the other, in
the index's C order: the last one that is set stays, sums and products are made in that order. So both
engines have the same bits, and gradients are those of what happened: a value that another has replaced
gets none; of several largest, each an even share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shared.errors import DTypeError, SettingError, ShapeError
from shared.ops.arranging import roll
from shared.ops.choosing import check_mask, equal, gate, logical_and, logical_not, maximum
from shared.ops.creation import arange, full, ones
from shared.ops.cumulative import has_neighbour, recurrence
from shared.ops.elementwise import add, div, mul
from shared.ops.indexing import (
    ARRAY,
    EVERY,
    Template,
    getitem,
    integer_array,
    parted,
    pick,
    scatter_index,
    take,
)
from shared.ops.lookup import others_within, scatter_add
from shared.ops.picking import placed, rows_as_index, stretched, together
from shared.ops.placing import extreme_op, put_op
from shared.ops.shapes import as_tensor_like, reshape
from shared.ops.sorting import argsort
from shared.spec import broadcast_shapes, is_weak, one_axis, promote, spec_of, str_shape

# --- what `reduce` may be --------------------------------------------------------------------


def _add(x: Any, values: Any, arrays: list[Any], index: Template) -> Any:
    return add(x, scatter_index(_stretched(x, values, arrays, index), *arrays, shape=x.shape, index=index))


def _stretched(x: Any, values: Any, arrays: list[Any], index: Template) -> Any:
    """The values in the shape of what the index picks."""
    return stretched(values, pick(x, *arrays, index=index).shape, x)


def _mul(x: Any, values: Any, arrays: list[Any], index: Template) -> Any:
    """Sorted by their places, the values for one element follow one another, and their running product starts
    anew with each element: its last one is set."""
    numbers = reshape(arange(x.size, like=x), x.shape)
    places = reshape(pick(numbers, *arrays, index=index), -1)
    order = argsort(places)
    places, values = take(places, order), take(reshape(_stretched(x, values, arrays, index), -1), order)
    goes_on = logical_and(equal(places, roll(places, 1)), has_neighbour(places, 0))
    products = recurrence(gate(values, goes_on), gate(values, logical_not(goes_on)), axis=0, reverse=False)
    flat = put_op(ones((x.size,), products.dtype, like=x), products, places, index=(ARRAY,))
    return mul(x, reshape(flat, x.shape))


Reduce = Callable[[Any, Any, list[Any], Template], Any]
REDUCE: dict[str, Reduce] = {
    "set": lambda x, values, arrays, index: put_op(x, values, *arrays, index=index),
    "add": _add,
    "mean": _add,  # `_scattered` divides, who knows whether x counts
    "mul": _mul,
    "max": lambda x, values, arrays, index: extreme_op(x, values, *arrays, index=index, largest=True),
    "min": lambda x, values, arrays, index: extreme_op(x, values, *arrays, index=index, largest=False),
}
"""What is made of an element and the values for it, one after the other."""


def _neutral(reduce: str, dtype: np.dtype[Any]) -> Any:
    """What changes nothing: what an element is to be that does not count itself."""
    if reduce in ("max", "min"):
        low: Any = -math.inf
        high: Any = math.inf
        if dtype.kind in "iu":
            low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        elif dtype.kind == "b":
            low, high = False, True
        return low if reduce == "max" else high
    return 1 if reduce == "mul" else 0


def _scattered(
    call: str, x: Any, values: Any, arrays: list[Any], index: Template, reduce: str, include_self: bool
) -> Any:
    """`x` with the values at an index; of a number, that number everywhere."""
    if reduce not in REDUCE:
        raise SettingError(f"{call}: reduce must be one of {tuple(REDUCE)}, not {reduce!r}")
    if is_weak(values):
        values = full((), values, promote(spec_of(x), values), like=x)
    values = as_tensor_like(values)
    if reduce == "mean" and promote(spec_of(x), spec_of(values)).kind not in "fc":
        raise DTypeError(f"{call}: the mean of integers is none; cast {x.dtype} to a float first")
    kept = x
    if not include_self and reduce != "set":
        kept = put_op(x, full((), _neutral(reduce, x.dtype), x.dtype, like=x), *arrays, index=index)
    y = REDUCE[reduce](kept, values, arrays, index)
    if reduce == "mean":
        one = _stretched(x, ones((), y.dtype, like=x), arrays, index)
        count = scatter_index(one, *arrays, shape=x.shape, index=index)
        y = div(y, maximum(add(count, int(include_self)), 1))
    return y


# --- along an axis -----------------------------------------------------------------------------


def scatter(
    x: Any, index: Any, values: Any, axis: int, reduce: str = "set", include_self: bool = True
) -> Any:  # fmt: skip
    """`x` with `values` at `index` along `axis`: `y[i, index[i, j]] = values[i, j]` for axis 1 of 2.

    index         integers with as many axes as x, on the others at most x's size; -1 is the last
    values        of the index's shape, or what broadcasts to it
    reduce        what is made of an element and the values for it: "set" (the last stays), "add", "mul",
                  "mean", "max", "min"
    include_self  whether x's own element takes part where there are values for it; of "set" it never does

    As `torch.scatter` and `scatter_reduce`, with an order for what is named several times: see above. Dtypes
    promote. Raises RangeError for an index outside, ShapeError for one that does not fit, SettingError for
    another reduce, DTypeError for a mean of integers.
    """
    x, index = as_tensor_like(x), integer_array("scatter", "index", index)
    axis = one_axis("scatter", axis, x.ndim)
    if not others_within(index.shape, x.shape, axis):
        raise ShapeError(
            f"scatter: index {str_shape(index.shape)} along axis {axis} of x {str_shape(x.shape)}: it needs "
            "as many axes as x, and on the others no more than x's sizes"
        )
    if reduce == "add" and include_self:
        return scatter_add(x, index, values, axis)
    return _scattered("scatter", x, values, _grid(index, axis), (ARRAY,) * x.ndim, reduce, include_self)


def _grid(index: Any, axis: int) -> list[Any]:
    """The index arrays, which broadcast, of an index along one axis."""

    def numbers(other: int) -> Any:
        sizes = [-1 if i == other else 1 for i in range(index.ndim)]
        return reshape(arange(index.shape[other], like=index), sizes)

    return [index if other == axis else numbers(other) for other in range(index.ndim)]


def put_along_axis(x: Any, index: Any, values: Any, axis: int, reduce: str = "set") -> Any:
    """`x` with `values` at `index` along `axis`, a new array: as `scatter`, where the index's sizes of 1 on
    other axes stretch to x's. To `take_along_axis` what `numpy.put_along_axis` is to NumPy's."""
    x, index = as_tensor_like(x), integer_array("put_along_axis", "index", index)
    axis = one_axis("put_along_axis", axis, x.ndim)
    lead, trail = together("put_along_axis", x, index, axis)
    return scatter(x, stretched(index, (*lead, index.shape[axis], *trail), x), values, axis, reduce)


def index_add(x: Any, index: Any, values: Any, axis: int) -> Any:
    """`x` with the slices of `values` added to its own at `index`, integers along one axis:
    `torch.index_add`."""
    return _slices("index_add", x, index, values, axis, "add")


def index_copy(x: Any, index: Any, values: Any, axis: int) -> Any:
    """`x` with the slices of `values` in place of its own at `index`, integers along one axis:
    `torch.index_copy`."""
    return _slices("index_copy", x, index, values, axis, "set")


def index_fill(x: Any, index: Any, value: Any, axis: int) -> Any:
    """`x` with one value, a number or without axes, in all slices at `index`, integers along one axis:
    `torch.index_fill`."""
    return _slices("index_fill", x, index, value, axis, "set")


def _slices(call: str, x: Any, index: Any, values: Any, axis: int, reduce: str) -> Any:
    x, index = as_tensor_like(x), integer_array(call, "index", index)
    lead = (EVERY,) * one_axis(call, axis, x.ndim)
    return _scattered(call, x, values, [index], (*lead, ARRAY), reduce, include_self=True)


# --- at any index --------------------------------------------------------------------------------


def index_put(x: Any, index: Any, values: Any, reduce: str = "set", include_self: bool = True) -> Any:
    """A new `x` with `x[index] = values`, for every index that `x[index]` takes: ints, slices, None,
    Ellipsis, integer arrays, masks, and tuples of them.

    The values broadcast to what the index picks. `reduce` and `include_self` are those of `scatter`. Raises
    RangeError for an index outside, ShapeError for values that do not stretch to what it picks.
    """
    template, arrays = parted(index)
    return _scattered("index_put", as_tensor_like(x), values, arrays, template, reduce, include_self)


def scatter_nd(x: Any, indices: Any, values: Any, reduce: str = "set") -> Any:
    """`x` with values at what rows of integers name: `y[tuple(indices[i])] = values[i]`, as ONNX's ScatterND.

    indices (..., d): each row names a place along the first d axes of x; values (..., x's other sizes), or
    what broadcasts to that. `reduce` is that of `scatter`. TensorFlow's scatter_nd adds, to zeros.
    """
    x, indices = as_tensor_like(x), integer_array("scatter_nd", "indices", indices)
    return index_put(x, rows_as_index("scatter_nd", x, indices), values, reduce)


def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    """`x` with the elements of `source`, in C order, where `mask` (bool) is true: `torch.masked_scatter`. The
    two broadcast. Raises ShapeError where there are fewer elements than places."""
    x, mask = as_tensor_like(x), as_tensor_like(mask)
    check_mask("masked_scatter", mask)
    shape = broadcast_shapes("masked_scatter", spec_of(x), spec_of(mask))
    x = stretched(x, shape, mask)
    mask = stretched(mask, shape, x)
    count = getitem(x, mask).shape[0]
    return index_put(x, mask, getitem(reshape(placed(source, x), -1), slice(0, count)))
