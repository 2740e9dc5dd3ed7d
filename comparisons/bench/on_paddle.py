"""PaddlePaddle on the CPU: the same layers in its dynamic and in its static mode."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from comparisons.bench.workloads import Workload

VERSION = paddle.__version__


class MLP(nn.Layer):
    """Two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 1000), nn.Linear(1000, 10)

    def forward(self, x: Any, y: Any) -> Any:
        return F.cross_entropy(self.fc2(F.relu(self.fc1(x))), y)


class CNN(nn.Layer):
    """Two convolutions, two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2D(1, 32, 3, padding=1), nn.Conv2D(32, 64, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(3136, 128), nn.Linear(128, 10)

    def forward(self, x: Any, y: Any) -> Any:
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2)
        return F.cross_entropy(self.fc2(F.relu(self.fc1(paddle.flatten(h, 1)))), y)


class Looped(nn.Layer):
    """The loop over time written by hand, around a cell."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        width = workload.width
        kind = {"rnn": nn.SimpleRNNCell, "lstm": nn.LSTMCell}[workload.model]
        self.embedding = nn.Embedding(workload.vocabulary, width)
        self.cell = kind(width, width)
        self.head = nn.Linear(width, workload.vocabulary)
        self.times = workload.times

    def forward(self, x: Any, y: Any) -> Any:
        state, loss = None, 0.0
        for t in range(self.times):
            h, state = self.cell(self.embedding(x[t]), state)
            loss = loss + F.cross_entropy(self.head(h), y[t])
        return loss / self.times


def model(workload: Workload) -> Any:
    """The model of a workload."""
    models = {"mlp": MLP, "cnn": CNN}
    return models[workload.model]() if workload.model in models else Looped(workload)


def weights(net: Any, workload: Workload) -> Iterator[tuple[Any, Any]]:
    """Each parameter with the value to start from. Linear layers hold theirs transposed here."""
    parameters = dict(net.named_parameters())
    for name, array in workload.weights().items():
        linear = name.startswith(("fc", "head")) and name.endswith("weight")
        yield parameters[name], np.ascontiguousarray(array.T if linear else array)


def train(workload: Workload, style: str) -> Iterator[str | float]:
    """Yields "build", then the loss of a step after each."""
    return in_static(workload) if style == "static" else in_dynamic(workload)


def in_dynamic(workload: Workload) -> Iterator[str | float]:
    """Define-by-run."""
    net = model(workload)
    for parameter, value in weights(net, workload):
        parameter.set_value(value)
    optimizer = paddle.optimizer.SGD(workload.rate, parameters=net.parameters())
    x, y = (paddle.to_tensor(array) for array in workload.data())
    yield "build"
    while True:
        loss = net(x, y)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        yield loss.item()


def in_static(workload: Workload) -> Iterator[str | float]:
    """Define-and-run."""
    paddle.enable_static()
    x, y = workload.data()
    main, start = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, start):
        x_in = paddle.static.data("x", x.shape, str(x.dtype))
        y_in = paddle.static.data("y", y.shape, str(y.dtype))
        net = model(workload)
        loss = net(x_in, y_in)
        paddle.optimizer.SGD(workload.rate).minimize(loss)
    executor = paddle.static.Executor(paddle.CPUPlace())
    executor.run(start)
    for parameter, value in weights(net, workload):
        held = paddle.static.global_scope().find_var(parameter.name)
        held.get_tensor().set(value, paddle.CPUPlace())
    yield "build"
    while True:
        (value,) = executor.run(main, {"x": x, "y": y}, [loss])
        yield value.item()
