"""Normalisation."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.onnx.table import onnx_op


@onnx_op("BatchNormalization", since=7, weights=("scale", "bias"))
def batch_normalization(
    x: Any, scale: Any, bias: Any, mean: Any, var: Any, *, epsilon: float = 1e-5, momentum: float = 0.9,
    spatial: int = 1, training_mode: int = 0,
) -> Any:  # fmt: skip
    """By running means and variances; in training mode by the batch's own, and with new running ones."""
    shape = (1, -1) + (1,) * (len(x.shape) - 2)
    found = (mean, var)
    if training_mode:
        axes = tuple(axis for axis in range(len(x.shape)) if axis != 1)
        found = (ops.mean(x, axes), ops.var(x, axes))
    centre, spread, scale, bias = (ops.reshape(part, shape) for part in (*found, scale, bias))
    y = ops.add(ops.mul(ops.div(ops.sub(x, centre), ops.sqrt(ops.add(spread, epsilon))), scale), bias)
    if not training_mode:
        return y
    kept = [
        ops.add(ops.mul(a, momentum), ops.mul(b, 1 - momentum))
        for a, b in zip((mean, var), found, strict=True)
    ]
    return (y, *kept)


@onnx_op("InstanceNormalization", since=6, weights=("scale", "bias"))
def instance_normalization(x: Any, scale: Any, bias: Any, *, epsilon: float = 1e-5) -> Any:
    """Each channel of each image by its own mean and variance."""
    axes = tuple(range(2, len(x.shape)))
    shape = (1, -1) + (1,) * (len(x.shape) - 2)
    return ops.add(ops.mul(_normal(x, axes, epsilon), ops.reshape(scale, shape)), ops.reshape(bias, shape))


def _normal(x: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    centred = ops.sub(x, ops.mean(x, axes, True))
    return ops.div(centred, ops.sqrt(ops.add(ops.mean(ops.square(centred), axes, True), epsilon)))


@onnx_op("LRN")
def lrn(x: Any, *, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0, size: int) -> Any:
    """By the squares of the channels around each."""
    before = (size - 1) // 2
    squares = ops.pad(ops.square(x), [(0, 0), (before, size - 1 - before)] + [(0, 0)] * (len(x.shape) - 2))
    total = 0
    for place in range(size):
        total = total + ops.getitem(squares, (slice(None), slice(place, place + x.shape[1])))
    return ops.div(x, ops.pow(ops.add(ops.mul(total, alpha / size), bias), beta))
