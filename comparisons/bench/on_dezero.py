"""DeZero, the framework of the book "Deep Learning from Scratch 3": define-by-run on NumPy."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from time import perf_counter
from typing import Any

import numpy as np

if not hasattr(np, "int"):
    np.int = int  # type: ignore[attr-defined]  # DeZero 0.0.13 asks for the name that NumPy 1.24 dropped

import dezero.functions as F
import dezero.layers as L
from dezero import Model, Variable
from dezero.optimizers import SGD

from comparisons.bench.workloads import Arrays, Workload

VERSION = version("dezero")


class MLP(Model):
    """Two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = L.Linear(1000), L.Linear(10)

    def forward(self, x: Any, y: Any) -> Any:
        return F.softmax_cross_entropy(self.fc2(F.relu(self.fc1(x))), y)


class CNN(Model):
    """Two convolutions, two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = L.Conv2d(32, 3, pad=1), L.Conv2d(64, 3, pad=1)
        self.fc1, self.fc2 = L.Linear(128), L.Linear(10)

    def forward(self, x: Any, y: Any) -> Any:
        h = F.pooling(F.relu(self.conv1(x)), 2, 2)
        h = F.pooling(F.relu(self.conv2(h)), 2, 2)
        h = F.reshape(h, (h.shape[0], -1))
        return F.softmax_cross_entropy(self.fc2(F.relu(self.fc1(h))), y)


class Looped(Model):
    """The loop over time, around the layer that remembers its state."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self.embedding = L.EmbedID(workload.vocabulary, workload.width)
        self.cell = {"rnn": L.RNN, "lstm": L.LSTM}[workload.model](workload.width)
        self.head = L.Linear(workload.vocabulary)
        self.times = workload.times

    def forward(self, x: Any, y: Any) -> Any:
        self.cell.reset_state()
        loss = 0
        for t in range(self.times):
            h = self.cell(self.embedding(x[t]))
            loss = loss + F.softmax_cross_entropy(self.head(h), y[t])
        return loss * np.float32(1 / self.times)


def load(net: Any, workload: Workload) -> None:
    """The values to start from. There is one bias in a cell here, not two."""
    weights = workload.weights()
    for name in ("fc1", "fc2", "head"):
        if f"{name}.weight" in weights:
            _linear(getattr(net, name), weights[f"{name}.weight"], weights[f"{name}.bias"])
    for name in ("conv1", "conv2"):
        if f"{name}.weight" in weights:
            layer = getattr(net, name)
            layer.W.data, layer.b.data = weights[f"{name}.weight"], weights[f"{name}.bias"]
    if workload.recurrent:
        net.embedding.W.data = weights["embedding.weight"]
        _cell(net.cell, workload, weights)


def _linear(layer: Any, weight: Any, bias: Any = None) -> None:
    layer.W.data = np.ascontiguousarray(weight.T)
    if bias is not None:
        layer.b.data = bias


def _cell(layer: Any, workload: Workload, weights: Arrays) -> None:
    width, gates = workload.width, "h" if workload.model == "rnn" else "ifuo"
    bias = weights["cell.bias_ih"] + weights["cell.bias_hh"]
    for k, gate in enumerate(gates):
        rows = slice(k * width, (k + 1) * width)
        _linear(getattr(layer, f"x2{gate}"), weights["cell.weight_ih"][rows], bias[rows].copy())
        _linear(getattr(layer, f"h2{gate}"), weights["cell.weight_hh"][rows])


def train(workload: Workload, style: str) -> Iterator[str | float]:
    """Yields "build", then the loss of a step after each. Its cross entropy multiplies by a Python
    number, which it makes a float64 array, so all its gradients are float64."""
    models: dict[str, Any] = {"mlp": MLP, "cnn": CNN}
    net = Looped(workload) if workload.recurrent else models[workload.model]()
    load(net, workload)
    optimizer = SGD(workload.rate).setup(net)
    x, y = workload.data()
    yield "build"
    while True:
        loss = net(x, y)
        net.cleargrads()
        loss.backward()
        optimizer.update()
        yield loss.data.item()


def chain(count: int) -> Callable[[], tuple[float, float]]:
    """As `on_dynamic.chain`."""
    x, a, b = (Variable(np.array([value], np.float32)) for value in (1.0, 0.999, 0.001))

    def run() -> tuple[float, float]:
        for variable in (x, a, b):
            variable.cleargrad()
        start = perf_counter()
        y = x
        for _ in range(count // 2):
            y = y * a
            y = y + b
        middle = perf_counter()
        y.backward()
        return middle - start, perf_counter() - middle

    return run
