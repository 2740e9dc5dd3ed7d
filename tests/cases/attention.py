"""Cases of scaled dot-product attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
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


CASES = [
    Case("softmax", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v), _qkv(2, 2), torch=_torch,
         unknown=[("n", 2, "l", "e"), ("n", 2, "s", "e"), ("n", 2, "s", "f")], name="attention"),
    Case("softmax", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, _visible, scale=0.3), _qkv(2),
         torch=lambda q, k, v: _torch(q, k, v, attn_mask=_visible, scale=0.3),
         unknown=[("n", 3, 2), ("n", 4, 2), ("n", 4, 5)], name="attention, some and all hidden"),
    Case("softmax", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, _added), _qkv(2),
         torch=lambda q, k, v: _torch(q, k, v, attn_mask=_added), name="attention, an added mask"),
    Case("softmax", lambda q, k, v, m: ops.scaled_dot_product_attention(q, k, v, m), [*_qkv(), normal(4)],
         name="attention, a learnt mask"),
    Case("tril", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, is_causal=True), _qkv(2),
         torch=lambda q, k, v: _torch(q, k, v, is_causal=True),
         unknown=[("n", "l", 2), ("n", "s", 2), ("n", "s", 5)], name="causal attention"),
    Case("tril", lambda q, k, m: ops.attention_weights(q, k, m, is_causal=True),
         [normal(3, 2), normal(4, 2), np.array([False, True, True, True])],
         unknown=[("l", 2), ("s", 2), ("s",)], name="causal attention and a mask"),
    Case("softmax", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, enable_gqa=True),
         [normal(2, 4, 3, 2), normal(2, 2, 5, 2), normal(2, 1, 5, 3)],
         torch=lambda q, k, v: _torch(q, k, v, enable_gqa=True),
         unknown=[("n", 4, "l", 2), ("n", 2, "s", 2), ("n", 1, "s", 3)], name="attention, heads shared"),
    Case("softmax", lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, enable_gqa=True),
         [normal(4, 3, 2), normal(4, 5, 2), normal(4, 5, 3)],
         torch=lambda q, k, v: _torch(q, k, v, enable_gqa=True),
         unknown=[("h", "l", 2), ("h", "s", 2), ("h", "s", 3)], name="attention, heads their own"),
    Case("dropout", lambda q, k, v, s: ops.scaled_dot_product_attention(q, k, v, None, 0.4, True, state=s),
         [*_qkv(2), ops.generator_state(3)],
         unknown=[("n", "l", 2), ("n", "s", 2), ("n", "s", 5), (2,)], name="attention"),
]  # fmt: skip
