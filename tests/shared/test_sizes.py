"""Unknown sizes: their arithmetic, the Python and ONNX that stands for them, and what they compare to.

An expression is a nested tuple, so that it can be worked out once with integers, by Python's own
arithmetic, and once with Dims.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, strategies as st

import static
from shared import ops
from shared.dims import Dim, Size, evaluate, same_shape, same_size, stretched
from shared.errors import UnknownSizeError
from shared.ops.ranges import at_least, range_size, slice_size, smaller
from shared.spec import Spec, broadcast_shapes

NAMES = ("a", "b", "c")


class NoValue(Exception):
    """Of an expression that has none: a division by zero, sizes that do not broadcast."""


def insist(holds: Any) -> None:
    if not holds:
        raise NoValue


def stretches(x: int, y: int) -> int:
    """By NumPy, which refuses what does not broadcast."""
    insist(min(x, y) >= 0 and (x == y or 1 in (x, y)))
    return np.broadcast_shapes((x,), (y,))[0]


def cut(x: int, start: int | None, stop: int | None, step: int) -> int:
    insist(x >= 0)
    return len(np.zeros(x, bool)[start:stop:step])


FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "+": (operator.add, operator.add),
    "-": (operator.sub, operator.sub),
    "*": (operator.mul, operator.mul),
    "//": (operator.floordiv, operator.floordiv),
    "%": (operator.mod, operator.mod),
    "broadcast": (stretches, stretched),
    "at least": (lambda x, y: max(x, 2), lambda x, y: at_least(x, 2)),
    "smaller": (lambda x, y: max(min(x, y), 0), lambda x, y: at_least(smaller(x, y), 0)),
    "range": (lambda x, y: len(range(x, y, 3)), lambda x, y: range_size(x, y, 3)),
    "range back": (lambda x, y: len(range(x, y, -2)), lambda x, y: range_size(x, y, -2)),
    "head": (lambda x, y: cut(x, None, y, 1), lambda x, y: slice_size(x, slice(None, y))),
    "tail": (lambda x, y: cut(x, y, None, 1), lambda x, y: slice_size(x, slice(y, None))),
    "middle": (lambda x, y: cut(x, 1, y, 2), lambda x, y: slice_size(x, slice(1, y, 2))),
    "backwards": (lambda x, y: cut(x, y, None, -1), lambda x, y: slice_size(x, slice(y, None, -1))),
}  # fmt: skip

EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES) | st.integers(-4, 4),
    lambda parts: st.tuples(st.sampled_from(sorted(FUNCTIONS)), parts, parts),
    max_leaves=8,
)
FED = st.tuples(*[st.integers(0, 9)] * len(NAMES))


def worked_out(expression: Any, leaves: dict[str, Any], which: int, ints: dict[str, int]) -> Any:
    """The value by the functions of integers (which 0) or of sizes (1)."""
    if not isinstance(expression, tuple):
        return leaves.get(expression, expression)
    name, x, y = expression
    if name in ("//", "%"):
        insist(worked_out(y, ints, 0, ints) != 0)
    return FUNCTIONS[name][which](worked_out(x, leaves, which, ints), worked_out(y, leaves, which, ints))


def both(expression: Any, fed: tuple[int, ...]) -> tuple[int, Size, dict[Any, int]]:
    """The value, the size, and the numbers of the symbols."""
    ints, dims = dict(zip(NAMES, fed, strict=True)), {name: Dim(name) for name in NAMES}
    try:
        value = worked_out(expression, ints, 0, ints)
    except NoValue:
        reject()
    return value, worked_out(expression, dims, 1, ints), {dims[name].symbol(): n for name, n in ints.items()}


@given(EXPRESSIONS, FED)
def test_a_size_and_its_source_are_what_pythons_arithmetic_gives(expression: Any, fed: Any) -> None:
    value, size, sizes = both(expression, fed)
    assert evaluate(size, sizes) == value
    source = size.source(lambda symbol: symbol.name) if isinstance(size, Dim) else str(size)
    assert eval(source, {symbol.name: n for symbol, n in sizes.items()}) == value
    assert eval(f"7 - {source} * 3 // 2", {s.name: n for s, n in sizes.items()}) == 7 - value * 3 // 2


@given(EXPRESSIONS, EXPRESSIONS, FED)
def test_what_a_comparison_decides_holds_for_all_sizes(one: Any, other: Any, fed: Any) -> None:
    ints, dims = dict(zip(NAMES, fed, strict=True)), {name: Dim(name) for name in NAMES}
    try:
        a, b = (worked_out(part, ints, 0, ints) for part in (one, other))
    except NoValue:
        reject()
    x, y = (worked_out(part, dims, 1, ints) for part in (one, other))
    for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        try:
            decided = compare(x, y)
        except UnknownSizeError:
            continue
        assert decided is compare(a, b)
    assert a == b or not same_size(x, y)
    if same_size(x, y):
        assert hash(x) == hash(y) and x == y


@pytest.mark.parametrize("seed", range(3))
def test_programs_and_onnx_files_compute_sizes_alike(seed: int, tmp_path: Path) -> None:
    """As numbers beside a Tensor, in a run and in the exported file."""
    onnx = pytest.importorskip("onnx", reason="the extra 'onnx' brings it")
    evaluator = pytest.importorskip("onnx.reference", reason="the extra 'onnx' brings it").ReferenceEvaluator
    rng = np.random.default_rng(seed)
    fed = (1, 1, 7) if seed == 0 else tuple(rng.integers(1, 9, len(NAMES)).tolist())
    ints = dict(zip(NAMES, fed, strict=True))
    with static.Graph().as_default() as graph:
        x = static.placeholder("int64", NAMES, name="x")
        dims = dict(zip(NAMES, x.shape, strict=True))
        wanted, ys = [], []
        while len(ys) < 40:
            expression = drawn(rng, 4)
            try:
                value = worked_out(expression, ints, 0, ints)
            except NoValue:
                continue
            wanted.append(value)
            ys.append(ops.sum(x) + worked_out(expression, dims, 1, ints))
    array = np.zeros(fed, np.int64)
    for level in ("exact", "fast"):
        with static.Session(graph=graph, optimize=level) as session:
            assert [int(y) for y in session.run(ys, {x: array})] == wanted
    graph.export_onnx(tmp_path / "sizes.onnx", {f"y{i}": y for i, y in enumerate(ys)}, [x])
    got = evaluator(onnx.load(tmp_path / "sizes.onnx")).run(None, {"x": array})
    assert [int(y) for y in got] == wanted


def drawn(rng: np.random.Generator, depth: int) -> Any:
    """A random expression."""
    if not depth or rng.random() < 0.2:
        return int(rng.integers(-4, 5)) if rng.random() < 0.3 else str(rng.choice(NAMES))
    return str(rng.choice(sorted(FUNCTIONS))), drawn(rng, depth - 1), drawn(rng, depth - 1)


# --- comparing ---------------------------------------------------------------------------------------


def test_a_size_compares_where_the_answer_is_the_same_for_all_sizes() -> None:
    n, m = Dim("n"), Dim("m")
    assert n == n and n * 2 + n == 3 * n and n != n + 1 and n + 1 != 0 and n != -1
    assert n >= 0 and n + 1 > n and not n < 0 and n < n + m + 1 and bool(n + 1)
    assert n != None and n != "n" and n != (1,)  # noqa: E711  (what is no number is no size)
    assert n + np.int64(2) == np.int64(2) + n == n + 2 and (np.int64(3) * n).evaluate({n.symbol(): 2}) == 6


OPEN = {
    "==": lambda n, m: n == 1, "!=": lambda n, m: n != m, "in": lambda n, m: 3 in (n, 3),
    "<": lambda n, m: n < 5, "bool": lambda n, m: bool(n), "if": lambda n, m: 1 if n - m else 2,
    "shapes": lambda n, m: (n, 3) == (m, 3), "NumPy's": lambda n, m: np.int64(1) == n,
    "int": lambda n, m: int(n), "range": lambda n, m: range(n),
}  # fmt: skip


@pytest.mark.parametrize("ask", OPEN.values(), ids=OPEN)
def test_what_only_a_run_knows_is_not_taken_for_false(ask: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(UnknownSizeError, match=r"not known until a session runs the graph"):
        ask(Dim("n"), Dim("m"))


def test_sizes_of_one_name_are_two_sizes() -> None:
    a, b = Dim("n"), Dim("n")
    assert same_size(a * b, b * a) and same_size((a // 2) * (b // 2), (b // 2) * (a // 2))
    assert not same_size(a // 2, b // 2) and not same_size(a, b)


def test_hashes_tell_minus_one_from_minus_two() -> None:
    """Python's own do not, so sizes that differ in nothing else would be compared."""
    n = Dim("n")
    assert len({(-1 * n) // 3: 0, (-2 * n) // 3: 1}) == 2


def test_specs_are_equal_where_they_are_known_to_be() -> None:
    n, m = Dim("n"), Dim("m")
    kind = np.dtype("float32")
    assert Spec((n, 3), kind) == Spec((n, 3), kind) != Spec((m, 3), kind)
    assert Spec((n,), kind) != Spec((3,), kind) and len({Spec((n,), kind), Spec((n,), kind)}) == 1
    assert same_shape((n, 3), (n, 3)) and not same_shape((n, 3), (m, 3)) and not same_shape((n,), (n, 1))


def test_what_two_sizes_broadcast_to_is_the_same_each_time() -> None:
    n, m, k = Dim("n"), Dim("m"), Dim("k")
    kind = np.dtype("float32")
    one = broadcast_shapes("f", Spec((n, 1, 3), kind), Spec((m, 3), kind))
    assert same_shape(one, (n, m, 3))
    both = stretched(n, m)
    assert same_size(both, stretched(m, n)) and same_size(stretched(both, k), stretched(n, stretched(m, k)))
    assert same_size(stretched(both, n), both) and stretched(n, 1) is n and stretched(n, 4, 1) == 4


# --- in programs -------------------------------------------------------------------------------------


def run(y: Any, feeds: dict[Any, Any]) -> Any:
    with static.Session() as session:
        return session.run(y, feeds)


def test_arithmetic_on_sizes_keeps_its_brackets_in_a_program() -> None:
    x = static.placeholder("float32", ("N", "T"))
    n, t = x.shape
    half = (n * t) // (2 * n)
    array = np.ones((2, 320), np.float32)
    assert run(x[:, :half], {x: array}).shape == (2, 160)
    assert run(ops.sum(x) / half, {x: array}) == 4
    assert run(ops.reshape(x, (n, -1, 160)), {x: array}).shape == (2, 2, 160)
    assert run(ops.reshape(x, (-1, t // 4 - (2 - n))), {x: np.ones((2, 40))}).shape == (8, 10)


def test_vectors_of_unlike_unknown_sizes_have_a_cosine() -> None:
    a, b = static.placeholder("float32", (None, 3)), static.placeholder("float32", (None, 3))
    one, many = np.float32([[1, 2, 2]]), np.float32([[1, 2, 2], [-2, -4, -4], [2, -2, 1]])
    y = ops.cosine_similarity(a, b)
    np.testing.assert_allclose(run(y, {a: one, b: many}), [1, -1, 0], atol=1e-6)
    np.testing.assert_allclose(run(y, {a: many, b: one}), [1, -1, 0], atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (3, 3), (0, 2), (4, 2, 3)], ids=str)
def test_a_trace_needs_no_square(shape: tuple[int, ...]) -> None:
    """By what is known of the sizes and by what is not; its gradient too."""
    array = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    want = np.trace(array, axis1=-2, axis2=-1)
    slope = np.zeros(shape)
    side = range(min(shape[-2:]))
    slope[..., side, side] = 1
    np.testing.assert_array_equal(ops.trace(array), want)
    for known in (shape, (None,) * len(shape), (*shape[:-1], None), (*shape[:-2], None, shape[-1])):
        x = static.placeholder("float64", known)
        y = ops.trace(x)
        got, g = run([y, static.gradients(y, [x])[0]], {x: array})
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(g, slope)


def test_a_size_that_nothing_in_the_graph_has_is_said_by_name() -> None:
    x = static.placeholder("float32", (4,))
    y = x + Dim("stray")
    with pytest.raises(UnknownSizeError, match=r"stray.*no Tensor has it.*test_sizes\.py"):
        run(y, {x: np.ones(4)})


def test_a_size_from_around_a_loop_is_known_in_its_body() -> None:
    """Though nothing else of the Tensor that has it is used there, and something inside has it too."""
    x, w = static.placeholder("float32", ("N", 3)), static.placeholder("float32", (None, 3))
    y = ops.scan(lambda c, e: (c, ops.zeros((x.shape[0], 2)) + e[:2]), ops.zeros((), like=x), w)[1]
    assert run(y, {x: np.ones((4, 3)), w: np.ones((5, 3))}).shape == (5, 4, 2)
    assert run(y, {x: np.ones((4, 3)), w: np.ones((0, 3))}).shape == (0, 4, 2)


def test_a_loop_over_nothing_has_the_shapes_of_known_sizes() -> None:
    x, u = static.placeholder("float32", (None, None)), static.placeholder("float32", (None,))
    y = static.map_fn(lambda a: ops.scan(lambda c, e: (u + e, u + e), a, x)[1], x)
    assert run(y, {x: np.ones((0, 3)), u: np.ones(3)}).shape == (0, 0, 3)
    z = static.map_fn(lambda e: ops.reshape(e, (-1, e.shape[0])), x)
    (g,) = static.gradients(z, [x])
    assert [a.shape for a in run([z, g], {x: np.ones((0, 3))})] == [(0, 1, 3), (0, 3)]
