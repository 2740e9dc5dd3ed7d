"""Recurrent layers over many steps: a graph holds a block of them, whatever their number, and the numbers are
those of the steps one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops
from shared.nn import recurrent

LAYERS: dict[str, Any] = {
    "rnn": lambda: nn.RNN(3, 4),
    "lstm, two directions": lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True),
    "lstm, a projection": lambda: nn.LSTM(3, 4, proj_size=2),
    "gru": lambda: nn.GRU(3, 4),
}


def loss_of(layer: Any, x: Any, lengths: Any) -> Any:
    y, last = layer(x, lengths=lengths)
    total = ops.sum(ops.sin(y * 3))
    for value in last if isinstance(last, tuple) else (last,):
        total = total + ops.sum(value * value)
    return total


def on_dynamic(layer: Any, x: Any, lengths: Any) -> list[Any]:
    layer.zero_grad()
    given = dynamic.tensor(x, requires_grad=True)
    loss = loss_of(layer, given, lengths)
    loss.backward()
    return [loss.numpy(), given.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]


def on_static(layer: Any, x: Any, lengths: Any, level: str) -> list[Any]:
    graph = static.Graph()
    with graph.as_default():
        given = static.placeholder(x.dtype, x.shape)
        loss = loss_of(layer, given, lengths)
        fetched = [loss, *static.gradients(loss, [given, *layer.parameters()])]
        start = static.global_variables_initializer()
    with static.Session(graph=graph, optimize=level) as session:
        session.run(start)
        return session.run(fetched, {given: x})


@pytest.mark.parametrize(
    ("steps", "lengths"), [(6, None), (8, None), (8, np.array([8, 3]))], ids=["even", "more", "lengths"]
)
@pytest.mark.parametrize("name", LAYERS)
def test_blocks_of_steps_give_what_the_steps_give(
    name: str, lengths: Any, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With steps left over and without, and on both engines the very bits."""
    nn.manual_seed(0)
    layer, x = LAYERS[name](), np.random.default_rng(1).standard_normal((steps, 2, 3)).astype(np.float32)
    one_by_one = on_dynamic(layer, x, lengths)
    monkeypatch.setattr(recurrent, "UNROLLED", 4)
    monkeypatch.setattr(recurrent, "BLOCK", 3)
    blocks = on_dynamic(layer, x, lengths)
    for ours, right in zip(blocks, one_by_one, strict=True):
        np.testing.assert_allclose(ours, right, rtol=2e-5, atol=2e-5)
    for ours, right in zip(on_static(layer, x, lengths, "exact"), blocks, strict=True):
        np.testing.assert_array_equal(ours, right)
    fast = on_static(layer, x, lengths, "fast") if (steps, lengths) == (6, None) else blocks
    for ours, right in zip(fast, blocks, strict=True):
        np.testing.assert_allclose(ours, right, rtol=2e-5, atol=2e-5)


def test_a_graph_does_not_grow_with_the_steps() -> None:
    layer, counts = nn.LSTM(3, 4), []
    for steps in (10, 100):
        with static.Graph().as_default() as graph:
            x = static.placeholder("float32", ((recurrent.UNROLLED // recurrent.BLOCK + steps) * 32, 2, 3))
            static.gradients(loss_of(layer, x, None), list(layer.parameters()))
        counts.append(len(graph.nodes))
    assert counts[0] == counts[1] < 200


def test_a_loop_in_python_takes_the_time_of_its_steps() -> None:
    """What flows back to each x of a scan is one array, and not one of all x for each."""
    x = dynamic.tensor(np.ones((50, 3)), requires_grad=True)
    _, y = ops.scan(lambda carry, now: (carry + now, carry * now), ops.zeros((3,), "float64", like=x), x)
    shown = dynamic.show(ops.sum(y))
    assert "getitem" not in shown and shown.count("unbind") == 1
