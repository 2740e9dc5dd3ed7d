"""Rows for reductions, and for what is normalised along an axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, same_size
from static.onnx.ops.whole import is_whole, whole_product, whole_sum
from static.onnx.writer import Row, Writer


def _reduced(w: Writer, op_type: str, x: str, axis: tuple[int, ...], keepdims: bool) -> str:
    return w(op_type, x, w.integers(axis), keepdims=int(keepdims), noop_with_empty_axes=1)


def _reduction(op_type: str, whole: Callable[..., str] | None = None) -> Row:
    """`whole`: how it is said of whole numbers, if otherwise."""

    def row(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> str:
        if whole is not None and is_whole(w.dtype):
            return whole(w, w.one(x), x.shape, axis, keepdims)
        return _reduced(w, op_type, w.one(x), axis, keepdims)

    return row


def _sum_to(w: Writer, x: Any, *, shape: Shape) -> str:
    lead = x.ndim - len(shape)
    summed = [*range(lead), *(lead + i for i, size in enumerate(shape) if same_size(size, 1))]
    unsure = [
        i for i, (n, have) in enumerate(zip(shape, x.shape[lead:], strict=True))
        if isinstance(n, Dim) and not same_size(n, have)
    ]  # fmt: skip
    if is_whole(w.dtype):
        if unsure:
            raise w.refusal("whether whole numbers are added up is known only at run; fix the sizes")
        y = whole_sum(w, w.one(x), x.shape, tuple(summed), True)
    else:
        axes = w.integers(summed)
        if unsure:  # those that a run finds to be 1
            ones = w("Equal", w.shape([shape[i] for i in unsure]), w.integers([1]))
            axes = w("Concat", axes, w("Compress", w.integers([lead + i for i in unsure]), ones), axis=0)
        y = w("ReduceSum", w.one(x), axes, keepdims=1, noop_with_empty_axes=1)
    return w("Squeeze", y, w.integers(range(lead))) if lead else y


def _var(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool, correction: int) -> str:
    """Two passes, as the op does it."""
    count: Any = math.prod([x.shape[i] for i in axis]) - correction
    x = w.one(x)
    centred = w("Sub", x, _reduced(w, "ReduceMean", x, axis, True))
    total = _reduced(w, "ReduceSum", w("Mul", centred, centred), axis, keepdims)
    return w("Div", total, w.one(count if isinstance(count, Dim) or count > 0 else math.nan))


def _norm(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool, p: float) -> str:
    x = w("Abs", w.one(x))
    if p == 2:
        return _reduced(w, "ReduceL2", x, axis, keepdims)
    total = _reduced(w, "ReduceSum", w("Pow", x, w.one(p)), axis, keepdims)
    return w("Pow", total, w.one(1 / p))


def _any(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> str:
    """By counting, which is right also where there is nothing."""
    count = _reduced(w, "ReduceSum", w.cast(w.one(x, bool), np.int64), axis, keepdims)
    return w.cast(count, bool)


def _all(w: Writer, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> str:
    count = _reduced(w, "ReduceSum", w.cast(w("Not", w.one(x, bool)), np.int64), axis, keepdims)
    return w("Not", w.cast(count, bool))


def _place_of(op_type: str) -> Row:
    def row(w: Writer, x: Any, *, axis: int, keepdims: bool) -> str:
        x = w.one(x, np.int32) if x.dtype.kind == "b" else w.name(x)
        return w(op_type, x, axis=axis, keepdims=int(keepdims))

    return row


REDUCTIONS: dict[str, Row] = {
    "sum": _reduction("ReduceSum", whole_sum), "prod": _reduction("ReduceProd", whole_product),
    "sum_to": _sum_to, "mean": _reduction("ReduceMean"),
    "max": _reduction("ReduceMax"), "min": _reduction("ReduceMin"),
    "logsumexp": _reduction("ReduceLogSumExp"), "norm": _norm,
    "var": _var, "std": lambda w, x, **settings: w("Sqrt", _var(w, x, **settings)),
    "any": _any, "all": _all, "argmax": _place_of("ArgMax"), "argmin": _place_of("ArgMin"),
    "cumsum": lambda w, x, *, axis: w("CumSum", w.one(x), w.constant(np.int64(axis))),
    "softmax": lambda w, x, *, axis: w("Softmax", w.one(x), axis=axis),
    "log_softmax": lambda w, x, *, axis: w("LogSoftmax", w.one(x), axis=axis),
}  # fmt: skip
