"""Attention, and positions as rotations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared import ops
from shared.dims import same_size
from shared.onnx.ops.elementwise import dtype_named
from shared.onnx.table import onnx_op
from shared.onnx.values import is_narrow


def heads(x: Any, count: Any) -> Any:
    """(batch, steps, heads * size) as (batch, heads, steps, size); what is so already, as it is."""
    if len(x.shape) == 4:
        return x
    n, t, width = x.shape
    return ops.transpose(ops.reshape(x, (n, t, count, width // count)), (0, 2, 1, 3))


@onnx_op("Attention", since=23)
def attention(
    q: Any, k: Any, v: Any, mask: Any = None, past_key: Any = None, past_value: Any = None,
    lengths: Any = None, *, is_causal: int = 0, kv_num_heads: int | None = None, left_window_size: int = -1,
    q_num_heads: int | None = None, qk_matmul_output_mode: int = 0, right_window_size: int = -1,
    scale: float | None = None, softcap: float = 0.0, softmax_precision: int | None = None, outputs: int = 1,
) -> Any:  # fmt: skip
    """softmax(q k^T scale + bias) v, over several heads, with keys and values from before; `lengths`: how
    many of the keys of each sequence are there.
    """
    flat = len(q.shape) == 3
    dtype = q.dtype
    q, k, v = heads(q, q_num_heads), heads(k, kv_num_heads), heads(v, kv_num_heads)
    root = _root(q, scale)
    before: Any = 0
    if past_key is not None:
        before = past_key.shape[2]
        k, v = ops.concatenate([past_key, k], 2), ops.concatenate([past_value, v], 2)
    elif lengths is not None:
        before = ops.reshape(ops.cast(lengths, "int64"), (-1, 1, 1, 1)) - q.shape[2]
    present = k, v
    bias = _bias(q, k, mask, before, lengths, bool(is_causal), left_window_size, right_window_size)
    k, v = (_shared(x, q.shape[1]) for x in (k, v))
    scores = ops.matmul(q * root, ops.swapaxes(k, 2, 3) * root)
    shown = scores
    if softcap > 0:
        scores = ops.tanh(scores / softcap) * softcap
        shown = scores if qk_matmul_output_mode == 1 else shown
    if bias is not None:
        scores = scores + bias
    shown = scores if qk_matmul_output_mode == 2 else shown
    wide = dtype if softmax_precision is None else dtype_named(softmax_precision)
    weights = _softmax(scores if wide == dtype or is_narrow(wide) else ops.cast(scores, wide), bias)
    shown = weights if qk_matmul_output_mode == 3 else shown
    y = ops.matmul(ops.cast(weights, dtype), v)
    if flat:
        y = ops.transpose(y, (0, 2, 1, 3))
        y = ops.reshape(y, (y.shape[0], y.shape[1], y.shape[2] * y.shape[3]))
    return (y, *present, ops.cast(shown, dtype))[:outputs] if outputs > 1 else y


def _root(q: Any, scale: float | None) -> Any:
    """The root of the scale, 1 / sqrt(width) unless given, in q's dtype."""
    if scale is not None:
        return np.asarray(math.sqrt(np.float32(scale)), q.dtype)
    width = q.shape[3]
    if isinstance(width, int):
        return np.asarray(np.sqrt(np.float32(1 / math.sqrt(width))), q.dtype)
    return ops.cast(ops.pow(ops.ones((), "float64", like=q) * width, -0.25), q.dtype)


