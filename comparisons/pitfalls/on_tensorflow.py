"""The words of tf.function."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from comparisons.pitfalls.systems import numbers


def words() -> dict[str, Any]:
    """With AutoGraph, as it is by default."""
    return {
        "function": tf.function, "tensor": tf.constant, "numbers": numbers,
        "parameter": tf.Variable, "tf": tf,
    }  # fmt: skip
