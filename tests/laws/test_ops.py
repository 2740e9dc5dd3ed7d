"""The laws of the op table. Slow as a whole (some minutes on 2 cores): each case is built once
for each dtype, and all laws that can share that work do (`made`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
from shared import ops
from shared.dims import Dim, evaluate
from shared.op import TABLE, Op
from static.graph.graph import Tensor, symbols_of
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import (
    Built,
    Outcome,
    draws,
    inner,
    is_float,
    on_dynamic,
    on_static,
    outputs,
    raw_loss,
    run_static,
    stepped,
)

CASES = all_cases()
BUILTIN = {op.name for op in TABLE.values()}
each_case = pytest.mark.parametrize("case", CASES, ids=str)
DTYPES = {"f32": np.float32, "f64": np.float64}
each_dtype = pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)


def test_every_op_has_cases() -> None:
    missing = sorted(BUILTIN - {case.op for case in CASES})
    assert not missing, f"give cases to {missing}, in the module of their family in tests/cases"


def test_no_two_cases_have_one_name() -> None:
    names = [str(case) for case in CASES]
    assert len(names) == len(set(names))


class Made:
    """A case with arrays of one dtype, and its graphs, each built and run when it is first asked for."""

    def __init__(self, case: Case, dtype: Any) -> None:
        self.case, self.arrays = case, case.arrays(dtype)
        self.draws = draws(case, self.arrays)[:2]
        self._built: dict[bool, Built] = {}
        self._values: dict[bool, dict[Tensor, Any]] = {}

    def on_dynamic(self) -> Outcome:
        return on_dynamic(self.case, self.arrays, *self.draws)

    def built(self, known: bool) -> Built:
        """The graph with all sizes known, or none."""
        if known not in self._built:
            self._built[known] = on_static(self.case, self.arrays, *self.draws, known)
        return self._built[known]

    def values(self, known: bool) -> dict[Tensor, Any]:
        """Every value of that graph."""
        if known not in self._values:
            self._values[known] = self.built(known).every_value()
        return self._values[known]


@pytest.fixture(
    scope="module",  # so that the laws of one case stand one behind the other, and share it
    params=[(case, dtype) for case in CASES for dtype in DTYPES.values()],
    ids=[f"{case}-{name}" for case in CASES for name in DTYPES],
)
def made(request: pytest.FixtureRequest) -> Made:
    return Made(*request.param)


def assert_same_bits(a: Any, b: Any, what: str) -> None:
    """Equal in shape, dtype and every bit; any NaN equals any NaN."""
    assert a.shape == b.shape and a.dtype == b.dtype, what
    np.testing.assert_array_equal(a, b, err_msg=what)
    for one, other in ((a.real, b.real), (a.imag, b.imag)) if is_float(a) else ():
        np.testing.assert_array_equal(np.signbit(one), np.signbit(other), err_msg=f"{what}, the signs")


def test_static_gives_the_bits_that_dynamic_gives(made: Made) -> None:
    """Outputs, first and second derivatives; with all sizes known and with unknown ones."""
    expected = made.on_dynamic()
    for known in (True, False):
        built = made.built(known)
        assert made.case.op in {node.op.name for node in built.graph.nodes}, "the case misses its op"
        for (what, want), (_, got) in zip(expected.flat(), run_static(built).flat(), strict=True):
            assert (want is None) == (got is None), what
            if want is not None:
                assert_same_bits(want, got, what)


@each_case
def test_fast_gives_what_exact_gives_within_rounding(case: Case) -> None:
    """Outputs, first and second derivatives, in float64: what passes reassociate is 1e-9 off at most."""
    arrays = case.arrays(np.float64)
    cs, us, _ = draws(case, arrays)
    for known in (True, False):
        built = on_static(case, arrays, cs, us, known)
        exact, fast = run_static(built).flat(), run_static(built, "fast").flat()
        for (what, want), (_, got) in zip(exact, fast, strict=True):
            assert (want is None) == (got is None), what
            if want is not None:
                assert (want.shape, want.dtype) == (got.shape, got.dtype), what
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12, err_msg=what)


def test_infer_says_what_compute_gives(made: Made) -> None:
    """The shape and dtype of every node, those of the derivatives included."""
    for known in (True, False):
        values = made.values(known)
        sizes = {
            size.symbol(): n
            for tensor, value in values.items()
            for size, n in zip(tensor.shape, value.shape, strict=True)
            if isinstance(size, Dim) and size.symbol() is not None
        }
        for tensor, value in values.items():
            inferred = tuple(evaluate(size, sizes) for size in tensor.shape)
            assert (inferred, tensor.dtype) == (value.shape, value.dtype), tensor


def test_sums_over_transposed_cotangents_have_the_same_bits_on_both_engines() -> None:
    """The order in which memory is summed shows in the last bit, so both must have the same."""
    rng = np.random.default_rng(0)
    shapes = ((70, 90), (90,), (90, 70))
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]

    def call(w: Any, b: Any, v: Any) -> Any:
        return ops.sum(ops.transpose((w + b) / 2 * b) * v)

    case = Case("transpose", call, arrays, second=False, name="summed")
    cs, us, _ = draws(case, arrays)
    expected = on_dynamic(case, arrays, cs, us).first
    for want, got in zip(expected, run_static(on_static(case, arrays, cs, us, True)).first, strict=True):
        assert_same_bits(want, got, "derivative")
    by_backward = first_derivatives(case, arrays, cs, [0, 1, 2])
    for want, got in zip(expected, by_backward, strict=True):
        assert_same_bits(want, got, "the rules on raw arrays")


def test_compute_gives_fresh_arrays_in_c_order(made: Made) -> None:
    """Unless the op says by `alias` whose memory it may share, or is a ufunc, which keeps the
    order of its arguments; and arrays, never scalars."""
    values = made.values(known=True)
    for node in made.built(known=True).graph.nodes:
        if not isinstance(node.op, Op) or not node.inputs or symbols_of(node):
            continue  # a size that only a run measures can not be put in here
        inputs = [values.get(x, x) if isinstance(x, Tensor) else x for x in node.inputs]
        for y in outputs(node.op(*inputs, **node.settings)):
            assert type(y) is np.ndarray, node.op
            for position, x in enumerate(inputs):
                if isinstance(x, np.ndarray) and position not in node.op.alias:
                    assert not np.may_share_memory(x, y), f"{node.op} shares memory with argument {position}"
            assert node.op.alias or node.op.ufunc or y.flags.c_contiguous, node.op


def test_memory_that_is_given_is_filled_and_changes_no_bit(made: Made) -> None:
    """`out=` is what comes back, whatever stood there before; so is an argument that an op says
    it can be written over. Views are views, and in C order where the op says so."""
    values = made.values(known=True)
    for node in made.built(known=True).graph.nodes:
        op = node.op
        if not isinstance(op, Op) or not node.inputs or symbols_of(node):
            continue
        inputs = [values.get(x, x) if isinstance(x, Tensor) else x for x in node.inputs]
        want = op(*inputs, **node.settings)
        if op.hints.view is not None and inputs[0].flags.c_contiguous:
            ordered = op.hints.view(**node.settings)
            for y in outputs(op.compute(*inputs, **node.settings)):
                if ordered or len(node.inputs) == 1:  # what takes an array may pick by it, and copy
                    assert y.ndim == 0 or y.size == 0 or np.shares_memory(y, inputs[0]), op
                assert y.flags.c_contiguous or not ordered, op
        if not op.out:
            continue
        places = [memory_like(y) for y in outputs(want)]
        given = op.compute(*inputs, **node.settings, out=places[0] if op.single else tuple(places))
        for place, got, expected in zip(places, outputs(given), outputs(want), strict=True):
            assert got is place, op
            assert_same_bits(expected, got, str(op))
        for number, expected in enumerate(outputs(want)):
            for position in op.may_be(number, expected.dtype):
                x = inputs[position] if position < len(inputs) else None
                if isinstance(x, np.ndarray) and (x.shape, x.dtype) == (expected.shape, expected.dtype):
                    own = [a.copy() if i == position else a for i, a in enumerate(inputs)]
                    over = [own[position] if i == number else None for i in range(len(outputs(want)))]
                    out = over[0] if op.single else tuple(over)
                    got = outputs(op.compute(*own, **node.settings, out=out))
                    assert got[number] is own[position], op
                    for one, each in zip(got, outputs(want), strict=True):
                        assert_same_bits(each, one, f"{op} over argument {position}")


def memory_like(y: Any) -> Any:
    """An array for y's numbers that holds others, in C order."""
    return np.frombuffer(bytearray(b"\x7f" * y.nbytes), y.dtype).reshape(y.shape)


