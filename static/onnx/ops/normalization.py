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


NORMALIZATION: dict[str, Row] = {"layer_norm": _layer_norm}
