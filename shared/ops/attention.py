"""Scaled dot-product attention, out of plain ops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import Dim, divide, same_size
from shared.errors import DTypeError, SettingError, ShapeError
from shared.ops.choosing import cast, greater, logical_and, where
from shared.ops.creation import full, ones
from shared.ops.elementwise import sqrt
from shared.ops.matrices import matmul, tril
from shared.ops.random import dropout
from shared.ops.shapes import as_tensor_like, swapaxes
from shared.ops.softmaxes import softmax
from shared.ops.tiling import repeat
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
    q: Any, k: Any, attn_mask: Any = None, is_causal: bool = False, scale: float | None = None
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
    if attn_mask is not None:
        mask = as_tensor_like(attn_mask)
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


def _repeated(q: Any, x: Any) -> Any:
    """Keys or values whose heads, axis -3, each serve as many heads of q, neighbours, as make up q's."""
    if len(q.shape) < 3 or len(x.shape) < 3:
        raise ShapeError(
            f"attention: q {str_shape(tuple(q.shape))} with keys or values {str_shape(tuple(x.shape))}: "
            "with enable_gqa all need an axis of heads, the third last"
        )
    heads, shared = q.shape[-3], x.shape[-3]
    if same_size(heads, shared):
        return x
    if isinstance(heads, int) and isinstance(shared, int) and (shared == 0 or heads % shared):
        raise ShapeError(
            f"attention: {heads} heads of queries are no multiple of {shared} of keys and values, each of "
            "which serves as many of them"
        )
    return repeat(x, divide(heads, shared), -3)


def scaled_dot_product_attention(
    q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False, state: Any = None,
) -> Any:  # fmt: skip
    """softmax(q k^T scale) v, as `torch.nn.functional.scaled_dot_product_attention`.

    q (..., L, E), k (..., S, E), v (..., S, F), whose leading axes broadcast; gives (..., L, F).
    attn_mask  broadcasts to (..., L, S): bools, True where a query may see a key, or numbers that
               are added to the scores (minus infinity hides)
    dropout_p  how much of the weights is zeroed: see `dropout`. It needs the `state` of a generator,
               and with one the result is (y, the generator's next state)
    is_causal  query i sees keys up to i, and no later ones; beside a mask, both hold
    scale      1 / sqrt(E) unless given
    enable_gqa each head of k and v, axis -3, serves several neighbouring ones of q: Ainslie and
               others 2023
    A query that may see nothing attends to nothing: its output and its gradients are zero, not
    NaN. ShapeError where features, positions or heads do not agree, SettingError for a dropout
    without a state. Vaswani et al. 2017, section 3.2.1.
    """
    q, k, v = as_tensor_like(q), as_tensor_like(k), as_tensor_like(v)
    if len(v.shape) < 2 or (len(k.shape) > 1 and not sizes_match(k.shape[-2], v.shape[-2])):
        raise ShapeError(
            f"attention: k {str_shape(tuple(k.shape))} with v {str_shape(tuple(v.shape))}: each key "
            "needs one value, so their second last sizes must be equal"
        )
    if enable_gqa:
        k, v = _repeated(q, k), _repeated(q, v)
    weights = attention_weights(q, k, attn_mask, is_causal, scale)
    if state is None:
        if dropout_p:
            raise SettingError(
                f"attention: dropout_p={dropout_p!r} needs the state of a generator, as in "
                "state=generator_state(seed); then (y, the next state) come back"
            )
        return matmul(weights, v)
    weights, moved = dropout(weights, state, dropout_p)
    return matmul(weights, v), moved
