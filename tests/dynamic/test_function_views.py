"""Views of what is at hand are made at once in a decorated call, and keep to what their memory holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn, ops, optim
from shared.errors import RangeError
from tests.dynamic.test_function import Deco, Step, equal, held, outcomes, tensor, undecorated

IDS = np.random.default_rng(3).integers(0, 9, (20, 6, 4))
PROGRAMS: dict[str, Callable[[Deco], tuple[Step, Any]]] = {}


def program(fn: Callable[[Deco], tuple[Step, Any]]) -> Callable[[Deco], tuple[Step, Any]]:
    PROGRAMS[fn.__name__] = fn
    return fn


def _reading(deco: Deco, pick: Callable[[Any, int], Any], times: int) -> tuple[Any, Any]:
    """A step of a network that reads ids, some of them in each round."""
    embedding, cell, head = nn.Embedding(9, 5), nn.RNNCell(5, 5), nn.Linear(5, 9)
    opt = optim.SGD([p for m in (embedding, cell, head) for p in m.parameters()], lr=0.1)

    @deco
    def step(ids: Any, labels: Any) -> Any:
        state, loss = None, 0.0
        for t in range(times):
            state = cell(embedding(pick(ids, t)), state)
            loss = loss + ops.cross_entropy(head(state), pick(labels, t))
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    return step, [*held(embedding), *held(cell), *held(head)]


@program
def rows_of_ids(deco: Deco) -> tuple[Step, Any]:
    step, states = _reading(deco, lambda ids, t: ids[t], 6)
    return lambda i: step(dynamic.tensor(IDS[i % 20]), dynamic.tensor(IDS[i * 3 % 20])), states


@program
def columns_of_ids(deco: Deco) -> tuple[Step, Any]:
    """Which are in another order than C."""
    step, states = _reading(deco, lambda ids, t: ids[:, t], 4)
    return lambda i: step(dynamic.tensor(IDS[i % 20]), dynamic.tensor(IDS[i * 3 % 20])), states


@program
def views_of_views_of_an_array_that_others_have(deco: Deco) -> tuple[Step, Any]:
    shared = IDS[:2].copy()
    step, states = _reading(deco, lambda ids, t: ids.reshape(2, 3, 4)[t % 2][t // 2], 6)

    def call(i: int) -> Any:
        shared[:] = IDS[i % 20]
        return step(dynamic.from_numpy(shared)[0], dynamic.from_numpy(shared)[1])

    return call, states


@program
def parts_of_what_was_looked_at(deco: Deco) -> tuple[Step, Any]:
    """Results that no gradient flows through, and of them parts that index others."""
    table, layer = nn.Embedding(8, 12), nn.Linear(12, 8)

    @deco
    def step(x: Any) -> Any:
        with dynamic.no_grad():
            scores = ops.softmax(layer(x), axis=-1)
            best = ops.argmax(scores, axis=-1)
            if scores.max() > 2:
                return best
            for t in range(6):
                x = x + table(best[t]) * scores[t, 0]
        return x, best[1], scores[2]

    return lambda i: step(tensor(i)), held(table, layer)


@program
def changes_between_view_and_use(deco: Deco) -> tuple[Step, Any]:
    """Through the Tensor, through the view, and by an array that was taken out in between."""
    embedding = nn.Embedding(9, 5)

    @deco
    def step(ids: Any, i: int) -> Any:
        first, second, total = ids[0], ids[1][1:], 0.0
        for _ in range(10):
            total = total + embedding(first).sum()
        ids[0] = i % 9
        total = total + embedding(first).sum() * 2
        second[0] = (i + 1) % 9
        total = total + embedding(ids[1]).sum() * 3 + embedding(second).sum()
        raw = first.numpy()
        total = total + embedding(first).sum() * 5
        raw[1] = (i + 2) % 9
        return total + embedding(first).sum() * 7 + embedding(ids[0]).sum(), first, second, ids

    def call(i: int) -> Any:
        ids = dynamic.tensor(IDS[i % 20])
        with dynamic.no_grad():
            found = step(ids, i)
        found[1][2] = 8
        return found, ids

    return call, held(embedding)


@program
def an_array_that_was_taken_out_and_is_written_to_later(deco: Deco) -> tuple[Step, Any]:
    """What was computed before the write is of what stood there before, though it waits."""
    layer = nn.Linear(12, 12)

    @deco
    def step(x: Any) -> Any:
        y = layer(x)
        for _ in range(14):
            y = y * 1.01
        raw = y.numpy()
        z = (y + 1) * 2
        raw[0] = 100
        return z, z + y

    def call(i: int) -> Any:
        with dynamic.no_grad():
            return step(tensor(i))

    return call, held(layer)


@program
def views_with_and_without_a_history(deco: Deco) -> tuple[Step, Any]:
    """A tape that is asked for afterwards goes through the ones and by the others."""
    weight = nn.Parameter(np.arange(12, dtype="float32").reshape(3, 4))

    @deco
    def step(x: Any) -> Any:
        with dynamic.no_grad():
            still = x[1].reshape(2, 6)
        y = (x[0] * still.reshape(-1)).reshape(3, 4) * weight
        for _ in range(12):
            y = y * 1.01 + still[0].sum()
        return y[1:].sum(), still

    def call(i: int) -> Any:
        x = tensor(i, requires_grad=True)
        y, still = step(x)
        y.backward()
        found = [x.grad.numpy().copy(), weight.grad.numpy().copy(), y, still]
        weight.grad = None
        return found

    return call, [weight]


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_gives_what_the_function_gives(name: str) -> None:
    made: list[Any] = []

    def decorated(fn: Callable[..., Any]) -> Any:
        made.append(dynamic.function(fn))
        return made[-1]

    want = outcomes(PROGRAMS[name], undecorated, 20)
    got = outcomes(PROGRAMS[name], decorated, 20)
    for i, (a, b) in enumerate(zip(want, got, strict=True)):
        assert equal(a, b), f"{'states after' if i % 2 else 'what is given by'} call {i // 2} differ"
    assert made[0].tree.failure is None
    assert made[0].counts["compiled"] > 0.4 * made[0].counts["events"], made[0].explain()


@pytest.mark.parametrize("name", ["rows_of_ids", "columns_of_ids"])
def test_ids_that_are_sliced_out_of_an_input_end_no_stretch(name: str) -> None:
    made: list[Any] = []
    outcomes(PROGRAMS[name], lambda fn: made.append(dynamic.function(fn)) or made[-1], 8)  # type: ignore[func-returns-value]
    (end,) = made[0].tree.root.ends()
    assert [p.depth for p in end.path() if p.programs] == [end.depth]


def test_a_wrong_id_among_them_is_found_in_its_line() -> None:
    embedding = nn.Embedding(9, 5)
    seen: list[int] = []

    @dynamic.function
    def step(ids: Any) -> Any:
        total = 0.0
        for t in range(6):
            seen.append(t)
            total = total + embedding(ids[t]).sum()
        return total

    for i in range(6):
        step(dynamic.tensor(IDS[i]))
    wrong = IDS[0].copy()
    wrong[3, 2] = 9
    seen.clear()
    with pytest.raises(RangeError, match="id 9 at position 2 is out of range"):
        step(dynamic.tensor(wrong))
    assert seen == [0, 1, 2, 3]
