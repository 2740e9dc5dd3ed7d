"""Our models: engine-free, so `dynamic` and `static` train the same text.

Called with a batch and its labels; the loss comes out.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from comparisons.bench.nets import Conv, Net, Pool, Residual
from comparisons.bench.transformers import Gpt
from comparisons.bench.workloads import Workload, as_layer
from shared import nn, ops, optim
from shared.models import Transformer

try:
    VERSION = version("diptych")
except PackageNotFoundError:  # run from a checkout that was not installed
    VERSION = ""

KINDS = {"rnn": (nn.RNN, nn.RNNCell), "lstm": (nn.LSTM, nn.LSTMCell)}


class MLP(nn.Module):
    """Two layers."""

    def __init__(self) -> None:
        self.fc1, self.fc2 = nn.Linear(784, 1000), nn.Linear(1000, 10)

    def forward(self, x: Any, y: Any) -> Any:
        return ops.cross_entropy(self.fc2(ops.relu(self.fc1(x))), y)


class CNN(nn.Module):
    """Two convolutions, two layers."""

    def __init__(self) -> None:
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(3136, 128), nn.Linear(128, 10)

    def forward(self, x: Any, y: Any) -> Any:
        h = ops.max_pool2d(ops.relu(self.conv1(x)), 2)
        h = ops.max_pool2d(ops.relu(self.conv2(h)), 2)
        return ops.cross_entropy(self.fc2(ops.relu(self.fc1(ops.flatten(h, 1)))), y)


class ConvNet(nn.Module):
    """A net's parts one after the other, under the names of its weights."""

    def __init__(self, net: Net) -> None:
        self.parts, self.average = net.parts, net.average
        for conv in net.convolutions():
            made = nn.Conv2d(
                conv.inputs, conv.outputs, conv.kernel, conv.stride, conv.padding, groups=conv.groups,
                bias=not conv.norm,
            )  # fmt: skip
            setattr(self, conv.name, made)
            if conv.norm:
                setattr(self, f"{conv.name}_norm", nn.BatchNorm2d(conv.outputs))
        self.fc = nn.Linear(net.features, net.classes)

    def forward(self, x: Any, y: Any) -> Any:
        return ops.cross_entropy(self.logits(x), y)

    def logits(self, x: Any) -> Any:
        for part in self.parts:
            x = self.applied(part, x)
        return self.fc(x.mean((2, 3)) if self.average else ops.flatten(x, 1))

    def applied(self, part: Conv | Residual | Pool, x: Any) -> Any:
        if isinstance(part, Pool):
            pool = {"max": ops.max_pool2d, "mean": ops.avg_pool2d}[part.kind]
            return pool(x, part.size, part.stride, part.padding)
        if isinstance(part, Conv):
            return self.convolved(part, x)
        h = x
        for conv in part.body:
            h = self.convolved(conv, h)
        return ops.relu(h + (x if part.shortcut is None else self.convolved(part.shortcut, x)))

    def convolved(self, conv: Conv, x: Any) -> Any:
        x = getattr(self, conv.name)(x)
        x = getattr(self, f"{conv.name}_norm")(x) if conv.norm else x
        return ops.relu(x) if conv.relu else x


class Writer(Transformer):
    """The small language model that comes with Diptych, and its loss."""

    def __init__(self, gpt: Gpt) -> None:
        super().__init__(gpt.vocabulary, gpt.length, gpt.width, gpt.heads, gpt.blocks)

    def forward(self, x: Any, y: Any) -> Any:  # type: ignore[override]
        return ops.cross_entropy(self.logits(x), y)

    def logits(self, x: Any) -> Any:
        return super().forward(x)


class Layered(nn.Module):
    """A layer over the whole sequence, with its fused cell."""

    def __init__(self, workload: Workload) -> None:
        width = workload.width
        self.embedding = nn.Embedding(workload.vocabulary, width)
        self.layer = KINDS[workload.model][0](width, width)
        self.head = nn.Linear(width, workload.vocabulary)

    def forward(self, x: Any, y: Any) -> Any:
        h, _ = self.layer(self.embedding(x))
        return ops.cross_entropy(self.head(h), y)


class Looped(nn.Module):
    """The loop over time written by hand, around a cell."""

    def __init__(self, workload: Workload) -> None:
        width = workload.width
        self.embedding = nn.Embedding(workload.vocabulary, width)
        self.cell = KINDS[workload.model][1](width, width)
        self.head = nn.Linear(width, workload.vocabulary)
        self.times, self.carries = workload.times, workload.model == "lstm"

    def forward(self, x: Any, y: Any) -> Any:
        state, loss = None, 0.0
        for t in range(self.times):
            state = self.cell(self.embedding(x[t]), state)
            h = state[0] if self.carries else state
            loss = loss + ops.cross_entropy(self.head(h), y[t])
        return loss / self.times


class Scanned(Looped):
    """The same loop by `scan`: on static it is one node, which holds one step."""

    def forward(self, x: Any, y: Any) -> Any:
        start = ops.zeros((x.shape[1], self.embedding.weight.shape[1]), like=x)

        def step(state: Any, now: Any) -> tuple[Any, Any]:
            state = self.cell(self.embedding(now), state)
            return state, state[0] if self.carries else state

        _, h = ops.scan(step, (start, start) if self.carries else start, x)
        return ops.cross_entropy(self.head(h), y)


LOOPS = {"loop": Looped, "scan": Scanned}


def model(workload: Workload, style: str) -> Any:
    """The model of a workload, with the values to start from. `style`: "layer", "loop" or "scan"."""
    weights = workload.weights()
    if workload.model == "mlp":
        made: Any = MLP()
    elif workload.model == "cnn":
        made = CNN()
    elif workload.net is not None:
        made = ConvNet(workload.net)
    elif workload.gpt is not None:
        made = Writer(workload.gpt)
    elif style in LOOPS:
        made = LOOPS[style](workload)
    else:
        made, weights = Layered(workload), as_layer(weights)
    made.load_state_dict(made.state_dict() | weights)
    return made


def optimiser(workload: Workload, net: Any) -> Any:
    """The optimiser of a workload, over all parameters."""
    return getattr(optim, workload.optimiser)(net.parameters(), lr=workload.rate)
