"""Ops that put elements in order: argsort and sort, and what is picked by its rank.

NaN counts as larger than any number, as it does in `max`: it stands last in ascending order and first in
descending. Equal elements (0 and -0 are) keep the order in which they stand, in descending order too. So
the order is one and the same everywhere, and gradients flow to the elements that were picked.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import Dim, Size, same_size
from shared.errors import SettingError, ShapeError
from shared.op import ZERO, array_module
from shared.ops.indexing import EVERY, getitem
from shared.ops.lookup import gather
from shared.ops.reals import RealOp
from shared.ops.reductions import argmax, argmin
from shared.ops.shapes import as_sizes, as_tensor_like, c_order, squeeze
from shared.spec import Operand, Spec, one_axis, str_shape

INTEGER = np.dtype(np.intp)

# --- the order -----------------------------------------------------------------------------


def _compute_argsort(x: Any, *, axis: int, descending: bool) -> Any:
    """Ascending; or, from behind, what is ascending from behind, so that equal elements stay in order."""
    if not descending:
        return c_order(x.argsort(axis=axis, kind="stable"))
    back = (*(EVERY,) * axis, slice(None, None, -1))
    return c_order(x.shape[axis] - 1 - x[back].argsort(axis=axis, kind="stable")[back])


_argsort = RealOp(
    "argsort", _compute_argsort, lambda x, *, axis, descending: Spec(x.shape, INTEGER), [ZERO]
)


def argsort(x: Any, axis: int = -1, descending: bool = False) -> Any:
    """Where along `axis` the elements stand that sort `x`, int64, of x's shape: `sort(x)` is `gather(x,
    argsort(x), axis)`. Stable, NaN the largest; no gradient."""
    x = as_tensor_like(x)
    return _argsort(x, axis=one_axis("argsort", axis, x.ndim), descending=bool(descending))


def sort(x: Any, axis: int = -1, descending: bool = False) -> Any:
    """`x` with its elements in order along `axis`, and nothing else, as in NumPy and the Array API;
    `argsort` says where they stood.

    Stable, NaN the largest. Each element's cotangent goes back to where it stood.
    """
    x = as_tensor_like(x)
    axis = one_axis("sort", axis, x.ndim)
    return gather(x, argsort(x, axis, descending), axis)


# --- the first k ---------------------------------------------------------------------------

_LONG = 512
"""From so many elements on they are parted first, and only those that come out are sorted."""


def _compute_top_index(x: Any, *, k: int, axis: int, largest: bool) -> Any:
    n = x.shape[axis]
    _infer_top_index(x, k=k, axis=axis, largest=largest)
    if n < _LONG or k > n // 8 or not x.size or not k:
        order = _compute_argsort(x, axis=axis, descending=largest)
        return c_order(order[(*(EVERY,) * axis, slice(k))])
    xp = array_module(x)
    lines = xp.moveaxis(x, axis, -1)
    places = _parted(xp, lines.reshape(-1, n), k, largest).reshape(*lines.shape[:-1], k)
    return c_order(xp.moveaxis(places, -1, axis))


def _parted(xp: Any, lines: Any, k: int, largest: bool) -> Any:
    """The same of lines: whatever is beyond the k-th, and of its equals as many as are left, the first."""
    at = lines.shape[1] - k if largest else k - 1
    edge = xp.partition(lines, at, axis=1)[:, at : at + 1]
    nan, edge_nan = np.isnan(lines), np.isnan(edge)
    beyond = (lines > edge) | (nan & ~edge_nan) if largest else (lines < edge) | (edge_nan & ~nan)
    equals = (lines == edge) | (nan & edge_nan)
    left = k - beyond.sum(axis=1, keepdims=True)
    if (equals.sum(axis=1, keepdims=True) > left).any():
        equals &= equals.cumsum(axis=1) <= left
    places = (beyond | equals).nonzero()[1].reshape(-1, k)
    found = xp.take_along_axis(lines, places, axis=1)
    return xp.take_along_axis(places, _compute_argsort(found, axis=1, descending=largest), axis=1)


def _infer_top_index(x: Operand, *, k: Size, axis: int, largest: bool) -> Spec:
    n = x.shape[axis]
    if not isinstance(k, Dim) and not isinstance(n, Dim) and k > n:
        raise ShapeError(f"topk: {k} of {n}: {str_shape(x.shape)} has no more along axis {axis}")
    return Spec((*x.shape[:axis], k, *x.shape[axis + 1 :]), INTEGER)


_top_index = RealOp(
    "top_index", _compute_top_index, _infer_top_index, [ZERO],
    doc="Where the k largest (or smallest) elements stand along an axis, in order: what topk picks by.",
)  # fmt: skip


def topk(x: Any, k: Size, axis: int = -1, largest: bool = True) -> tuple[Any, Any]:
    """The `k` largest elements along `axis`, or the smallest, in order; and where they stand, int64.

    As `torch.topk`: of equal elements the first, NaN the largest. Gradients flow through the values.
    Raises ShapeError for more than there are, SettingError for a k that is not an int from 0 on.
    """
    x = as_tensor_like(x)
    axis = one_axis("topk", axis, x.ndim)
    index = _top_index(x, k=_rank("topk", k, 0), axis=axis, largest=bool(largest))
    return gather(x, index, axis), index


def _rank(call: str, k: Any, least: int) -> Size:
    """A k that is a size from `least` on."""
    (found,) = as_sizes(call, (k,))
    if isinstance(k, bool) or (not isinstance(found, Dim) and found < least):
        raise SettingError(f"{call}: k must be an int from {least} on, not {k!r}")
    return found


# --- one along an axis, and where it stands --------------------------------------------------


def _with_place(x: Any, index: Any, axis: int, keepdims: bool) -> tuple[Any, Any]:
    """What stands at an index of size 1 along `axis`, and the index; both without the axis unless kept."""
    values = gather(x, index, axis)
    return (values, index) if keepdims else (squeeze(values, axis), squeeze(index, axis))


def kthvalue(x: Any, k: Size, axis: int = -1, keepdims: bool = False) -> tuple[Any, Any]:
    """The k-th smallest element along `axis`, counted from 1, and where it stands, int64.

    As `torch.kthvalue`; of equal elements the order is that of `sort`. Raises ShapeError for a k beyond the
    last, SettingError for one below 1.
    """
    x = as_tensor_like(x)
    axis, k = one_axis("kthvalue", axis, x.ndim), _rank("kthvalue", k, 1)
    least = _top_index(x, k=k, axis=axis, largest=False)
    return _with_place(x, getitem(least, (*(EVERY,) * axis, slice(k - 1, k))), axis, keepdims)


def max_with_indices(x: Any, axis: int, keepdims: bool = False) -> tuple[Any, Any]:
    """The largest element along one axis, and where it stands (`argmax`): what `torch.max(x, dim)` gives.

    The whole cotangent goes to that element, the first of several; `max` shares it among them.
    """
    x = as_tensor_like(x)
    axis = one_axis("max_with_indices", axis, x.ndim)
    return _with_place(x, argmax(x, axis, keepdims=True), axis, keepdims)


def min_with_indices(x: Any, axis: int, keepdims: bool = False) -> tuple[Any, Any]:
    """The smallest element along one axis, and where it stands; all else as in `max_with_indices`."""
    x = as_tensor_like(x)
    axis = one_axis("min_with_indices", axis, x.ndim)
    return _with_place(x, argmin(x, axis, keepdims=True), axis, keepdims)


def _compute_mode_index(x: Any, *, axis: int) -> Any:
    """Equal elements are runs of what is sorted; the first of the longest run, counted from its start."""
    _infer_mode_index(x, axis=axis)
    xp = array_module(x)
    moved = xp.moveaxis(x, axis, -1)
    lines = moved.reshape(math.prod(moved.shape[:-1]), x.shape[axis])
    order = lines.argsort(axis=1, kind="stable")
    ranked = xp.take_along_axis(lines, order, axis=1)
    starts = xp.ones(lines.shape, bool)
    starts[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    run = starts.reshape(-1).cumsum() - 1
    length = xp.bincount(run)[run].reshape(lines.shape)
    first = length.argmax(axis=1).reshape(-1, 1)
    return xp.take_along_axis(order, first, axis=1).reshape(_one_along(x.shape, axis))


def _one_along(shape: tuple[Size, ...], axis: int) -> tuple[Size, ...]:
    return (*shape[:axis], 1, *shape[axis + 1 :])


def _infer_mode_index(x: Operand, *, axis: int) -> Spec:
    if same_size(x.shape[axis], 0):
        raise ShapeError(f"mode: {str_shape(x.shape)} has no elements along axis {axis}")
    return Spec(_one_along(x.shape, axis), INTEGER)


_mode_index = RealOp(
    "mode_index", _compute_mode_index, _infer_mode_index, [ZERO],
    doc="Where the most frequent element along an axis stands first; the axis stays, with a size of 1.",
)  # fmt: skip


def mode(x: Any, axis: int = -1, keepdims: bool = False) -> tuple[Any, Any]:
    """The most frequent element along `axis`, the smallest of several, and where it stands first, int64.

    As `torch.mode`, which may name another place of the same element. NaN equals nothing, so it is as
    frequent as any that comes once. Raises ShapeError where there are no elements.
    """
    x = as_tensor_like(x)
    axis = one_axis("mode", axis, x.ndim)
    return _with_place(x, _mode_index(x, axis=axis), axis, keepdims)
