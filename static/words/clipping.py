"""Clipping as TensorFlow 1 has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared import ops, optim
from static.graph.operands import as_tensor


def global_norm(t_list: Sequence[Any]) -> Any:
    """The Euclidean norm of all of them taken as one vector. None is left out."""
    return optim.global_norm(t_list)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    """Every element brought between the two; to the lower one where they are crossed. A gradient goes
    through bounds included."""
    return ops.clip(ops.clip(as_tensor(t), high=clip_value_max), clip_value_min)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None) -> Any:
    """t, scaled down where its norm over `axes` is above clip_norm."""
    x = as_tensor(t)
    norm = ops.norm(x, axis=axes, keepdims=True) if x.shape else ops.abs(x)
    return x * (clip_norm / ops.maximum(norm, clip_norm))


def clip_by_global_norm(t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None) -> tuple[list[Any], Any]:
    """Tensors scaled by clip_norm / max(norm, clip_norm) of their common norm; and that norm. None stays."""
    norm = optim.global_norm(t_list) if use_norm is None else as_tensor(use_norm)
    scale = clip_norm / ops.maximum(norm, clip_norm)
    return [None if t is None else t * ops.cast(scale, t.dtype) for t in t_list], norm
