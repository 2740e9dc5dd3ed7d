"""A plain recurrent network that writes Python, character by character."""

from __future__ import annotations

from dataclasses import replace

from comparisons.tasks import lstm_text
from shared import nn
from shared.models import CharRNN


def model() -> nn.Module:
    return CharRNN(vocabulary=97, width=128)


TASK = replace(
    lstm_text.TASK,
    name="rnn_text",
    title="A plain RNN on Python's own library",
    short="the character RNN",
    about="The text that the LSTM reads, read by a plain cell: tanh of the character's product and the "
    f"state's. The state is carried on from one window of {lstm_text.WINDOW} characters to the next, and "
    "no gradient goes back over that border. While it learns, it is made to write.",
    model=model,
    kin="rnn",
    unlike="The task is as wide; its windows have 32 steps, its state goes on from one to the next, and Adam "
    "trains it.",
)
