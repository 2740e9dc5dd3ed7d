"""A language model over characters."""

from __future__ import annotations

from typing import Any

from shared.nn import LSTM, Dropout, Embedding, Linear, Module


class CharLSTM(Module):
    """Guesses each next character: tokens (T, N) integers to logits (T, N, vocabulary).

    `model(tokens, state=None, lengths=None)` gives (logits, state); a later call that starts from
    that state goes on where this one stopped. Graves 2013, in its plainest form.
    """

    def __init__(
        self, vocabulary: int, width: int = 128, layers: int = 1, dropout: float = 0.0
    ) -> None:
        self.embedding = Embedding(vocabulary, width)
        self.lstm = LSTM(width, width, layers, dropout=dropout)
        self.dropout = Dropout(dropout) if dropout else None
        self.head = Linear(width, vocabulary)

    def forward(self, tokens: Any, state: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        h, state = self.lstm(self.embedding(tokens), state, lengths)
        if self.dropout is not None:
            h = self.dropout(h)
        return self.head(h), state
