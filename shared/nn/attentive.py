"""Attention with several heads."""

from __future__ import annotations

import math
from typing import Any

from shared import ops
from shared.errors import SettingError, ShapeError
from shared.nn.initial import parameter, xavier_normal, xavier_uniform, zeros
from shared.nn.module import Module
from shared.nn.regular import Dropout
from shared.nn.simple import Linear
from shared.spec import sizes_match, str_shape


class MultiheadAttention(Module):
    """Scaled dot-product attention in `num_heads` subspaces: Vaswani et al. 2017, with the names,
    shapes and defaults of `torch.nn.MultiheadAttention`.

    `layer(query, key, value)` takes (L, N, embed_dim), (S, N, kdim) and (S, N, vdim), or, with
    `batch_first`, N in front, or all three without N; gives (output like query, weights (N, L, S)
    averaged over the heads, or None without `need_weights`).
    key_padding_mask  (N, S) bools: True for keys that nobody may look at; or floats to add
    attn_mask         (L, S) or (N * num_heads, L, S): bools, True where looking is not allowed, or
                      floats that are added to the scores
    is_causal         no query looks at a later key; needs no attn_mask
    A query that may look at nothing gets zeros. Without weights, and where no dropout acts on them, memory
    grows with L and S, not with their product.
    `dropout` acts on the weights. `add_bias_kv` learns one more key and value, `add_zero_attn` adds
    some of zeros; nothing hides them. Parameters: in_proj_weight (3 embed_dim, embed_dim), which is
    query's, key's and value's, or, where kdim or vdim differs from embed_dim, q_proj_weight
    (embed_dim, embed_dim), k_proj_weight (embed_dim, kdim), v_proj_weight (embed_dim, vdim); then
    in_proj_bias, bias_k and bias_v (1, 1, embed_dim), out_proj.weight, out_proj.bias.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        if num_heads < 1 or embed_dim % num_heads:
            raise SettingError(
                f"MultiheadAttention: embed_dim {embed_dim} does not go into {num_heads} heads; "
                "make it a multiple"
            )
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.sizes = embed_dim, embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.add_zero_attn = add_zero_attn
        if self.sizes == (embed_dim,) * 3:
            self.in_proj_weight = parameter((3 * embed_dim, embed_dim), xavier_uniform())
        else:
            self.q_proj_weight, self.k_proj_weight, self.v_proj_weight = (
                parameter((embed_dim, size), xavier_uniform()) for size in self.sizes
            )
        self.in_proj_bias = parameter((3 * embed_dim,), zeros()) if bias else None
        self.bias_k = parameter((1, 1, embed_dim), xavier_normal()) if add_bias_kv else None
        self.bias_v = parameter((1, 1, embed_dim), xavier_normal()) if add_bias_kv else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, bias_initialiser=zeros())
        self.dropout = Dropout(dropout) if dropout else None

    def settings(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}" + ", batch_first=True" * self.batch_first

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None,
        need_weights: bool = True, attn_mask: Any = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        batch = 0 if self.batch_first else 1
        alone = self._check(query, key, value)
        if alone:
            made = {id(x): ops.expand_dims(x, batch) for x in (query, key, value)}  # one input stays one
            query, key, value = (made[id(x)] for x in (query, key, value))
            key_padding_mask = None if key_padding_mask is None else ops.expand_dims(key_padding_mask, 0)
        causal = is_causal and not self._more()
        mask = self._mask(query, key, key_padding_mask, attn_mask, is_causal and not causal)
        q, k, v = (self._heads(x) for x in self._projected(query, key, value))
        weights = None
        if need_weights or (self.dropout is not None and self.dropout.training):
            weights = ops.attention_weights(q, k, mask, causal)
            if self.dropout is not None:
                weights = self.dropout(weights)
            y = ops.matmul(weights, v)
        else:
            y = ops.scaled_dot_product_attention(q, k, v, mask, is_causal=causal)
        y = ops.transpose(y, (0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3))
        y = self.out_proj(ops.reshape(y, (*y.shape[:2], self.embed_dim)))
        y = ops.squeeze(y, batch) if alone else y
        if not need_weights:
            return y, None
        weights = ops.mean(weights, 1) if average_attn_weights else weights
        return y, ops.squeeze(weights, 0) if alone else weights

    def _check(self, *inputs: Any) -> bool:
        """ShapeError unless query, key and value have the right axes; whether they are without a batch."""
        ndim = len(inputs[0].shape)
        for x, size in zip(inputs, self.sizes, strict=True):
            shape = tuple(x.shape)
            if len(shape) != ndim or ndim not in (2, 3) or not sizes_match(shape[-1], size):
                raise ShapeError(
                    f"MultiheadAttention: x {str_shape(shape)} must have 3 axes: time, batch (batch first "
                    f"with batch_first=True) and {size} features; or all three 2, without a batch"
                )
        return ndim == 2

    def _projected(self, query: Any, key: Any, value: Any) -> list[Any]:
        """The three products, one product where all three are of the same input; with what is added to keys
        and values."""
        if self.sizes == (self.embed_dim,) * 3:
            if query is key and key is value:
                made = ops.split(ops.linear(query, self.in_proj_weight, self.in_proj_bias), 3, -1)
                return self._with_more(*made)
            weights = ops.split(self.in_proj_weight, 3)
        else:
            weights = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        biases = (None,) * 3 if self.in_proj_bias is None else ops.split(self.in_proj_bias, 3)
        inputs = zip((query, key, value), weights, biases, strict=True)
        return self._with_more(*(ops.linear(x, w, b) for x, w, b in inputs))

    def _with_more(self, q: Any, k: Any, v: Any) -> list[Any]:
        """Keys and values, and the learnt ones and the zeros behind them."""
        time = 1 if self.batch_first else 0
        shape = tuple(1 if axis == time else size for axis, size in enumerate(k.shape))
        made = [q]
        for x, bias in ((k, self.bias_k), (v, self.bias_v)):
            more = [] if bias is None else [ops.broadcast_to(bias, shape)]
            more += [ops.zeros(shape, x.dtype, like=x)] if self.add_zero_attn else []
            made.append(ops.concatenate([x, *more], time) if more else x)
        return made

    def _more(self) -> int:
        """How many keys are added to those that are given."""
        return (self.bias_k is not None) + self.add_zero_attn

    def _heads(self, x: Any) -> Any:
        """(T, N, embed_dim), or batch first, to (N, heads, T, size of a head)."""
        x = ops.reshape(x, (*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3))

    def _mask(self, query: Any, key: Any, key_padding_mask: Any, attn_mask: Any, is_causal: bool) -> Any:
        """All masks as one that broadcasts over (N, heads, L, S), in the way of the ops: bools
        that are True where a key may be seen, or floats to add."""
        masks = []
        if key_padding_mask is not None:
            masks.append(ops.expand_dims(key_padding_mask, (1, 2)))
        if attn_mask is not None:
            if len(attn_mask.shape) == 3:
                attn_mask = ops.reshape(attn_mask, (-1, self.num_heads, *attn_mask.shape[1:]))
            masks.append(attn_mask)
        if is_causal:
            time = 1 if self.batch_first else 0
            masks.append(ops.triu(ops.ones((query.shape[time], key.shape[time]), bool, like=query), 1))
        more = self._more()
        found: Any = None
        for mask in masks:
            if more:
                mask = ops.pad(mask, (*((0, 0),) * (len(mask.shape) - 1), (0, more)))
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
