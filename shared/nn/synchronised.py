"""Batch normalisation over the rows of all ranks."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.dims import product
from shared.numerics.summing import work_dtype
from shared.ranks import Communicator

_of_share = ops.custom_gradient(lambda x, share: x, lambda g, y, x, share: (g * share, None))
"""x, whose gradient is multiplied by `share`."""


def _added(x: Any, rows: Any, comm: Communicator) -> Any:
    """The sum over all ranks. Each rank's loss is the mean over its rows, and counts by how many they are:
    so do the gradients that come back here from others."""
    return _of_share(ops.all_reduce(_of_share(x, 1 / rows), comm=comm), rows)


def batch_norm_over_ranks(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, momentum: float, eps: float,
    comm: Communicator,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """`ops.batch_norm` in training, of the rows of all ranks: (y, new mean, new variance)."""
    dtype, wide = x.dtype, work_dtype(x.dtype)
    x = ops.cast(x, wide)
    row = (1, x.shape[1]) + (1,) * (len(x.shape) - 2)
    axes = (0, *range(2, len(x.shape)))
    nothing = ops.zeros((), wide, like=x)
    rows = nothing + x.shape[0]
    count = ops.all_reduce(nothing + product((x.shape[0], *x.shape[2:])), comm=comm)
    mean = _added(ops.sum(x, axis=axes), rows, comm) / count
    away = x - ops.reshape(mean, row)
    var = _added(ops.sum(away * away, axis=axes), rows, comm) / count
    y = away * ops.reshape(1 / ops.sqrt(var + eps), row)
    if weight is not None:
        y = y * ops.reshape(weight, row)
    if bias is not None:
        y = y + ops.reshape(bias, row)
    mean, var = ops.stop_gradient(mean), ops.stop_gradient(var)
    unbiased = var * (count / ops.maximum(count - 1, 1))
    new_mean = ops.add(running_mean, ops.sub(ops.cast(mean, running_mean.dtype), running_mean) * momentum)
    new_var = ops.add(running_var, ops.sub(ops.cast(unbiased, running_var.dtype), running_var) * momentum)
    return ops.cast(y, dtype), new_mean, new_var
