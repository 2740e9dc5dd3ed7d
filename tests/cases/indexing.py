"""Picking by index: getitem and take, gather and scatter, one_hot and embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from shared.ops.indexing import ARRAY
from tests.cases.case import Case, booleans, integers, normal

EVERY = slice(None)


def torch_fn(name: str) -> Any:
    """A function of torch.nn.functional or torch, imported only where a law asks for it."""
    import torch

    return getattr(torch.nn.functional, name, None) or getattr(torch, name)


def scatter_index(shape: Any, *index: Any) -> Any:
    """The raw adjoint of getitem, with the given template."""
    return lambda g, *arrays: TABLE["scatter_index"](g, *arrays, shape=shape, index=index)


_three = np.array([2, 0, 2])

CASES = [
    # basic indices
    Case("getitem", lambda x: x[None, ..., ::-2, None], [normal(2, 3, 5)],
         unknown=[("a", "b", "c")], name="new axes and a negative step"),
    Case("getitem", lambda x: x[x.shape[0] // 2 :, : x.shape[1] - 1, -1], [normal(4, 3, 2)],
         torch=lambda x: x[2:, :2, -1], unknown=[("a", "b", "c")], name="sizes as bounds"),
    Case("getitem", lambda x: x[1:] * x[:-1] + x[-1:], [normal(4, 3)],
         torch=lambda x: x[1:] * x[:-1] + x[-1:], name="slices of one unknown size"),
    Case("getitem", lambda x: x[::2], [normal(5, 3)], torch=lambda x: x[::2], unknown=[("a", "b")],
         name="every second row"),
    Case("getitem", lambda x: x[:, [0, 2, 1], :, [3, 1, 0]], [normal(2, 3, 4, 5)],
         torch=lambda x: x[:, [0, 2, 1], :, [3, 1, 0]], unknown=[("a", 3, "b", 5)],
         name="arrays that a slice parts, behind an axis"),
    Case("getitem", lambda x: x[5:2, 1], [normal(3, 2)], unknown=[("a", "b")], name="nothing"),
    Case("getitem", lambda x: x[()], [normal()], name="of a number"),
    Case("getitem", lambda x: x[1], [integers(0, 9, 3, 2)], smooth=False, name="of integers"),
    # advanced indices
    Case("getitem", lambda x, i, j: x[i, :, j], [normal(3, 2, 4), integers(0, 3, 5), integers(-4, 4, 2, 1)],
         torch=lambda x, i, j: x[i, :, j], unknown=[("a", "b", "c"), ("n",), ("m", 1)],
         name="arrays parted by a slice"),
    Case("getitem", lambda x, i: x[:, 1, i, ::2], [normal(2, 3, 4, 3), integers(0, 4, 3, 2)],
         unknown=[("a", "b", "c", "d"), ("n", "m")], name="an int beside an array"),
    Case("getitem", lambda x, i: x[1, ..., i], [normal(3, 4), integers(0, 4, 3)],
         torch=lambda x, i: x[1, ..., i], unknown=[("a", "b"), ("n",)],
         name="an int and an array parted by an empty Ellipsis"),
    Case("getitem", lambda x, i: x[:, i] * x[i[0], 0], [normal(3, 3), np.array([1, 2, 1])],
         torch=lambda x, i: x[:, i] * x[i[0], 0], unknown=[("a", "b"), ("n",)], name="a 0-d array"),
    Case("getitem", lambda x, m: x[:, m], [normal(2, 3, 2, 2), booleans(3, 2)],
         torch=lambda x, m: x[:, m], unknown=[("a", "b", "c", 2), ("b", "c")],
         name="a mask of fewer axes"),
    Case("getitem", lambda x, m, i: x[m, i, None],
         [normal(4, 3), np.array([True, False, True, True]), _three],
         unknown=[("a", "b"), ("a",), ("n",)], name="a mask beside an array"),
    Case("getitem", lambda x: x[[]] + x[True], [normal(1, 3)], unknown=[(1, "b")],
         name="an empty list and a bool"),
    Case("getitem", lambda x, i: x[i], [normal(0, 3), np.zeros((2, 0), int)],
         unknown=[("a", "b"), (2, "n")], name="of no rows"),
    Case("getitem", lambda x, i: ops.take(x, i, axis=-2), [normal(2, 4, 3), integers(-4, 4, 2, 3)],
         torch=lambda x, i: x[:, i % 4], unknown=[("a", "b", "c"), ("n", "m")], name="take"),
    Case("getitem", lambda x: ops.take(x, [5, -1, 5]), [normal(2, 3)],
         torch=lambda x: x.flatten()[[5, -1, 5]], unknown=[("a", "b")], name="take from all"),
    # the adjoint of getitem
    Case("scatter_index", scatter_index((3, 4), EVERY, ARRAY, Ellipsis),
         [normal(3, 2, 2), integers(-4, 4, 2, 2)],
         unknown=[(3, "n", "m"), ("n", "m")], name="columns"),
    Case("scatter_index", scatter_index((3, 4, 2), ARRAY, ARRAY),
         [normal(5, 2), integers(0, 3, 5), integers(0, 4, 5)],
         unknown=[("n", 2), ("n",), ("n",)], name="pairs, and whole rows of them"),
    Case("scatter_index", scatter_index((4, 3), ARRAY, slice(None, None, -1)),
         [normal(2, 3), np.array([True, False, True, False])],
         unknown=[(2, 3), (4,)], name="a mask"),
    Case("scatter_index", scatter_index((4, 3), slice(1, 3), None, 0), [normal(2, 1)], name="no arrays"),
    # gather and its adjoint
    Case("gather", lambda x, i: ops.gather(x, i, axis=1), [normal(3, 4), integers(0, 4, 3, 6)],
         torch=lambda x, i: x.gather(1, i), unknown=[("a", "b"), ("a", "n")]),
    Case("gather", lambda x, i: ops.gather(x, i, axis=-2), [normal(3, 4, 3), integers(-4, 4, 2, 5, 3)],
         torch=lambda x, i: x.gather(1, i % 4), unknown=[("a", "b", "c"), ("d", "n", "c")],
         name="an index smaller on another axis"),
    Case("gather", lambda x, i: ops.gather(x, i, axis=0), [normal(0, 2), np.zeros((0, 2), int)],
         unknown=[("a", "b"), ("n", "b")], name="of nothing"),
    Case("scatter_sum", lambda v, i: ops.scatter_sum(v, i, 0, 4), [normal(6, 2), integers(-4, 4, 6, 2)],
         unknown=[("n", "b"), ("n", "b")]),
    Case("scatter_sum", lambda v, i: TABLE["scatter_sum"](v, i, axis=1, shape=(4, 5, 3)),
         [normal(2, 6, 3), integers(0, 5, 2, 6, 3)], unknown=[("n", "b", 3), ("n", "b", 3)],
         name="into a larger array"),
    Case("scatter_sum", lambda x, i, v: ops.scatter_add(x, i, v, axis=-1),
         [normal(3, 4), integers(0, 4, 3, 6), normal(3, 6)],
         torch=lambda x, i, v: x.scatter_add(1, i, v), unknown=[("a", "b"), ("a", "n"), ("a", "n")],
         name="scatter_add"),
    Case("scatter_sum", lambda x, i: ops.scatter_add(x, i, 0.5, axis=0), [normal(3, 2), integers(0, 3, 5, 2)],
         unknown=[("a", "b"), ("n", "b")], name="scatter_add of a number"),
    # tables
    Case("one_hot", lambda x, i: x * ops.one_hot(i, 4, x.dtype), [normal(3, 2, 4), integers(0, 4, 3, 2)],
         unknown=[("a", "b", 4), ("a", "b")]),
    Case("one_hot", lambda i: ops.one_hot(i, 3, "int64"), [integers(0, 3, 5)], smooth=False,
         torch=lambda i: torch_fn("one_hot")(i, 3), name="integers"),
    Case("one_hot", lambda x, i: x * ops.one_hot(i, x.shape[1]), [normal(2, 3), integers(0, 3, 2)],
         unknown=[("a", "b"), ("a",)], name="as many classes as a size"),
    Case("embedding", lambda i, w: ops.embedding(i, w), [integers(0, 5, 2, 4), normal(5, 3)],
         torch=lambda i, w: torch_fn("embedding")(i, w), unknown=[("n", "t"), ("v", "d")]),
    Case("embedding", lambda i, w: ops.embedding(i, w, padding_idx=-5), [integers(0, 5, 6), normal(5, 3)],
         torch=lambda i, w: torch_fn("embedding")(i, w, padding_idx=0), unknown=[("n",), ("v", "d")],
         smooth=False, name="with padding"),
    Case("embedding", lambda i, w: ops.embedding(i, w), [np.array(2, np.int32), normal(4)],
         unknown=[(), ("v",)], name="one number"),
]  # fmt: skip
