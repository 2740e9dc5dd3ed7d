"""What indexing promises beyond the laws: its errors, and the sizes that it can name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.dims import same_shape
from shared.errors import DTypeError, RangeError, SettingError, ShapeError
from tests.cases.case import normal

X = normal(3, 4)
MISTAKES = [
    ("an int outside", lambda x: x[0, 4], RangeError, "index 4 is out of range for axis 1 of (3, 4)"),
    ("too many indices", lambda x: x[0, 0, 0], ShapeError, "3 indices for (3, 4), which has 2 axes"),
    ("two Ellipses", lambda x: x[..., ...], SettingError, "only one Ellipsis"),
    ("a mask that does not fit", lambda x: x[[True, False]], ShapeError,
     "a mask of shape (2,) stands at axis 0"),
    ("a mask of nothing", lambda x: x[np.zeros(0, bool)], ShapeError,
     "a mask of shape (0,) stands at axis 0"),
    ("arrays that do not broadcast", lambda x: x[[0, 1], [0, 1, 2]], ShapeError,
     "(2,) and (3,) do not broadcast"),
    ("a step of zero", lambda x: x[::0], SettingError, "can not be zero"),
    ("a bound that is no integer", lambda x: x[:1.5], SettingError, "not 1.5"),
    ("a float", lambda x: x[1.0], SettingError, "1.0 is no index"),
    ("a float array", lambda x: x[np.ones(2)], SettingError, "must hold integers or bools, not float64"),
    ("a ragged list", lambda x: x[[[0], [1, 2]]], SettingError, "differ in length"),
    ("a string", lambda x: x["a"], SettingError, "'a' is no index"),
    ("take of an axis that is not there", lambda x: ops.take(x, 0, axis=2), SettingError,
     "axis 2 is out of range"),
    ("take by floats", lambda x: ops.take(x, [0.5], axis=0), DTypeError, "index must hold integers"),
    ("gather by too few axes", lambda x: ops.gather(x, [0, 1], axis=1), ShapeError, "as many axes as x"),
    ("gather by too large an index", lambda x: ops.gather(x, np.zeros((4, 1), int), axis=1), ShapeError,
     "index (4, 1) along axis 1 of x (3, 4)"),
    ("scatter of other shapes", lambda x: ops.scatter_sum(x, np.zeros((4, 3), int), 0, 5), ShapeError,
     "need one shape"),
    ("one_hot of minus one class", lambda x: ops.one_hot([0], -1), SettingError, "must not be negative"),
    ("embedding of floats", lambda x: ops.embedding([0.5], x), DTypeError, "ids must hold integers"),
    ("padding that is no row", lambda x: ops.embedding([0], x, 3), SettingError,
     "padding_idx 3 is none of the 3"),
]  # fmt: skip
OUTSIDE = [
    ("getitem", lambda x, i: x[i], "index 3 is out of bounds for axis 0 with size 3"),
    ("gather", lambda x, i: ops.gather(x, ops.expand_dims(i, 1), axis=0),
     "gather: index 3 at position (1, 0)"),
    ("scatter_sum", lambda x, i: ops.scatter_sum(x[:2, 0], i, 0, 3), "scatter_sum: index 3 at position 1"),
    ("one_hot", lambda x, i: ops.one_hot(i, 3),
     "one_hot: label 3 at position 1 is out of range; it goes from 0 to 2"),
    ("embedding", lambda x, i: ops.embedding(i, x), "embedding: id 3 at position 1 is out of range"),
]  # fmt: skip


@pytest.mark.parametrize("engine", ["arrays", "dynamic", "static"])
@pytest.mark.parametrize(("call", "kind", "words"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_an_index_that_shapes_show_to_be_wrong_is_a_clear_error(
    call: Any, kind: type[Exception], words: str, engine: str
) -> None:
    """At once on both engines, and in the same words."""
    made = {"arrays": _Raw, "dynamic": dynamic.tensor, "static": static.constant}[engine](X)
    with pytest.raises(kind) as caught:
        call(made)
    assert words in str(caught.value)


class _Raw(np.ndarray):
    """An array whose brackets are ops.getitem."""

    def __new__(cls, values: Any) -> Any:
        return values.view(cls)

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(np.asarray(self), index)


@pytest.mark.parametrize(("call", "words"), [o[1:] for o in OUTSIDE], ids=[o[0] for o in OUTSIDE])
def test_an_index_outside_is_named_with_its_place(call: Any, words: str) -> None:
    """At once on `dynamic`, when it runs on `static`."""
    index = np.array([0, 3])
    with pytest.raises(RangeError) as caught:
        call(dynamic.tensor(X), dynamic.tensor(index))
    assert words in str(caught.value)
    with static.Graph().as_default() as graph:
        y = call(static.constant(X), static.constant(index))
        with pytest.raises(RangeError) as caught, static.Session(graph=graph) as session:
            session.run(y)
    assert words in str(caught.value)


@pytest.mark.parametrize("negative", [ops.one_hot, ops.embedding])
def test_labels_and_ids_do_not_count_from_the_end(negative: Any) -> None:
    with pytest.raises(RangeError, match="-1 at position"):
        negative(np.array([[0, 1], [2, -1]]), 3 if negative is ops.one_hot else X)


def test_slices_of_one_unknown_size_are_known_to_be_equal() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", ("n", 4))
        n = x.shape[0]
        assert x[1:].shape == x[:-1].shape == x[1:].shape
        assert x[1:-1].shape == x[2:].shape and not same_shape(x[2:].shape, x[1:].shape)
        assert x[:n].shape == x[::-1].shape == x[0:].shape == x.shape
        assert (x[1:] - x[:-1]).shape == x[1:].shape
        assert x[:, 1:3].shape == (n, 2)
        both = ops.concatenate([x, x])
        assert both[: n + n].shape == both.shape


def test_an_array_index_gives_c_order() -> None:
    """So that what follows need not care how it was picked."""
    for picked in (
        ops.getitem(X, (slice(None), [2, 0])),
        ops.getitem(normal(2, 3, 4), (slice(None), [0], [1, 2])),
    ):
        assert picked.flags.c_contiguous


def test_an_index_that_does_not_fit_is_found_by_the_run_where_sizes_were_unknown() -> None:
    with static.Graph().as_default() as graph:
        x, index = static.placeholder("float32", (None, 4)), static.placeholder("int64", (None, 2))
        picked, summed = ops.gather(x, index, axis=1), ops.scatter_sum(x[:, :2], index, 1, 4)
        feed = {x: np.ones((1, 4), "f"), index: np.zeros((3, 2), int)}
        for y in (picked, summed):
            with pytest.raises(ShapeError), static.Session(graph=graph) as session:
                session.run(y, feed)


def test_the_row_of_padding_gets_no_gradient() -> None:
    """And every other row one for each time that it was looked up."""
    weight = dynamic.tensor(np.ones((3, 2)), requires_grad=True)
    ops.sum(ops.embedding([0, 2, 1, 2, 0], weight, padding_idx=0)).backward()
    np.testing.assert_array_equal(weight.grad.numpy(), [[0, 0], [1, 1], [2, 2]])
