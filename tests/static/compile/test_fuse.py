"""Fusion gives what the ops one by one give: to the bit for arithmetic, within stated errors else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings as tried, strategies as st

import dynamic
import static
from shared import nn, ops, optim
from shared.device.cuda import CudaArray, to_device
from shared.errors import DiptychError, ShapeError
from shared.kernels import machine
from shared.kernels.fused import Element, Input, Recipe, kernel_of
from shared.kernels.scalars import LLVM_TYPES
from shared.op import TABLE, Op
from shared.ops.choosing import gate
from static.compile.steps.fused import FusedOp
from tests import HOME, standin
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import draws, on_static

pytestmark = [
    pytest.mark.skipif(machine.available() != "", reason=machine.available()),
    pytest.mark.filterwarnings("ignore:.*:RuntimeWarning"),
]
ROUNDED = re.compile(r"\b(exp|expm1|log|log1p|tanh|erf|erfc|normcdf|bell)\(")
"""Forms with these are approximated; all others are the very arithmetic that NumPy does."""
ERRORS = {np.dtype(np.float16): 0.0, np.dtype(np.float32): 2e-6, np.dtype(np.float64): 4e-15}
"""What an approximated value may be off by, relative to the largest of its array."""
ELEMENTWISE = [op for op in TABLE.values() if op.scalar is not None]
AWKWARD = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 40.0, 1e-30, np.inf, -np.inf, np.nan]


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def both(fetches: Any, feeds: Any = None, graph: Any = None, level: str = "fast") -> tuple[Any, Any]:
    """The results with fusion and without."""
    results = []
    for without in ((), ("fuse",)):
        with static.Session(graph=graph, optimize=level, without=without) as session:
            session.run(static.global_variables_initializer())
            results.append(session.run(fetches, feeds))
    return results[0], results[1]


def program(fetches: Any) -> str:
    with static.Session(optimize="fast") as session:
        return session.program(fetches)


def explained(fetches: Any) -> str:
    with static.Session(optimize="fast") as session:
        return session.explain(fetches)


def same_bits(found: Any, wanted: Any, about: str = "") -> None:
    """Equal, zeros by their signs too; one NaN is as good as another."""
    assert found.dtype == wanted.dtype and found.shape == wanted.shape, about
    np.testing.assert_array_equal(found, wanted, err_msg=about)
    if found.dtype.kind == "f":
        signs = np.signbit(found) == np.signbit(wanted)
        assert np.all(signs | np.isnan(wanted)), about


def close(found: Any, wanted: Any, about: str = "") -> None:
    if wanted.dtype.kind != "f":
        same_bits(found, wanted, about)
        return
    finite = np.abs(wanted[np.isfinite(wanted)])
    scale = ERRORS[wanted.dtype] * max(finite.max(initial=0), 1)
    np.testing.assert_allclose(found, wanted, rtol=ERRORS[wanted.dtype], atol=scale, err_msg=about)


def near(found: Any, wanted: Any, about: str = "") -> None:
    """Close, element by element: of one op a small number is as right as a large one."""
    if wanted.dtype.kind != "f":
        same_bits(found, wanted, about)
        return
    least = float(np.finfo(wanted.dtype).tiny)
    np.testing.assert_allclose(found, wanted, rtol=ERRORS[wanted.dtype], atol=least, err_msg=about)


# --- every op ------------------------------------------------------------------------------


def numbers(kind: str, size: int) -> Any:
    if kind == "bool":
        return np.resize([True, False, False], size)
    if np.dtype(kind).kind == "f":
        return np.resize(np.array(AWKWARD, kind), size)
    return np.resize(np.array([0, 1, 3, 100, np.iinfo(kind).max, np.iinfo(kind).min], kind), size)


SETTINGS: dict[str, dict[str, Any]] = {
    "leaky_relu": {"slope": 0.25}, "elu": {"alpha": 1.5}, "huber": {"delta": 2.0},
    "cast": {"dtype": np.dtype(np.float32)}, "gaussian": {"scale": 0.5},
    "hardtanh": {"low": -1.0, "high": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_an_op_gives_the_same_alone_and_fused_with_another(op: Op) -> None:
    """For every dtype, and every pair of awkward numbers: what its neighbours make of it too."""
    count = max([int(i) for i in re.findall(r"{(\d)}", op.scalar or "")]) + 1
    fused = 0
    for kind in ("float32", "float64", "int32", "int64", "uint8", "bool"):
        grids = np.meshgrid(*[numbers(kind, 12)] * min(count, 2))
        arrays = [np.ascontiguousarray(grid.reshape(-1)) for grid in grids]
        arrays = [np.resize(arrays[i % len(arrays)], arrays[0].size) for i in range(count)]
        if op.name in ("where", "gate"):
            mask = 0 if op.name == "where" else 1
            arrays[mask] = np.resize([True, False], arrays[0].size)
        with static.Graph().as_default() as g:
            xs = [static.placeholder(a.dtype, a.shape) for a in arrays]
            try:
                op.on_arrays(arrays, SETTINGS.get(op.name, {}))
            except (DiptychError, TypeError):  # the op refuses this dtype
                continue
            y = op(*xs, **SETTINGS.get(op.name, {}))
            mixed = ops.where(ops.logical_not(ops.isnan(y)), y, y), ops.equal(y, y)
            feeds = dict(zip(xs, arrays, strict=True))
            found, wanted = both([y, *mixed], feeds, g)
            exactly = both([y, *mixed], feeds, g, "exact")
            fused += "fused_" + op.name in program([y, *mixed])
        for a, b in zip(*exactly, strict=True):
            same_bits(a, b, f"{op.name} of {kind} at exact")
        check = near if ROUNDED.search(op.scalar or "") else same_bits
        for a, b in zip(found, wanted, strict=True):
            check(a, b, f"{op.name} of {kind}")
    assert fused or op.name in LEFT_TO_NUMPY, "no dtype of it was fused"


LEFT_TO_NUMPY = {"sin", "cos", "tan", "pow"}
"""Ops whose form kernels lack; of `pow` they have the short exponents, below."""


@pytest.mark.parametrize("case", [c for c in all_cases() if TABLE.get(c.op) in ELEMENTWISE], ids=str)
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_cases_and_their_derivatives_are_the_same_with_fusion(case: Case, known: bool) -> None:
    for dtype in (np.float32, np.float64):
        arrays = case.arrays(dtype)
        cs, us, _ = draws(case, arrays)
        built = on_static(case, arrays, cs, us, known)
        fetches = [t for _, t in built.outcome.flat() if t is not None]
        forms = [n.op.scalar or "" for n in built.graph.nodes if isinstance(n.op, Op)]
        check = close if ROUNDED.search(" ".join(forms)) else same_bits
        with built.graph.as_default():
            for a, b in zip(*both(fetches, built.feeds, built.graph), strict=True):
                check(a, b, str(case))
            for a, b in zip(*both(fetches, built.feeds, built.graph, "exact"), strict=True):
                same_bits(a, b, str(case))


@pytest.mark.parametrize("exponent", [1, 2, 3, -1, -2, 0.5, -0.5])
def test_short_powers_are_fused(exponent: float) -> None:
    x = static.placeholder("float32", (len(AWKWARD),), name="x")
    y = x**exponent + 1
    with static.Session(without=["simplify"]) as session:  # which would make sqrt(x) of some
        assert "fused_pow_add" in session.program(y)
        found = session.run(y, {x: np.array(AWKWARD, np.float32)})
    same_bits(found, ops.pow(np.array(AWKWARD, np.float32), exponent) + np.float32(1))


# --- any program ---------------------------------------------------------------------------


def exact_form(op: Op) -> bool:
    """Whether kernels do the very arithmetic that NumPy does for an op of arrays alone."""
    form = op.scalar or ""
    return op.single and not ROUNDED.search(form) and not re.search("{[a-z]", form) and op.name not in APART


APART = LEFT_TO_NUMPY | {"gate"}
"""Ops that stand in the lists below in forms of their own."""


UNARY = [
    ops.neg, ops.abs, ops.square, ops.sign, ops.floor, ops.ceil, ops.round, ops.relu, ops.sqrt,
    ops.reciprocal, lambda x: x * 2, lambda x: 0.1 - x, lambda x: x / 3,
    lambda x: ops.cast(x > 0.5, "float32"),
    lambda x: ops.cast(x, "float64") * 0.3 + 1, lambda x: ops.cast(ops.cast(x, "float64") - 0.1, "float32"),
    lambda x: ops.clip(x, -1.0, 2.0), lambda x: ops.sum(x, keepdims=True), lambda x: x.T,
    lambda x: ops.cast(ops.isnan(x), "int32") * 3 + 1,
]  # fmt: skip
UNARY += [op for op in ELEMENTWISE if len(op.inputs) == 1 and op not in UNARY and exact_form(op)]
BINARY = [
    ops.add, ops.sub, ops.mul, ops.div, ops.maximum, ops.minimum,
    lambda a, b: ops.where(a > b, a, b), lambda a, b: gate(a, ops.logical_or(a <= b, ops.equal(b, 0))),
    lambda a, b: ops.cast(ops.logical_xor(a >= 0, b != 0), "int64"),
]  # fmt: skip
BINARY += [op for op in ELEMENTWISE if len(op.inputs) == 2 and op not in BINARY and exact_form(op)]
programs = st.lists(
    st.tuples(
        st.booleans(), st.integers(0, 60), st.integers(0, 8), st.integers(0, 8), st.integers(0, 3)
    ),
    min_size=2,
    max_size=25,
)
SHAPES = [(5, 5), (5, 1), (1, 5), (5,), (), (1, 1)]


@tried(max_examples=200)
@given(programs, st.booleans(), st.integers(0, 2**32 - 1))
def test_any_program_gives_the_same_bits_with_fusion(program: Any, known: bool, seed: int) -> None:
    """Broadcasting, casts, masks, integers, views, sums and several results among the ops."""
    rng = np.random.default_rng(seed)
    with static.Graph().as_default() as g:
        arrays = [rng.choice(np.array(AWKWARD, np.float32), shape) for shape in SHAPES]
        shapes = [s if known else tuple("N" if n == 5 else n for n in s) for s in SHAPES]
        values: list[Any] = [static.placeholder("float32", shape) for shape in shapes]
        feeds = dict(zip(values, arrays, strict=True))
        y, kept = values[-1], []
        for unary, which, a, b, keep in program:
            a, b = values[-1 - a % len(values)], values[-1 - b % len(values)]
            with suppress(DiptychError):  # no op for this dtype
                y = UNARY[which % len(UNARY)](a) if unary else BINARY[which % len(BINARY)](a, b)
            values.append(y)
            if keep == 0:
                kept.append(y)
        for level in ("fast", "exact"):
            for found, wanted in zip(*both([*kept, values[-1]], feeds, g, level), strict=True):
                same_bits(found, wanted)


def test_at_exact_plain_arithmetic_is_fused_and_no_more() -> None:
    x = static.placeholder("float32", (3, 4), name="x")
    y = ops.tanh(x * 2 + 1) / 3 - x
    with static.Session(optimize="exact") as session:
        source = session.program(y)
    assert [line.split(" = ")[1].split("(")[0] for line in source.splitlines() if " = " in line][1:] == [
        "fused_mul_add", "tanh", "fused_div_sub",
    ]  # fmt: skip


def test_at_exact_a_sum_has_the_order_that_a_ufunc_leaves() -> None:
    """What a ufunc gives of a transpose is in Fortran's order, and the sum of it is another to the bit."""
    x = static.placeholder("float32", (40, 50), name="x")
    a = np.random.default_rng(3).standard_normal((40, 50), np.float32)
    y = ops.sum(ops.transpose(x) * 1.1 + 0.3, axis=0)
    with static.Session(optimize="exact") as session:
        found = session.run(y, {x: a})
    t = dynamic.tensor(a)
    same_bits(found, ops.sum(ops.transpose(t) * 1.1 + 0.3, axis=0).numpy())


