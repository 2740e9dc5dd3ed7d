"""Law 8: what `dynamic` records of a straight-line step and what `static` builds of it are the
same graph, up to names.

A tape holds what gradients flow through and nothing else, so of the static graph that part is
taken: what lies between the leaves that are differentiated and what is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import networkx
import numpy as np
import pytest
from networkx.algorithms.isomorphism import categorical_multiedge_match

import dynamic
import static
from shared import nn, ops
from shared.op import settings_key
from shared.picture import INPUT, PARAMETER

same_edge = categorical_multiedge_match(["output", "argument"], [None, None])


def same_node(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a["what"] == b["what"]


def differentiable_part(graph: Any, leaves: str = PARAMETER) -> Any:
    """What lies between the leaves of one kind and the results, along edges that carry gradients."""
    flow = networkx.MultiDiGraph()
    flow.add_nodes_from(graph)
    flow.add_edges_from(
        (a, b, {"output": data["output"], "argument": data["argument"]})
        for a, b, data in graph.edges(data=True)
        if data["gradient"]
    )
    starts = [node for node, kind in graph.nodes(data="kind") if kind == leaves]
    below = set(starts).union(*(networkx.descendants(flow, start) for start in starts))
    asked = {node for node, _ in graph.graph["results"]}
    above = asked.union(*(networkx.ancestors(flow, node) for node in asked))
    part = flow.subgraph(below & above).copy()
    for node in part:
        data = graph.nodes[node]
        part.nodes[node]["what"] = (
            data["kind"],
            data["op"],
            settings_key(data["settings"]),
            [(position, repr(number)) for position, number in data["numbers"].items()],
            data["outputs"],
            [at for at, (result, _) in enumerate(graph.graph["results"]) if result == node],
        )
    return part


def assert_same(tape: Any, graph: Any, leaves: str = PARAMETER) -> None:
    ours, theirs = differentiable_part(tape, leaves), differentiable_part(graph, leaves)
    assert len(ours) > 3
    assert sorted(str(what) for _, what in ours.nodes(data="what")) == sorted(
        str(what) for _, what in theirs.nodes(data="what")
    )
    assert networkx.is_isomorphic(ours, theirs, same_node, same_edge)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(16, 3),
    )  # fmt: skip


class Recurrent(nn.Module):
    """An LSTM cell over the columns of x, unrolled by Python."""

    def __init__(self) -> None:
        self.cell, self.out = nn.LSTMCell(2, 4), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        state = None
        for t in range(x.shape[1] // 2):
            state = self.cell(x[:, 2 * t : 2 * t + 2], state)
        return self.out(state[0])


MODELS = pytest.mark.parametrize(
    ("make", "shape"), [(mlp, (8, 6)), (cnn, (8, 1, 8, 8)), (Recurrent, (8, 6))], ids=["mlp", "cnn", "lstm"]
)


def recorded(make: Callable[[], nn.Module], shape: tuple[int, ...], step: Any) -> Any:
    nn.manual_seed(0)
    rng = np.random.default_rng(1)
    x, labels = rng.standard_normal(shape, np.float32), rng.integers(0, 3, shape[0])
    model = make()
    return dynamic.to_networkx(step(model, dynamic.tensor(x), labels, record))


def built(make: Callable[[], nn.Module], shape: tuple[int, ...], step: Any) -> Any:
    nn.manual_seed(0)
    with static.Graph().as_default():
        x = static.placeholder("float32", shape, name="x")
        labels = static.placeholder("int64", shape[:1], name="labels")
        return static.to_networkx(step(make(), x, labels, static.gradients))


def record(y: Any, xs: Sequence[Any]) -> list[Any]:
    return dynamic.grad(y, xs, create_graph=True)


def forward(model: nn.Module, x: Any, labels: Any, gradients: Any) -> Any:
    return ops.cross_entropy(model(x), labels)


def forward_and_backward(model: nn.Module, x: Any, labels: Any, gradients: Any) -> Any:
    loss = ops.cross_entropy(model(x), labels)
    return [loss, *gradients(loss, list(model.parameters()))]


def gradient_penalty(model: nn.Module, x: Any, labels: Any, gradients: Any) -> Any:
    parameters = list(model.parameters())
    loss = ops.cross_entropy(model(x), labels)
    first = gradients(loss, parameters)
    penalty = sum((ops.sum(g * g) for g in first[1:]), ops.sum(first[0] * first[0]))
    return [penalty, *gradients(penalty, parameters)]


@MODELS
@pytest.mark.parametrize("step", [forward, forward_and_backward])
def test_the_tape_of_a_step_is_the_graph_of_the_step(make: Any, shape: Any, step: Any) -> None:
    assert_same(recorded(make, shape, step), built(make, shape, step))


def test_the_tape_of_a_second_derivative_is_its_graph() -> None:
    arguments = (mlp, (8, 6), gradient_penalty)
    assert_same(recorded(*arguments), built(*arguments))


def test_backward_leaves_gradients_whose_tape_is_the_graph_of_gradients() -> None:
    def by_backward(y: Any, xs: Sequence[Any]) -> list[Any]:
        y.backward(create_graph=True)
        return [x.grad for x in xs]

    nn.manual_seed(0)
    x, labels = np.ones((8, 6), np.float32), np.zeros(8, np.int64)
    tape = dynamic.to_networkx(forward_and_backward(mlp(), dynamic.tensor(x), labels, by_backward))
    assert_same(tape, built(mlp, (8, 6), forward_and_backward))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_every_derivative_of_tanh_has_one_graph(order: int) -> None:
    def nth(x: Any, gradients: Any) -> Any:
        y = ops.tanh(x) * x
        for _ in range(order):
            (y,) = gradients(y, [x])
        return y

    x = dynamic.tensor(np.float64(0.5), requires_grad=True)
    with static.Graph().as_default():
        graph = static.to_networkx(nth(static.placeholder("float64", ()), static.gradients))
    assert_same(dynamic.to_networkx(nth(x, record)), graph, INPUT)


@pytest.mark.parametrize(
    "other",
    [
        lambda a, b: ops.exp(b - a) * a,
        lambda a, b: ops.exp(a - b) * b,
        lambda a, b: ops.exp(a - b) * a * 2,
        lambda a, b: ops.sum(ops.exp(a - b) * a, 0),
    ],
    ids=["arguments swapped", "another source", "one more node", "another end"],
)
def test_different_programs_are_different_graphs(other: Any) -> None:
    def written(call: Any) -> Any:
        a, b = (dynamic.tensor(np.ones((2, 3)), requires_grad=True) for _ in range(2))
        return differentiable_part(dynamic.to_networkx(call(a, b)), INPUT)

    reference = written(lambda a, b: ops.exp(a - b) * a)
    assert networkx.is_isomorphic(reference, written(lambda a, b: ops.exp(a - b) * a), same_node, same_edge)
    assert not networkx.is_isomorphic(reference, written(other), same_node, same_edge)