@pytest.mark.parametrize("case", [case for case in CASES if case.smooth], ids=str)
def test_derivatives_agree_with_finite_differences(case: Case) -> None:
    """First and second, in float64, along a random direction."""
    arrays, eps = case.arrays(np.float64), 1e-6
    cs, us, vs = draws(case, arrays)
    outcome = on_dynamic(case, arrays, cs, us)
    along, sides = [v for v in vs if v is not None], [u for u in us if u is not None]
    ends = stepped(arrays, vs, eps), stepped(arrays, vs, -eps)
    slope = np.subtract(*[raw_loss(case, end, cs) for end in ends]) / (2 * eps)
    np.testing.assert_allclose(inner(outcome.first, along), slope, rtol=1e-6, atol=1e-7)
    if case.second:
        ups = [inner(on_dynamic(case, end, cs, us).first, sides) for end in ends]
        curve = np.subtract(*ups) / (2 * eps)
        second = outcome.second[: len(along)] or [None] * len(along)
        np.testing.assert_allclose(inner(second, along), curve, rtol=1e-5, atol=1e-6)


@each_case
def test_each_derivative_alone_is_what_it_is_among_all(case: Case) -> None:
    """Only what is asked for is computed and kept, and that changes no bit."""
    arrays = case.arrays(np.float64)
    cs, _, _ = draws(case, arrays)
    floats = [i for i, a in enumerate(arrays) if is_float(a)]
    together = first_derivatives(case, arrays, cs, floats)
    for i in floats:
        (alone,) = first_derivatives(case, arrays, cs, [i])
        expected = together[floats.index(i)]
        assert (alone is None) == (expected is None)
        if alone is not None:
            assert_same_bits(alone, expected, f"argument {i}")


