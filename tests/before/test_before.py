"""Promise: what an earlier version has written, this one reads.

The files beside this one were written by the commit ce9bfcf, by a `Reader` (below) that was trained for
three steps of Adam: its parameters, its optimiser, a graph with a loop and a branch, and a Saver's
checkpoint after a fourth step. The numbers are what that commit gave then.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim

HERE = Path(__file__).parent
LOSSES = {"loss": 0.58599305, "doubled": 4.6879444, "chosen": 1.1719861}
"""Of the fourth batch, before its step."""
NEXT = 0.83686274
"""Of the fifth batch, after it."""


class Reader(nn.Module):
    """The model that the files are of."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.norm = nn.LSTM(3, 4, batch_first=True), nn.BatchNorm1d(4)
        self.drop, self.head = nn.Dropout(0.25), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        y, _ = self.lstm(x)
        return self.head(self.drop(self.norm(y[:, -1])))


def batch(number: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(number)
    return rng.normal(size=(5, 6, 3)).astype("float32"), rng.integers(0, 2, 5)


def read() -> tuple[Reader, optim.Adam]:
    nn.manual_seed(7)  # whatever it starts from is replaced
    model = Reader()
    model(dynamic.tensor(batch(0)[0]))
    opt = optim.Adam(model.parameters(), lr=0.5)
    model.load(HERE / "model.safetensors")
    opt.load(HERE / "optimizer.safetensors")
    return model, opt


def test_a_graph() -> None:
    loaded = static.load(HERE / "graph.diptych")
    x, y = batch(3)
    given = loaded.run({"x": x, "y": y})
    assert {name: float(value) for name, value in given.items()} == pytest.approx(LOSSES, rel=1e-5)


def test_a_model_and_its_optimiser_go_on() -> None:
    model, opt = read()
    losses = []
    for number in (3, 4):
        x, y = batch(number)
        loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    assert losses == pytest.approx([LOSSES["loss"], NEXT], rel=1e-4)


def test_a_checkpoint_of_a_session(tmp_path: Path) -> None:
    shutil.copy(HERE / "saved", tmp_path / "saved")  # a Saver writes beside what it reads
    nn.manual_seed(7)
    model = Reader()
    with static.Graph().as_default():
        x, y = static.placeholder("float32", (None, 6, 3)), static.placeholder("int64", (None,))
        loss = ops.cross_entropy(model(x), y)
        optim.Adam(model.parameters(), lr=0.01).minimize(loss)
        with static.Session(optimize="exact") as session:
            static.Saver().restore(session, tmp_path / "saved")
            features, labels = batch(4)
            assert session.run(loss, {x: features, y: labels}) == pytest.approx(NEXT, rel=1e-4)
