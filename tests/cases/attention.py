"""Cases of scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, normal

_visible = np.array([[True, False, True, True], [False, False, False, False], [True, True, False, True]])
_added = np.where(_visible, normal(3, 4), -np.inf)


def _torch(*arguments: Any, **settings: Any) -> Any:
    """PyTorch's attention, by the plain way of it, which can be differentiated twice."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        if settings.get("attn_mask") is not None:
            settings["attn_mask"] = torch.tensor(settings["attn_mask"])
        return torch.nn.functional.scaled_dot_product_attention(*arguments, **settings)


def _qkv(*batch: int) -> list[Any]:
    return [normal(*batch, 3, 2), normal(*batch, 4, 2), normal(*batch, 4, 5)]


def _composed(q: Any, k: Any, v: Any, *mask: Any, **settings: Any) -> Any:
    return [ops.matmul(ops.attention_weights(q, k, *mask, **settings), v)]


def _grad(g: Any, q: Any, k: Any, v: Any, *mask: Any, causal: bool = False, scale: Any = None) -> Any:
    """The gradient of attention as an op of its own, of what attention gives."""
    y = TABLE["attention"](q, k, v, *mask, causal=causal, scale=scale)
    return TABLE["attention_grad"](g, q, k, v, *y, *mask, causal=causal, scale=scale)


def _plain_grad(g: Any, q: Any, k: Any, v: Any, *mask: Any, causal: bool = False, scale: Any = None) -> Any:
    """The same, by weights and slopes."""
    w = ops.attention_weights(q, k, *mask, is_causal=causal, scale=scale)
    d = ops.matmul(g, ops.swapaxes(v, -1, -2))
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    slopes = w * (d - ops.sum(w * d, -1, keepdims=True)) * scale
    of_k, of_v = (ops.matmul(ops.swapaxes(x, -1, -2), y) for x, y in ((slopes, q), (w, g)))
    return [ops.matmul(slopes, k), of_k, of_v]


CASES = [
    Case("attention", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v), _qkv(2, 2), torch=_torch,
         composed=_composed, unknown=[("n", 2, "l", "e"), ("n", 2, "s", "e"), ("n", 2, "s", "f")],
         name="plain"),
    Case("attention", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, _visible, scale=0.3),
         _qkv(2), torch=lambda q, k, v: _torch(q, k, v, attn_mask=_visible, scale=0.3),
         unknown=[("n", 3, 2), ("n", 4, 2), ("n", 4, 5)], name="some and all hidden"),
    Case("attention", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, _added), _qkv(2),
         torch=lambda q, k, v: _torch(q, k, v, attn_mask=_added), name="an added mask"),
    Case("attention", lambda q, k, v, m: ops.scaled_dot_product_attention(q, k, v, m),
         [*_qkv(), normal(4)], composed=_composed, name="a learnt mask"),
    Case("attention", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, is_causal=True), _qkv(2),
         torch=lambda q, k, v: _torch(q, k, v, is_causal=True),
         composed=lambda *qkv: _composed(*qkv, is_causal=True),
         unknown=[("n", "l", 2), ("n", "s", 2), ("n", "s", 5)], name="causal"),
    Case("tril", lambda q, k, m: ops.attention_weights(q, k, m, is_causal=True),
         [normal(3, 2), normal(4, 2), np.array([False, True, True, True])],
         unknown=[("l", 2), ("s", 2), ("s",)], name="causal attention and a mask"),
    Case("attention", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, enable_gqa=True),
         [normal(2, 4, 3, 2), normal(2, 2, 5, 2), normal(2, 1, 5, 3)],
         torch=lambda q, k, v: _torch(q, k, v, enable_gqa=True),
         unknown=[("n", 4, "l", 2), ("n", 2, "s", 2), ("n", 1, "s", 3)], name="heads shared"),
    Case("attention", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, enable_gqa=True),
         [normal(4, 3, 2), normal(4, 5, 2), normal(4, 5, 3)],
         torch=lambda q, k, v: _torch(q, k, v, enable_gqa=True),
         unknown=[("h", "l", 2), ("h", "s", 2), ("h", "s", 3)], name="heads their own"),
    Case("attention_grad", lambda *a: _grad(*a), [normal(2, 3, 5), *_qkv(2)], composed=_plain_grad,
         unknown=[("n", "l", 5), ("n", "l", 2), ("n", "s", 2), ("n", "s", 5)]),
    Case("attention_grad", lambda *a: _grad(*a, _visible, causal=True, scale=0.3),
         [normal(2, 3, 5), *_qkv(2)],
         composed=lambda *a: _plain_grad(*a, _visible, causal=True, scale=0.3),
         unknown=[("n", 3, 5), ("n", 3, 2), ("n", 4, 2), ("n", 4, 5)], name="some and all hidden"),
    Case("attention_grad", lambda *a: _grad(*a),
         [normal(2, 3, 5), normal(2, 3, 2), *_qkv()[1:], normal(3, 4)],
         composed=_plain_grad, name="shared keys, a learnt mask"),
    Case("dropout", lambda q, k, v, s: ops.scaled_dot_product_attention(q, k, v, None, 0.4, True, state=s),
         [*_qkv(2), ops.generator_state(3)],
         unknown=[("n", "l", 2), ("n", "s", 2), ("n", "s", 5), (2,)], name="attention"),
]  # fmt: skip
