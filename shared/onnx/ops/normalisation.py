"""Normalisation."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.dims import same_shape
from shared.onnx.ops.elementwise import dtype_named
from shared.onnx.table import onnx_op


@onnx_op("BatchNormalization", since=7, weights=("scale", "bias"))
def batch_normalization(
    x: Any, scale: Any, bias: Any, mean: Any, var: Any, *, epsilon: float = 1e-5, momentum: float = 0.9,
    spatial: int = 1, training_mode: int = 0,
) -> Any:  # fmt: skip
    """By running means and variances; in training mode by the batch's own, and with new running ones."""
    shape = (1, -1) + (1,) * (len(x.shape) - 2)
    if not training_mode:
        return ops.batch_norm(x, scale, bias, mean, var, eps=epsilon, training=False)[0]
    axes = tuple(axis for axis in range(len(x.shape)) if axis != 1)
    found = (ops.mean(x, axes), ops.var(x, axes, correction=0))
    centre, spread, scale, bias = (ops.reshape(part, shape) for part in (*found, scale, bias))
    y = ops.add(ops.mul(ops.div(ops.sub(x, centre), ops.sqrt(ops.add(spread, epsilon))), scale), bias)
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


@onnx_op("LayerNormalization", weights=("scale", "bias"))
def layer_normalization(
    x: Any, scale: Any, bias: Any = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1,
    outputs: int = 1,
) -> Any:  # fmt: skip
    """By mean and variance over all axes from `axis` on, computed in float32; and these, if asked for."""
    axes = tuple(range(axis % len(x.shape), len(x.shape)))
    wide = _stashed(x, stash_type)
    if outputs == 1 and wide is x and same_shape(tuple(scale.shape), tuple(x.shape[axes[0] :])):
        return ops.layer_norm(x, tuple(scale.shape), scale, bias, epsilon)
    mean = ops.mean(wide, axes, True)
    centred = ops.sub(wide, mean)
    spread = ops.reciprocal(ops.sqrt(ops.add(ops.mean(ops.square(centred), axes, True), epsilon)))
    y = ops.mul(ops.cast(ops.mul(centred, spread), x.dtype), scale)
    y = y if bias is None else ops.add(y, bias)
    return (y, mean, spread)[:outputs] if outputs > 1 else y


def _stashed(x: Any, stash_type: int) -> Any:
    dtype = dtype_named(stash_type)
    return x if x.dtype == dtype else ops.cast(x, dtype)


@onnx_op("RMSNormalization", weights=("scale",))
def rms_normalization(
    x: Any, scale: Any, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Any:
    """By the root of the mean square over all axes from `axis` on."""
    axes = tuple(range(axis % len(x.shape), len(x.shape)))
    wide = _stashed(x, stash_type)
    size = ops.sqrt(ops.add(ops.mean(ops.square(wide), axes, True), epsilon))
    return ops.mul(ops.cast(ops.div(wide, size), x.dtype), scale)


def _grouped(x: Any, groups: int, epsilon: float) -> Any:
    parts = ops.reshape(x, (x.shape[0], groups, -1))
    return ops.reshape(_normal(parts, (2,), epsilon), x.shape)


@onnx_op("GroupNormalization", since=18, weights=("scale", "bias"))
def old_group_normalization(
    x: Any, scale: Any, bias: Any, *, epsilon: float = 1e-5, num_groups: int, stash_type: int = 1
) -> Any:
    """Groups of channels by their own mean and variance; scale and bias are of a group."""
    each = x.shape[1] // num_groups
    scale, bias = (ops.repeat(part, each, 0) for part in (scale, bias))
    return group_normalization(x, scale, bias, epsilon=epsilon, num_groups=num_groups, stash_type=stash_type)


@onnx_op("GroupNormalization", since=21, weights=("scale", "bias"))
def group_normalization(
    x: Any, scale: Any, bias: Any, *, epsilon: float = 1e-5, num_groups: int, stash_type: int = 1
) -> Any:
    """The same; scale and bias are of a channel."""
    shape = (1, -1) + (1,) * (len(x.shape) - 2)
    y = ops.cast(_grouped(_stashed(x, stash_type), num_groups, epsilon), x.dtype)
    return ops.add(ops.mul(y, ops.reshape(scale, shape)), ops.reshape(bias, shape))
