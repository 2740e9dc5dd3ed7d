"""Rows for what is sorted, searched and counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Size
from shared.ops.ranges import at_least
from static.onnx.ops.indexing import full
from static.onnx.sizes import LAST
from static.onnx.writer import Row, Writer


def _ordered(w: Writer, x: Any, k: Size, axis: int, largest: bool) -> str:
    """Where the first k stand in order. Of equals ONNX, too, has the first first."""
    narrow = x.dtype.kind in "biu" and x.dtype.itemsize < 4
    name = w.one(x, np.int32) if narrow else w.name(x)
    return w("TopK", name, w.size(k), axis=axis, largest=int(largest), sorted=1, outputs=2)[1]


def _argsort(w: Writer, x: Any, *, axis: int, descending: bool) -> str:
    return _ordered(w, x, x.shape[axis], axis, descending)


def _argwhere(w: Writer, x: Any) -> str:
    if not x.ndim:
        raise w.refusal("a number has no places in ONNX; reshape it to (1,) first")
    return w("Transpose", w("NonZero", w.one(x, bool)), perm=[1, 0])


def _unique_rows(w: Writer, x: Any) -> list[str]:
    name = w.one(x, np.float32 if x.dtype == np.float16 else x.dtype if x.dtype.kind == "f" else np.int64)
    return w("Unique", name, axis=0, sorted=1, outputs=4)[1:]


def _searchsorted(w: Writer, edges: Any, x: Any, *, side: str) -> str:
    """By counting those that stand before; before NaN all numbers do."""
    ranked, name = w.given(edges, x, dtype=np.result_type(edges.dtype, x.dtype))
    if edges.ndim > 1:
        ranked = w("Unsqueeze", ranked, w.integers([-2]))
    name = w("Unsqueeze", name, w.integers([-1]))
    before = w("Less" if side == "left" else "LessOrEqual", ranked, name)
    if x.dtype.kind == "f":
        last = w("IsNaN", name)
        if side == "left" and edges.dtype.kind == "f":
            last = w("And", last, w("Not", w("IsNaN", ranked)))
        before = w("Or", before, last)
    return w("ReduceSum", w.cast(before, np.int64), w.integers([-1]), keepdims=0)


def _bincount(w: Writer, x: Any, weights: Any = None, *, minlength: Size) -> str:
    places = w.one(x, np.int64)
    largest = w("ReduceMax", w("Concat", places, w.integers([-1]), axis=0), keepdims=1)
    size = w("Max", w("Add", largest, w.integers([1])), w.size(minlength))
    counts = w("Expand", w.one(0), size)
    values = w("Expand", w.one(1), w("Shape", places)) if weights is None else w.name(weights)
    return w("ScatterElements", counts, places, values, axis=0, reduction="add")


def _roll(w: Writer, x: Any, *, shift: tuple[Size, ...], axis: tuple[int, ...]) -> str:
    y = w.one(x)
    for by, at in zip(shift, axis, strict=True):
        cut, along = w.shape([-by % at_least(x.shape[at], 1)]), w.integers([at])
        y = w("Concat", w("Slice", y, cut, w.integers([LAST]), along),
              w("Slice", y, w.integers([0]), cut, along), axis=at)  # fmt: skip
    return y


def _triangle_indices(w: Writer, *, n: Size, m: Size, k: int, upper: bool) -> str:
    ones = full(w, shape=(n, m), value=1, dtype=np.int64)
    return w("NonZero", w("Trilu", ones, w.constant(np.int64(k)), upper=int(upper)))


ORDERING: dict[str, Row] = {
    "argsort": _argsort,
    "top_index": lambda w, x, *, k, axis, largest: _ordered(w, x, k, axis, largest),
    "argwhere": _argwhere, "unique_rows": _unique_rows, "searchsorted": _searchsorted, "bincount": _bincount,
    "roll": _roll, "triangle_indices": _triangle_indices,
}  # fmt: skip
