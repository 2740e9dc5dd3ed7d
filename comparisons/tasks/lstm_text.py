"""An LSTM that writes Python, character by character."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import SequenceLoader, Split, Vocabulary, load_library_text
from shared.models import CharLSTM

WINDOW = 32
GIVEN, WRITTEN = 60, 340


def model() -> nn.Module:
    return CharLSTM(vocabulary=97, width=96)


def text() -> Split:
    """The text and the same one character on; and the start of the test text with what follows there."""
    train, test, _ = load_library_text(400_000, held_out=0.05)
    return Split(train[:-1], train[1:], test[:GIVEN], test[GIVEN : GIVEN + WRITTEN])


def windows(x: Any, y: Any, size: int, seed: int) -> Iterator[tuple[Any, ...]]:
    """Windows (WINDOW, size) of `size` streams, each going on where the last one ended; the same
    for every seed."""
    while True:
        yield from SequenceLoader(x, y, batch_size=size, length=WINDOW, drop_last=True)


def show(answers: Any, task: Task) -> dict[str, Any]:
    """What the model wrote at each of the moments when it was asked to."""
    decode = Vocabulary().decode
    return {
        "kind": "texts",
        "says": f"At each of these moments the model read the same {GIVEN} characters, from a part of the "
        f"library that was held back, and wrote the next {WRITTEN}: each drawn by its odds, sharpened a "
        "little, and read again as the next input. Chance had the same numbers every time.",
        "given": decode(task.asked),
        "texts": [
            {"steps": steps, "text": decode(codes[GIVEN:])}
            for steps, codes in zip(task.moments, answers, strict=True)
        ],
    }


TASK = Task(
    name="lstm_text",
    title="An LSTM on Python's own library",
    short="the character LSTM",
    about="The source text of Python's standard library, character by character. The state is carried on "
    f"from one window of {WINDOW} characters to the next, but no gradient goes back over that border: "
    "dynamic detaches the state, static fetches it and feeds it again. While it learns, it is made to write.",
    model=model,
    optimizer=lambda parameters: optim.Adam(parameters, lr=4e-3),
    data=text,
    batch_size=32,
    steps=300,
    full_steps=1200,
    counted=None,
    loop="text",
    order=windows,
    show=show,
    kin="lstm",
    unlike="The task is as wide as three quarters of it, its windows have 32 steps, its state goes on "
    "from one to the next, and Adam trains it.",
)
