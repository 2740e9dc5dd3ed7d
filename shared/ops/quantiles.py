"""Ops that say what stands in the middle, or at any other share, of what is sorted; and sums without NaN.

`axis` counts from either end, may be several or all (None), and `keepdims` leaves sizes of 1, as in the
reductions. Integers and bools become float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import same_size
from shared.errors import SettingError, ShapeError
from shared.ops.arranging import moveaxis
from shared.ops.choosing import (
    cast,
    floating,
    gate,
    greater_equal,
    isfinite,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    not_equal,
    where,
)
from shared.ops.creation import full
from shared.ops.elementwise import ceil, div, floor, mul, round, sub
from shared.ops.indexing import getitem
from shared.ops.joining import stack
from shared.ops.lookup import gather
from shared.ops.reductions import Axis, count_of, mean, reduced, sum
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, transpose
from shared.ops.sorting import sort
from shared.spec import in_short, many_axes, str_shape

# --- quantiles -----------------------------------------------------------------------------

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(
    x: Any, q: float | Sequence[float], axis: Axis = None, keepdims: bool = False, method: str = "linear"
) -> Any:  # fmt: skip
    """The number below which a share `q` of the elements over `axis` lies.

    Of n sorted elements it is the one at place q (n - 1), from 0 on. Between two places, `method` says:
    "linear" interpolates; "lower" and "higher" take one of the two; "nearest" the nearer, of two as near
    that at the even place; "midpoint" their mean.

    q is a number from 0 to 1, or several (a list, an array, a Tensor), which then stand along a new first
    axis. As in `numpy.quantile` and `torch.quantile`; NaN anywhere gives NaN. Gradients flow to the elements
    that the result is made of, and to q. Raises ShapeError where there are no elements, SettingError for
    numbers outside and for another method, RangeError where a run finds a Tensor's outside.
    """
    return _quantile("quantile", x, q, axis, keepdims, method, skip=False)


def nanquantile(
    x: Any, q: float | Sequence[float], axis: Axis = None, keepdims: bool = False, method: str = "linear"
) -> Any:  # fmt: skip
    """The quantile of the elements that are not NaN; NaN where all are. All else as in `quantile`."""
    return _quantile("nanquantile", x, q, axis, keepdims, method, skip=True)


def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The element in the middle of what is sorted over `axis`; of an even number the mean of the middle two.

    That is NumPy's median; `torch.median` gives the lower of the two. NaN anywhere gives NaN. Raises
    ShapeError where there are no elements.
    """
    return _quantile("median", x, 0.5, axis, keepdims, "midpoint", skip=False)


def nanmedian(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The median of the elements that are not NaN; NaN where all are. All else as in `median`."""
    return _quantile("nanmedian", x, 0.5, axis, keepdims, "midpoint", skip=True)


def _quantile(
    call: str, x: Any, q: Any, axis: Axis, keepdims: bool, method: str, skip: bool
) -> Any:
    """What is sorted has the reduced axes as its last one; so have the places, with one for each share."""
    if method not in METHODS:
        raise SettingError(f"{call}: method must be one of {METHODS}, not {method!r}")
    x = floating(x)
    shares, inside = _shares(call, q, x)
    axes = many_axes(call, axis, x.ndim)
    kept = [a for a in range(x.ndim) if a not in axes]
    count = count_of(x.shape, axes)
    if same_size(count, 0):
        raise ShapeError(f"{call}: {str_shape(x.shape)} has no elements over axis {axes}")
    ranked = sort(reshape(transpose(x, (*kept, *axes)), (*(x.shape[a] for a in kept), count)))
    most: Any = count - 1  # of an unknown size, too
    if skip:
        numbers = sum(cast(logical_not(isnan(ranked)), "float64"), axis=-1, keepdims=True)
        place = mul(maximum(sub(numbers, 1), 0), shares)
    else:  # where there is NaN it stands last
        last = full((), most, "float64", like=x)
        lost = isnan(expand_dims(getitem(ranked, (..., -1)), -1))
        place = where(lost, last, mul(last, shares))
    if inside is not None:
        place = where(inside, place, most + 1)  # where nothing is, as `gather` will say
    y = moveaxis(_picked(ranked, place, method), -1, 0)
    return reshape(y, (*(shares.shape if _several(q) else ()), *reduced(x.shape, axes, keepdims)))


_NUMBERS = (int, float, list, tuple, np.ndarray, np.generic)


def _several(q: Any) -> bool:
    return len(q.shape) > 0 if hasattr(q, "shape") else isinstance(q, (list, tuple))


def _shares(call: str, q: Any, x: Any) -> tuple[Any, Any]:
    """The shares as float64 where x lives, along one axis; of a Tensor's, of which only a run may know, also
    whether they are from 0 to 1."""
    if hasattr(q, "shape") and not isinstance(q, _NUMBERS):
        if len(q.shape) > 1:
            raise ShapeError(f"{call}: q must be a number or several in a row, not {str_shape(q.shape)}")
        q = reshape(cast(q, "float64"), -1)
        return q, logical_and(greater_equal(q, 0), less_equal(q, 1))
    try:
        found = np.asarray(q, np.float64) if isinstance(q, _NUMBERS) else np.zeros(0)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.ndim > 1 or not found.size or not ((found >= 0) & (found <= 1)).all():
        raise SettingError(f"{call}: q must be a number from 0 to 1, or several of them, not {in_short(q)}")
    return stack([full((), share, "float64", like=x) for share in found.reshape(-1).tolist()]), None


def _picked(ranked: Any, place: Any, method: str) -> Any:
    """What stands at places that may lie between elements, along the last axis."""

    def at(found: Any) -> Any:
        return gather(ranked, cast(found, np.int64), axis=-1)

    if method == "nearest":
        return at(round(place))
    if method in ("lower", "higher"):
        return at(floor(place) if method == "lower" else ceil(place))
    low, high = at(floor(place)), at(ceil(place))
    if method == "midpoint":
        return low * 0.5 + high * 0.5
    share = sub(place, floor(place))
    up, down = cast(share, ranked.dtype), cast(sub(1, share), ranked.dtype)
    # From the nearer end, so that both are reached exactly, or from the finite one; equal infinities do not
    # differ.
    apart = gate(sub(high, low), logical_or(not_equal(low, high), isfinite(low)))
    upwards = logical_and(isfinite(low), logical_or(less(share, 0.5), logical_not(isfinite(high))))
    return where(upwards, low + apart * up, high - apart * down)


# --- sums without NaN ------------------------------------------------------------------------


def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over `axis` of the elements that are not NaN; 0 where all are. All else as in `sum`."""
    x = as_tensor_like(x)
    return sum(gate(x, logical_not(isnan(x))), axis, keepdims)


def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over `axis` of the elements that are not NaN; NaN where all are. All else as in `mean`."""
    x = as_tensor_like(x)
    numbers = logical_not(isnan(x))
    y, share = mean(gate(x, numbers), axis, keepdims), mean(numbers, axis, keepdims)
    return div(y, cast(share, y.dtype))