# --- groups --------------------------------------------------------------------------------


def test_a_group_does_not_reach_around_a_step_between() -> None:
    """exp is used by a product whose result meets it again: two groups, in their order."""
    x = static.placeholder("float32", (4, 4), name="x")
    e = ops.exp(x) + 1
    y = ops.tanh(e @ e) * e - 1
    source = program(y)
    assert source.count(" = fused_") == 2
    assert source.index("fused_exp_add") < source.index("matmul") < source.index("fused_tanh_mul_sub")
    a = np.random.default_rng(0).standard_normal((4, 4), np.float32)
    close(*both(y, {x: a}))


def test_a_value_that_others_use_is_one_more_output() -> None:
    x = static.placeholder("float32", (3, 4), name="x")
    inner = x * 2 + 1
    y = ops.square(inner) - x
    source = program([y, ops.sum(inner)])
    assert re.search(r"\w+, \w+, = fused_mul_to_sub_4\(x", source)
    assert source.count("fused_mul_to_sub_4(") == 1
    a = np.random.default_rng(0).standard_normal((3, 4), np.float32)
    for found, wanted in zip(*both([y, inner, ops.sum(inner)], {x: a}), strict=True):
        same_bits(found, wanted)


@pytest.mark.parametrize(
    ("shapes", "loops"),
    [
        ([(3, 4, 5), (3, 4, 5)], 1),
        ([(3, 4, 5), ()], 1),
        ([(3, 4, 5), (5,)], 2),
        ([(3, 4, 5), (3, 4, 1)], 2),
        ([(3, 4, 5), (4, 1)], 3),
        ([(3, 4, 5), (3, 1, 5)], 3),
        ([(3, 1), (1, 5)], 2),
        ([(1, 5), (5,)], 1),
        ([(3, 4, 5), (5,), (3, 1, 1)], 3),
        ([(0, 5), (5,)], 2),
        ([(2, 3, 4, 5), (3, 1, 5)], 4),
    ],
)
def test_broadcasting_is_loops_in_loops(shapes: Any, loops: int) -> None:
    """As many as there are ways to move along the arrays; past three the ops stay apart."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape, np.float32) for shape in shapes]
    xs = [static.placeholder("float32", shape) for shape in shapes]
    y = xs[0]
    for x in xs[1:]:
        y = y * x - x
    assert ("fused_" in program(y)) == (loops < 4)
    same_bits(*both(y, dict(zip(xs, arrays, strict=True))))


def test_adam_is_one_kernel_for_all_parameters() -> None:
    x = static.placeholder("float32", ("N", 6), name="x")
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1))
    train = optim.Adam(model.parameters(), lr=0.1).minimize(ops.mean(ops.square(model(x))))
    source = program([train])
    calls = re.findall(r"= (fused_mul_to_sub_12\w*)\(", source)
    assert len(calls) == 4 and len(set(calls)) == 1


NUMBERS = [
    0.1, -0.3, 3.0, 7, -12, 1e300, -1e300, 1e-50, 1e-40, 5e-324, 16777217, 1 << 53, (1 << 53) + 1, 1 << 70,
    float("inf"), float("-inf"), float("nan"), 0, 0.0, -0.0, 1, 1.0, -1, 2.0, 0.5, True,
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
def test_any_number_gives_the_bits_that_it_gives_numpy(dtype: str) -> None:
    a = numbers(dtype, 12)
    for number in NUMBERS:
        with static.Graph().as_default() as g:
            x = static.placeholder(dtype, a.shape)
            fetches = []
            for op in (ops.add, ops.mul, ops.div, ops.maximum, ops.less, lambda a, b: ops.sub(b, a)):
                with suppress(DiptychError):  # an integer that does not fit
                    op(a, number)
                    y = op(x, number)
                    fetches += [y, ops.where(ops.isnan(y), y, y)]
            for found, wanted in zip(*both(fetches, {x: a}, g), strict=True):
                same_bits(found, wanted, f"{number!r} beside {dtype}")


def test_groups_of_one_program_that_differ_in_a_setting_alone_keep_their_own() -> None:
    x, z = static.placeholder("float32", (6,)), static.placeholder("float32", (5,))
    a, b = np.linspace(-3, 3, 6, dtype=np.float32), np.linspace(-2, 2, 5, dtype=np.float32)

    def built(v: Any, slope: float) -> Any:
        return ops.leaky_relu(v * 2.0 + 1.0, slope) - 1.0

    pair = built(x, 0.25), built(z, 0.125)
    assert "1 kernels for 2 groups" in explained(pair)
    for found, wanted in zip(both(pair, {x: a, z: b})[0], (built(a, 0.25), built(b, 0.125)), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_programs_that_differ_in_numbers_alone_share_a_kernel() -> None:
    """In a constant, in a setting of an op, and in the rate of an optimiser's rule."""
    x = static.placeholder("float32", (6,), name="x")
    a = np.linspace(-3, 3, 6, dtype=np.float32)

    def built(k: float, slope: float) -> Any:
        return ops.leaky_relu(x * k + 0.7, slope) - ops.clip(x, -k, 3 * k)

    wanted = built(0.1, 0.25), built(0.3, 0.125)
    first = explained(wanted[0])
    before = machine.COSTS.compiled + machine.COSTS.read
    assert "1 kernels for 1 groups" in first
    assert "0 compiled, 0 read from disk" in explained(wanted[1])
    assert "1 kernels for 2 groups" in explained(wanted)
    assert machine.COSTS.compiled + machine.COSTS.read == before
    for found, alone in zip(*both(wanted, {x: a}), strict=True):
        same_bits(found, alone)


