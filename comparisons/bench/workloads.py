"""What is raced: models, shapes, initial weights and data, the same arrays for every peer.

Nothing here knows any engine. Weights have PyTorch's names and layouts; each peer brings them
into its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from comparisons.bench.nets import DEPTHWISE, RESNET18, RESNET50, STRIDED, Net
from comparisons.bench.transformers import Gpt

Arrays = dict[str, Any]
GATES = {"rnn": 1, "lstm": 4}


@dataclass(frozen=True)
class Workload:
    """One model trained on one batch in float32, by plain SGD unless it says otherwise.

    model   "mlp", "cnn", "rnn", "lstm", "net" or "gpt"
    rate    the learning rate
    steps   how many are timed in a round, by default
    goals   how many times as fast as a peer `dynamic` wants to be, at least
    times, vocabulary, width   of the recurrent ones: time steps, characters, and the size of
            the embedding, which is that of the hidden state too
    net, gpt   what such a model is made of
    optimiser  "SGD" or "Adam"
    """

    name: str
    model: str
    title: str
    batch: int
    rate: float
    steps: int
    goals: Mapping[str, float]
    times: int = 0
    vocabulary: int = 0
    width: int = 0
    net: Net | None = None
    gpt: Gpt | None = None
    optimiser: str = "SGD"

    @property
    def sizes(self) -> str:
        """The batch, and of a recurrent one the steps and the width, in words."""
        batch = f"batch of {self.batch}"
        return f"{batch}, {self.times} steps of width {self.width}" if self.recurrent else batch

    @property
    def recurrent(self) -> bool:
        return self.model in GATES

    def weights(self) -> Arrays:
        """The values to start from: uniform within 1 / sqrt(fan in), embeddings standard normal."""
        draw = np.random.default_rng(0)

        def uniform(fan: int, **shapes: tuple[int, ...]) -> Arrays:
            bound = fan**-0.5
            return {
                name.replace("__", "."): draw.uniform(-bound, bound, shape).astype(np.float32)
                for name, shape in shapes.items()
            }

        made_of = self.net or self.gpt
        if made_of is not None:
            return made_of.weights(draw)
        if self.model == "mlp":
            return uniform(784, fc1__weight=(1000, 784), fc1__bias=(1000,)) | uniform(
                1000, fc2__weight=(10, 1000), fc2__bias=(10,)
            )
        if self.model == "cnn":
            return (
                uniform(9, conv1__weight=(32, 1, 3, 3), conv1__bias=(32,))
                | uniform(288, conv2__weight=(64, 32, 3, 3), conv2__bias=(64,))
                | uniform(3136, fc1__weight=(128, 3136), fc1__bias=(128,))
                | uniform(128, fc2__weight=(10, 128), fc2__bias=(10,))
            )
        width, rows = self.width, GATES[self.model] * self.width
        table = {"embedding.weight": draw.standard_normal((self.vocabulary, width), np.float32)}
        return table | uniform(
            width,
            cell__weight_ih=(rows, width), cell__weight_hh=(rows, width), cell__bias_ih=(rows,),
            cell__bias_hh=(rows,), head__weight=(self.vocabulary, width), head__bias=(self.vocabulary,),
        )  # fmt: skip

    def data(self) -> tuple[Any, Any]:
        """The batch: images float32 and labels int64, or characters and those that follow them,
        both int64 (times, batch), for a "gpt" (batch, times)."""
        draw = np.random.default_rng(1)
        if self.gpt is not None:
            text = draw.integers(0, self.gpt.vocabulary, (self.batch, self.gpt.length + 1))
            return text[:, :-1].copy(), text[:, 1:].copy()
        if self.recurrent:
            text = draw.integers(0, self.vocabulary, (self.times + 1, self.batch))
            return text[:-1].copy(), text[1:].copy()
        image, classes = ((784,) if self.model == "mlp" else (1, 28, 28)), 10
        if self.net is not None:
            image, classes = (self.net.channels, self.net.size, self.net.size), self.net.classes
        x = draw.standard_normal((self.batch, *image), np.float32)
        return x, draw.integers(0, classes, self.batch)


def as_layer(weights: Arrays) -> Arrays:
    """A cell's weights under the names of the layer that runs it over a sequence."""
    return {
        name.replace("cell.", "layer.") + "_l0" if name.startswith("cell.") else name: array
        for name, array in weights.items()
    }


