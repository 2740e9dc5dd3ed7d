"""Ops that find and count: what is not zero, what differs, where something belongs, how often it comes.

None has a gradient by what it looks at; weights and the values that come out have.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Size, product, same_size
from shared.errors import SettingError, ShapeError
from shared.kernels.scatter import scatter_rows
from shared.op import ZERO, Op, Rule, array_module
from shared.ops.arranging import moveaxis
from shared.ops.choosing import (
    cast,
    equal,
    floating,
    gate,
    greater_equal,
    less,
    logical_and,
    not_equal,
    where,
)
from shared.ops.creation import arange, full
from shared.ops.elementwise import div, sub
from shared.ops.indexing import getitem, integer_array, take
from shared.ops.joining import unbind
from shared.ops.lookup import check_range, scatter_sum
from shared.ops.reals import RealOp
from shared.ops.reductions import Axis, max, min, sum
from shared.ops.shapes import as_sizes, as_tensor_like, reshape
from shared.spec import Operand, Spec, one_axis, promote, sizes_match, str_shape

INTEGER = np.dtype(np.intp)

# --- what is not zero ----------------------------------------------------------------------

_argwhere = Op(
    "argwhere",
    lambda x: array_module(x).ascontiguousarray(array_module(x).argwhere(x)),
    lambda x: Spec((Dim(), len(x.shape)), INTEGER),
    [ZERO],
)


def argwhere(x: Any) -> Any:
    """The places of all elements that are true (not 0), in C order, as rows of an integer for each axis.

    `torch.nonzero` gives this. How many rows there are only a run knows.
    """
    return _argwhere(as_tensor_like(x))


def nonzero(x: Any) -> tuple[Any, ...]:
    """The places of all elements that are true (not 0): for each axis an array of integers, in C order.

    As in NumPy and the Array API: `x[nonzero(x)]` are these elements. Raises ShapeError for what has no axes.
    """
    x = as_tensor_like(x)
    if not x.ndim:
        raise ShapeError("nonzero: a single number has no axes to say a place along; compare it with 0")
    return unbind(argwhere(x), axis=1)


def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements over `axis` are true (not 0; NaN is not), int64."""
    return sum(not_equal(as_tensor_like(x), 0), axis, keepdims)


# --- what differs --------------------------------------------------------------------------