@pytest.mark.parametrize(("one", "other"), [(2, 3), (1.0, 0.1), (2, 2.0), (0.0, -0.0)])
def test_numbers_that_make_the_code_another_are_in_it(one: float, other: float) -> None:
    x = static.placeholder("float32", (6,), name="x")
    assert "2 kernels for 2 groups" in explained([ops.square(x) * one, ops.square(x) * other])


def test_an_unrolled_loop_compiles_its_cell_once() -> None:
    h = x = static.placeholder("float32", (8, 4), name="x")
    w = static.placeholder("float32", (4, 4), name="w")
    for _ in range(30):
        h = ops.sigmoid(h @ w + x) * x - h
    y = ops.sum(h)
    assert "1 kernels for 30 groups" in explained(y) or "2 kernels for 30 groups" in explained(y)


def test_the_log_says_what_became_of_which_lines() -> None:
    x = static.placeholder("float32", (3,), name="x")
    text = explained(x * 2 + 1)
    assert "mul, add of 'add' become one kernel: it reads 1 and writes 1 arrays, not 2 and 2" in text
    assert "test_fuse.py" in text and "1 kernels for 1 groups" in text


def test_a_training_run_goes_the_same_way() -> None:
    rng = np.random.default_rng(0)
    x = static.placeholder("float32", ("N", 12), name="x")
    labels = static.placeholder("int64", ("N",), name="labels")
    model = nn.Sequential(nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 16), nn.Sigmoid(), nn.Linear(16, 4))
    loss = ops.cross_entropy(model(x), labels)
    train = optim.Adam(model.parameters(), lr=0.05).minimize(loss)
    feeds = {x: rng.standard_normal((20, 12), np.float32), labels: rng.integers(0, 4, 20)}
    curves = []
    for level in ("exact", "fast"):
        with static.Session(optimize=level) as session:
            session.run(static.global_variables_initializer())
            curves.append([float(session.run([loss, train], feeds)[0]) for _ in range(100)])
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-3, atol=1e-4)
    assert curves[1][-1] < 0.2 * curves[1][0]