@each_case
def test_each_output_alone_sends_back_its_share(case: Case) -> None:
    """Cotangents are linear: the derivatives of the outputs one by one add up to that of all."""
    arrays = case.arrays(np.float64)
    cs, _, _ = draws(case, arrays)
    live = [k for k, c in enumerate(cs) if c is not None]
    floats = [i for i, a in enumerate(arrays) if is_float(a)]
    if len(live) < 2:
        return
    parts = [
        first_derivatives(case, arrays, [c if k == one else None for k, c in enumerate(cs)], floats)
        for one in live
    ]
    for i, whole in enumerate(first_derivatives(case, arrays, cs, floats)):
        shares = [part[i] for part in parts if part[i] is not None]
        if whole is None:
            assert not shares
            continue
        np.testing.assert_allclose(np.sum(shares, axis=0), whole, rtol=1e-9, atol=1e-12)


def first_derivatives(case: Case, arrays: list[Any], cs: list[Any], wanted: list[int]) -> list[Any]:
    """dL/dx for the wanted arguments, by the rules on raw arrays."""
    xs = [dynamic.tensor(a, requires_grad=i in wanted) for i, a in enumerate(arrays)]
    ys = outputs(case.call(*xs))
    pairs = [(y, c) for y, c in zip(ys, cs, strict=True) if c is not None and y.requires_grad]
    if not pairs:
        return [None] * len(wanted)
    found = dynamic.grad(
        [y for y, _ in pairs], [xs[i] for i in wanted], [c for _, c in pairs], allow_unused=True
    )
    return [None if g is None else g.numpy() for g in found]


@pytest.mark.parametrize("case", [case for case in CASES if case.composed], ids=str)
@each_dtype
def test_a_fused_op_is_its_ops_one_by_one(case: Case, dtype: Any) -> None:
    """Within rounding (a few units in the last place): the two sum in different orders."""
    arrays = case.arrays(dtype)
    tolerance = {"rtol": 64 * np.finfo(dtype).eps, "atol": 64 * np.finfo(dtype).eps}
    fused, apart = outputs(case.call(*arrays)), outputs(case.composed(*arrays))
    for y, want in zip(fused, apart, strict=False):
        np.testing.assert_allclose(y, want, **tolerance)
