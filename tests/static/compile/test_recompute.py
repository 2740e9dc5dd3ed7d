"""`Session(memory_limit=...)`: values are computed again instead of being kept, no bit depends on it, and
the limit holds; or the error says what is in the way."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import static
from shared import nn, ops, optim
from shared.errors import MemoryLimitError, SettingError, UnknownSizeError
from shared.op import TABLE, ZERO, Op
from shared.spec import Spec
from static.compile.options import Options
from static.compile.passes import Log, Record
from static.compile.passes.recompute import keep_within
from tests.static.checker import checked
from tests.static.compile.test_plan import Joined, programs

LAYERS, WIDTH, BATCH = 12, 32, 512


class Deep:
    """A training step of many layers, whose values are large beside its weights."""

    def __init__(self, dropout: float = 0.0) -> None:
        nn.manual_seed(0)
        layers = [
            layer for _ in range(LAYERS)
            for layer in (nn.Linear(WIDTH, WIDTH), nn.Tanh(), *([nn.Dropout(dropout)] if dropout else []))
        ]  # fmt: skip
        self.model = nn.Sequential(*layers, nn.Linear(WIDTH, 10))
        self.opt = optim.SGD(self.model.parameters(), lr=0.1)
        draw = np.random.default_rng(0)
        self.data = draw.random((BATCH, WIDTH), np.float32), draw.integers(0, 10, BATCH)
        with static.Graph().as_default() as self.graph:
            self.feeds = [static.placeholder(a.dtype, a.shape) for a in self.data]
            loss = ops.cross_entropy(self.model(self.feeds[0]), self.feeds[1])
            self.fetches = [loss, self.opt.minimize(loss)]

    def session(self, **settings: Any) -> static.Session:
        session = static.Session(self.graph, **settings)
        session.load(self.model, self.opt)
        return session

    def train(self, session: static.Session) -> list[Any]:
        """The losses of some steps, and what the variables hold then."""
        feed = dict(zip(self.feeds, self.data, strict=True))
        losses = [session.run(self.fetches, feed)[0] for _ in range(3)]
        return [*losses, *(session.run(v) for v in self.graph.variables)]


@pytest.mark.parametrize("level", ["exact", "fast"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_limit_holds_and_changes_no_bit(level: str, dropout: float) -> None:
    deep = Deep(dropout)
    free = deep.session(optimize=level)
    most = free.memory(deep.fetches).peak
    limit = int(most * 0.6)
    with checked():
        bound = deep.session(optimize=level, memory_limit=limit)
        told = bound.explain(deep.fetches)
    assert "is computed again: " in told
    assert f"bytes, not {most:,}: the limit is {limit:,}" in told
    memory = bound.memory(deep.fetches)
    assert memory.peak <= limit
    for want, got in zip(deep.train(free), deep.train(bound), strict=True):
        np.testing.assert_array_equal(want, got)
    call = bound.make_callable(deep.fetches, deep.feeds)
    call(*deep.data)
    for program in programs(bound):
        program._records.clear()
    gc.collect()
    tracemalloc.start()
    call(*deep.data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert abs(peak - memory.peak) < 0.05 * peak
    assert peak < most * 0.65


def test_less_memory_takes_more_steps() -> None:
    deep = Deep()
    most = deep.session().memory(deep.fetches).peak
    counts = [
        len(deep.session(memory_limit=int(most * part)).block(deep.fetches).steps) for part in (1, 0.8, 0.6)
    ]
    assert counts[0] < counts[1] < counts[2]


def test_a_run_that_holds_less_is_left_alone() -> None:
    deep = Deep()
    most = deep.session().memory(deep.fetches).peak
    bound = deep.session(memory_limit=most)
    assert f"a run holds {most:,} bytes as it is: the limit is {most:,}" in bound.explain(deep.fetches)
    assert bound.program(deep.fetches) == deep.session().program(deep.fetches)


def test_what_holds_the_limit_is_not_changed_again() -> None:
    deep = Deep()
    limit = int(deep.session().memory(deep.fetches).peak * 0.6)
    block = deep.session(memory_limit=limit).block(deep.fetches)
    log = Log([Record("recompute", 0, 0)])
    assert keep_within(block, log, True, Options("fast", memory_limit=limit)) is block


def test_a_limit_that_can_not_be_kept_names_what_is_in_the_way() -> None:
    deep = Deep()
    session = deep.session(memory_limit=10_000)
    with pytest.raises(MemoryLimitError, match="memory_limit=10,000 can not be kept: the least") as e:
        session.run(deep.fetches, dict(zip(deep.feeds, deep.data, strict=True)))
    said = str(e.value)
    least = int(said.partition("found is ")[2].partition(" bytes")[0].replace(",", ""))
    assert f"f32[{BATCH},{WIDTH}]" in said and "with 65,536" in said
    assert isinstance(e.value, MemoryError)
    assert deep.session(memory_limit=least + 10_000).memory(deep.fetches).peak <= least + 10_000


def test_settings_and_sizes_that_do_not_do() -> None:
    for wrong in (0, -1, 1.5, True, "1 GB"):
        with pytest.raises(SettingError, match="must be an int above 0"):
            static.Session(static.Graph(), memory_limit=wrong)  # type: ignore[arg-type]
    with static.Graph().as_default():
        x = static.placeholder("float32", ("N", 3), name="x")
        with pytest.raises(UnknownSizeError, match="the size N of 'x' is not"):
            static.Session(memory_limit=1000).run(ops.exp(x), {x: np.ones((2, 3))})


@pytest.fixture(params=[True, False], ids=["pure", "with an effect"])
def seen(request: pytest.FixtureRequest) -> Iterator[tuple[Op, list[int]]]:
    """An op that notes its calls, of which it may be said that it does more than compute."""
    calls: list[int] = []

    def compute(x: Any, out: Any = None) -> Any:
        calls.append(1)
        return np.multiply(x, 2, out=out)

    op = Op("seen", compute, lambda x: Spec(x.shape, x.dtype), [ZERO], pure=request.param)
    yield op, calls
    del TABLE["seen"]


def test_what_does_more_than_compute_is_done_once(seen: tuple[Op, list[int]]) -> None:
    """It would be computed again first: it is large, is needed last, and reads what is fed."""
    op, calls = seen
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", (4096,))
        y, h = op(x), ops.sin(x)
        for _ in range(4):
            h = ops.roll(ops.cumsum(h, axis=0) * 0.5, 1)
        result = ops.sum(ops.roll(h, 1) * y)
    limit = static.Session(graph, "exact").memory(result).peak - 4096
    with pytest.raises(MemoryLimitError) if not op.pure else nullcontext():
        static.Session(graph, "exact", memory_limit=limit).run(result, {x: np.ones(4096, "float32")})
    assert len(calls) == (2 if op.pure else 0)


@given(
    st.lists(st.integers(0, 1000), min_size=4, max_size=24), st.sampled_from(["exact", "fast"]),
    st.sampled_from([0.9, 0.7, 0.5]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_program_gives_the_same_under_a_limit(choices: list[int], level: str, part: float) -> None:
    with static.Graph().as_default() as graph:
        program = Joined(choices)
    data = np.random.default_rng(len(choices)).standard_normal((4, 3)).astype(np.float32)
    free = static.Session(graph, level)
    limit = int(free.memory(program.fetches).peak * part) + 1
    bound = static.Session(graph, level, memory_limit=limit)
    try:
        with checked():
            got = bound.run(program.fetches, {program.x: data})
    except MemoryLimitError:
        return
    assert bound.memory(program.fetches).peak <= limit
    for p, q in zip(free.run(program.fetches, {program.x: data}), got, strict=True):
        np.testing.assert_array_equal(p, q)
