"""Random calls of what sorts, searches, counts and runs: NumPy's result or, where it refuses, our own error.

Numbers are few, so that many tie, and some are NaN, infinite or a zero with a sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import dynamic
from shared import ops
from tests.shared.ops.test_property_indexing import agrees, random_calls, shapes

AWKWARD = [0.0, -0.0, 1.0, 1.0, -2.0, 0.5, np.inf, -np.inf, np.nan]
dtypes = st.sampled_from(["float64", "float32", "float16", "int64", "uint8", "bool"])
axes = st.integers(-3, 2)


@st.composite
def arrays(draw: st.DrawFn, nan: bool = True, kinds: Any = dtypes, of: Any = shapes) -> np.ndarray:
    shape, kind = draw(of), np.dtype(draw(kinds))
    values = (AWKWARD if nan else AWKWARD[:6]) if kind.kind == "f" else [0, 1, 1, 3]
    size = int(np.prod(shape))
    drawn = draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))
    return np.array(drawn, float).reshape(shape).astype(kind)


def along(x: np.ndarray, axis: int) -> int:
    """The axis from the front; NumPy's error, if it isn't there."""
    return range(x.ndim)[axis]


# --- in order ------------------------------------------------------------------------------


@random_calls
@given(arrays(), axes, st.booleans())
def test_sort_is_stable_in_both_directions(x: np.ndarray, axis: int, descending: bool) -> None:
    """Descending is ascending of what is in reverse, in reverse."""

    def order(x: Any) -> Any:
        axis_ = along(x, axis)
        if not descending:
            return np.argsort(x, axis_, kind="stable")
        return x.shape[axis_] - 1 - np.flip(np.argsort(np.flip(x, axis_), axis_, kind="stable"), axis_)

    agrees(lambda x: ops.argsort(x, axis, descending), order, [x])
    agrees(lambda x: ops.sort(x, axis, descending),
           lambda x: np.take_along_axis(x, order(x), along(x, axis)), [x])  # fmt: skip


@random_calls
@given(st.integers(0, 9), st.integers(1, 90), st.booleans(), dtypes)
def test_topk_of_many_is_the_beginning_of_all_in_order(seed: int, k: int, largest: bool, kind: str) -> None:
    """Also where it parts them before it sorts, and most of them tie."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2 + seed, (2, 720)).astype(kind)
    if kind.startswith("f"):
        x[rng.random(x.shape) < 0.05 * (seed % 3)] = np.nan
    values, index = ops.topk(x, k, 1, largest)
    order = ops.argsort(x, 1, descending=largest)[:, :k]
    np.testing.assert_array_equal(index, order)
    np.testing.assert_array_equal(values, np.take_along_axis(x, order, 1))


@random_calls
@given(arrays(), axes, st.integers(1, 3))
def test_kthvalue_is_that_of_what_is_sorted(x: np.ndarray, axis: int, k: int) -> None:
    agrees(lambda x: ops.kthvalue(x, k, axis)[0], lambda x: np.sort(x, axis).take(range(3)[k - 1], axis)
           if x.ndim and x.shape[axis] >= k else _refused(), [x])  # fmt: skip


def _refused() -> Any:
    raise ValueError


@random_calls
@given(arrays(of=shapes.filter(len)))
def test_mode_is_the_smallest_of_the_most_frequent(x: np.ndarray) -> None:
    def counted(line: Any) -> Any:
        values, counts = np.unique(line, return_counts=True, equal_nan=False)
        return values[counts.argmax()]

    def expected(x: Any) -> Any:
        if not x.shape[-1]:
            raise ValueError
        return np.array([counted(line) for line in x.reshape(-1, x.shape[-1])], x.dtype).reshape(x.shape[:-1])

    agrees(lambda x: ops.mode(x)[0], expected, [x])
    if x.size:
        value, index = ops.mode(x, keepdims=True)
        np.testing.assert_array_equal(np.take_along_axis(x, index, -1), value)


