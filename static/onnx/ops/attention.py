"""The row for attention: ONNX has the very op from opset 23 on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import Dim
from static.onnx.writer import Row, Writer


def _attention(
    w: Writer, q: Any, k: Any, v: Any, mask: Any = None, *, causal: bool, scale: float | None
) -> list[str]:
    """In the words of `attention_weights`."""
    dtype, features = w.dtype, q.shape[-1]
    q_name, k_name, v_name = w.given(q, k, v)
    if scale is None and isinstance(features, Dim):
        q_name = w("Div", q_name, w("Sqrt", w.cast(w.scalar(features), dtype)))
    else:
        scale = 1 / math.sqrt(max(features, 1)) if scale is None else scale
        q_name = w("Mul", q_name, w.constant(np.asarray(scale, dtype)))
    axes = [*range(len(k.shape) - 2), len(k.shape) - 1, len(k.shape) - 2]
    scores = w("MatMul", q_name, w("Transpose", k_name, perm=axes))
    shown: list[str] = []
    if causal:
        all_ = w("Expand", w.constant(np.asarray(True)), w.shape((q.shape[-2], k.shape[-2])))
        shown.append(w("Trilu", all_, w.constant(np.int64(0)), upper=0))
    if mask is not None and mask.dtype.kind == "b":
        shown.append(w.one(mask, bool))
    elif mask is not None:
        added = w.one(mask, dtype)
        shown.append(w("Greater", added, w.constant(np.asarray(-np.inf, dtype))))
        scores = w("Add", scores, added)
    if not shown:
        return [w("MatMul", w("Softmax", scores, axis=-1), v_name)]
    visible = shown[0] if len(shown) == 1 else w("And", *shown)
    hidden = w.constant(np.asarray(np.finfo(dtype).min / 2, dtype))
    weights = w("Softmax", w("Where", visible, scores, hidden), axis=-1)
    return [w("MatMul", w("Where", visible, weights, w.constant(np.asarray(0, dtype))), v_name)]


ATTENTION: dict[str, Row] = {"attention": _attention}
