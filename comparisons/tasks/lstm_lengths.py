"""An LSTM that reads lines of different lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import Split, load_library_text

SHORTEST, LONGEST = 4, 40
LINES = 4000


class Reader(nn.Module):
    """Characters (T, N) to logits (N, 2), from the state at the end of each line."""

    def __init__(self) -> None:
        self.embedding = nn.Embedding(97, 24)
        self.lstm = nn.LSTM(24, 40)
        self.head = nn.Linear(40, 2)

    def forward(self, characters: Any, lengths: Any = None) -> Any:
        _, (h, _) = self.lstm(self.embedding(characters), None, lengths)
        return self.head(h[0])


def lines() -> Split:
    """Lines of the library's source, as many that leave a bracket open as that do not.

    x int64 (N, LONGEST): a line's characters and zeros behind them. Zero is the line break's own
    code, so it marks the end and stands in no line.
    """
    train, test, vocabulary = load_library_text(1_000_000, held_out=0.2)

    def kept(codes: Any, count: int) -> tuple[Any, Any]:
        found: tuple[list[str], list[str]] = ([], [])
        for line in dict.fromkeys(map(str.strip, vocabulary.decode(codes).split("\n"))):
            brackets = np.array([line.count(bracket) for bracket in "([{)]}"])
            open_at_end = int(brackets[:3].sum() - brackets[3:].sum())
            if SHORTEST <= len(line) <= LONGEST and brackets.any() and open_at_end >= 0:
                found[open_at_end > 0].append(line)
        each = min(count // 2, *map(len, found))
        x = np.zeros((2 * each, LONGEST), np.int64)
        for row, line in zip(x, found[0][:each] + found[1][:each], strict=True):
            row[: len(line)] = vocabulary.encode(line)
        return x, np.repeat(np.arange(2), each)

    return Split(*kept(train, LINES), *kept(test, LINES // 8))


TASK = Task(
    name="lstm_lengths",
    title="An LSTM on lines of different lengths",
    short="the LSTM on lines",
    about=f"Lines of Python of {SHORTEST} to {LONGEST} characters: does a line leave a bracket open? Dynamic "
    "reads each line as it is, in a loop of Python's. Static's graph knows neither the lengths nor how "
    "many steps there are: it takes lines padded to one length, with their lengths beside them, and "
    "loops by a node of its own (scan).",
    model=Reader,
    optimizer=lambda parameters: optim.Adam(parameters, lr=5e-3),
    data=lines,
    batch_size=12,
    steps=120,
    full_steps=300,
    counted="test lines",
    loop="lengths",
    tolerance=1e-3,
    kin="lstm",
    unlike="Its sequences are all of one length, and the task's are not: what dynamic gains or loses "
    "by taking each line as it is, it does not show. The task is narrower, too, and trained by "
    "Adam.",
)
