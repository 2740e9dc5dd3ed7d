"""Language models over characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.nn import LSTM, RNN, Dropout, Embedding, Linear, Module
from shared.spec import whole


class _Characters(Module):
    """Guesses each next character: tokens (T, N) integers to logits (T, N, vocabulary).

    `model(tokens, state=None, lengths=None)` gives (logits, state), where a state is a tuple of arrays
    of the shapes that `state_shapes` says; a later call that starts from it goes on where this
    one stopped.
    """

    def _make(self, layer: Any, vocabulary: int, width: int, dropout: float) -> None:
        self.embedding = Embedding(vocabulary, width)
        setattr(self, self.kind, layer)
        self.dropout = Dropout(dropout) if dropout else None
        self.head = Linear(width, vocabulary)

    kind: str
    """What the recurrent layer is called among the model's parts."""

    def state_shapes(self, batch: int) -> list[tuple[int, int, int]]:
        """The shapes of what is carried from step to step, for so many sequences at once."""
        layer, batch = getattr(self, self.kind), whole("state_shapes", "batch", batch)
        return [(layer.num_layers, batch, layer.hidden_size)] * layer.carried

    def forward(
        self, tokens: Any, state: Sequence[Any] | None = None, lengths: Any = None
    ) -> tuple[Any, tuple[Any, ...]]:
        layer = getattr(self, self.kind)
        if state is not None and layer.carried == 1:
            (state,) = state
        h, last = layer(self.embedding(tokens), state, lengths)
        if self.dropout is not None:
            h = self.dropout(h)
        return self.head(h), last if layer.carried > 1 else (last,)


class CharLSTM(_Characters):
    """Graves 2013, in its plainest form."""

    kind = "lstm"

    def __init__(
        self, vocabulary: int, width: int = 128, layers: int = 1, dropout: float = 0.0
    ) -> None:
        self._make(LSTM(width, width, layers, dropout=dropout), vocabulary, width, dropout)


class CharRNN(_Characters):
    """Sutskever, Martens and Hinton 2011, with the plain cell of Elman 1990."""

    kind = "rnn"

    def __init__(
        self, vocabulary: int, width: int = 128, layers: int = 1, dropout: float = 0.0
    ) -> None:
        self._make(RNN(width, width, layers, dropout=dropout), vocabulary, width, dropout)


for _kind in (CharLSTM, CharRNN):
    _kind.__doc__ = f"{_kind.__doc__}\n\n    {_Characters.__doc__}"
