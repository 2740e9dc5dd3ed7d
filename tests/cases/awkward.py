"""The ten awkward ops on which the contract was proven first."""

from __future__ import annotations

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, booleans, distinct, integers, normal, positive


def torch_nn() -> object:
    """torch.nn.functional, imported only where a law asks for it."""
    import torch

    return torch.nn.functional


_index = (integers(0, 3, 2, 1), integers(0, 2, 2, 4))

CASES = [
    Case(
        "getitem", lambda x: x[_index[0], 1:3, _index[1]], [normal(3, 4, 2)],
        torch=lambda x: x[_index[0], 1:3, _index[1]],
        unknown=[("a", 4, 2)], name="mixed basic and array indices",
    ),
    Case(
        "getitem", lambda x, i: x[..., i, None, ::-1], [normal(2, 3, 4), integers(0, 3, 5)],
        name="an index array in the middle", unknown=[("a", "b", "c"), ("d",)],
    ),
    Case("getitem", lambda x: x[[1, 1, 0, 1]], [normal(2, 3)], torch=lambda x: x[[1, 1, 0, 1]],
         name="duplicates add up"),
    Case("getitem", lambda x, m: x[m], [normal(3, 4), booleans(3, 4)],
         unknown=[("a", "b"), ("a", "b")], name="a mask"),
    Case("getitem", lambda x: x[1:, :, -1], [normal(3, 4, 2)], torch=lambda x: x[1:, :, -1],
         unknown=[("a", "b", "c")], name="slices and an int"),
    Case(
        "scatter_index",
        lambda g, i: TABLE["scatter_index"](g, i, shape=(4, 3), index=(ops.indexing.ARRAY,)),
        [normal(5, 3), integers(0, 4, 5)],
    ),
    Case("split", lambda x: ops.split(x, [1, 3, 2], axis=1), [normal(2, 6)],
         torch=lambda x: x.split([1, 3, 2], dim=1), name="by sizes"),
    Case("split", lambda x: ops.split(x, 2, axis=-1)[1], [normal(3, 2, 4)],
         torch=lambda x: x.chunk(2, dim=-1)[1], unknown=[("a", "b", 4)], name="one part dropped"),
    Case("concatenate", lambda a, b, c: ops.concatenate([a, b, c], axis=1),
         [normal(2, 1), normal(2, 3), normal(2, 2)],
         torch=lambda *xs: __import__("torch").cat(xs, dim=1),
         unknown=[("n", 1), ("n", "m"), ("n", 2)]),
    Case("max_pool2d", lambda x: ops.max_pool2d(x, 2), [distinct(2, 3, 4, 6)],
         torch=lambda x: torch_nn().max_pool2d(x, 2), unknown=[("n", 3, 4, "w")]),
    Case("max_pool2d", lambda x: ops.max_pool2d(x, 3, stride=2, padding=1), [distinct(2, 2, 5, 7)],
         torch=lambda x: torch_nn().max_pool2d(x, 3, stride=2, padding=1),
         unknown=[("n", 2, "h", 7)], name="overlapping and padded"),
    Case(
        "batch_norm", lambda *a: TABLE["batch_norm"](*a, momentum=0.1, eps=1e-3),
        [normal(4, 3, 2), normal(3), positive(3), positive(3), normal(3)],
        unknown=[("n", 3, "t"), (3,), (3,), (3,), (3,)], name="every output",
    ),
    Case(
        "batch_norm", lambda *a: ops.batch_norm(*a)[0],
        [normal(6, 3), positive(3), normal(3), normal(3), positive(3)],
        torch=lambda x, w, b, m, v: torch_nn().batch_norm(x, None, None, w, b, training=True),
        unknown=[("n", 3), (3,), (3,), (3,), (3,)],
    ),
    Case("lstm_cell", lambda z, c: TABLE["lstm_cell"](z, c), [normal(3, 8), normal(3, 2)],
         composed=ops.lstm_cell_composed, unknown=[("n", 8), ("n", 2)]),
    Case(
        "dropout",
        lambda x, s: _twice(x, s), [normal(3, 5), ops.generator_state(3)],
        unknown=[("n", 5), (2,)], name="called twice",
    ),
    Case("mean", lambda x: ops.mean(x, axis=(0, 2)), [normal(3, 4, 2)],
         torch=lambda x: x.mean((0, 2)), unknown=[("a", "b", "c")]),
    Case("mean", lambda x: ops.mean(x, keepdims=True), [normal(3, 4)],
         torch=lambda x: x.mean(dim=(0, 1), keepdim=True), unknown=[("a", 4)], name="of all"),
    Case("cross_entropy", lambda x, y: ops.cross_entropy(x, y), [normal(5, 4), integers(0, 4, 5)],
         torch=lambda x, y: torch_nn().cross_entropy(x, y), unknown=[("n", 4), ("n",)]),
    Case("where", lambda m, a, b: ops.where(m, a, b), [booleans(3, 4), normal(3, 1), normal(4)],
         torch=lambda m, a, b: __import__("torch").where(m, a, b),
         unknown=[("n", "m"), ("n", 1), ("m",)]),
    Case("where", lambda m, a: ops.where(m, a, 1.5), [booleans(4), normal(4)],
         unknown=[("n",), ("n",)], name="a number"),
]  # fmt: skip


def _twice(x: object, state: object) -> object:
    """Two masks from one generator, one after the other."""
    y, moved = ops.dropout(x, state, 0.4)
    return ops.dropout(y + 1.0, moved, 0.3)[0] * np.float32(2)
