"""A small language model made of the Transformer's layers: Vaswani et al. 2017."""

from __future__ import annotations

from typing import Any

from shared.nn import Dropout, Embedding, LayerNorm, Linear, Module, TransformerEncoderLayer, init


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
            TransformerEncoderLayer(
                width, heads, 4 * width, dropout, "gelu", batch_first=True, norm_first=True
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
