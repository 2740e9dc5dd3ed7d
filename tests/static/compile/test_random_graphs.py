"""Random programs give the same results on both engines, and whichever passes are left out.

One kind is a few ops on a few values: arithmetic, products, views, reductions, loops, branches,
variables that are assigned and read again. Whatever a pass does, fetched values and stored ones must
come out the same. The other draws from the whole table of ops, by their cases, and chains each call on
what was just made; it is held against `dynamic`, to the bit at `exact`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import dynamic
import static
from shared import ops
from shared.errors import DiptychError
from shared.op import TABLE
from tests.cases import all_cases
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


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
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


# --- from the whole table ------------------------------------------------------------------

CASES = [
    case for case in all_cases()
    if all(np.size(a) < 500 for a in case.args)
    and case.op not in ("argwhere", "bincount", "unique_rows")
    and not (case.op == "getitem" and any(np.asarray(a).dtype == bool for a in case.args))
    and case.name != "masked_select"
]  # fmt: skip
"""Those that are quickly done, and give something whose size is known."""
ELEMENTWISE = [op for op in TABLE.values() if op.scalar is not None and op.single and len(op.inputs) <= 2]
NUMBERS = (0, 1, -1, 2, 0.5, 1.0, -0.0, 3)
LARGE = 50.0
"""Beyond this the next step works on tanh of a value, so that programs do not run away."""


class Chained:
    """A program of calls from the table, as it was written while it ran.

    Each choice is one call: an elementwise op on what was just made, with a number or with another value,
    or a case of the table with that in the place of an argument. Which arrays are there, and what has to be
    calmed, is decided on `dynamic`, where values can be looked at; the rest is the same for both engines.
    """

    def __init__(self, choices: list[tuple[int, int, int]]) -> None:
        rng = np.random.default_rng(len(choices))
        self.arrays: list[Any] = [rng.standard_normal((3, 4)), rng.uniform(0.5, 2, (3, 4))]
        self.calls: list[Any] = []
        xs = [dynamic.tensor(a, requires_grad=True) for a in self.arrays]
        values = list(xs)
        for kind, which, more in choices:
            call = self._call(kind, which, more, values[-1], len(values))
            try:
                with np.errstate(all="ignore"):
                    made = call(values, [dynamic.tensor(a) for a in self.arrays])
            except (DiptychError, TypeError, ValueError, IndexError):
                continue  # no call for these numbers or dtypes
            if made.size == 0:
                continue
            size = np.abs(made.numpy())
            self.calls.append(call)
            values.append(made)
            if not np.isfinite(size).all() or size.max() > LARGE:
                self.calls.append(lambda values, arrays: ops.tanh(values[-1] * 0.1))
                values.append(ops.tanh(made * 0.1))

    def _call(self, kind: int, which: int, more: int, last: Any, count: int) -> Any:
        other = more % count
        if kind < 4:
            op = ELEMENTWISE[which % len(ELEMENTWISE)]
            if len(op.inputs) < 2:
                return lambda values, arrays: as_float(op(values[-1]))
            if more % 3 == 0:
                number = NUMBERS[more // 3 % len(NUMBERS)]
                return lambda values, arrays: as_float(op(values[-1], number))
            return lambda values, arrays: as_float(op(values[-1], fitted(values[other], last.shape)))
        case = CASES[which % len(CASES)]
        given = case.arrays(np.float64)
        floats = [i for i, a in enumerate(given) if a.dtype.kind == "f" and a.size]
        place = floats[more % len(floats)] if floats else -1
        start = len(self.arrays)
        self.arrays += given

        def call(values: Any, arrays: Any) -> Any:
            args = list(arrays[start : start + len(given)])
            if place >= 0:
                args[place] = fitted(values[-1], given[place].shape)
            made = case.call(*args)
            made = list(made) if isinstance(made, (tuple, list)) else [made]
            return as_float(made[more % len(made)])

        return call

    def on(self, xs: Any) -> list[Any]:
        """All values, on arrays of either engine."""
        values = list(xs[:2])
        for call in self.calls:
            values.append(call(values, xs))
        return values

    def results(self, values: Any, xs: Any, grad: Any) -> list[Any]:
        """What is looked at: the last values, and the gradient of a sum of them."""
        ends = values[-3:]
        total = sum((ops.sum(ops.tanh(v)) for v in ends[1:]), ops.sum(ops.tanh(ends[0])))
        return [*ends, *[g for g in grad(total, list(xs[:2])) if g is not None]]

    def on_dynamic(self, moved: float = 0.0) -> list[Any]:
        arrays = [a * (1 + moved) if i < 2 else a for i, a in enumerate(self.arrays)]
        xs = [dynamic.tensor(a, requires_grad=i < 2) for i, a in enumerate(arrays)]

        def grad(y: Any, xs: Any) -> Any:
            return dynamic.grad(y, xs, allow_unused=True) if y.requires_grad else []

        with np.errstate(all="ignore"):
            return [y.numpy() for y in self.results(self.on(xs), xs, grad)]

    def on_static(self, level: str, without: Any = ()) -> list[Any]:
        with static.Graph().as_default():
            xs = [static.placeholder(a.dtype, a.shape) for a in self.arrays]
            fetches = self.results(self.on(xs), xs, static.gradients)
            session = static.Session(optimize=level, without=without)
            with session, np.errstate(all="ignore"), checked():
                return session.run(fetches, dict(zip(xs, self.arrays, strict=True)))


def as_float(value: Any) -> Any:
    return value if value.dtype == np.float64 else ops.cast(value, "float64")


def fitted(value: Any, shape: Any) -> Any:
    """A value's elements in another shape, as often as it takes."""
    if tuple(value.shape) == tuple(shape):
        return value
    size = int(np.prod(value.shape))
    places = np.arange(int(np.prod(shape))) % size
    return ops.reshape(ops.take(value, places), shape)


@pytest.mark.parametrize("seed", range(60))
def test_programs_from_the_whole_table_give_what_dynamic_gives(seed: int) -> None:
    """To the bit at `exact`; at `fast` within rounding, but where rounding decides, or `dynamic` has lost
    its numbers."""
    rng = np.random.default_rng(seed)
    program = Chained(rng.integers(0, [8, 10**4, 100], (rng.integers(2, 9), 3)).tolist())
    want = program.on_dynamic()
    for a, b in zip(want, program.on_static("exact"), strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_array_equal(b, a)
    moved = program.on_dynamic(1e-13), program.on_dynamic(-1e-13)
    without = rng.choice(NAMES, rng.integers(1, 5), replace=False).tolist()
    for got in (program.on_static("fast"), program.on_static("fast", without)):
        for a, b, *ends in zip(want, got, *moved, strict=True):
            assert a.dtype == b.dtype and a.shape == b.shape
            with np.errstate(invalid="ignore"):
                swing = sum(np.abs(end - a) for end in ends)
                well = np.isfinite(a) & (swing < 1e-9 * (1 + np.abs(a)))
            np.testing.assert_allclose(b[well], a[well], rtol=1e-7, atol=1e-9)
