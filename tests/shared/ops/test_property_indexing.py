"""Random calls of indexing and products: NumPy's result or, where NumPy refuses, our own error.

Each call is made on raw arrays and on static placeholders, with sizes known and unknown, and the
shapes and dtypes that were inferred are held against what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st

import static
from shared import ops
from shared.dims import Dim
from shared.errors import DiptychError

random_calls = settings(max_examples=300, deadline=None, derandomize=True, database=None)
sizes = st.integers(0, 3)
shapes = st.lists(sizes, max_size=3).map(tuple)


def agrees(
    call: Callable[..., Any], numpys: Callable[..., Any], arrays: Sequence[Any], exact: bool = True
) -> None:
    """Ours on arrays is NumPy's; and a static call says beforehand what will come out."""
    expected = tried(numpys, arrays, Exception)
    got = tried(call, arrays, DiptychError)
    assert isinstance(expected, Exception) == isinstance(got, Exception), (expected, got)
    if isinstance(expected, Exception):
        for unknown in (False, True):  # may find out only when it runs
            described(call, arrays, unknown)
        return
    assert got.shape == np.shape(expected) and got.dtype == expected.dtype
    if exact:
        np.testing.assert_array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    for unknown in (False, True):
        made = described(call, arrays, unknown)
        assert not isinstance(made, Exception), made
        assert made.dtype == got.dtype
        assert len(made.shape) == len(got.shape)
        assert all(isinstance(s, Dim) or s == n for s, n in zip(made.shape, got.shape, strict=True))


def tried(call: Callable[..., Any], arrays: Sequence[Any], refusal: type[Exception]) -> Any:
    try:
        return call(*arrays)
    except refusal as error:
        return error


def described(call: Callable[..., Any], arrays: Sequence[Any], unknown: bool) -> Any:
    with static.Graph().as_default():
        xs = [static.placeholder(a.dtype, [None] * a.ndim if unknown else a.shape) for a in arrays]
        return tried(call, xs, DiptychError)


