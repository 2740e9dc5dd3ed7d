"""Random programs give the same results whichever passes are left out.

Each is a few ops on a few values: arithmetic, products, views, reductions, loops, branches,
variables that are assigned and read again, random draws. Whatever a pass does, fetched values and
stored ones must come out the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import static
from shared import ops
from tests.static.checker import checked

NAMES = [*(one.name for one in static.PASSES), "plan"]
SIZE = 3


class Program:
    """A graph that a list of numbers describes."""

    def __init__(self, choices: list[int]) -> None:
        self.choices = iter(choices)
        self.graph = static.Graph()
        with self.graph.as_default():
            static.set_random_seed(1)
            self.x = static.placeholder("float64", ("N", SIZE), name="x")
            self.w = static.Variable(np.linspace(-1, 1, SIZE * SIZE).reshape(SIZE, SIZE), name="w")
            self.values: list[Any] = [self.x, self.x * 1.0, self.w.value()]
            self.effects: list[Any] = []
            for choice in self.choices:
                STEPS[choice % len(STEPS)](self)
            total = sum((ops.sum(v * v) for v in self.values[3:]), ops.sum(self.x))
            slopes = static.gradients(total, [self.x, self.w])
            self.fetches = [total, *self.values[-3:], *[g for g in slopes if g is not None], *self.effects]

    def rows(self) -> Any:
        """One of those that have a row for each example."""
        fitting = [v for v in self.values if len(v.shape) == 2 and v.shape[0] is not SIZE and v is not self.w]
        return fitting[next(self.choices, 0) % len(fitting)]

    def give(self, value: Any) -> None:
        """One more value."""
        self.values.append(value)


def _binary(op: Any) -> Any:
    def step(p: Program) -> None:
        a = p.rows()
        p.give(op(a, p.rows()))

    return step


def _unary(op: Any) -> Any:
    return lambda p: p.give(op(p.rows()))


def _assign(p: Program) -> None:
    p.effects.append(p.w.assign(p.w * 0.5 + 0.1))
    p.give(p.rows() @ p.w)


def _scan(p: Program) -> None:
    xs = ops.stack([p.rows(), p.rows()])
    start = ops.zeros_like(p.rows())
    last, ys = static.scan(lambda h, x: (ops.tanh(x @ p.w + h), h * x), start, xs)
    p.give(last)
    p.give(ys[0])


def _cond(p: Program) -> None:
    a, b = p.rows(), p.rows()
    p.give(static.cond(ops.sum(a) > 0, lambda: a * 2 + b, lambda: a - b))


def _unrolled(p: Program) -> None:
    h = p.rows()
    for _ in range(3):
        h = ops.tanh(ops.linear(p.rows(), p.w) + h)
    p.give(h)


STEPS: list[Any] = [
    _binary(lambda a, b: a + b), _binary(lambda a, b: a * b), _binary(lambda a, b: a - b),
    _binary(ops.maximum), _unary(ops.tanh), _unary(lambda a: -a), _unary(lambda a: a * 1),
    _unary(lambda a: ops.exp(a * 0.1)), _unary(lambda a: ops.log(ops.softmax(a))),
    _unary(lambda a: ops.log(1 + ops.exp(a))), _unary(lambda a: a / (1 + a * a)),
    _unary(lambda a: ops.transpose(ops.transpose(a)) * 1.5), _unary(lambda a: a[:, ::-1]),
    _unary(lambda a: ops.reshape(ops.reshape(a, (-1,)), (-1, SIZE))),
    _unary(lambda a: ops.broadcast_to(ops.mean(a, axis=1, keepdims=True), a.shape) + a),
    _unary(lambda a: ops.where(a > 0, a, a * 0.1)), _unary(lambda a: a ** 2),
    lambda p: p.give(p.rows() @ p.w), _assign, _scan, _cond, _unrolled,
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.integers(0, 1000), min_size=3, max_size=14),
    st.lists(st.sampled_from(NAMES), max_size=len(NAMES), unique=True),
    st.integers(1, 4),
)
def test_any_passes_left_out_give_the_same_results(choices: list[int], without: list[str], rows: int) -> None:
    program = Program(choices)
    x = np.random.default_rng(len(choices)).standard_normal((rows, SIZE))
    found = []
    for level, left_out in (("exact", ()), ("fast", without), ("fast", ())):
        with checked(), static.Session(program.graph, level, left_out) as session, np.errstate(all="ignore"):
            with program.graph.as_default():
                session.run([v.initializer for v in program.graph.variables])
            runs = [session.run(program.fetches, {program.x: x}) for _ in range(2)]
            found.append([*runs[0], *runs[1], session.run(program.w)])
    for other in found[1:]:
        for want, got in zip(found[0], other, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10)
