"""Putting by index: index_put, scatter with every reduce, rows of places, masks; and what picks by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, booleans, distinct, integers, normal
from tests.cases.oracle import torch_op

_AB = ("a", "b")
_once = np.array([[2, 0, 3], [1, 3, 0]])
_twice = np.array([[2, 0, 2], [1, 1, 1]])
_mask = np.array([[True, False, True], [False, True, True]])
_x, _values = distinct(2, 4), distinct(2, 3) + 0.03
_zero = np.array([[0.0, 2.0, 0.0], [1.5, 0.0, 0.0]])


def _put(index: Any, reduce: str = "set", **settings: Any) -> Callable[..., Any]:
    """`index_put` where the index is made of the arrays behind x and the values."""
    return lambda x, v, *arrays: ops.index_put(x, index(*arrays), v, reduce, **settings)


def _assigned(index: Any) -> Callable[..., Any]:
    """The same in PyTorch, where no element comes twice."""

    def call(x: Any, v: Any, *arrays: Any) -> Any:
        y = x.clone()
        y[index(*arrays)] = v
        return y

    return call


def _last(x: Any, v: Any) -> Any:
    """PyTorch's scatter of the values that stay: of `_twice` the last one for each place."""
    y = x.clone()
    y[0, 0], y[0, 2], y[1, 1] = v[0, 1], v[0, 2], v[1, 2]
    return y


def _scatter(reduce: str, name: str, torch_reduce: str, include_self: bool = True) -> Case:
    return Case(
        name, lambda x, i, v: ops.scatter(x, i, v, axis=1, reduce=reduce, include_self=include_self),
        [_x, _twice, _values], unknown=[_AB, ("a", "k"), ("a", "k")],
        torch=lambda x, i, v: x.scatter_reduce(1, i, v, torch_reduce, include_self=include_self),
        name=f"scatter, {reduce}{'' if include_self else ', without self'}",
    )  # fmt: skip


