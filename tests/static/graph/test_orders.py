"""An adversary schedules: any order that respects what depends on what gives the same results.

The order of effects is part of the program; everything else may be moved. So a run's nodes are
put into random legal orders, by seed, and compiled as they are."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import static
from shared import nn, ops, optim
from shared.op import Op
from static.compile.program import Program
from static.graph.graph import ASSIGN, Node, Tensor
from static.graph.select import Selection, select


def shuffled(selection: Selection, seed: int) -> Selection:
    """The same nodes in a random legal order: after what they use, what they wait for and the
    assignment that they see, and effects among themselves in the program's order."""
    rng = random.Random(seed)
    inside = set(selection.nodes)
    after: dict[Node, set[Node]] = {}
    effect: Node | None = None
    for node in selection.nodes:
        before = {x.node for x in node.inputs if isinstance(x, Tensor)} | set(node.control)
        if node in selection.seen:
            before.add(selection.seen[node].node)
        if node.op is ASSIGN or (isinstance(node.op, Op) and not node.op.pure):
            before |= {effect} if effect is not None else set()
            effect = node
        after[node] = before & inside
    order: list[Node] = []
    while after:
        ready = sorted((node for node, before in after.items() if not before), key=lambda n: n.order)
        node = rng.choice(ready)
        order.append(node)
        del after[node]
        for before in after.values():
            before.discard(node)
    return Selection(order, selection.seen, selection.stores)


def run_all_ways(fetches: list[Any], feeds: dict[Any, Any], seeds: int = 15) -> None:
    """Every order gives the fetched values, and the stored ones, of program order, to the bit."""
    graph = fetches[0].graph
    fed = list(feeds)
    targets = [f for f in fetches if not isinstance(f, static.Variable)]
    values = [f for f in fetches if not isinstance(f, Node)]
    selection = select(graph, targets, fed)
    start = {variable: variable.initial() for variable in graph.variables}
    want, stored = Program(selection, fed, values)(list(feeds.values()), start)
    for seed in range(seeds):
        other = shuffled(selection, seed)
        got, kept = Program(other, fed, values)(list(feeds.values()), start)
        for a, b in zip((*want, *stored.values()), (*got, *(kept[v] for v in stored)), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def test_reads_see_their_own_assignment_in_every_order() -> None:
    v, w = static.Variable(1.0), static.Variable(10.0)
    first = v + 0
    a = v.assign(v * 3)
    second = v + w
    b = w.assign(w + v)
    c = v.assign(v + w)
    run_all_ways([first, a, second, b, c, v * w, v, w], {})


def test_a_training_step_of_a_model_with_state_is_one_in_every_order() -> None:
    nn.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(8, 3)
    )
    x, y = static.placeholder("float32", ("N", 1, 4, 4)), static.placeholder("int64", ("N",))
    loss = ops.cross_entropy(model(x), y)
    train = optim.Adam(model.parameters(), lr=0.01).minimize(loss)
    data = np.random.default_rng(0).standard_normal((5, 1, 4, 4)).astype(np.float32)
    run_all_ways([loss, train], {x: data, y: np.array([0, 1, 2, 0, 1])}, seeds=6)


def test_prints_and_checks_keep_the_programs_order(capfd: pytest.CaptureFixture[str]) -> None:
    x = static.placeholder("float32", ())
    shown = [static.Print(x * k, [x * k], f"{k} ") for k in range(6)]
    run_all_ways([sum(shown[1:], shown[0])], {x: np.float32(1)}, seeds=10)
    lines = capfd.readouterr().err.split("\n")[:-1]
    assert lines == [f"{k} {k}." for k in range(6)] * 11


def test_random_draws_and_dropout_draw_the_same_in_every_order() -> None:
    layer, x = nn.Dropout(0.5), static.placeholder("float32", (20,))
    noise = static.random_normal((20,), seed=1)
    run_all_ways([layer(x) + noise, layer(x) * noise], {x: np.ones(20, np.float32)})
