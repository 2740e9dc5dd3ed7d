"""The Transformer: Vaswani et al. 2017. A block, and a small language model made of blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared import ops
from shared.nn import Dropout, Embedding, LayerNorm, Linear, Module, MultiheadAttention, init


class TransformerBlock(Module):
    """Self-attention and two dense layers, each added to what goes in.

    Names and defaults are those of `torch.nn.TransformerEncoderLayer`, whose checkpoints load; for
    the masks see `nn.MultiheadAttention`. x is (T, N, width), or (N, T, width) with `batch_first`.
    With `norm_first` the normalisation stands before attention and dense layers, not behind.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int = 2048,
        dropout: float = 0.1,
        activation: Callable[[Any], Any] = ops.relu,
        batch_first: bool = False,
        norm_first: bool = False,
    ) -> None:
        self.self_attn = MultiheadAttention(width, heads, dropout, batch_first=batch_first)
        self.linear1 = Linear(width, hidden)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(hidden, width)
        self.norm1, self.norm2 = LayerNorm(width), LayerNorm(width)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation, self.norm_first = activation, norm_first

    def forward(
        self, x: Any, attn_mask: Any = None, key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        masks = {"attn_mask": attn_mask, "key_padding_mask": key_padding_mask, "is_causal": is_causal}
        if self.norm_first:
            x = x + self._attend(self.norm1(x), masks)
            return x + self._dense(self.norm2(x))
        x = self.norm1(x + self._attend(x, masks))
        return self.norm2(x + self._dense(x))

    def _attend(self, x: Any, masks: dict[str, Any]) -> Any:
        return self.dropout1(self.self_attn(x, x, x, need_weights=False, **masks)[0])

    def _dense(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class Transformer(Module):
    """A small language model: tokens (N, T) integers to logits (N, T, vocabulary), each from the
    tokens up to and with its own. Learnt positions, normalisation first, as in GPT-2."""

    def __init__(
        self,
        vocabulary: int,
        context: int,
        width: int = 64,
        heads: int = 4,
        layers: int = 2,
        dropout: float = 0.0,
    ) -> None:
        small = init.normal(0, 0.02)
        self.tokens = Embedding(vocabulary, width, initialiser=small)
        self.positions = Embedding(context, width, initialiser=small)
        self.dropout = Dropout(dropout)
        self.blocks = [
            TransformerBlock(
                width, heads, 4 * width, dropout, ops.gelu, batch_first=True, norm_first=True
            )
            for _ in range(layers)
        ]
        self.norm = LayerNorm(width)
        self.head = Linear(width, vocabulary, bias=False)

    def forward(self, tokens: Any) -> Any:
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, is_causal=True)
        return self.head(self.norm(x))
