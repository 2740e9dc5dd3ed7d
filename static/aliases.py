"""TensorFlow 1's names for ops that go by NumPy's or PyTorch's names here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from shared import ops

reduce_sum, reduce_mean, reduce_max, reduce_min = ops.sum, ops.mean, ops.max, ops.min
reduce_prod, reduce_any, reduce_all = ops.prod, ops.any, ops.all
reduce_logsumexp = ops.logsumexp
multiply, subtract, divide, negative = ops.mul, ops.sub, ops.div, ops.neg
concat = ops.concatenate


def add_n(inputs: Sequence[Any]) -> Any:
    """The sum of several Tensors of one shape."""
    return reduce(ops.add, inputs)


def to_float(x: Any) -> Any:
    """`x` as float32."""
    return ops.cast(x, "float32")


__all__ = [
    "add_n", "concat", "divide", "multiply", "negative", "reduce_all", "reduce_any",
    "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
    "subtract", "to_float",
]  # fmt: skip
