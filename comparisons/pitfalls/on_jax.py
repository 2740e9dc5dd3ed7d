"""The words of jax.jit."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from comparisons.pitfalls.systems import counted, numbers


def words() -> dict[str, Any]:
    """What is learnt is an array: JAX has no variables."""
    return counted(jax.jit, lambda fn: fn._cache_size()) | {
        "tensor": array, "numbers": numbers, "parameter": array, "jax": jax, "jnp": jnp,
    }  # fmt: skip


def array(values: Any) -> Any:
    """An array of float32."""
    return jnp.asarray(values, jnp.float32)