_TEXT = "embedding = hidden = {}, softmax at every step"
_GOALS = {"torch-eager": 1.0, "dezero": 8.0}
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("mlp", "mlp", "batch 100, 784-1000-10, relu", 100, 0.1, 20, _GOALS),
        Workload(
            "cnn", "cnn", "batch 64, 1x28x28; conv 3x3 to 32, relu, pool 2; the same to 64; 128, 10",
            64, 0.05, 5, _GOALS | {"torch-eager": 0.8},
        ),
        Workload(
            "rnn", "rnn", "50 steps, batch 32, 64 characters, tanh, " + _TEXT.format(128),
            32, 0.5, 10, _GOALS, times=50, vocabulary=64, width=128,
        ),
        Workload(
            "lstm", "lstm", "50 steps, batch 32, 64 characters, LSTM, " + _TEXT.format(128),
            32, 0.5, 6, _GOALS, times=50, vocabulary=64, width=128,
        ),
        Workload(
            "tiny", "lstm", "50 steps, batch 1, 16 characters, LSTM, " + _TEXT.format(8) + ": all dispatch",
            1, 0.5, 20, _GOALS, times=50, vocabulary=16, width=8,
        ),
    )
}  # fmt: skip
"""The five training steps, by name."""

_RESNET = "basic blocks of 64, 128, 256, 512 channels, two each, batch norm"
_GPT = "{} blocks of width {}, {} heads, causal attention, gelu; Adam"
_GPT_GOALS = {"torch-eager": 1.15}
LARGER = {
    workload.name: workload
    for workload in (
        Workload(
            "resnet18", "net", "batch 8, 3x32x32; " + _RESNET, 8, 1e-3, 3, {"torch-eager": 1.0}, net=RESNET18
        ),
        Workload(
            "resnet18-64", "net", "batch 64, 3x32x32; " + _RESNET, 64, 1e-3, 1, {"torch-eager": 1.0},
            net=RESNET18,
        ),
        Workload(
            "strided", "net", "batch 32, 3x32x32; conv 3x3 stride 2 to 32, 64, 128, batch norm, relu; 10",
            32, 1e-3, 10, {"torch-eager": 1.0}, net=STRIDED,
        ),
        Workload(
            "depthwise", "net",
            "batch 16, 32x16x16; depthwise 3x3 and 1x1 to 64, twice, batch norm, relu; pool 2; 10",
            16, 1e-3, 10, {"torch-eager": 1.0}, net=DEPTHWISE,
        ),
        Workload(
            "resnet50", "net", "batch 4, 3x224x224; bottlenecks 3, 4, 6, 3; 1,000 classes",
            4, 1e-3, 1, {}, net=RESNET50,
        ),
        Workload(
            "gpt", "gpt", "batch 16, 64 tokens of 64; " + _GPT.format(2, 128, 4), 16, 1e-3, 5, _GPT_GOALS,
            gpt=Gpt(64, 64, 128, 4, 2), optimiser="Adam",
        ),
        Workload(
            "gpt-long", "gpt", "batch 4, 256 tokens of 64; " + _GPT.format(2, 128, 4), 4, 1e-3, 5, _GPT_GOALS,
            gpt=Gpt(64, 256, 128, 4, 2), optimiser="Adam",
        ),
        Workload(
            "gpt-wide", "gpt", "batch 4, 256 tokens of 64; " + _GPT.format(6, 512, 8), 4, 1e-3, 1, _GPT_GOALS,
            gpt=Gpt(64, 256, 512, 8, 6), optimiser="Adam",
        ),
    )
}  # fmt: skip
"""Those that run only when they are named."""
EVERY = WORKLOADS | LARGER
