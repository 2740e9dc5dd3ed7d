"""A Tree-LSTM: the network has the shape of its input.

A function that calls itself walks a nested tuple, and what it meets decides which ops there are; each tree is
a program of its own, and comes again when the data begins anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared import nn, ops, optim

WORDS = ["true", "false", "and", "or", "not"]


def sentence(rng: np.random.Generator, depth: int) -> Any:
    """A Boolean expression as a nested tuple: "true", ("not", a) or ("and", a, b)."""
    if depth == 0:
        return WORDS[rng.integers(2)]
    head = WORDS[rng.integers(2, 5)]
    return head, *(sentence(rng, depth - 1) for _ in range(1 if head == "not" else 2))


def value(tree: Any) -> bool:
    """What an expression is."""
    if isinstance(tree, str):
        return tree == "true"
    head, *parts = tree
    values = [value(part) for part in parts]
    return not values[0] if head == "not" else all(values) if head == "and" else any(values)


class TreeLSTM(nn.Module):
    """Tai et al. 2015, child-sum: of an expression the logits that it is false, or true."""

    def __init__(self, width: int = 16) -> None:
        self.width = width
        self.words = nn.Embedding(len(WORDS), width)
        self.cell, self.forget = nn.Linear(2 * width, 3 * width), nn.Linear(2 * width, width)
        self.head = nn.Linear(width, 2)

    def forward(self, tree: Any) -> Any:
        h, _ = self.read(tree)
        return self.head(h)

    def read(self, tree: Any) -> tuple[Any, Any]:
        head, *parts = (tree,) if isinstance(tree, str) else tree
        x = self.words(np.array([WORDS.index(head)]))
        below = [self.read(part) for part in parts]
        h = sum((h for h, _ in below), ops.zeros((1, self.width), like=x))
        i, o, u = ops.split(self.cell(ops.concatenate([x, h], axis=1)), 3, axis=1)
        c = ops.sigmoid(i) * ops.tanh(u)
        for each, kept in below:
            c = c + ops.sigmoid(self.forget(ops.concatenate([x, each], axis=1))) * kept
        return ops.sigmoid(o) * ops.tanh(c), c


def make(seed: int) -> tuple[Callable[[], Any], list[Any]]:
    """A step of training, and what it changes."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    trees = [sentence(rng, 3) for _ in range(6)]
    model = TreeLSTM()
    opt = optim.Adam(model.parameters(), lr=1e-2)
    done = 0

    def step() -> Any:
        nonlocal done
        tree = trees[done % len(trees)]
        logits = model(tree)
        loss = ops.cross_entropy(logits, np.array([value(tree)], np.int64))
        opt.zero_grad()
        loss.backward()
        opt.step()
        done += 1
        if done % len(trees) == 0:
            print(f"after {done} trees: {loss.item():.3f}")
        return loss

    return step, [model, opt]
