"""Random calls of what puts values somewhere, arranges and cuts: NumPy's result, or our own error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import dynamic
import static
from shared import ops
from shared.errors import DTypeError
from tests.shared.ops.test_property_indexing import agrees, indexed, numbers, random_calls, shapes, tried

axes = st.integers(-3, 2)
REDUCE: dict[str, Callable[[Any, Any], Any]] = {
    "set": lambda a, v: v, "add": lambda a, v: a + v, "mul": lambda a, v: a * v, "max": max, "min": min,
}  # fmt: skip


def one_by_one(x: np.ndarray, places: Any, values: np.ndarray, reduce: str, include_self: bool) -> np.ndarray:
    """What an index puts into x, said as a loop: `places` are those in the flat x, in order."""
    y, met = x.reshape(-1).copy(), dict[int, int]()
    for place, value in zip(np.ravel(places), np.ravel(values), strict=True):
        count = met[place] = met.get(place, 0) + 1
        first = count == 1 and not include_self
        y[place] = value if first else REDUCE["add" if reduce == "mean" else reduce](y[place], value)
    if reduce == "mean":
        for place, count in met.items():
            y[place] /= count + include_self
    return y.reshape(x.shape)


@random_calls
@given(indexed(), st.sampled_from([*REDUCE, "mean"]), st.booleans(), st.integers(0, 3))
def test_index_put_is_a_loop_over_what_the_index_picks(
    given_: tuple[np.ndarray, list[Any]], reduce: str, include_self: bool, seed: int
) -> None:
    """The values come in the order in which NumPy picks; where NumPy picks nothing for it, it is refused."""
    x, parts = given_
    index = tuple(parts)
    picked = tried(lambda: np.asarray(x[index]), (), Exception)
    values = numbers(np.shape(picked) if not isinstance(picked, Exception) else (2,), seed)
    values = values[:1] if seed == 1 and values.ndim else values

    def expected(x: Any, values: Any) -> Any:
        places = np.arange(x.size).reshape(x.shape)[index]
        return one_by_one(x, places, np.broadcast_to(values, np.shape(places)), reduce, include_self)

    agrees(lambda x, v: ops.index_put(x, index, v, reduce, include_self), expected, [x, values], exact=False)


@random_calls
@given(shapes, axes, shapes, st.integers(0, 9), st.sampled_from([*REDUCE, "mean"]), st.booleans())
def test_scatter_is_a_loop(
    shape: tuple[int, ...], axis: int, reach: tuple[int, ...], seed: int, reduce: str, include_self: bool
) -> None:
    x, values = numbers(shape), numbers(reach, seed)
    size = shape[axis] if -len(shape) <= axis < len(shape) and shape[axis] else 1
    index = np.random.default_rng(seed).integers(-size, size + (seed == 0), reach)

    def expected(x: Any, index: Any, values: Any) -> Any:
        lead = range(x.ndim)[axis]
        if x.ndim != index.ndim or any(index.shape[k] > x.shape[k] for k in range(x.ndim) if k != lead):
            raise ValueError("the index does not fit")
        grid = [np.arange(n).reshape([-1 if k == i else 1 for k in range(x.ndim)])
                for i, n in enumerate(index.shape)]  # fmt: skip
        grid[lead] = index
        places = np.broadcast_to(np.arange(x.size).reshape(x.shape)[tuple(grid)], index.shape)
        return one_by_one(x, places, values, reduce, include_self)

    agrees(lambda x, i, v: ops.scatter(x, i, v, axis, reduce, include_self), expected, [x, index, values],
           exact=False)  # fmt: skip


@random_calls
@given(shapes, axes, shapes, st.integers(0, 9))
def test_take_along_axis_and_put_along_axis_stretch(
    shape: tuple[int, ...], axis: int, reach: tuple[int, ...], seed: int
) -> None:
    x = numbers(shape)
    size = shape[axis] if -len(shape) <= axis < len(shape) and shape[axis] else 1
    index = np.random.default_rng(seed).integers(-size, size, reach)
    agrees(lambda x, i: ops.take_along_axis(x, i, axis),
           lambda x, i: np.take_along_axis(x, i, axis), [x, index])  # fmt: skip

    def put(x: Any, index: Any) -> Any:
        others = [k for k in range(x.ndim) if k != range(x.ndim)[axis]]
        if index.ndim != x.ndim or any(index.shape[k] not in (1, x.shape[k]) for k in others):
            raise ValueError("the index does not stretch to x")
        y = x.copy()
        np.put_along_axis(y, index, 0.5, axis)
        return y

    if all(n != 1 for n in shape):  # else sizes of the index may be too large where NumPy stretches x
        agrees(lambda x, i: ops.put_along_axis(x, i, 0.5, axis), put, [x, index])


@pytest.mark.parametrize("engine", ["dynamic", "static"])
def test_of_values_for_one_place_the_last_stays_and_has_the_gradient(engine: str) -> None:
    """In the index's own order, however it lies in memory, on each engine."""
    rng = np.random.default_rng(3)
    rows = np.asfortranarray(rng.integers(0, 5, (40, 30)))
    x, values = np.zeros((5, 2)), rng.standard_normal((40, 30, 2))
    stays = {row: k for k, row in enumerate(rows.reshape(-1))}
    right, back = np.zeros((5, 2)), np.zeros((1200, 2))
    for row, k in stays.items():
        right[row], back[k] = values.reshape(-1, 2)[k], 1
    if engine == "dynamic":
        v = dynamic.tensor(values, requires_grad=True)
        y = ops.index_put(dynamic.tensor(x), rows, v)
        found = y.numpy(), dynamic.grad(ops.sum(y), v).numpy()
    else:
        with static.Graph().as_default():
            fed = static.placeholder("float64", (None, 30, 2))
            y = ops.index_put(x, rows, fed)
            found = static.Session().run((y, static.gradients(y, fed)[0]), {fed: values})
    np.testing.assert_array_equal(found[0], right)
    np.testing.assert_array_equal(found[1].reshape(-1, 2), back)