def _compute_unique(x: Any) -> tuple[Any, ...]:
    """Equal rows follow one another where rows are sorted by their columns, the first before all."""
    xp, (n, width) = array_module(x), x.shape
    if width == 1:
        order = x[:, 0].argsort(kind="stable")  # much the faster
    else:
        order = xp.lexsort(x[:, ::-1].T) if width else xp.arange(n)
    ranked = x[order]
    starts = xp.ones(n, bool)
    starts[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    inverse = xp.empty(n, np.intp)
    inverse[order] = starts.cumsum() - 1
    found = xp.flatnonzero(starts)
    counts = xp.diff(xp.concatenate([found, xp.full(1, n, np.intp)]))
    return order[found], inverse, counts


def _infer_unique(x: Operand) -> tuple[Spec, Spec, Spec]:
    several = Spec((Dim(),), INTEGER)
    return several, Spec(x.shape[:1], INTEGER), several


_unique = Op(
    "unique_rows", _compute_unique, _infer_unique, [ZERO],
    outputs=("index", "inverse", "counts"), constant=("index", "inverse", "counts"),
    doc="Of a matrix: where each row that differs from the others stands first, in their order; which of\n"
    "these each row is; and how often each comes.",
)  # fmt: skip


def unique(
    x: Any, axis: int | None = None, return_index: bool = False, return_inverse: bool = False,
    return_counts: bool = False,
) -> Any:  # fmt: skip
    """The different elements of `x`, sorted; along an axis its different slices, sorted by their elements.

    With `return_index` where each stands first, with `return_inverse` which of them each element is (of x's
    shape; of an axis its size), with `return_counts` how often each comes, all int64: then a tuple, in this
    order. How many there are only a run knows. NaN equals nothing, so each is different, as in the Array API.
    The cotangent of each goes to where it stands first.
    """
    x = as_tensor_like(x)
    if axis is None:
        values, index, inverse, counts = unique_all(x)
    else:
        axis = one_axis("unique", axis, x.ndim)
        front = moveaxis(x, axis, 0)
        rows = reshape(front, (front.shape[0], product(front.shape[1:])))
        index, inverse, counts = _unique(rows)
        values = take(x, index, axis)
    asked = zip((index, inverse, counts), (return_index, return_inverse, return_counts), strict=True)
    found = [part for part, wanted in asked if wanted]
    return (values, *found) if found else values


def unique_all(x: Any) -> tuple[Any, Any, Any, Any]:
    """The different elements of `x`, sorted; where each stands first; which of them each element of `x` is,
    of x's shape; how often each comes. The Array API's, as the three that follow: see `unique`."""
    x = as_tensor_like(x)
    flat = reshape(x, -1)
    index, inverse, counts = _unique(reshape(flat, (flat.shape[0], 1)))
    return take(flat, index), index, reshape(inverse, x.shape), counts


def unique_values(x: Any) -> Any:
    """The different elements of `x`, sorted: see `unique`."""
    return unique_all(x)[0]


def unique_counts(x: Any) -> tuple[Any, Any]:
    """The different elements of `x`, sorted, and how often each comes: see `unique`."""
    values, _, _, counts = unique_all(x)
    return values, counts


def unique_inverse(x: Any) -> tuple[Any, Any]:
    """The different elements of `x`, sorted, and which of them each element of `x` is: see `unique`."""
    values, _, inverse, _ = unique_all(x)
    return values, inverse


# --- where something belongs -----------------------------------------------------------------


def _compute_searchsorted(edges: Any, x: Any, *, side: str) -> Any:
    _infer_searchsorted(edges, x, side=side)
    xp = array_module(x)
    kind = promote(edges, x)
    edges, x = edges.astype(kind, copy=False), x.astype(kind, copy=False)
    if edges.ndim == 1:
        return xp.asarray(xp.searchsorted(edges, x, side))
    y = xp.empty(x.shape, np.intp)
    for row in np.ndindex(edges.shape[:-1]):
        y[row] = xp.searchsorted(edges[row], x[row], side)
    return y


def _infer_searchsorted(edges: Operand, x: Operand, *, side: str) -> Spec:
    lead = edges.shape[:-1]
    fits = len(lead) == len(x.shape) - 1 and all(map(sizes_match, lead, x.shape[:-1]))
    if not edges.shape or (lead and not fits):
        raise ShapeError(
            f"searchsorted: {str_shape(x.shape)} in {str_shape(edges.shape)}: what is sorted has one axis, "
            "or the same sizes as what is looked for on all but the last"
        )
    return Spec(x.shape, INTEGER)


_searchsorted = RealOp("searchsorted", _compute_searchsorted, _infer_searchsorted, [ZERO, ZERO])


def searchsorted(sorted_sequence: Any, x: Any, side: str = "left", sorter: Any = None) -> Any:
    """How many elements of a sorted sequence stand before each of `x`: where it could be put in, int64.

    The sequence ascends along its one axis; of several axes each line is for one of x's, as in
    `torch.searchsorted`. Gives x's shape.

    side    "left": those count that are less; "right": those that are not more. NaN is the largest
    sorter  what sorts the sequence, if it has one axis and is not sorted: its `argsort`

    Raises ShapeError where lines of the one do not fit those of the other, SettingError for another side.
    """
    if side not in ("left", "right"):
        raise SettingError(f"searchsorted: side must be 'left' or 'right', not {side!r}")
    edges, x = as_tensor_like(sorted_sequence), as_tensor_like(x)
    return _searchsorted(edges if sorter is None else take(edges, sorter, 0), x, side=side)


def bucketize(x: Any, boundaries: Any, right: bool = False) -> Any:
    """The bucket of each element of `x`, as `torch.bucketize`: how many of the ascending `boundaries` are
    less, or, if `right`, not more."""
    return searchsorted(boundaries, x, "right" if right else "left")


# --- how often it comes ----------------------------------------------------------------------


def _compute_bincount(x: Any, weights: Any = None, *, minlength: int) -> Any:
    _infer_bincount(x, weights, minlength=minlength)
    size = minlength
    if x.size:
        size = builtins.max(size, int(x.max()) + 1)
        check_range("bincount", "number", x, 0, size)
    places = x.astype(np.intp, copy=False)
    if weights is None:
        xp = array_module(x)
        return xp.bincount(places, minlength=size) if x.size else xp.zeros(size, np.intp)
    return scatter_rows(weights.reshape(1, x.size, 1), places, size).reshape(size)


def _infer_bincount(x: Operand, weights: Operand = None, *, minlength: Size) -> Spec:
    if len(x.shape) != 1 or (weights is not None and not _alike(x, weights)):
        other = "" if weights is None else f" with weights {str_shape(weights.shape)}"
        raise ShapeError(f"bincount: {str_shape(x.shape)}{other}: both have one axis, and the same size")
    return Spec((Dim(),), INTEGER if weights is None else weights.dtype)


def _alike(x: Operand, weights: Operand) -> bool:
    return len(weights.shape) == 1 and sizes_match(x.shape[0], weights.shape[0])


_bincount = Op(
    "bincount",
    _compute_bincount,
    _infer_bincount,
    [ZERO, Rule(lambda g, y, x, weights, *, minlength: take(g, x, 0), reads="x")],
    judges=(0,),
)


def bincount(x: Any, weights: Any = None, minlength: Size = 0) -> Any:
    """How often each integer from 0 up to the largest in `x` comes, int64; or the sum of its weights, added
    in x's order; of integers and bools in float64, as in NumPy.

    x (n,) integers from 0 on, weights (n,). There are `minlength` counts at least; how many, only a run
    knows. Raises RangeError for a number below 0, naming it and its position, ShapeError for other shapes.
    """
    x = integer_array("bincount", "x", x)
    (least,) = as_sizes("bincount", (minlength,))
    if not isinstance(least, Dim) and least < 0:
        raise SettingError(f"bincount: minlength must not be negative, but is {least}")
    given = [] if weights is None else [floating(weights)]
    return _bincount(x, *given, minlength=least)


def histogram(
    x: Any, bins: Any = 10, range: Sequence[float] | None = None, weights: Any = None, density: bool = False
) -> tuple[Any, Any]:
    """How many elements of `x` lie in each bin, int64 (or the sum of their weights), and the bins' edges.

    bins     a number of bins of one width, or their edges, ascending
    range    where the first bin starts and the last ends; by default the smallest and largest element, of
             nothing 0 and 1
    weights  what each element counts, of x's shape
    density  whether what comes out is divided so that its integral is 1

    As in NumPy: a bin has its left edge and not its right, but the last, which has both; what lies outside,
    NaN too, does not count. Raises ShapeError for edges that are not along one axis or are fewer than two.
    """
    x = reshape(floating(x), -1)
    edges = _edges(x, int(bins), range) if isinstance(bins, (int, np.integer)) else as_tensor_like(bins)
    if edges.ndim != 1 or (not isinstance(edges.shape[0], Dim) and edges.shape[0] < 2):
        raise ShapeError(f"histogram: edges {str_shape(edges.shape)} must be two or more along one axis")
    count = edges.shape[0] - 1
    place = where(equal(x, getitem(edges, -1)), count - 1, sub(searchsorted(edges, x, "right"), 1))
    inside = logical_and(greater_equal(place, 0), less(place, count))
    values = cast(inside, INTEGER) if weights is None else gate(reshape(as_tensor_like(weights), -1), inside)
    found = scatter_sum(values, where(inside, place, 0), 0, count)
    if density:
        widths = sub(getitem(edges, slice(1, None)), getitem(edges, slice(None, -1)))
        found = div(div(cast(found, widths.dtype), widths), cast(sum(found), widths.dtype))
    return found, edges


def _edges(x: Any, bins: int, range: Sequence[float] | None) -> Any:
    """The edges of so many bins of one width; where all elements are equal, from half below to half above."""
    if bins < 1:
        raise SettingError(f"histogram: bins must be an int from 1 on, or edges, not {bins}")
    if range is None and not same_size(x.size, 0):
        low, high = min(x), max(x)
    else:
        low, high = (full((), float(end), x.dtype, like=x) for end in range or (0, 1))
    half = where(equal(low, high), 0.5, 0.0)
    low, high = low - cast(half, x.dtype), high + cast(half, x.dtype)
    numbers = arange(bins + 1, dtype=x.dtype, like=x)
    return where(equal(numbers, bins), high, low + numbers * ((high - low) / bins))
