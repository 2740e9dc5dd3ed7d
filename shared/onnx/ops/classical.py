"""Rows of the domain `ai.onnx.ml`: what classical models have before and behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.errors import OnnxError
from shared.onnx.table import onnx_op
from shared.onnx.values import STRINGS

ML = "ai.onnx.ml"


@onnx_op("Binarizer", domain=ML)
def binarizer(x: Any, *, threshold: float = 0.0) -> Any:
    """1 above a threshold, else 0."""
    return ops.cast(ops.greater(x, threshold), x.dtype)


@onnx_op("ArrayFeatureExtractor", domain=ML)
def array_feature_extractor(x: Any, index: Any) -> Any:
    """Columns by their numbers; of a vector as a matrix of one row."""
    y = ops.take(x, ops.reshape(index, (-1,)), -1)
    return ops.reshape(y, (1, -1)) if len(x.shape) == 1 else y


@onnx_op("LabelEncoder", domain=ML, since=2)
def label_encoder(
    x: Any, *, default_float: float = -0.0, default_int64: int = -1, default_string: str = "_Unused",
    default_tensor: Any = None, keys_floats: Any = None, keys_int64s: Any = None, keys_strings: Any = None,
    keys_tensor: Any = None, values_floats: Any = None, values_int64s: Any = None, values_strings: Any = None,
    values_tensor: Any = None,
) -> Any:  # fmt: skip
    """Each key as the value that stands beside it; another one as a default."""
    keys = _given(keys_floats, keys_int64s, keys_strings, keys_tensor)
    values = _given(values_floats, values_int64s, values_strings, values_tensor)
    if len(keys) != len(values):
        raise OnnxError(f"LabelEncoder: {len(keys)} keys do not go with {len(values)} values")
    other = {"f": default_float, "i": default_int64, "T": default_string}[values.dtype.kind]
    if values_tensor is not None:
        other = default_tensor.reshape(-1)[0] if default_tensor is not None else other
    if x.dtype == STRINGS or values.dtype == STRINGS:
        table = dict(zip(keys.tolist(), values.tolist(), strict=True))
        found = [table.get(key, other) for key in np.asarray(x).ravel().tolist()]
        return np.array(found, values.dtype).reshape(x.shape)
    same = ops.equal(ops.expand_dims(x, -1), keys.astype(x.dtype))
    if keys.dtype.kind == "f":
        same = ops.logical_or(same, ops.logical_and(ops.isnan(ops.expand_dims(x, -1)), np.isnan(keys)))
    found = ops.take(values, ops.argmax(ops.cast(same, "int64"), -1), 0)
    return ops.where(ops.any(same, -1), found, np.asarray(other, values.dtype))


def _given(floats: Any, ints: Any, texts: Any, tensor: Any) -> Any:
    if tensor is not None:
        return np.asarray(tensor).ravel()
    if floats is not None:
        return np.asarray(floats, np.float32)
    if ints is not None:
        return np.asarray(ints, np.int64)
    if texts is not None:
        return np.array(list(texts), STRINGS)
    raise OnnxError("LabelEncoder: needs keys and values")
