"""Programs to look at: a training graph, an unrolled loop, a loop of the graph, random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import dynamic
import static
from shared import nn, ops, optim


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def unrolled(steps: int) -> dynamic.Tensor:
    """The loss of a recurrent net, unrolled by Python."""
    cell, out = nn.RNNCell(3, 4), nn.Linear(4, 2)
    state, losses = None, []
    for _ in range(steps):
        state = cell(dynamic.tensor(np.ones((5, 3), np.float32)), state)
        losses.append(ops.cross_entropy(out(state), np.zeros(5, np.int64)))
    return sum(losses[1:], losses[0])


def training_graph(optimizer: Any = optim.SGD) -> tuple[Any, Any]:
    """A loss and the operation of one step, in the default graph."""
    x = static.placeholder("float32", ("N", 3), name="x")
    labels = static.placeholder("int64", ("N",), name="labels")
    model = mlp()
    loss = ops.cross_entropy(model(x), labels)
    return loss, optimizer(model.parameters(), lr=0.1).minimize(loss)


def summed() -> tuple[Any, Any]:
    """A recurrent sum as a loop of the graph, and its derivative by the weight."""
    xs = static.placeholder("float32", ("T", 4), name="xs")
    w = static.Variable(np.float32(0.5), name="w")

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        h = ops.tanh(h * w) + x
        return h, h

    last, _ = static.scan(step, ops.zeros(4, like=xs), xs)
    loss = ops.sum(last)
    return loss, static.gradients(loss, [w])[0]


OPS = {
    1: [ops.exp, ops.tanh, lambda a: ops.sum(a, 0, keepdims=True), lambda a: 2 - a],
    2: [lambda a, b: a * b, lambda a, b: a - b, lambda a, b: ops.maximum(a, b)],
}
programs = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 3), st.integers(1, 6), st.integers(1, 6)),
    min_size=1,
    max_size=40,
)


def written(program: Any, x: Any) -> Any:
    values = [x, ops.exp(x)]
    for count, which, *back in program:
        op = OPS[count][which % len(OPS[count])]
        values.append(op(*(values[-min(at, len(values))] for at in back[:count])))
    return values[-1]
