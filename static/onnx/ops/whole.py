"""Sums, products and powers of whole numbers, to the last digit.

onnxruntime computes them as float64, whatever their type is, so that beyond 2^53 digits are lost: its
ReduceSum of [2^53, 1] is 2^53. Its MatMul and its Mul keep them, and wrap around as ours do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Shape
from shared.spec import Spec
from static.onnx.ops.control import graph_of
from static.onnx.ops.indexing import full
from static.onnx.writer import Writer


def is_whole(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of a dtype are reduced by what is here."""
    return dtype.kind in "iu"


def whole_sum(w: Writer, x: str, shape: Shape, axes: tuple[int, ...], keepdims: bool) -> str:
    """The sum over axes of a value of this shape: its product with ones."""
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    order = [*kept, *axes]
    y = x if order == sorted(order) else w("Transpose", x, perm=order)
    for axis in reversed(axes):
        y = w("MatMul", y, full(w, shape=(shape[axis],), value=1, dtype=w.dtype))
    return w("Unsqueeze", y, w.integers(axes)) if keepdims and axes else y


def whole_product(w: Writer, x: str, shape: Shape, axes: tuple[int, ...], keepdims: bool) -> str:
    """The product over axes, one factor after the other."""
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    order = [*axes, *kept]
    y = x if order == sorted(order) else w("Transpose", x, perm=order)
    for place in range(len(axes)):
        rest = tuple(shape[axis] for axis in order[place + 1 :])
        ones = full(w, shape=rest, value=1, dtype=w.dtype)
        y = w("Concat", w("Unsqueeze", ones, w.integers([0])), y, axis=0)  # a Scan of no steps is refused
        y = w("Scan", ones, y, body=_times(w, Spec(rest, w.dtype)), num_scan_inputs=1)
    return w("Unsqueeze", y, w.integers(axes)) if keepdims and axes else y


def power(w: Writer, a: Any, b: Any) -> str:
    """ONNX's Pow; of whole numbers by the bits of the exponent, the lowest first: a square for each, and a
    factor where it is set."""
    base, bits = w.given(a, b)
    if not is_whole(w.dtype):
        return w("Pow", base, bits)
    y = w.one(1)
    if isinstance(b, int) and not isinstance(b, bool):
        if b == 0:
            return w("Expand", y, w.shape(w.node.outputs[0].spec.shape))
        while b > 1:
            y = w("Mul", y, base) if b % 2 else y
            base, b = w("Mul", base, base), b // 2
        return w("Mul", y, base)
    spec, two = w.node.outputs[0].spec, w.one(2)
    whole = [w("Expand", x, w.shape(spec.shape)) for x in (base, bits, y)]
    inner = Writer(w.graph, w.model, w)
    inner.node = w.node
    names = ("trip", "go", "base", "bits", "power")
    trip, go, base, bits, y = (w.model.fresh(f"{w.node.name}/{name}") for name in names)
    factor = inner("Where", inner("Equal", inner("Mod", bits, two), w.one(1)), base, w.one(1))
    results = [inner("Mul", base, base), inner("Div", bits, two), inner("Mul", y, factor)]
    number, truth = Spec((), np.dtype(np.int64)), Spec((), np.dtype(bool))
    given = [(trip, number), (go, truth), (base, spec), (bits, spec), (y, spec)]
    body = graph_of(inner, given, [(go, truth), *((name, spec) for name in results)])
    return w("Loop", w.constant(np.int64(63)), "", *whole, outputs=3, body=body)[2]


def _times(w: Writer, spec: Spec) -> Any:
    inner = Writer(w.graph, w.model, w)
    inner.node = w.node
    given = [w.model.fresh(f"{w.node.name}/{name}") for name in ("product", "factor")]
    return graph_of(inner, [(name, spec) for name in given], [(inner("Mul", *given), spec)])