CASES = [
    Case("index_put", _put(lambda: (slice(1, 3), None, 0)), [normal(4, 2), normal(2, 1)],
         torch=_assigned(lambda: (slice(1, 3), None, 0)), unknown=[_AB, ("c", 1)], name="basic"),
    Case("index_put", _put(lambda: ...), [normal(3), normal()], torch=_assigned(lambda: ...),
         unknown=[("a",), ()], name="everything"),
    Case("index_put", _put(lambda m: m), [normal(2, 3), normal(), _mask], torch=_assigned(lambda m: m),
         unknown=[_AB, (), _AB], name="a mask"),
    Case("index_put", _put(lambda i: (slice(None), i)),
         [normal(2, 5, 2), normal(2, 3, 2), np.array([4, 0, -2])],
         torch=_assigned(lambda i: (slice(None), i)), unknown=[("a", "b", "c"), ("a", "k", "c"), ("k",)],
         name="columns"),
    Case("index_put", _put(lambda i: i), [normal(4, 2), normal(2, 3, 2), integers(-4, 4, 2, 3)],
         unknown=[_AB, ("k", "l", "b"), ("k", "l")], name="rows, some twice"),
    Case("index_put", _put(lambda i, j: (i, slice(1, None), j)),
         [normal(2, 3, 3), normal(4, 1), np.array([0, 1, 0, 1]), np.array([2, -1, 2, 0])],
         unknown=[("a", "b", "c"), ("k", 1), ("k",), ("k",)], name="pairs parted by a slice, one twice"),
    Case("index_put", _put(lambda m, i: (m, i)),
         [normal(4, 3), normal(2), np.array([True, False, False, True]), np.array([2, 0])],
         torch=_assigned(lambda m, i: (m, i)), unknown=[_AB, ("k",), ("a",), ("k",)],
         name="a mask beside an array"),
    Case("index_put", _put(lambda i: i), [np.arange(4), normal(2), np.array([1, 1])], smooth=False,
         unknown=[("a",), ("k",), ("k",)], name="floats into integers"),
    Case("index_put", _put(lambda i: i), [normal(3, 2), normal(0, 2), np.zeros(0, int)],
         unknown=[_AB, ("k", "b"), ("k",)], name="nothing"),
    # along an axis
    Case("index_put", lambda x, i, v: ops.scatter(x, i, v, axis=1), [_x, _once, _values],
         torch=lambda x, i, v: x.scatter(1, i, v), unknown=[_AB, ("a", "k"), ("a", "k")], name="scatter"),
    Case("index_put", lambda x, v: ops.scatter(x, _twice, v, axis=1), [_x, _values], torch=_last,
         unknown=[_AB, (2, 3)], name="scatter, the last stays"),
    Case("index_put", lambda x, i: ops.scatter(x, i, 0.5, axis=0), [normal(3, 4), integers(0, 3, 2, 2)],
         torch=lambda x, i: x.scatter(0, i, 0.5), unknown=[_AB, ("k", "l")], name="scatter, a number"),
    _scatter("add", "scatter_sum", "sum"),
    _scatter("add", "scatter_index", "sum", include_self=False),
    _scatter("mean", "scatter_index", "mean"),
    _scatter("mean", "scatter_index", "mean", include_self=False),
    _scatter("mul", "recurrence", "prod"),
    _scatter("mul", "recurrence", "prod", include_self=False),
    _scatter("max", "index_extreme", "amax"),
    _scatter("max", "index_extreme", "amax", include_self=False),
    _scatter("min", "index_extreme", "amin"),
    _scatter("min", "index_extreme", "amin", include_self=False),
    Case("recurrence", lambda x, v: ops.scatter(x, _twice, v, 1, "mul"), [normal(2, 4), _zero],
         unknown=[_AB, (2, 3)], name="scatter, mul by zeros"),
    Case("index_extreme", lambda x, v: ops.scatter(x, _twice, v, 1, "max"),
         [np.ones((2, 4)), np.ones((2, 3))], smooth=False,
         torch=lambda x, v: x.scatter_reduce(1, torch_op("tensor")(_twice), v, "amax"),
         unknown=[_AB, (2, 3)], name="scatter, max of ties"),
    Case("index_extreme", lambda x, v: ops.index_put(x, [1, 1], v, "min", include_self=False),
         [integers(0, 9, 3), integers(0, 9, 2)], smooth=False, unknown=[("a",), ("k",)], name="of integers"),
    Case("index_put", lambda x, i, v: ops.put_along_axis(x, i, v, 0), [normal(4, 3), np.array([[2], [0]]),
         normal(2, 3)], unknown=[_AB, ("k", 1), ("k", "b")], name="put_along_axis",
         torch=lambda x, i, v: x.scatter(0, i.expand(2, 3), v)),
    Case("scatter_index", lambda x, i, v: ops.index_add(x, i, v, axis=1), [normal(2, 4), np.array([3, 1, 3]),
         normal(2, 3)], torch=lambda x, i, v: x.index_add(1, i, v), unknown=[_AB, ("k",), ("a", "k")],
         name="index_add"),
    Case("index_put", lambda x, i, v: ops.index_copy(x, i, v, axis=0), [normal(4, 2), np.array([3, 1]),
         normal(2, 2)], torch=lambda x, i, v: x.index_copy(0, i, v), unknown=[_AB, ("k",), ("k", "b")],
         name="index_copy"),
    Case("index_put", lambda x, i, v: ops.index_fill(x, i, v, axis=-1), [normal(2, 4), np.array([3, 1, 1]),
         normal()], torch=lambda x, i, v: x.index_fill(-1, i, v), unknown=[_AB, ("k",), ()],
         name="index_fill"),
    # rows of places
    Case("index_put", lambda x, i, v: ops.scatter_nd(x, i, v), [normal(3, 4, 2), np.array([[0, 1], [2, -1]]),
         normal(2, 2)], torch=lambda x, i, v: x.index_put((i[:, 0], i[:, 1]), v),
         unknown=[("a", "b", "c"), ("k", 2), ("k", "c")], name="scatter_nd"),
    Case("scatter_index", lambda x, i, v: ops.scatter_nd(x, i, v, "add"), [normal(3, 2), np.array([[1], [1]]),
         normal(2, 2)], torch=lambda x, i, v: x.index_put((i[:, 0],), v, accumulate=True),
         unknown=[_AB, ("k", 1), ("k", "b")], name="scatter_nd, add"),
    Case("getitem", lambda x, i: ops.gather_nd(x, i), [normal(3, 4, 2), integers(0, 3, 2, 3, 2)],
         torch=lambda x, i: x[i[..., 0], i[..., 1]], unknown=[("a", "b", "c"), ("k", "l", 2)],
         name="gather_nd"),
    Case("getitem", lambda x, i: ops.gather_nd(x, i, batch_dims=1),
         [normal(2, 4, 2), integers(0, 4, 2, 3, 1)],
         torch=lambda x, i: torch_op("stack")([x[b][i[b, :, 0]] for b in range(2)]),
         unknown=[("a", "b", "c"), ("a", "l", 1)], name="gather_nd of batches"),
    # masks
    Case("index_put", lambda x, m, s: ops.masked_scatter(x, m, s), [normal(2, 3), _mask, normal(3, 2)],
         torch=lambda x, m, s: x.masked_scatter(m, s), unknown=[_AB, _AB, ("c", "d")], name="masked_scatter"),
    Case("getitem", lambda x, m: ops.masked_select(x, m), [normal(2, 3), booleans(3)], unknown=[_AB, ("b",)],
         torch=lambda x, m: x.masked_select(m), name="masked_select"),
    Case("where", lambda x, m, v: ops.masked_fill(x, m, v), [normal(2, 3), booleans(3), normal()],
         torch=lambda x, m, v: x.masked_fill(m, v), unknown=[_AB, ("b",), ()], name="masked_fill"),
    # picking along an axis
    Case("gather", lambda x, i: ops.take_along_axis(x, i, axis=1), [normal(2, 4), np.array([[3, 0, 3]])],
         torch=lambda x, i: x.gather(1, i.expand(2, 3)), unknown=[_AB, (1, "k")], name="take_along_axis"),
    Case("gather", lambda x, i: ops.take_along_axis(x, i, axis=0), [normal(3, 1), integers(-3, 3, 2, 4)],
         torch=lambda x, i: x.expand(3, 4).gather(0, i % 3), unknown=[("a", 1), ("k", "l")],
         name="take_along_axis of what stretches"),
    Case("gather", lambda x, i: ops.take_along_axis(x, i, axis=None), [normal(3, 2), np.array([5, 0, -1])],
         torch=lambda x, i: x.flatten()[i], unknown=[_AB, ("k",)], name="take_along_axis of all"),
]  # fmt: skip
