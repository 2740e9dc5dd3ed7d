"""Random numbers.

ONNX says of what distribution they are, not which numbers: they are drawn from a seed, the node's or 0, and
are the same at each call and on either engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.onnx.ops.elementwise import dtype_named
from shared.onnx.table import onnx_op
from shared.onnx.values import check_room


def _state(seed: float | None) -> Any:
    return np.asarray(ops.generator_state(0 if seed is None else int(np.float32(seed).view(np.uint32))))


def _uniform(shape: Any, dtype: Any, seed: float | None, low: float, high: float) -> Any:
    check_room("RandomUniform", shape, dtype)
    kind = dtype if dtype.kind == "f" and dtype.itemsize >= 4 else np.dtype(np.float32)
    drawn = ops.uniform(_state(seed), tuple(shape), kind)[0]
    return ops.cast(ops.add(ops.mul(drawn, high - low), low), dtype)


def _normal(shape: Any, dtype: Any, seed: float | None, mean: float, scale: float) -> Any:
    check_room("RandomNormal", shape, dtype)
    kind = dtype if dtype.kind == "f" and dtype.itemsize >= 4 else np.dtype(np.float32)
    drawn = ops.normal(_state(seed), tuple(shape), kind)[0]
    return ops.cast(ops.add(ops.mul(drawn, scale), mean), dtype)


@onnx_op("RandomUniform")
def random_uniform(
    *, shape: Any, dtype: int = 1, seed: float | None = None, low: float = 0.0, high: float = 1.0
) -> Any:
    """Between two numbers."""
    return _uniform(shape, dtype_named(dtype), seed, low, high)


@onnx_op("RandomUniformLike")
def random_uniform_like(
    x: Any, *, dtype: int | None = None, seed: float | None = None, low: float = 0.0, high: float = 1.0
) -> Any:
    """In another value's shape."""
    return _uniform(x.shape, x.dtype if dtype is None else dtype_named(dtype), seed, low, high)


@onnx_op("RandomNormal")
def random_normal(
    *, shape: Any, dtype: int = 1, seed: float | None = None, mean: float = 0.0, scale: float = 1.0
) -> Any:
    """Of a mean and a standard deviation."""
    return _normal(shape, dtype_named(dtype), seed, mean, scale)


@onnx_op("RandomNormalLike")
def random_normal_like(
    x: Any, *, dtype: int | None = None, seed: float | None = None, mean: float = 0.0, scale: float = 1.0
) -> Any:
    """In another value's shape."""
    return _normal(x.shape, x.dtype if dtype is None else dtype_named(dtype), seed, mean, scale)


@onnx_op("Bernoulli")
def bernoulli(x: Any, *, dtype: int | None = None, seed: float | None = None) -> Any:
    """1 with the probability that x says, else 0."""
    drawn = _uniform(x.shape, x.dtype, seed, 0.0, 1.0)
    return ops.cast(ops.less(drawn, x), x.dtype if dtype is None else dtype_named(dtype))


@onnx_op("Dropout", since=1)
def old_dropout(
    x: Any, *, ratio: float = 0.5, is_test: int = 0, consumed_inputs: Any = (), outputs: int = 1
) -> Any:
    """Of a model that is only asked, the value itself."""
    return (x, ops.ones(x.shape, bool, like=x)) if outputs > 1 else x


@onnx_op("Dropout", since=12, known=("ratio", "training_mode"))
def dropout(
    x: Any, ratio: Any = None, training_mode: Any = None, *, seed: int | None = None, outputs: int = 1
) -> Any:
    """The value itself; in training mode, zeros in places drawn at random, all else scaled up."""
    share = 0.5 if ratio is None else float(ratio)
    if training_mode is None or not training_mode or share == 0:
        return (x, ops.ones(x.shape, bool, like=x)) if outputs > 1 else x
    keep = ops.greater_equal(_uniform(x.shape, x.dtype, seed, 0.0, 1.0), share)
    y = ops.where(keep, ops.div(x, 1 - share), ops.mul(x, 0))
    return (y, keep) if outputs > 1 else y
