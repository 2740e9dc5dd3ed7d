"""A Transformer that writes, one token at a time, beside a cache that grows.

Each step learns from a batch and then has the model go on by itself: keys and values are appended to a dict
of lists, the next token is the largest of values that are there, and the end of a text ends the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops, optim

END, LENGTH, WIDTH = 0, 7, 16
Cache = dict[int, list[tuple[Any, Any]]]


def texts(rng: np.random.Generator, count: int) -> np.ndarray:
    """Rows that count down to the end: 4 3 2 1 0 0 0."""
    start = rng.integers(3, LENGTH, (count, 1))
    return np.maximum(start - np.arange(LENGTH), END)


class Block(nn.Module):
    """Attention to what came before, and a dense part."""

    def __init__(self) -> None:
        self.norm, self.of_all = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3 * WIDTH)
        self.dense = nn.Sequential(
            nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 32), nn.GELU(), nn.Linear(32, WIDTH)
        )  # fmt: skip

    def forward(self, x: Any, earlier: list[tuple[Any, Any]] | None = None) -> Any:
        q, k, v = ops.split(self.of_all(self.norm(x)), 3, axis=-1)
        if earlier is not None:
            earlier.append((k, v))
            k, v = (ops.concatenate(part, axis=1) for part in zip(*earlier, strict=True))
        x = x + ops.scaled_dot_product_attention(q, k, v, is_causal=earlier is None)
        return x + self.dense(x)


class Writer(nn.Module):
    """Tokens (N, T) to logits of the next ones."""

    def __init__(self) -> None:
        self.tokens, self.places = nn.Embedding(LENGTH, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(WIDTH, LENGTH)

    def forward(self, tokens: Any, start: int = 0, cache: Cache | None = None) -> Any:
        x = self.tokens(tokens) + self.places(np.arange(start, start + tokens.shape[1]))
        for number, block in enumerate(self.blocks):
            x = block(x, None if cache is None else cache.setdefault(number, []))
        return self.head(x)

    def write(self, token: int) -> list[int]:
        """A text that begins with a token."""
        written, cache = [token], Cache()
        while len(written) < LENGTH and written[-1] != END:
            logits = self(np.array([written[-1:]]), len(written) - 1, cache)
            written.append(int(logits[0, -1].argmax().item()))
        return written


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Writer()
    opt = optim.Adam(model.parameters(), lr=1e-2)

    def step() -> Any:
        batch = texts(rng, 4)
        loss = ops.cross_entropy(ops.reshape(model(batch[:, :-1]), (-1, LENGTH)), batch[:, 1:].reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
        with dynamic.no_grad():
            written = model.write(int(rng.integers(3, LENGTH)))
        if len(written) == written[0] + 1:
            print("counts:", *written)
        return loss, written

    return step, [model, opt]