def _shared(x: Any, count: Any) -> Any:
    """Keys or values, each head as often as heads of queries share it."""
    return x if same_size(x.shape[1], count) else ops.repeat(x, count // x.shape[1], 1)


def _bias(q: Any, k: Any, mask: Any, before: Any, lengths: Any, causal: bool, left: int, right: int) -> Any:
    """What is added to the scores: minus infinity where a query must not look."""
    rows, columns = q.shape[2], k.shape[2]
    bias = None
    if mask is not None:
        short = columns - mask.shape[-1]
        if not isinstance(short, int) or short > 0:
            widths = [(0, 0)] * (len(mask.shape) - 1) + [(0, short)]
            off = False if mask.dtype == np.bool_ else -math.inf
            mask = ops.pad(mask, widths, value=off)
        bias = _additive(mask, q.dtype) if mask.dtype == np.bool_ else mask
    i = ops.reshape(ops.arange(rows, dtype="int64", like=q), (-1, 1)) + before
    j = ops.arange(columns, dtype="int64", like=q)
    allowed = []
    if causal:
        allowed.append(ops.less_equal(j, i))
    if left >= 0:
        allowed.append(ops.less_equal(i - j, left))
    if right >= 0:
        allowed.append(ops.less_equal(j - i, right))
    if lengths is not None:
        allowed.append(ops.less(j, ops.reshape(ops.cast(lengths, "int64"), (-1, 1, 1, 1))))
    for part in allowed:
        more = _additive(part, q.dtype)
        bias = more if bias is None else bias + more
    return bias


def _additive(mask: Any, dtype: Any) -> Any:
    return ops.where(mask, np.zeros((), dtype), np.asarray(-np.inf, dtype))


def _softmax(scores: Any, bias: Any) -> Any:
    """Over the last axis; 0 where a query may look nowhere."""
    if bias is None:
        return ops.softmax(scores, -1)
    blind = ops.isneginf(ops.max(bias, -1, True))
    y = ops.softmax(ops.where(blind, np.zeros((), scores.dtype), scores), -1)
    return ops.where(blind, np.zeros((), scores.dtype), y)


@onnx_op("RotaryEmbedding", since=23)
def rotary_embedding(
    x: Any, cos: Any, sin: Any, positions: Any = None, *, interleaved: int = 0, num_heads: int = 0,
    rotary_embedding_dim: int = 0,
) -> Any:  # fmt: skip
    """Pairs of features turned by angles that a position has (Su et al. 2021)."""
    shape = x.shape
    if len(shape) == 3:
        x = ops.reshape(x, (*shape[:2], num_heads, shape[2] // num_heads))
    else:
        x = ops.transpose(x, (0, 2, 1, 3))
    width = rotary_embedding_dim or x.shape[3]
    turned, rest = ops.getitem(x, (..., slice(0, width))), ops.getitem(x, (..., slice(width, None)))
    if positions is not None:
        cos, sin = ops.take(cos, positions, 0), ops.take(sin, positions, 0)
    cos, sin = ops.expand_dims(cos, 2), ops.expand_dims(sin, 2)
    if interleaved:
        a, b = ops.getitem(turned, (..., slice(0, None, 2))), ops.getitem(turned, (..., slice(1, None, 2)))
    else:
        a, b = (
            ops.getitem(turned, (..., slice(0, width // 2))),
            ops.getitem(turned, (..., slice(width // 2, None))),
        )
    real, imag = cos * a - sin * b, sin * a + cos * b
    made = (
        ops.reshape(ops.stack([real, imag], -1), turned.shape)
        if interleaved
        else ops.concatenate([real, imag], -1)
    )
    y = made if not rotary_embedding_dim else ops.concatenate([made, rest], -1)
    return ops.reshape(y, shape) if len(shape) == 3 else ops.transpose(y, (0, 2, 1, 3))


@onnx_op("LinearAttention", since=26)
def linear_attention(
    q: Any, k: Any, v: Any, past: Any = None, decay: Any = None, beta: Any = None, *, chunk_size: int = 64,
    kv_num_heads: int, q_num_heads: int, scale: float = 0.0, update_rule: str = "gated_delta",
    outputs: int = 1,
) -> Any:  # fmt: skip
    """A state of keys times values, which each step decays, corrects and adds to, and each query reads."""
    dtype, (n, t) = q.dtype, q.shape[:2]
    q, k, v = (
        ops.cast(heads(x, count), "float32")
        for x, count in ((q, q_num_heads), (k, kv_num_heads), (v, kv_num_heads))
    )
    dk, dv = k.shape[3], v.shape[3]
    factor = scale if scale else ops.square(_root(k, None))
    kept = dtype if past is None else past.dtype
    state = (
        ops.zeros((n, kv_num_heads, dk, dv), "float32", like=q) if past is None else ops.cast(past, "float32")
    )

    def by_step(x: Any) -> Any:
        return ops.moveaxis(x, 2, 0)

    given: dict[str, Any] = {"q": by_step(q), "k": by_step(k), "v": by_step(v)}
    if decay is not None:
        given["decay"] = by_step(ops.cast(heads(decay, kv_num_heads), "float32"))
    if beta is not None:
        given["beta"] = by_step(ops.cast(heads(beta, beta.shape[2]), "float32"))

    def step(state: Any, at: Any) -> Any:
        if "decay" in at:
            state = state * ops.expand_dims(ops.exp(at["decay"]), -1)
        value = at["v"]
        if "beta" in at:
            value = at["beta"] * (value - ops.einsum("bhdm,bhd->bhm", state, at["k"]))
        state = state + ops.expand_dims(at["k"], -1) * ops.expand_dims(value, -2)
        seen = state if q_num_heads == kv_num_heads else ops.repeat(state, q_num_heads // kv_num_heads, 1)
        return state, ops.einsum("bhd,bhdm->bhm", at["q"], seen) * factor

    state, ys = ops.scan(step, state, given)
    y = ops.reshape(ops.transpose(ys, (1, 0, 2, 3)), (n, t, q_num_heads * dv))
    return (ops.cast(y, dtype), ops.cast(state, kept))[:outputs]


@onnx_op("FlexAttention", domain="ai.onnx.preview")
def flex_attention(
    q: Any, k: Any, v: Any, *, prob_mod: Any = None, scale: float | None = None, score_mod: Any = None,
    softmax_precision: int | None = None,
) -> Any:  # fmt: skip
    """Attention whose scores, and whose weights, go through graphs of the file's own."""
    dtype = q.dtype
    wide = np.dtype(np.float32 if dtype.itemsize < 4 else dtype)
    if softmax_precision is not None and not is_narrow(dtype_named(softmax_precision)):
        wide = dtype_named(softmax_precision)
    root = _root(q, scale)
    k, v = _shared(k, q.shape[1]), _shared(v, q.shape[1])
    scores = ops.cast(ops.matmul(q * root, ops.swapaxes(k * root, 2, 3)), wide)
    if score_mod is not None:
        scores = ops.cast(score_mod(scores)[0], wide)
    weights = ops.softmax(scores, -1)
    if prob_mod is not None:
        weights = ops.cast(prob_mod(weights)[0], wide)
    return ops.cast(ops.matmul(weights, ops.cast(v, wide)), v.dtype)
