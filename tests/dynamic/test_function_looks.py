"""What a look leaves alive is no reason to run plainly: results of other ops, views, numbers that change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn, ops, optim
from static.bridge.paths import Compiler
from tests.dynamic.test_function import Deco, Step, equal, held, mlp, outcomes, tensor, undecorated

PROGRAMS: dict[str, Callable[[Deco], tuple[Step, Any]]] = {}


def program(fn: Callable[[Deco], tuple[Step, Any]]) -> Callable[[Deco], tuple[Step, Any]]:
    PROGRAMS[fn.__name__] = fn
    return fn


@program
def what_reshapes_inside(deco: Deco) -> tuple[Step, Any]:
    """A Tensor that lives at a look, whose array is a view of a buffer that its op alone had."""
    model = mlp(12, 16, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def step(x: Any) -> Any:
        logits = model(x)
        losses = ops.cross_entropy(logits, np.zeros(8, np.int64), reduction="none")
        weight = 1.0 if losses.max() > 0.5 else 0.5
        loss = losses.mean() * weight + 0.01 * (logits * logits).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss, logits

    return lambda i: step(tensor(i)), held(model, opt)


@program
def views_that_live(deco: Deco) -> tuple[Step, Any]:
    """Of what was computed, of a view, of an argument, of a Parameter; what is written through one shows "
    "in the
    others, later in the call and behind it."""
    layer = nn.Linear(12, 12)

    @deco
    def step(x: Any) -> Any:
        y = layer(x)
        for _ in range(16):
            y = y * 1.01
        rows, of_input, of_weight = y[2:6], x[:2], layer.weight[1:3]
        part = rows.reshape(2, 2, 12)[1]
        first, second = ops.split(y.reshape(-1), 2)
        if y.sum() > 0:
            part[0] = 5
        for _ in range(16):
            y = y + 0.01
        below = part[1:]
        below[0] = 7
        return rows, part, of_input, of_weight, first, second, below, y

    def call(i: int) -> Any:
        x = tensor(i)
        with dynamic.no_grad():
            found = step(x)
        found[0][1] = 3
        x[0] = 2
        shown = [part.numpy().copy() for part in found]
        layer.weight.assign(layer.weight * 0.99)
        return shown, list(found)

    return call, held(layer)


@program
def views_with_a_history(deco: Deco) -> tuple[Step, Any]:
    model = mlp(12, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def step(x: Any) -> Any:
        kept = []
        for row in model(x):
            kept.append(row)
        if kept[0].max() > 0.1:
            kept = kept[1:]
        weight = model[0].weight[0]
        loss = ops.stack(kept).mean() + weight.sum() * 0.1
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss, kept[-1], weight

    return lambda i: step(tensor(i)), held(model, opt)


@program
def a_bound_that_moves(deco: Deco) -> tuple[Step, Any]:
    """A number that is another in each call, and that a value is compared with."""
    model = mlp(12, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)
    losses: list[float] = []

    @deco
    def step(x: Any) -> Any:
        loss = (model(x) ** 2).mean()
        better = not losses or loss < min(losses)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item() * (1 if len(losses) % 3 else 0.9))
        return loss, better, ops.greater_equal(loss, losses[-1]), 0.5 == loss

    return lambda i: step(tensor(i % 2)), held(model, opt)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_gives_what_the_function_gives_by_programs(name: str) -> None:
    made: list[dynamic.bridge.Function] = []

    def decorated(fn: Callable[..., Any]) -> Any:
        made.append(dynamic.function(fn))
        return made[-1]

    want = outcomes(PROGRAMS[name], undecorated, 24)
    got = outcomes(PROGRAMS[name], decorated, 24)
    for i, (a, b) in enumerate(zip(want, got, strict=True)):
        assert equal(a, b), f"{'states after' if i % 2 else 'what is given by'} call {i // 2} differ"
    (fn,) = made
    assert fn.tree.failure is None
    assert not fn.plain, fn.explain()
    assert fn.counts["compiled"] > 0.6 * fn.counts["events"], fn.explain()


def test_it_says_how_much_ran_in_programs() -> None:
    @dynamic.function
    def step(x: Any) -> Any:
        for _ in range(20):
            x = x * 1.01
        return x

    for i in range(6):
        step(tensor(i))
    assert step.counts == {"plain": 1, "followed": 5, "events": 100, "compiled": 80}
    assert "5 of 6 calls followed; 80% of what happened in them ran in programs" in step.explain()
    assert "20 events, about 20 ops: compiled to event 20 (1 program)" in step.explain()


def test_a_path_becomes_a_graph_once_however_often_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the graph is let go when nothing more is compiled of it."""
    made: list[int] = []
    path = Compiler.path

    def counted(self: Any, events: Any, level: str) -> Any:
        made.append(len(events))
        return path(self, events, level)

    monkeypatch.setattr(Compiler, "path", counted)

    @dynamic.function
    def step(x: Any) -> Any:
        for _ in range(5):
            for _ in range(6):
                x = x * 1.01
            if x.sum() > 1e9:
                break
        return x

    for i in range(6):
        step(tensor(i))
    assert made == [40]
    assert step.counts["compiled"] == 4 * 40
    assert not step.tree.graphs