def test_loops_are_fused_inside() -> None:
    xs = static.placeholder("float32", ("T", 4), name="xs")

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        h = ops.tanh(h * 0.5) + x
        return h, h

    last, _ = static.scan(step, ops.zeros(4, like=xs), xs)
    close(*both(last, {xs: np.random.default_rng(0).standard_normal((7, 4), np.float32)}))


def test_ops_of_the_same_name_are_told_apart_by_their_forms() -> None:
    def op(k: int) -> Op:
        return Op("times", lambda x: x * k, lambda x: x, scalar=f"({{0}} * {k})", listed=False)

    x = static.placeholder("float32", (3,), name="x")
    y = op(2)(x) + 1, op(3)(x) + 1
    assert program(y).count(" = fused_times_add") == 2
    for found, wanted in zip(*both(y, {x: np.arange(3, dtype=np.float32)}), strict=True):
        same_bits(found, wanted)


# --- arrays as they come -------------------------------------------------------------------


def fused_op() -> FusedOp:
    """A fused op of two arguments, as a program holds it."""
    from static.compile.passes import options_for
    from static.compile.program import Program
    from static.graph.select import select

    a, b = (static.placeholder("float32", ("N", "M"), name=name) for name in "ab")
    y = ops.maximum(a * b + 1, b)
    compiled = Program(select(a.graph, [y], [a, b]), [a, b], [y], options_for("fast", ()))
    (op,) = [s.op for s in compiled.step_at.values() if isinstance(s.op, FusedOp)]
    return op


