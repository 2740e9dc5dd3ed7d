"""How much each query attends to each key, out of plain ops: all weights at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import Dim
from shared.errors import DTypeError, ShapeError
from shared.ops.choosing import cast, greater, logical_and, where
from shared.ops.creation import full, ones
from shared.ops.elementwise import sqrt
from shared.ops.matrices import matmul, tril
from shared.ops.shapes import as_tensor_like, swapaxes
from shared.ops.softmaxes import softmax
from shared.spec import broadcast_shapes, sizes_match, spec_of, str_shape


def check_attention(q: Any, k: Any) -> None:
    """ShapeError and DTypeError unless queries and keys fit."""
    shapes = f"attention: q {str_shape(tuple(q.shape))} with k {str_shape(tuple(k.shape))}"
    if len(q.shape) < 2 or len(k.shape) < 2:
        raise ShapeError(f"{shapes}: each needs at least 2 axes, positions and features; expand_dims?")
    if not sizes_match(q.shape[-1], k.shape[-1]):
        raise ShapeError(
            f"{shapes}: queries of {q.shape[-1]} features meet keys of {k.shape[-1]}; they must be equal"
        )
    for name, x in (("q", q), ("k", k)):
        if x.dtype.kind != "f":
            raise DTypeError(f"attention: {name} must be floating point, not {x.dtype}; cast it first")


def scaled(q: Any, scale: float | None) -> Any:
    """q (..., E) times the scale, or over the root of E."""
    features: Any = q.shape[-1]
    if scale is not None:
        return q * scale
    if isinstance(features, Dim):  # the same bits as of a known size: a root is rounded once
        size: Any = features
        return q / sqrt(full((), size, q.dtype, like=q))
    return q / math.sqrt(features)


def check_mask(mask: Any) -> None:
    """DTypeError unless a mask can be one."""
    if mask.dtype.kind not in "bf":
        raise DTypeError(
            "attention: a mask holds bools (True: may be seen) or floats (added to the scores), "
            f"not {mask.dtype}; cast it to bool?"
        )


def attention_weights(
    q: Any, k: Any, attn_mask: Any = None, is_causal: bool = False, scale: float | None = None
) -> Any:
    """softmax(q k^T scale) over the keys: how much each query attends to each key.

    q (..., L, E), k (..., S, E), whose leading axes broadcast; gives (..., L, S). For the other
    arguments see `scaled_dot_product_attention`.
    """
    q, k = as_tensor_like(q), as_tensor_like(k)
    check_attention(q, k)
    scores = matmul(scaled(q, scale), swapaxes(k, -1, -2))
    visible = None
    if is_causal:
        visible = tril(ones(tuple(scores.shape[-2:]), bool, like=q))
    if attn_mask is not None:
        mask = as_tensor_like(attn_mask)
        check_mask(mask)
        broadcast_shapes("attention: the scores and their mask", spec_of(scores), spec_of(mask))
        if mask.dtype.kind == "f":
            mask = cast(mask, scores.dtype)
            mask, scores = greater(mask, -math.inf), scores + mask
        visible = mask if visible is None else logical_and(visible, mask)
    if visible is None:
        return softmax(scores)
    # A finite number stands for minus infinity, so that a row in which all is hidden gives
    # numbers; then what is hidden is taken away.
    hidden = float(np.finfo(scores.dtype).min) / 2
    return where(visible, softmax(where(visible, scores, hidden)), 0)