@random_calls
@given(arrays(), axes, st.booleans())
def test_the_extreme_with_its_place(x: np.ndarray, axis: int, keepdims: bool) -> None:
    agrees(lambda x: ops.max_with_indices(x, axis, keepdims)[0],
           lambda x: x.max(along(x, axis), keepdims=keepdims), [x])  # fmt: skip
    agrees(lambda x: ops.min_with_indices(x, axis, keepdims)[1],
           lambda x: x.argmin(along(x, axis), keepdims=keepdims), [x])  # fmt: skip


# --- searched and counted ------------------------------------------------------------------


@random_calls
@given(arrays())
def test_nonzero_and_unique_are_numpys(x: np.ndarray) -> None:
    agrees(ops.argwhere, np.argwhere, [x])
    agrees(lambda x: ops.stack(ops.nonzero(x)), lambda x: np.stack(x.nonzero()), [x])
    expected = np.unique(x, True, True, True, equal_nan=False)
    for got, want in zip(ops.unique_all(x), expected, strict=True):
        np.testing.assert_array_equal(got, want)
    agrees(lambda x: ops.count_nonzero(x, -1) if x.ndim else ops.count_nonzero(x),
           lambda x: np.asarray(np.count_nonzero(x, axis=-1)), [x])  # fmt: skip


@random_calls
@given(arrays(nan=False, kinds=st.sampled_from(["int64", "float64", "bool"])), axes)
def test_unique_slices_are_numpys(x: np.ndarray, axis: int) -> None:
    def both(module: Any, x: Any) -> Any:
        return module.unique(x, True, True, True, axis=axis) if module is np else module.unique(
            x, axis, True, True, True)  # fmt: skip

    for part in range(4):
        if -x.ndim <= axis < x.ndim and 0 not in np.delete(x.shape, axis):
            agrees(lambda x, k=part: both(ops, x)[k], lambda x, k=part: both(np, x)[k], [x])


@random_calls
@given(arrays(of=st.sampled_from([(0,), (1,), (4,), (2, 3)])), arrays(), st.sampled_from(["left", "right"]))
def test_searchsorted_is_numpys(edges: np.ndarray, x: np.ndarray, side: Any) -> None:
    edges = np.sort(edges, axis=-1)

    def expected(edges: Any, x: Any) -> Any:
        if edges.ndim == 1:
            return np.asarray(np.searchsorted(edges, x, side))
        if x.ndim != 2 or len(x) != len(edges):
            raise ValueError
        return np.array([np.searchsorted(e, row, side) for e, row in zip(edges, x, strict=True)])

    agrees(lambda e, x: ops.searchsorted(e, x, side), expected, [edges, x])


@random_calls
@given(st.lists(st.integers(-1, 5), max_size=6), st.integers(0, 8), st.booleans())
def test_bincount_is_numpys(values: list[int], minlength: int, weighted: bool) -> None:
    x, w = np.array(values, np.int64), np.linspace(-1, 2, len(values))
    if not weighted:
        agrees(lambda x: ops.bincount(x, minlength=minlength), lambda x: np.bincount(x, None, minlength), [x])
    elif values:
        agrees(lambda x, w: ops.bincount(x, w, minlength), lambda x, w: np.bincount(x, w, minlength), [x, w],
               exact=False)  # fmt: skip


@random_calls
@given(st.lists(st.floats(-3, 3, width=16), min_size=1, max_size=9), st.integers(1, 4), st.booleans(),
       st.sampled_from([None, (-1.0, 2.0)]))  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_histogram_is_numpys(values: list[float], bins: int, density: bool, span: Any) -> None:
    """Bins whose edges are exact, so that no element lies on one by rounding alone."""
    x = np.round(np.array(values) * 8) / 8
    edges = np.linspace(-2, 2, bins + 1) if span is None else bins
    counts, made = ops.histogram(x, edges, span, density=density)
    expected, at = np.histogram(x, edges, span, density=density)
    np.testing.assert_allclose(made, at, rtol=1e-15)
    if expected.any() and not np.isin(x, at[1:-1]).any():
        np.testing.assert_allclose(counts, expected, rtol=1e-12)


# --- running -------------------------------------------------------------------------------