def test_a_set_element_keeps_every_bit() -> None:
    """The sign of a zero too, which a sum would lose."""
    minus = np.array([-0.0])
    for y in (
        ops.index_put(np.ones(3), [1], minus), ops.scatter(np.ones(3), [1], minus, 0),
        ops.diag_embed(np.array([3.0, -0.0]))[1], ops.index_put(np.ones(3), slice(1, 2), minus),
    ):  # fmt: skip
        assert y[1] == 0 and np.signbit(y[1])


# --- arranged and cut ----------------------------------------------------------------------


@random_calls
@given(shapes, st.integers(-5, 5), st.none() | axes)
def test_roll_is_numpys(shape: tuple[int, ...], shift: int, axis: Any) -> None:
    agrees(lambda x: ops.roll(x, shift, axis), lambda x: np.roll(x, shift, axis), [numbers(shape)])


@random_calls
@given(shapes, axes, axes)
def test_moveaxis_and_rot90_are_numpys(shape: tuple[int, ...], a: int, b: int) -> None:
    x = numbers(shape)
    agrees(lambda x: ops.moveaxis(x, a, b), lambda x: np.moveaxis(x, a, b), [x])
    for k in range(-1, 4):
        agrees(lambda x, k=k: ops.rot90(x, k, (a, b)), lambda x, k=k: np.rot90(x, k, (a, b)), [x])


@random_calls
@given(shapes, st.integers(-4, 4), axes, axes)
def test_diagonals_are_numpys(shape: tuple[int, ...], offset: int, a: int, b: int) -> None:
    x = numbers(shape)
    agrees(lambda x: ops.diagonal(x, offset, a, b), lambda x: x.diagonal(offset, a, b), [x])
    agrees(lambda x: ops.diag(x, offset), lambda x: np.diag(x, offset), [x])
    if x.ndim == 2:
        n, m = x.shape
        for ours, theirs in ((ops.tril_indices, np.tril_indices), (ops.triu_indices, np.triu_indices)):
            agrees(lambda x, f=ours: ops.stack(f(*x.shape, offset, like=x)),
                   lambda x, f=theirs: np.stack(f(n, offset, m)), [x])  # fmt: skip


@random_calls
@given(shapes, st.integers(0, 4) | st.lists(st.integers(-4, 4), max_size=3), axes)
def test_tensor_split_is_numpys(shape: tuple[int, ...], sections: Any, axis: int) -> None:
    x = numbers(shape)
    expected = tried(lambda: np.array_split(x, sections, axis), (), Exception)
    got = tried(lambda: ops.tensor_split(x, sections, axis), (), Exception)
    if isinstance(expected, Exception):
        assert isinstance(got, Exception)
        return
    for mine, theirs in zip(got, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@random_calls
@given(st.lists(shapes, min_size=1, max_size=3))
def test_stacks_are_numpys(several: list[tuple[int, ...]]) -> None:
    xs = [numbers(shape, k) for k, shape in enumerate(several)]
    for name in ("hstack", "vstack", "dstack", "column_stack"):
        agrees(lambda *xs, f=name: getattr(ops, f)(xs), lambda *xs, f=name: getattr(np, f)(xs), xs)


@random_calls
@given(st.lists(st.integers(0, 3), max_size=3), st.sampled_from(["ij", "xy"]))
def test_meshgrid_is_numpys(sizes: list[int], indexing: Any) -> None:
    xs = [numbers((n,), k) for k, n in enumerate(sizes)]
    for part in range(len(xs)):
        agrees(lambda *xs, k=part: ops.meshgrid(*xs, indexing=indexing)[k],
               lambda *xs, k=part: np.meshgrid(*xs, indexing=indexing)[k], xs)  # fmt: skip


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_a_width_that_only_a_run_knows_adds_or_takes_off(count: int) -> None:
    x = static.placeholder("float32", ("N",))
    y = ops.pad(x, ((x.shape[0] - 3, 0),), value=-1.0)
    a = np.arange(count, dtype=np.float32)
    expected = np.concatenate([np.full(max(count - 3, 0), -1.0), a[max(3 - count, 0) :]])
    with static.Session() as session:
        np.testing.assert_array_equal(session.run(y, {x: a}), expected)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("uint8", 256), ("uint8", -1), ("int8", 128), ("int32", 2**31), ("bool", 2), ("int64", 0.5)],
)
def test_a_value_that_the_dtype_does_not_hold_is_refused(dtype: str, value: float) -> None:
    with pytest.raises(DTypeError, match=rf"{dtype} does not hold {value}"):
        ops.pad(np.ones(3, dtype), ((1, 1),), value=value)
