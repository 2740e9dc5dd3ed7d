"""The words of tf.function."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from comparisons.pitfalls.systems import counted, numbers


def words() -> dict[str, Any]:
    """With AutoGraph, as it is by default."""
    return counted(tf.function, lambda fn: fn.experimental_get_tracing_count()) | {
        "tensor": tf.constant, "numbers": numbers, "parameter": tf.Variable, "tf": tf,
    }  # fmt: skip
