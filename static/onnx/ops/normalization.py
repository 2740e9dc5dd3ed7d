"""Rows for normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Shape
from static.onnx.writer import Row, Writer


def _layer_norm(
    w: Writer, x: Any, weight: Any = None, bias: Any = None, *, shape: Shape, eps: float
) -> list[str]:
    if weight is None:
        one = w.constant(np.ones(1, w.dtype))
        given = [w.one(x), w("Expand", one, w.shape(shape))]
    else:
        given = w.given(*(v for v in (x, weight, bias) if v is not None))
    return [w("LayerNormalization", *given, axis=-len(shape), epsilon=eps)]


def _rms_norm(w: Writer, x: Any, *, shape: Shape, eps: float) -> list[str]:
    """ONNX has the very op from opset 23 on."""
    x = w.one(x)
    axes = w.integers(range(-len(shape), 0))
    squares = w("ReduceMean", w("Mul", x, x), axes, keepdims=1)
    return [w("Div", x, w("Sqrt", w("Add", squares, w.one(eps))))]


NORMALIZATION: dict[str, Row] = {"layer_norm": _layer_norm, "rms_norm": _rms_norm}