def test_views_other_orders_and_foreign_arrays_are_taken_too() -> None:
    op = fused_op()
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 6, 6), np.float32)

    def wanted(a: Any, b: Any) -> Any:
        return np.maximum(a * b + 1, b)

    for x, y in [(a.T, b), (a[::2], b[1::2]), (a, b.T), (a[:, ::-1], b), (a[:0], b[:0])]:
        found = op.compute(x, y)
        assert found.flags.c_contiguous and found.flags.owndata
        same_bits(found, wanted(x, y))
    swapped = a.astype(">f4")
    same_bits(op.compute(swapped, b), wanted(a, b))
    with standin.installed():
        found = op.compute(to_device(a, "cuda"), to_device(b, "cuda"))
        assert isinstance(found, CudaArray)
        same_bits(found.get(), wanted(a, b))


def test_what_a_program_keeps_in_its_arena_is_written_in_place() -> None:
    """Several outputs, of which some leave and some stay; runs of other sizes between."""
    x = static.placeholder("float32", ("N", 4), name="x")
    inner = ops.exp(x) * 2
    fetched = [ops.square(inner) - x, ops.sum(ops.tanh(inner) + inner @ ops.ones((4, 4)))]
    with static.Session() as session, static.Session(optimize="exact") as exact:
        assert re.search(r"fused_\w+\(.*out=", session.program(fetched))
        for size in (3, 5, 3, 1, 0, 5):
            a = np.random.default_rng(size).standard_normal((size, 4), np.float32)
            for found, wanted in zip(session.run(fetched, {x: a}), exact.run(fetched, {x: a}), strict=True):
                close(found, wanted)