def numbers(shape: Sequence[int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(tuple(shape))


# --- indexing ------------------------------------------------------------------------------

near = st.integers(-4, 3)
bounds = st.none() | near
slices = st.builds(slice, bounds, bounds, st.sampled_from([None, 1, 2, -1, -2]))
index_shapes = st.sampled_from([(), (1,), (2,), (0,), (2, 1), (1, 2)])


@st.composite
def index_arrays(draw: st.DrawFn) -> np.ndarray:
    shape = draw(index_shapes)
    values = draw(st.lists(near, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return np.array(values, draw(st.sampled_from(["int64", "int8"]))).reshape(shape)


@st.composite
def indexed(draw: st.DrawFn) -> tuple[np.ndarray, list[Any]]:
    """An array, and the parts of an index that tends to fit it."""
    shape = draw(shapes)
    parts: list[Any] = []
    axis = 0
    while axis < len(shape) and draw(st.integers(0, 9)):
        kind = draw(st.sampled_from(["int", "slice", "array", "mask", "None", "..."]))
        size = shape[axis]
        if kind == "int":
            parts.append(draw(st.integers(-size, size - 1) if size else near))
        elif kind == "slice":
            parts.append(draw(slices))
        elif kind == "array":
            array = draw(index_arrays())
            parts.append(array % size if size and draw(st.booleans()) else array)
        elif kind == "mask":
            covered = shape[axis : axis + draw(st.integers(0, 2))]
            parts.append(numbers(covered, draw(st.integers(0, 9))) > 0)
            axis += len(covered) - 1
        else:
            parts.append(None if kind == "None" else ...)
            axis -= 1
        axis += 1
    return np.arange(float(np.prod(shape))).reshape(shape), parts


@random_calls
@given(indexed(), st.booleans())
def test_getitem_picks_what_numpy_picks(given_: tuple[np.ndarray, list[Any]], as_lists: bool) -> None:
    x, parts = given_
    arrays = [part for part in parts if isinstance(part, np.ndarray)]

    def fill(values: Sequence[Any]) -> tuple[Any, ...]:
        rest = iter(values)
        return tuple(next(rest) if isinstance(part, np.ndarray) else part for part in parts)

    agrees(
        lambda x, *values: ops.getitem(x, fill(values)),
        lambda x, *values: np.asarray(x[fill(values)]),
        [x, *arrays],
    )


@random_calls
@given(indexed())
def test_the_adjoint_of_getitem_adds_up_what_comes_twice(given_: tuple[np.ndarray, list[Any]]) -> None:
    x, parts = given_
    index = tuple(parts)
    if isinstance(tried(lambda: x[index], (), Exception), Exception):
        return
    with static.Graph().as_default() as graph:
        source = static.placeholder("float64", [None] * x.ndim)
        picked = ops.getitem(source, index)
        g = numbers(np.shape(x[index]))
        (back,) = static.gradients(picked, source, [static.constant(g)])
        with static.Session(graph=graph) as session:
            got = session.run(back, {source: x})
    expected = np.zeros(x.shape)
    np.add.at(expected, index, g)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


@random_calls
@given(shapes, st.none() | st.integers(-4, 3), index_arrays())
def test_take_is_numpys(shape: tuple[int, ...], axis: int | None, index: np.ndarray) -> None:
    """Or rather that of its brackets, which are stricter where there is nothing to take from."""

    def expected(x: Any, index: Any) -> Any:
        if axis is None:
            return np.asarray(x.reshape(-1)[index])
        return np.asarray(x[(slice(None),) * range(x.ndim)[axis] + (index,)])

    agrees(lambda x, i: ops.take(x, i, axis), expected, [numbers(shape), index])


@random_calls
@given(shapes, st.integers(-3, 2), shapes, st.integers(0, 9))
def test_gather_and_scatter_pick_and_add_element_by_element(
    shape: tuple[int, ...], axis: int, reach: tuple[int, ...], seed: int
) -> None:
    """Whatever the shapes: as the formula says, or refused."""
    x, values = numbers(shape), numbers(reach, seed)
    size = shape[axis] if -len(shape) <= axis < len(shape) and shape[axis] else 1
    index = np.random.default_rng(seed).integers(-size, size + (seed == 0), reach)

    def places() -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """For each element of the index: where it leads to, and where it stands."""
        lead = range(len(shape))[axis]
        others = [k for k in range(len(shape)) if k != lead]
        if len(reach) != len(shape) or any(reach[k] > shape[k] for k in others):
            raise ValueError("the index does not fit")
        return [((*at[:lead], index[at], *at[lead + 1 :]), at) for at in np.ndindex(*reach)]

    def gathered(x: Any, index: Any) -> Any:
        return np.array([x[there] for there, _ in places()]).reshape(reach)

    def scattered(x: Any, index: Any, values: Any) -> Any:
        out = x.copy()
        for there, here in places():
            out[there] += values[here]
        return out

    agrees(lambda x, i: ops.gather(x, i, axis), gathered, [x, index])
    agrees(lambda x, i, v: ops.scatter_add(x, i, v, axis), scattered, [x, index, values], exact=False)


# --- products ------------------------------------------------------------------------------


@random_calls
@given(
    st.lists(st.sampled_from([2, 2, 3, 1, 0]), max_size=4),
    st.lists(st.sampled_from([2, 2, 3, 1, 0]), max_size=4),
)
def test_matmul_is_numpys(a: list[int], b: list[int]) -> None:
    agrees(ops.matmul, lambda a, b: np.asarray(a @ b), [numbers(a, 1), numbers(b, 2)], exact=False)


@st.composite
def einsums(draw: st.DrawFn) -> tuple[str, list[np.ndarray]]:
    """Subscripts, and operands that tend to fit them."""
    size_of = {letter: draw(st.sampled_from([2, 3, 3, 1, 0])) for letter in "abcd"}
    broad = draw(shapes)[:2]
    terms, operands = [], []
    for k in range(draw(st.integers(1, 4))):
        letters = draw(st.lists(st.sampled_from("abcd"), max_size=3))
        shape = [1 if draw(st.integers(0, 9)) == 0 else size_of[letter] for letter in letters]
        if draw(st.booleans()):
            place, width = draw(st.integers(0, len(letters))), draw(st.integers(0, len(broad)))
            letters.insert(place, "...")
            shape[place:place] = broad[len(broad) - width :]
        terms.append("".join(letters))
        operands.append(numbers(shape, k))
    text = ",".join(terms)
    if draw(st.booleans()):
        known = sorted({c for c in text if c in "abcd"}) + (["..."] if "..." in text else [])
        text += "->" + "".join(draw(st.lists(st.sampled_from(known), unique=True)) if known else "")
    return text, operands


@random_calls
@given(einsums())
def test_einsum_is_numpys(given_: tuple[str, list[np.ndarray]]) -> None:
    """But that NumPy must have the ellipsis in the output, where ours sums over it, as PyTorch's
    does, and that NumPy reads past the end of some operands, such as "aaa->a" of (0, 1, 1)."""
    text, operands = given_
    output = text.partition("->")[2]
    summed = "->" in text and "..." in text and "..." not in output

    def expected(*xs: Any) -> Any:
        for term, x in zip(text.partition("->")[0].split(","), xs, strict=True):
            _refuse_oblong_diagonals(term, x.shape)
        y = np.asarray(np.einsum(text + "..." if summed else text, *xs))
        return y.sum(axis=tuple(range(len(output), y.ndim))) if summed else y

    agrees(lambda *xs: ops.einsum(text, *xs), expected, operands, exact=False)


def _refuse_oblong_diagonals(term: str, shape: tuple[int, ...]) -> None:
    head, _, tail = term.partition("...")
    sizes = [*zip(head, shape, strict=False), *zip(tail[::-1], shape[::-1], strict=False)]
    if any(a == b and n != m for a, n in sizes for b, m in sizes):
        raise ValueError("a diagonal of sides that differ")


axes = st.integers(-3, 3)
pairs = st.tuples(st.lists(axes, max_size=2), st.lists(axes, max_size=2))


@random_calls
@given(
    st.lists(st.sampled_from([2, 2, 1, 0]), max_size=3),
    st.lists(st.sampled_from([2, 2, 1, 0]), max_size=3),
    st.integers(0, 3) | pairs | st.tuples(axes, axes),
)
def test_tensordot_is_numpys(a: list[int], b: list[int], axes: Any) -> None:
    agrees(
        lambda a, b: ops.tensordot(a, b, axes),
        lambda a, b: np.tensordot(a, b, axes),
        [numbers(a, 1), numbers(b, 2)],
        exact=False,
    )


@random_calls
@given(shapes, st.integers(-4, 4), st.booleans())
def test_triangles_are_numpys(shape: tuple[int, ...], diagonal: int, lower: bool) -> None:
    """NumPy makes a matrix of a row; ours refuses one."""
    name = "tril" if lower else "triu"

    def expected(x: Any) -> Any:
        if x.ndim < 2:
            raise ValueError("no rows and columns")
        return getattr(np, name)(x, diagonal)

    agrees(lambda x: getattr(ops, name)(x, diagonal), expected, [numbers(shape)])


@random_calls
@given(near, near, st.integers(-3, 3), st.sampled_from([1, 1.0, 0.5]))
def test_arange_is_numpys(start: int, stop: int, step: int, scale: float) -> None:
    given_ = start * scale, stop * scale, step * scale
    like = np.zeros(())
    agrees(
        lambda x: ops.arange(*given_, dtype="float64", like=x),
        lambda x: np.arange(*given_, dtype="float64"),
        [like],
    )