@random_calls
@given(arrays(nan=False), st.none() | axes)
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_what_runs_is_numpys(x: np.ndarray, axis: Any) -> None:
    def moved(x: Any) -> tuple[Any, int]:
        return (x.reshape(-1), 0) if axis is None else (x, along(x, axis))

    agrees(lambda x: ops.cumprod(x, axis), lambda x: np.cumprod(*moved(x)), [x])
    agrees(lambda x: ops.cummax(x, axis)[0], lambda x: np.maximum.accumulate(*moved(x)), [x])
    agrees(lambda x: ops.cummin(x, axis)[0], lambda x: np.minimum.accumulate(*moved(x)), [x])
    if x.dtype == np.float64:
        agrees(lambda x: ops.logcumsumexp(x, axis), lambda x: np.logaddexp.accumulate(*moved(x)), [x])


@random_calls
@given(arrays(nan=False), axes, st.integers(0, 3), st.booleans())
def test_diff_is_numpys(x: np.ndarray, axis: int, n: int, ends: bool) -> None:
    more: dict[str, Any] = {"prepend": 1, "append": x} if ends and x.dtype == np.float64 else {}
    agrees(lambda x: ops.diff(x, n, axis, **more), lambda x: np.diff(x, n, along(x, axis), **more), [x])


# --- quantiles -----------------------------------------------------------------------------

_qs = st.sampled_from([0.0, 1.0, 0.5, 0.3, [0.25, 0.9], [0.5]])
_spans = st.none() | axes | st.just((0, -1))


@random_calls
@given(arrays(nan=False, kinds=st.sampled_from(["float64", "float32", "int64"])), _qs, _spans, st.booleans(),
       st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]))  # fmt: skip
def test_quantile_is_numpys(x: np.ndarray, q: Any, axis: Any, keepdims: bool, method: Any) -> None:
    def expected(x: Any) -> Any:
        y = np.asarray(np.quantile(x, q, axis, keepdims=keepdims, method=method))
        return y.astype(x.dtype if x.dtype.kind == "f" else np.float64)

    if x.size:
        agrees(lambda x: ops.quantile(x, q, axis, keepdims, method), expected, [x], exact=False)


@random_calls
@given(arrays(kinds=st.just("float64"), of=shapes.filter(lambda shape: shape and 0 not in shape)), _spans,
       st.booleans())  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_medians_and_sums_without_nan_are_numpys(x: np.ndarray, axis: Any, keepdims: bool) -> None:
    for name in ("median", "nanmedian", "nansum", "nanmean"):
        theirs = getattr(np, name)
        agrees(lambda x, f=name: getattr(ops, f)(x, axis, keepdims),
               lambda x, f=theirs: np.asarray(f(x, axis, keepdims=keepdims)), [x], exact=False)  # fmt: skip


def test_between_infinities_a_quantile_is_what_the_order_says() -> None:
    """NumPy gives NaN for most of these: it subtracts infinities."""
    for values, q, right in (
        ([1.0, np.inf], 1.0, np.inf), ([np.inf, np.inf, 1.0], 0.9, np.inf), ([1.0, np.inf], 0.9, np.inf),
        ([-np.inf, 1.0], 0.25, -np.inf), ([-np.inf, 1.0], 0.75, -np.inf), ([1.0, np.inf], 0.0, 1.0),
    ):  # fmt: skip
        with np.errstate(invalid="ignore"):
            assert ops.quantile(np.array(values), q) == right


def test_of_elements_that_tie_the_gradient_goes_to_those_that_were_picked() -> None:
    x = dynamic.tensor(np.array([2.0, 1.0, 2.0, 2.0]), requires_grad=True)
    for call, right in (
        (lambda x: ops.topk(x, 2)[0], [1, 0, 1, 0]),
        (lambda x: ops.max_with_indices(x, 0)[0], [1, 0, 0, 0]),
        (lambda x: ops.cummax(x, 0)[0][-1], [0, 0, 0, 1]),
        (lambda x: ops.kthvalue(x, 2)[0], [1, 0, 0, 0]),
        (lambda x: ops.unique(x)[1], [1, 0, 0, 0]),
        (lambda x: ops.mode(x)[0], [1, 0, 0, 0]),
    ):
        np.testing.assert_array_equal(dynamic.grad(ops.sum(call(x)), x).numpy(), right)