def test_an_output_may_take_an_inputs_place_but_not_half_of_it() -> None:
    op = fused_op()
    rng = np.random.default_rng(0)
    room = rng.standard_normal(48, np.float32)
    a, b = room[:16].reshape(4, 4), room[20:36].reshape(4, 4)
    for out in (a, b, room[8:24].reshape(4, 4), room[24:40].reshape(4, 4), room[:32:2].reshape(4, 4)):
        kept = room.copy()
        wanted = np.maximum(a * b + 1, b)
        assert op.compute(a, b, out=out) is out
        same_bits(out, wanted)
        room[:] = kept


def test_a_kernel_refuses_what_it_was_not_made_for() -> None:
    """And then it has written nothing."""
    recipe = Recipe(
        2,
        (Input("float32", (True, True)), Input("float32", (True,))),
        (Element("(a0 * a1)", (0, 1), "float32"),),
        ((2,),),
    )
    kernel = kernel_of(recipe)
    a, row, out = np.ones((3, 4), np.float32), np.ones(4, np.float32), np.zeros((3, 4), np.float32)
    fixed = out.copy()
    fixed.flags.writeable = False
    for arguments in [
        (), (out, a), (out, a, row, row), (out, a, None), (out, [1.0], row), (out, 1.0, row),
        (out, a, row[:3]), (out, a[:2], row), (out, a, a), (out, a.astype(np.float64), row),
        (out, a.astype(np.int32), row), (out, np.asfortranarray(a), row),
        (out, a, np.ones(8, np.float32)[::2]),
        (fixed, a, row), (out[:, :3], a, row), (out.view(np.recarray), a, row), (np.float32(1), a, row),
    ]:  # fmt: skip
        assert kernel(*arguments) is False
        assert not out.any()
    assert kernel(out, a, row) is True
    assert out.all()


@pytest.mark.parametrize("dtype", [dtype.name for dtype in LLVM_TYPES])
def test_a_kernel_takes_the_arrays_of_each_dtype(dtype: str) -> None:
    whole = Input(dtype, (True,))
    kernel = kernel_of(Recipe(None, (whole, whole), (Element("(a0 * a1)", (0, 1), dtype),), ((2,),)))
    a, b = np.arange(5).astype(dtype), np.full(5, 3, dtype)
    out = np.zeros(5, dtype)
    assert kernel(out, a, b) is True
    same_bits(out, a * b)


