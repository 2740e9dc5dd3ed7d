"""A small Transformer that reads Python."""

from __future__ import annotations

from typing import Any

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import Split, load_library_text
from shared.models import Transformer

WINDOW = 48


def model() -> nn.Module:
    return Transformer(vocabulary=97, context=WINDOW, width=48, heads=4, layers=2)


def windows() -> Split:
    """Stretches of the text, each with the same one character on as its labels."""

    def cut(codes: Any) -> tuple[Any, Any]:
        rows = (len(codes) - 1) // WINDOW
        size = rows * WINDOW
        return codes[:size].reshape(rows, WINDOW), codes[1 : size + 1].reshape(rows, WINDOW)

    text = load_library_text(200_000, held_out=0.05)
    return Split(*cut(text.train), *cut(text.test))


TASK = Task(
    name="transformer_text",
    title="A small Transformer on Python's own library",
    short="the Transformer",
    about="Two blocks of attention and dense layers, as in GPT-2, guess each next character of the source "
    "text of Python's standard library from up to 48 characters before it.",
    model=model,
    optimizer=lambda parameters: optim.Adam(parameters, lr=3e-3),
    data=windows,
    batch_size=16,
    steps=200,
    full_steps=600,
    counted="characters of the test text",
)
