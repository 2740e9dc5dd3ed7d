"""Sorting, and picking by rank: argsort and sort, topk, kthvalue, the extreme with its place, mode."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, booleans, distinct, integers
from tests.cases.oracle import torch_op

_ABC = [("a", "b", "c")]
_ties = np.array([[2.0, 1.0, 2.0, 1.0, 1.0], [0.0, -0.0, 3.0, 3.0, 0.0]])
_nan = np.array([[1.0, np.nan, -1.0, np.nan], [np.inf, 2.0, -np.inf, 2.0], [np.nan] * 4])
_long = integers(0, 40, 2, 600).astype(float)


def _torch_sort(part: int | None = None, **settings: Any) -> Any:
    def call(x: Any) -> Any:
        found = torch_op("sort", stable=True, **settings)(x)
        return found if part is None else found[part]

    return call


_down = _torch_sort(1, dim=1, descending=True)

CASES = [
    Case("argsort", lambda x: ops.argsort(x, axis=1), [_ties], torch=_torch_sort(1, dim=1), smooth=False,
         unknown=[("a", "b")], name="ties"),
    Case("argsort", lambda x: ops.argsort(x, descending=True), [_ties], smooth=False, unknown=[("a", "b")],
         torch=_torch_sort(1, dim=-1, descending=True), name="ties, descending"),
    Case("argsort", lambda x: ops.argsort(ops.transpose(x), -1), [integers(-3, 3, 4, 3)], smooth=False,
         unknown=[("a", "b")], name="of integers, transposed"),
    Case("argsort", lambda x: ops.argsort(x, 0, descending=True), [booleans(5, 2)], smooth=False,
         unknown=[("a", "b")], name="of bools"),
    Case("argsort", lambda x: ops.sort(x, axis=-2), [distinct(2, 4, 3)], torch=_torch_sort(0, dim=-2),
         unknown=_ABC, name="sort"),
    Case("argsort", lambda x: ops.sort(x, descending=True), [distinct(3, 4)], unknown=[("a", "b")],
         torch=_torch_sort(0, dim=-1, descending=True), name="sort, descending"),
    Case("argsort", lambda x: ops.sort(x, axis=0), [np.zeros((0, 2))], unknown=[("a", "b")],
         name="sort of nothing"),
    Case("argsort", lambda x: (ops.isnan(ops.sort(x)), ops.argsort(x, descending=True)), [_nan], smooth=False,
         unknown=[("a", "b")], torch=lambda x: (x.sort(-1).values.isnan(), _down(x)),
         name="with NaN"),
    Case("top_index", lambda x: ops.topk(x, 2, axis=-1), [distinct(3, 5)], unknown=[("a", "b")],
         torch=torch_op("topk", k=2)),
    Case("top_index", lambda x: ops.topk(x, 3, axis=0, largest=False), [distinct(4, 2, 2)], unknown=_ABC,
         torch=torch_op("topk", k=3, dim=0, largest=False), name="the smallest"),
    Case("top_index", lambda x: ops.topk(x, x.shape[1], axis=1), [distinct(2, 3)], unknown=[("a", "b")],
         torch=torch_op("topk", k=3), name="all, as many as a size"),
    Case("top_index", lambda x: ops.topk(x, 0), [distinct(2, 3)], smooth=False, unknown=[("a", "b")],
         name="none"),
    Case("top_index", lambda x: (ops.topk(x, 30)[1], ops.topk(x, 7, largest=False)[1]), [_long], smooth=False,
         unknown=[("a", "b")], name="of many that tie",
         torch=lambda x: (_down(x)[:, :30], x.argsort(dim=1, stable=True)[:, :7])),
    Case("top_index", lambda x: ops.kthvalue(x, 2, axis=0), [distinct(4, 3)], unknown=[("a", "b")],
         torch=torch_op("kthvalue", k=2, dim=0), name="kthvalue"),
    Case("top_index", lambda x: ops.kthvalue(x, x.shape[1], keepdims=True)[0], [distinct(2, 3)],
         torch=lambda x: x.amax(1, keepdim=True), unknown=[("a", "b")], name="kthvalue kept"),
    Case("argmax", lambda x: ops.max_with_indices(x, -1), [distinct(3, 4)], torch=torch_op("max", dim=-1),
         unknown=[("a", "b")], name="max_with_indices"),
    Case("argmin", lambda x: ops.min_with_indices(x, 0, keepdims=True), [distinct(3, 2, 2)], unknown=_ABC,
         torch=torch_op("min", dim=0, keepdim=True), name="min_with_indices kept"),
    Case("mode_index", lambda x: ops.mode(x, axis=1), [_ties], smooth=False, unknown=[("a", "b")]),
    Case("mode_index", lambda x: ops.mode(x, axis=0)[0], [integers(0, 3, 9, 2, 2)], smooth=False,
         unknown=_ABC, torch=lambda x: x.mode(0).values, name="of integers"),
    Case("mode_index", lambda x: ops.mode(x, keepdims=True)[0], [distinct(2, 3)], unknown=[("a", "b")],
         torch=lambda x: x.mode(-1, keepdim=True).values, name="none twice, kept"),
]  # fmt: skip