def test_sizes_that_do_not_fit_are_an_error_of_the_users_line() -> None:
    a, b = (static.placeholder("float32", (None, 3), name=name) for name in "ab")
    first = a * 2 + 1
    second = first * b  # the line that is at fault
    third = second - 1
    with static.Session(optimize="fast") as session:
        assert "fused_" in session.program(third)
        with pytest.raises(ShapeError, match=r"mul: .*\(2, 3\).*\(4, 3\)") as caught:
            session.run(third, {a: np.ones((2, 3), np.float32), b: np.ones((4, 3), np.float32)})
    assert "second = first * b" in str(caught.value)


def test_large_arrays_let_other_threads_run_and_give_the_same() -> None:
    x = static.placeholder("float32", (1 << 18,), name="x")
    y = ops.tanh(x) * x + 1
    a = np.random.default_rng(0).standard_normal(1 << 18).astype(np.float32)
    with static.Session(optimize="fast") as session:
        wanted = session.run(y, {x: a})
        found: list[Any] = []
        threads = [
            threading.Thread(target=lambda: found.extend(session.run(y, {x: a}) for _ in range(5)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 20
    for one in found:
        same_bits(one, wanted)


# --- the cache -----------------------------------------------------------------------------

SCRIPT = """
import numpy as np, static
from shared import ops
from shared.kernels import machine
x = static.placeholder("float32", (40,))
y = ops.tanh(x * 2) - x
with static.Session(optimize="fast") as s:
    print(s.run(y, {x: np.linspace(-3, 3, 40, dtype=np.float32)}).tobytes().hex())
print(machine.COSTS.compiled, machine.COSTS.read)
"""


THREADS = """
import sys, threading
import numpy as np, static
from shared.kernels import machine
start = threading.Barrier(4)
found = {}
def run(k):
    with static.Graph().as_default():
        x = static.placeholder("float32", (40,))
        y = x * x - 1
        for _ in range(k):
            y = y * x - 1
        start.wait()
        with static.Session(optimize="fast") as s:
            found[k] = s.run(y, {x: np.full(40, 2, np.float32)})[0]
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print([float(found[k]) for k in range(4)])
print(machine.COSTS.compiled, machine.COSTS.read)
"""


def in_a_process(cache: Path, script: str = SCRIPT) -> list[str]:
    environment = {**os.environ, "DIPTYCH_CACHE": str(cache), "PYTHONPATH": str(HOME)}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, cwd=cache.parent
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split("\n")[:2]


def test_a_second_process_reads_what_the_first_compiled(tmp_path: Path) -> None:
    """The same bits; a damaged file is compiled again, and mended; nowhere to write is no error."""
    cache = tmp_path / "cache"
    bits, costs = in_a_process(cache)
    assert costs == "2 0"  # the kernel, and what all kernels have in common
    assert in_a_process(cache) == [bits, "0 2"]
    files = sorted((cache / "kernels").iterdir())
    whole = [file.read_bytes() for file in files]
    for file, content in zip(files, whole, strict=True):
        file.write_bytes(content[:100] + b"\xff" + content[101:])
    assert in_a_process(cache) == [bits, "2 0"]
    files[0].write_bytes(whole[0][:-1])
    files[1].write_bytes(b"")
    assert in_a_process(cache) == [bits, "2 0"]
    assert sorted((cache / "kernels").iterdir()) == files
    assert [file.read_bytes() for file in files] == whole
    blocked = tmp_path / "a file"
    blocked.write_text("")
    assert in_a_process(blocked) == [bits, "2 0"]


def test_threads_that_compile_at_once_compile_each_thing_once(tmp_path: Path) -> None:
    """Four kernels, and what all kernels have in common."""
    assert in_a_process(tmp_path, THREADS) == ["[3.0, 5.0, 9.0, 17.0]", "5 0"]


def test_kernels_can_be_asked_not_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available", lambda: "there is no LLVM")
    x = static.placeholder("float32", (3,), name="x")
    y = x * 2 + 1
    assert "nothing is fused: there is no LLVM" in explained(y)
    assert "fused" not in program(y).replace("test_fuse", "")
