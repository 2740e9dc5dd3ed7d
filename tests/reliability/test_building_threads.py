"""Several threads that build one graph: one order, one name, one variable for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import static
from shared import nn

THREADS, EACH = 6, 20


@pytest.fixture(autouse=True)
def in_small_turns() -> Iterator[None]:
    """Threads change places wherever one calls a function or comes back."""
    threading.setprofile(lambda frame, event, about: time.sleep(0))
    yield
    threading.setprofile(None)


def together(work: Callable[[int], Any]) -> list[Any]:
    """What each of the threads gives, which begin at once."""
    begin, found = threading.Barrier(THREADS), [None] * THREADS

    def one(number: int) -> None:
        begin.wait()
        found[number] = work(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert None not in found
    return found


def test_every_node_has_an_order_and_a_name_of_its_own_and_computes_what_was_said() -> None:
    graph = static.Graph()
    model = nn.Linear(3, 3)
    with graph.as_default():
        x = static.placeholder("float32", (3,))

    def build(number: int) -> Any:
        with graph.as_default():
            y = x
            for i in range(EACH):
                y = y * 1.0 + float(number + i)
            return y, model(x)

    made = together(build)
    assert [node.order for node in graph.nodes] == list(range(len(graph.nodes)))
    assert len({node.name for node in graph.nodes}) == len(graph.nodes)
    assert all(graph.find(node.name) is node for node in graph.nodes)
    for y, _ in made:  # each thread's own nodes in its own order
        orders = [y.node.order]
        while isinstance(y, static.Tensor) and y.node.inputs:
            y = y.node.inputs[0]
            orders.append(y.node.order)
        assert orders == sorted(orders, reverse=True)
    assert [variable.name for variable in graph.variables] == ["weight", "bias"]
    with static.Session(graph) as session:
        session.load(model)
        values = session.run([list(pair) for pair in made], {x: np.zeros(3)})
    for number, (y, z) in enumerate(values):
        assert (y == EACH * number + EACH * (EACH - 1) / 2).all()
        np.testing.assert_array_equal(z, values[0][1])


def test_variables_seeds_and_reads_are_made_once() -> None:
    graph = static.Graph()
    graph.seed = 1

    def build(number: int) -> Any:
        with graph.as_default():
            seeds = [graph.next_seed() for _ in range(EACH)]
            with static.variable_scope("shared", reuse=static.AUTO_REUSE):
                v = static.get_variable("v", (2,))
            return v, v.initializer, v.value(), seeds

    made = together(build)
    assert len({id(v) for v, *_ in made}) == len({id(i) for _, i, *_ in made}) == 1
    assert len({id(read) for *_, read, _ in made}) == 1
    seeds = [seed for *_, some in made for seed in some]
    assert len(set(seeds)) == THREADS * EACH
