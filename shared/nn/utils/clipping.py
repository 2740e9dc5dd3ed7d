"""Keeping gradients small, by value or by their common norm.

The two `clip_by_*` functions are pure: they take gradients of either engine, or raw arrays, and
give new ones. The two `clip_grad_*` functions change the `.grad` of Parameters, between
`loss.backward()` and `optimizer.step()`, in the words of PyTorch. Every optimiser also does
either by itself: `SGD(..., clip_norm=1.0)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.errors import GradientError
from shared.usage.numbers import number


def global_norm(gradients: Sequence[Any]) -> Any:
    """The Euclidean norm of all gradients taken as one vector: 0-d float64. None is left out.

    Right for gradients of any size: their own norms are, and are squared in double precision.
    """
    total: Any = None
    for g in gradients:
        if g is not None:
            own = ops.norm(ops.cast(g, "float32") if g.dtype.itemsize == 2 else g)
            squares = ops.square(ops.cast(own, "float64"))
            total = squares if total is None else total + squares
    if total is None:
        raise GradientError("global_norm: there are no gradients; call loss.backward() first")
    return ops.sqrt(total)


def clip_by_global_norm(gradients: Sequence[Any], max_norm: float) -> tuple[list[Any], Any]:
    """The gradients, scaled down together if their common norm exceeds `max_norm`; and the norm.

    Scaled by min(1, max_norm / (norm + 1e-6)), as PyTorch's `clip_grad_norm_` does (Pascanu,
    Mikolov and Bengio 2013). None stays None; the norm, before scaling, is 0-d float64.
    """
    max_norm = number("clip_by_global_norm", "max_norm", max_norm)
    norm = global_norm(gradients)
    scale = ops.minimum(max_norm / (norm + 1e-6), 1.0)
    return [None if g is None else g * ops.cast(scale, g.dtype) for g in gradients], norm


def clip_by_value(gradients: Sequence[Any], limit: float) -> list[Any]:
    """The gradients with every element brought into [-limit, limit]. None stays None."""
    limit = number("clip_by_value", "limit", limit)
    return [None if g is None else ops.minimum(ops.maximum(g, -limit), limit) for g in gradients]


def clip_grad_norm_(parameters: Iterable[Any], max_norm: float) -> Any:
    """Scale the `.grad` of all parameters down together if their common norm exceeds `max_norm`.

    Gives the norm as it was before: a 0-d Tensor of their dtype, float32 at least. See
    `clip_by_global_norm`.
    """
    held = [p for p in parameters if p.grad is not None]
    clipped, norm = clip_by_global_norm([p.grad for p in held], max_norm)
    for parameter, g in zip(held, clipped, strict=True):
        parameter.grad = g
    return ops.cast(norm, np.result_type(np.float32, *[parameter.dtype for parameter in held]))


def clip_grad_value_(parameters: Iterable[Any], clip_value: float) -> None:
    """Bring every element of the parameters' `.grad` into [-clip_value, clip_value]."""
    held = [p for p in parameters if p.grad is not None]
    for parameter, g in zip(held, clip_by_value([p.grad for p in held], clip_value), strict=True):
        parameter.grad = g
