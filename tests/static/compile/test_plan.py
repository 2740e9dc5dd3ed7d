"""The plan: no two values that are needed at one time share memory, but where one is written over
the other; what leaves a run belongs to the caller; and no bit depends on it."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import static
from comparisons.bench import models
from comparisons.bench.workloads import WORKLOADS
from shared import nn, ops, optim
from shared.errors import UnknownSizeError
from static.compile.arena import ALIGNMENT, FEW, assign_offsets
from static.compile.program import CHUNK, LARGE


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def programs(session: static.Session) -> list[Any]:
    return list(session._programs.values())


# --- places --------------------------------------------------------------------------------

buffers = st.tuples(st.integers(0, 5000), st.integers(0, 60), st.integers(0, 20))


@given(st.lists(buffers, max_size=40))
@settings(max_examples=300, deadline=None)
def test_buffers_that_are_needed_at_one_time_do_not_overlap(drawn: list[Any]) -> None:
    check_places([length for length, _, _ in drawn], [(at, at + more) for _, at, more in drawn])


def test_many_buffers_do_not_overlap_either() -> None:
    rng = np.random.default_rng(0)
    starts = np.sort(rng.integers(0, 400, FEW + 200))
    ends = starts + rng.integers(0, 12, starts.size)
    spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
    check_places(rng.integers(0, 3000, starts.size).tolist(), spans)


def check_places(lengths: list[int], spans: list[tuple[int, int]]) -> None:
    offsets, total = assign_offsets(lengths, spans)
    ranges = [(at, at + n) for at, n in zip(offsets, lengths, strict=True)]
    assert all(at % ALIGNMENT == 0 and end <= total for at, end in ranges)
    for i, ((a, b), (first, last)) in enumerate(zip(ranges, spans, strict=True)):
        for (c, d), (begin, end) in zip(ranges[:i], spans[:i], strict=True):
            if first <= end and begin <= last:
                assert b <= c or d <= a or a == b or c == d


# --- whose memory is whose -----------------------------------------------------------------


def test_what_leaves_a_run_is_never_overwritten() -> None:
    x = static.placeholder("float32", (None, 8), name="x")
    h = ops.tanh(x)
    fetches = [h, h * 2, ops.reshape(h, (-1,)), ops.transpose(h * 3), h[0], x, ops.exp(h)]
    with static.Session() as session:
        kept, copies = [], []
        for seed in range(4):
            data = np.random.default_rng(seed).standard_normal((5, 8)).astype(np.float32)
            got = session.run(fetches, {x: data})
            kept.append(got)
            copies.append([a.copy() for a in got])
            for i, a in enumerate(got):
                assert a.flags.writeable and a.flags.c_contiguous
                assert not np.shares_memory(a, data)
                assert not any(np.shares_memory(a, b) for b in got[:i])
        for before, after in zip(copies, kept, strict=True):
            for a, b in zip(before, after, strict=True):
                np.testing.assert_array_equal(a, b)


def test_a_variables_new_value_shares_memory_with_nothing() -> None:
    v = static.Variable(np.zeros((3, 4), np.float32), name="v")
    w = static.Variable(np.zeros((3, 4), np.float32), name="w")
    x = static.placeholder("float32", (3, 4))
    total = x * 2 + v
    update = [v.assign(total), w.assign(total)]
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        held = []
        for step in range(3):
            fetched = session.run([*update, total], {x: np.full((3, 4), step, np.float32)})
            held += [session._values[v], session._values[w], *fetched]
        for i, a in enumerate(held):
            assert not any(np.shares_memory(a, b) for b in held[:i])
        np.testing.assert_array_equal(session.run(v), np.full((3, 4), 6.0))


def test_a_value_is_written_over_where_nothing_needs_it_any_more() -> None:
    x = static.placeholder("float32", (4, 4), name="x")
    h = ops.exp(x)
    with static.Session(optimize="exact") as session:
        assert "= tanh(exp_1, out=exp_1)" in session.program(ops.tanh(h) @ x)
        both = session.program(ops.tanh(h) @ h)  # h is read once more
        assert "= tanh(exp_1, out=tanh_1)" in both
        seen = session.program((ops.tanh(h), ops.transpose(h) @ x))  # through a view as well
        assert "out=exp_1)" not in seen.partition("= tanh(")[2].partition("\n")[0]
        fed = session.program(ops.tanh(x) @ x)
        assert "out=x" not in fed


def test_views_of_an_arena_are_made_once() -> None:
    x = static.placeholder("float32", (None, 6), name="x")
    y = ops.reshape(ops.tanh(x), (-1, 2, 3))
    z = ops.transpose(y, (0, 2, 1)) @ y
    with static.Session(optimize="exact") as session:
        text = session.program(z)
        assert "# reshape_1 = reshape(" in text and "# transpose_1 = transpose(" in text
        for n in (3, 2, 3):
            data = np.arange(6 * n, dtype=np.float32).reshape(n, 6)
            t = np.tanh(data).reshape(n, 2, 3)
            np.testing.assert_array_equal(session.run(z, {x: data}), t.transpose(0, 2, 1) @ t)


# --- parts of others -----------------------------------------------------------------------


@pytest.mark.parametrize("join", ["concatenate", "stack"])
def test_what_is_put_under_each_other_is_made_in_its_place(join: str) -> None:
    """Parts that are fed or were joined before are copied there; a part that is read later stays whole."""
    data = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    x = static.placeholder("float32", (4, 5), name="x")
    a, b = ops.exp(x), ops.tanh(x)
    y = getattr(ops, join)([a, x, b])
    z = ops.sum(y * 2, axis=0) + ops.sum(getattr(ops, join)([b, b]))
    fetches = [z, ops.sum(a - b)]
    with static.Session(optimize="exact") as session, static.Session(None, "exact", ["plan"]) as plain:
        text = session.program(fetches)
        assert f"    # {join}_1 = {join}(" in text
        assert f"{join}_1[{1 if join == 'stack' else '4:8'}] = x" in text
        assert f"    # {join}_2 = " not in text  # both parts lie elsewhere already
        for _ in range(2):
            for p, q in zip(session.run(fetches, {x: data}), plain.run(fetches, {x: data}), strict=True):
                np.testing.assert_array_equal(p, q)


def test_parts_that_take_the_places_of_parts_are_joined_already() -> None:
    x = static.placeholder("float32", (6, 5), name="x")
    parts = ops.split(ops.exp(x), 3)
    y = ops.concatenate([ops.tanh(part) for part in parts])
    with static.Session(optimize="exact") as session:
        text = session.program(y @ ops.ones((5, 2)))
        assert text.count("out=split_") == 3 and "    # concatenate_1 = " in text
        assert session.memory(y @ ops.ones((5, 2))).arena == 128  # of 6 * 5 numbers
        last = ops.concatenate([ops.tanh(part) for part in reversed(parts)])
        product = last @ ops.ones((5, 2))
        assert "    # concatenate_1 = " not in session.program(product)
        both = session.program([y @ ops.ones((5, 2)), ops.sum(parts[1])])
        assert both.count("out=split_") == 2  # the second part is read once more


class Joined:
    """A random program of parts and joins, with sizes that are known."""

    def __init__(self, choices: list[int]) -> None:
        self.choices = iter(choices)
        x = static.placeholder("float32", (4, 3), name="x")
        self.values = [ops.exp(x * 0.1), x]
        for choice in self.choices:
            self.values.append(self.step(choice % 8))
        loss = sum((ops.sum(v * 0.5) for v in self.values[-3:]), ops.sum(x))
        self.x, self.fetches = x, [self.pick(), self.pick(), loss, *static.gradients(loss, [x])]

    def pick(self) -> Any:
        return self.values[-1 - next(self.choices, 0) % min(len(self.values), 5)]

    def step(self, choice: int) -> Any:
        a, b = self.pick(), self.pick()
        if choice < 2:
            upper, lower = ops.split(ops.concatenate([a, ops.tanh(b)]), 2)
            return [upper, lower][choice]
        if choice < 4:
            return ops.concatenate([ops.tanh(part) for part in ops.split(a, 2)][:: 1 if choice == 2 else -1])
        if choice == 4:
            return ops.sum(ops.stack([ops.exp(a * 0.1), ops.tanh(b)]), axis=0)
        if choice == 5:
            return ops.stack([ops.tanh(row) for row in ops.unbind(a)])
        if choice == 6:
            return ops.concatenate([ops.concatenate([ops.tanh(a)[:2], ops.exp(b)[1:2]]), ops.tanh(b)[3:]])
        return a * 0.5 + b


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=24), st.sampled_from(["exact", "fast"]))
@settings(max_examples=100, deadline=None)
def test_parts_and_joins_give_the_same_with_and_without(choices: list[int], level: str) -> None:
    with static.Graph().as_default() as graph:
        program = Joined(choices)
    data = np.random.default_rng(len(choices)).standard_normal((4, 3)).astype(np.float32)
    with static.Session(graph, level) as a, static.Session(graph, level, ["plan"]) as b:
        for _ in range(2):
            pairs = zip(a.run(program.fetches, {program.x: data}), b.run(program.fetches, {program.x: data}),
                        strict=True)  # fmt: skip
            for p, q in pairs:
                np.testing.assert_array_equal(p, q)


def test_a_sum_over_a_transposed_result_keeps_its_order() -> None:
    """A ufunc keeps the memory order of its argument, and the sum depends on it to the bit."""
    data = np.random.default_rng(0).standard_normal((37, 53)).astype(np.float32)
    x = static.placeholder("float32", data.shape)
    y = ops.sum(ops.exp(ops.transpose(x)), axis=0)
    with static.Session(optimize="exact") as session:
        want = np.add.reduce(np.exp(data.T), axis=0)
        np.testing.assert_array_equal(session.run(y, {x: data}), want)


@given(st.lists(st.sampled_from([1, 2, 3]), min_size=2, max_size=4), st.integers(0, 2**12 - 1))
@settings(max_examples=200, deadline=None)
def test_a_ufunc_of_arrays_in_c_order_gives_c_order(shape: list[int], bits: int) -> None:
    """What the plan counts on, stretched sizes included."""
    shapes = [[n if bits >> (4 * k + i) & 1 else 1 for i, n in enumerate(shape)] for k in range(3)]
    arrays = [np.ones(s, np.float32) for s in shapes]
    assert (arrays[0] + arrays[1]).flags.c_contiguous
    assert np.maximum(arrays[1], arrays[2][0]).flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_a_ufunc_over_its_argument_gives_the_same_bits(dtype: Any) -> None:
    """Vector loops of every length, of which NumPy takes others for memory that overlaps."""
    from shared.op import TABLE

    rng = np.random.default_rng(0)
    tried = 0
    for op in TABLE.values():
        if not op.ufunc:
            continue
        for size in (1, 7, 64, 1001, 20011):
            arrays = [(rng.standard_normal(size) * 3).astype(dtype) for _ in range(op.compute.nin)]
            with np.errstate(all="ignore"):
                try:
                    want = op.compute(*arrays)
                except TypeError:
                    continue
                for position, array in enumerate(arrays):
                    if array.dtype != want.dtype:
                        continue
                    own = [a.copy() for a in arrays]
                    op.compute(*own, out=own[position])
                    assert own[position].tobytes() == want.tobytes(), op
                    tried += 1
    assert tried > 50


# --- sizes and threads ---------------------------------------------------------------------


def test_batch_sizes_may_change_from_run_to_run() -> None:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    x = static.placeholder("float32", (None, 5))
    y = static.placeholder("int64", (None,))
    loss = ops.cross_entropy(model(x), y)
    grads = static.gradients(loss, [x])
    rng = np.random.default_rng(0)
    with static.Session() as planned, static.Session(without=["plan"]) as plain:
        planned.load(model)
        plain.load(model)
        for n in [4, 9, 1, 4, 30, 2, 9, 3, 5, 6, 7, 4, 0]:
            feed = {x: rng.standard_normal((n, 5)).astype(np.float32), y: rng.integers(0, 3, n)}
            with np.errstate(all="ignore"):
                pairs = zip(planned.run([loss, *grads], feed), plain.run([loss, *grads], feed), strict=True)
            for a, b in pairs:
                np.testing.assert_array_equal(a, b)
        assert max(len(program._records) for program in programs(planned)) <= 4


@pytest.mark.parametrize("index", [[1, 1, 0], [2, 0, 1]], ids=str)
def test_rows_that_an_array_picks_are_no_view_of_all_rows(index: list[Any]) -> None:
    """As many as there are: their parts, written in place and stacked once more, lie elsewhere."""
    x = static.placeholder("float64", (3, 2))
    picked = ops.exp(x)[np.array(index)]
    y = ops.stack([2 * ops.tanh(row) for row in ops.unbind(picked)])
    array = np.arange(6.0).reshape(3, 2) / 6
    for level in ("exact", "fast"):
        with static.Session(optimize=level) as session:
            found = session.run(ops.cos(y), {x: array})
        right = np.cos(2 * np.tanh(np.exp(array)[np.array(index)]))
        np.testing.assert_allclose(found, right, rtol=1e-14)


def test_threads_have_an_arena_each() -> None:
    x = static.placeholder("float32", (None, 64))
    h = x
    for _ in range(12):
        h = ops.tanh(h @ ops.transpose(x) @ x * 0.01) + ops.exp(h * 0.1)
    wrong: list[int] = []
    with static.Session() as session:
        rngs = [np.random.default_rng(k) for k in range(6)]
        data = [rng.standard_normal((9 + k % 2, 64)).astype(np.float32) for k, rng in enumerate(rngs)]
        want = [session.run(h, {x: d}) for d in data]

        def work(k: int) -> None:
            for _ in range(30):
                if not np.array_equal(session.run(h, {x: data[k]}), want[k]):
                    wrong.append(k)

        threads = [threading.Thread(target=work, args=(k,)) for k in range(len(data))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_function_of_the_user_may_keep_what_it_is_given() -> None:
    seen: list[Any] = []

    def note(a: Any) -> Any:
        seen.append(a)
        return a

    x = static.placeholder("float32", (3,))
    y = static.py_func(note, [ops.exp(x)], "float32", (3,)) * 2
    with static.Session() as session:
        for value in (0.0, 1.0, 2.0):
            session.run(y, {x: np.full(3, value, np.float32)})
    np.testing.assert_allclose([a[0] for a in seen], np.exp([0.0, 1.0, 2.0]), rtol=1e-6)


def test_after_a_run_that_fails_the_next_one_is_right() -> None:
    x = static.placeholder("float32", (None, 3))
    index = static.placeholder("int64", ())
    h = ops.exp(x)
    y = ops.tanh(h)[index] + h[0]
    with static.Session() as session:
        data = np.ones((2, 3), np.float32)
        want = session.run(y, {x: data, index: 1})
        with pytest.raises(IndexError):
            session.run(y, {x: data, index: 7})
        np.testing.assert_array_equal(session.run(y, {x: data, index: 1}), want)


# --- no bit depends on it ------------------------------------------------------------------


@pytest.mark.parametrize("level", ["exact", "fast"])
def test_loops_give_the_same_with_and_without(level: str) -> None:
    """A body's program has records of its own; what goes round is fresh. Also for a first value and
    columns that are views in another order."""
    nn.manual_seed(0)
    cell = nn.LSTMCell(4, 4)
    x = static.placeholder("float32", (4, None, 3))

    def step(carry: Any, x_t: Any) -> Any:
        h, c = cell(x_t, carry)
        return (h, c), ops.exp(ops.transpose(h) * 0.5)

    start = ops.transpose(ops.sum(x, axis=1)) * 0.1
    (h, c), ys = static.scan(step, (start, start * 0.5), ops.transpose(x, (1, 2, 0)))
    loss = ops.sum(h * c) + ops.sum(ys)
    fetches = [loss, ys, *static.gradients(loss, [x])]
    data = np.random.default_rng(0).standard_normal((4, 6, 3)).astype(np.float32)
    with static.Session(optimize=level) as a, static.Session(optimize=level, without=["plan"]) as b:
        a.load(cell)
        b.load(cell)
        for n in (6, 3, 6):
            for p, q in zip(a.run(fetches, {x: data[:, :n]}), b.run(fetches, {x: data[:, :n]}), strict=True):
                np.testing.assert_array_equal(p, q)


@pytest.mark.parametrize("level", ["exact", "fast"])
def test_training_gives_the_same_bits_with_and_without(level: str) -> None:
    rng = np.random.default_rng(0)
    data = rng.standard_normal((6, 8, 1, 8, 8)).astype(np.float32)
    labels = rng.integers(0, 3, (6, 8))
    histories = []
    for without in ((), ("plan",)):
        nn.manual_seed(0)
        with static.Graph().as_default():
            model = nn.Sequential(
                nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                nn.Dropout(0.2), nn.Linear(64, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 3),
            )  # fmt: skip
            x, y = static.placeholder("float32", (None, 1, 8, 8)), static.placeholder("int64", (None,))
            loss = ops.cross_entropy(model(x), y)
            train = optim.Adam(model.parameters(), lr=0.01).minimize(loss)
            with static.Session(optimize=level, without=without) as session:
                session.run(static.global_variables_initializer())
                feeds = [{x: a, y: b} for a, b in zip(data, labels, strict=True)]
                losses = [session.run([loss, train], feed)[0].item() for feed in feeds]
                values = [session.run(v) for v in session.graph.variables]
        histories.append((losses, values))
    (losses, values), (other_losses, other_values) = histories
    assert losses == other_losses
    for a, b in zip(values, other_values, strict=True):
        np.testing.assert_array_equal(a, b)


# --- what it will take ---------------------------------------------------------------------


@pytest.mark.parametrize("level", ["exact", "fast"])
@pytest.mark.parametrize("name", ["mlp", "cnn", "lstm"])
def test_the_memory_of_a_training_step_is_known_before(name: str, level: str) -> None:
    """Within 5 % of the most that Python's allocators gave out during a step with an arena of its own."""
    workload = WORKLOADS[name]
    model = models.model(workload, "layer")
    optimizer = optim.SGD(model.parameters(), lr=workload.rate)
    x, y = workload.data()
    sizes = {"N": x.shape[0]} if name != "lstm" else {}  # with unknown time steps it would be a scan
    x_in, y_in = (static.placeholder(a.dtype, (*sizes, *a.shape[len(sizes) :])) for a in (x, y))
    loss = model(x_in, y_in)
    train = optimizer.minimize(loss)
    with static.Session(optimize=level) as session:
        session.run(static.global_variables_initializer())
        feed = {x_in: x, y_in: y}
        session.run([loss, train], feed)  # compiles, and the kernels too
        for program in programs(session):
            program._records.clear()
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        session.run([loss, train], feed)
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        predicted = session.memory([loss, train], sizes, [x_in, y_in])
    assert abs(predicted.peak - peak) < 0.05 * peak, (predicted, peak)


def test_a_size_that_is_missing_is_named() -> None:
    x = static.placeholder("float32", ("rows", 4))
    with static.Session() as session:
        assert session.memory(ops.tanh(ops.exp(x)) @ ops.ones((4, 2)), {"rows": 8}).peak > 8 * 4 * 4
        with pytest.raises(UnknownSizeError, match="the size rows is not known"):
            session.memory(ops.exp(x))


# --- the frame of Python's own -------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 300, 900, 3000])
def test_a_large_program_leaves_room_on_the_stack_for_what_it_calls(count: int) -> None:
    """One whose frame almost fills a piece of CPython's stack would have a new one mapped at each call."""
    x = static.placeholder("float32", (3,), name="x")
    h, kept = x, []
    for _ in range(count):
        h = ops.cumsum(h * 0.5)
        kept.append(h)
    with static.Session() as session:
        y = ops.sum(ops.stack(kept))
        assert session.run(y, {x: np.zeros(3)}) == 0.0
        code = programs(session)[-1]._run.__code__
    size = 8 * (code.co_nlocals + code.co_stacksize)
    assert not LARGE < size < CHUNK
