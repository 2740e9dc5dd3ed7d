"""Scaled dot-product attention, out of plain ops."""

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


def _check(q: Any, k: Any) -> None:
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


def attention_weights(
    q: Any, k: Any, mask: Any = None, is_causal: bool = False, scale: float | None = None
) -> Any:
    """softmax(q k^T scale) over the keys: how much each query attends to each key.

    q (..., L, E), k (..., S, E), whose leading axes broadcast; gives (..., L, S). For the other
    arguments see `scaled_dot_product_attention`.
    """
    q, k = as_tensor_like(q), as_tensor_like(k)
    _check(q, k)
    features: Any = q.shape[-1]
    unknown = isinstance(features, Dim)
    if scale is not None:
        q = q * scale
    elif unknown:  # the same bits as of a known size: a root is rounded once
        q = q / sqrt(full((), features, q.dtype, like=q))
    else:
        q = q / math.sqrt(features)
    scores = matmul(q, swapaxes(k, -1, -2))
    visible = None
    if is_causal:
        visible = tril(ones(tuple(scores.shape[-2:]), bool, like=q))
    if mask is not None:
        mask = as_tensor_like(mask)
        broadcast_shapes("attention: the scores and their mask", spec_of(scores), spec_of(mask))
        if mask.dtype.kind == "f":
            mask = cast(mask, scores.dtype)
            mask, scores = greater(mask, -math.inf), scores + mask
        elif mask.dtype.kind != "b":
            raise DTypeError(
                "attention: a mask holds bools (True: may be seen) or floats (added to the scores), "
                f"not {mask.dtype}; cast it to bool?"
            )
        visible = mask if visible is None else logical_and(visible, mask)
    if visible is None:
        return softmax(scores)
    # A finite number stands for minus infinity, so that a row in which all is hidden gives
    # numbers; then what is hidden is taken away.
    hidden = float(np.finfo(scores.dtype).min) / 2
    return where(visible, softmax(where(visible, scores, hidden)), 0)


def scaled_dot_product_attention(
    q: Any, k: Any, v: Any, mask: Any = None, is_causal: bool = False, scale: float | None = None
) -> Any:
    """softmax(q k^T scale) v, as `torch.nn.functional.scaled_dot_product_attention`.

    q (..., L, E), k (..., S, E), v (..., S, F), whose leading axes broadcast; gives (..., L, F).
    mask   broadcasts to (..., L, S): bools, True where a query may see a key, or numbers that are
           added to the scores (minus infinity hides)
    is_causal  query i sees keys up to i, and no later ones; beside a mask, both hold
    scale  1 / sqrt(E) unless given
    A query that may see nothing attends to nothing: its output and its gradients are zero, not
    NaN. ShapeError where features or positions do not agree. Vaswani et al. 2017, section 3.2.1.
    """
    k, v = as_tensor_like(k), as_tensor_like(v)
    if len(v.shape) < 2 or (len(k.shape) > 1 and not sizes_match(k.shape[-2], v.shape[-2])):
        raise ShapeError(
            f"attention: k {str_shape(tuple(k.shape))} with v {str_shape(tuple(v.shape))}: each key "
            "needs one value, so their second last sizes must be equal"
        )
    return matmul(attention_weights(q, k, mask, is_causal, scale), v)
