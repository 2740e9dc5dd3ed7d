"""Attention with several heads."""

from __future__ import annotations

import math
from typing import Any

from shared import ops
from shared.errors import SettingError, ShapeError
from shared.nn.initial import parameter, xavier_uniform, zeros
from shared.nn.module import Module
from shared.nn.regular import Dropout
from shared.nn.simple import Linear
from shared.spec import str_shape


class MultiheadAttention(Module):
    """Scaled dot-product attention in `num_heads` subspaces: Vaswani et al. 2017, with the names,
    shapes and defaults of `torch.nn.MultiheadAttention`.

    `layer(query, key, value)` takes (L, N, embed_dim), (S, N, embed_dim) twice, or, with
    `batch_first`, N in front; gives (output like query, weights (N, L, S) averaged over the heads,
    or None without `need_weights`).
    key_padding_mask  (N, S) bools: True for keys that nobody may look at
    attn_mask         (L, S) or (N * num_heads, L, S): bools, True where looking is not allowed, or
                      floats that are added to the scores
    is_causal         no query looks at a later key; needs no attn_mask
    A query that may look at nothing gets zeros.
    `dropout` acts on the weights. Parameters: in_proj_weight (3 embed_dim, embed_dim), which is
    query's, key's and value's, in_proj_bias, out_proj.weight, out_proj.bias.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
    ) -> None:
        if num_heads < 1 or embed_dim % num_heads:
            raise SettingError(
                f"MultiheadAttention: embed_dim {embed_dim} does not go into {num_heads} heads; "
                "make it a multiple"
            )
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.in_proj_weight = parameter((3 * embed_dim, embed_dim), xavier_uniform())
        self.in_proj_bias = parameter((3 * embed_dim,), zeros()) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, bias_initialiser=zeros())
        self.dropout = Dropout(dropout) if dropout else None

    def settings(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}" + ", batch_first=True" * self.batch_first

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None,
        need_weights: bool = True, attn_mask: Any = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        for x in (query, key, value):
            if len(x.shape) != 3:
                raise ShapeError(
                    f"MultiheadAttention: x {str_shape(tuple(x.shape))} must have 3 axes: time, batch "
                    f"(batch first with batch_first=True) and {self.embed_dim} features"
                )
        q, k, v = (self._heads(x) for x in self._projected(query, key, value))
        visible = self._mask(key_padding_mask, attn_mask)
        weights = ops.attention_weights(q, k, visible, is_causal)
        if self.dropout is not None:
            weights = self.dropout(weights)
        y = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3))
        y = self.out_proj(ops.reshape(y, (*y.shape[:2], self.embed_dim)))
        if not need_weights:
            return y, None
        return y, ops.mean(weights, 1) if average_attn_weights else weights

    def _projected(self, query: Any, key: Any, value: Any) -> Any:
        """The three products; one product where all three are of the same input."""
        if query is key and key is value:
            return ops.split(ops.linear(query, self.in_proj_weight, self.in_proj_bias), 3, -1)
        weights = ops.split(self.in_proj_weight, 3)
        biases = (None,) * 3 if self.in_proj_bias is None else ops.split(self.in_proj_bias, 3)
        return [ops.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]

    def _heads(self, x: Any) -> Any:
        """(T, N, embed_dim), or batch first, to (N, heads, T, size of a head)."""
        x = ops.reshape(x, (*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3))

    def _mask(self, key_padding_mask: Any, attn_mask: Any) -> Any:
        """Both masks as one that broadcasts over (N, heads, L, S), in the way of the ops: bools
        that are True where a key may be seen, or floats to add."""
        masks = []
        if key_padding_mask is not None:
            masks.append(ops.expand_dims(key_padding_mask, (1, 2)))
        if attn_mask is not None:
            if len(attn_mask.shape) == 3:
                attn_mask = ops.reshape(attn_mask, (-1, self.num_heads, *attn_mask.shape[1:]))
            masks.append(attn_mask)
        found: Any = None
        for mask in masks:
            mask = ops.logical_not(mask) if mask.dtype.kind == "b" else mask
            found = mask if found is None else _both(found, mask)
        return found


def _both(a: Any, b: Any) -> Any:
    """Two masks as one."""
    if a.dtype.kind == "b" and b.dtype.kind == "b":
        return ops.logical_and(a, b)
    if a.dtype.kind == "b":
        return ops.where(a, b, -math.inf)
    return ops.where(b, a, -math.inf) if b.dtype.kind == "b" else a + b
