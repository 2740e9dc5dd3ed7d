"""Mistakes in what sorts, searches, puts and arranges: one error on both engines, with the call, the values
and the way out; and what `stop_gradient` and `detach` promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops
from shared.errors import DTypeError, RangeError, SettingError, ShapeError, UnknownSizeError

Call = Callable[[Any], Any]
X = np.arange(6, dtype=np.float32).reshape(2, 3)
MISTAKES: list[tuple[Call, type[Exception], list[str]]] = [
    (lambda x: ops.sort(x, 2), SettingError, ["sort", "axis 2", "2 dimension"]),
    (lambda x: ops.topk(x, 4), ShapeError, ["topk", "4 of 3", "(2, 3)"]),
    (lambda x: ops.topk(x, -1), SettingError, ["topk", "from 0 on, not -1"]),
    (lambda x: ops.topk(x, 1.5), SettingError, ["topk", "1.5"]),
    (lambda x: ops.kthvalue(x, 0), SettingError, ["kthvalue", "from 1 on, not 0"]),
    (lambda x: ops.kthvalue(x, 4), ShapeError, ["topk", "4 of 3"]),
    (lambda x: ops.mode(x[:0], 0), ShapeError, ["mode", "(0, 3)", "no elements"]),
    (lambda x: ops.max_with_indices(x[:, :0], 1), ShapeError, ["argmax", "no elements"]),
    (lambda x: ops.nonzero(x[0, 0]), ShapeError, ["nonzero", "no axes"]),
    (lambda x: ops.searchsorted(x[0], x, "middle"), SettingError, ["searchsorted", "'left' or 'right'"]),
    (lambda x: ops.searchsorted(x, x[0]), ShapeError, ["searchsorted", "(3,) in (2, 3)", "all but the last"]),
    (lambda x: ops.bincount(x), DTypeError, ["bincount", "integers", "float32"]),
    (lambda x: ops.bincount(ops.cast(x, int)), ShapeError, ["bincount", "(2, 3)", "one axis"]),
    (lambda x: ops.bincount([0, 1], x[0]), ShapeError, ["bincount", "(2,) with weights (3,)"]),
    (lambda x: ops.bincount([0, 1], minlength=-1), SettingError, ["bincount", "negative", "-1"]),
    (lambda x: ops.histogram(x, 0), SettingError, ["histogram", "from 1 on", "0"]),
    (lambda x: ops.histogram(x, x), ShapeError, ["histogram", "edges (2, 3)"]),
    (lambda x: ops.diff(x, -1), SettingError, ["diff", "from 0 on", "-1"]),
    (lambda x: ops.quantile(x, 1.5), SettingError, ["quantile", "from 0 to 1", "1.5"]),
    (lambda x: ops.quantile(x, [[0.5]]), SettingError, ["quantile", "[[0.5]]"]),
    (lambda x: ops.quantile(x, "half"), SettingError, ["quantile", "not 'half'"]),
    (lambda x: ops.quantile(x, x), ShapeError, ["quantile", "q must be a number", "(2, 3)"]),
    (lambda x: ops.nanquantile(x, 0.5, method="cubic"), SettingError, ["nanquantile", "'cubic'", "nearest"]),
    (lambda x: ops.median(x[:0], 0), ShapeError, ["median", "(0, 3)", "no elements"]),
    (lambda x: ops.index_put(x, [0, 1], np.ones((3, 3))), ShapeError, ["index_put", "(3, 3)", "(2, 3)"]),
    (lambda x: ops.index_put(x, (0, 5), 1.0), RangeError, ["getitem", "index 5", "axis 1"]),
    (lambda x: ops.index_put(x, 0, 1.0, "sum"), SettingError, ["index_put", "'set'", "'sum'"]),
    (lambda x: ops.scatter(x, [0], 1.0, 0), ShapeError, ["scatter", "index (1,)", "(2, 3)", "as many axes"]),
    (lambda x: ops.scatter(x, [[0.5]], 1.0, 0), DTypeError, ["scatter", "integers"]),
    (lambda x: ops.scatter(ops.cast(x, int), [[0]], 1, 0, "mean"), DTypeError, ["scatter", "mean", "cast"]),
    (lambda x: ops.index_add(x, [0], np.ones((2, 3)), 0), ShapeError, ["broadcast_to", "(2, 3)", "(1, 3)"]),
    (lambda x: ops.gather_nd(x, [[0, 0, 0]]), ShapeError, ["gather_nd", "(1, 3) in (2, 3)", "rows of 3"]),
    (lambda x: ops.gather_nd(x, [[0]], 2), SettingError, ["gather_nd", "batch_dims", "0 to 1, not 2"]),
    (lambda x: ops.scatter_nd(x, 0, 1.0), ShapeError, ["scatter_nd", "must have rows"]),
    (lambda x: ops.masked_select(x, [1, 0, 1]), DTypeError, ["masked_select", "bool", "i64"]),
    (lambda x: ops.masked_scatter(x, x > 1, x[0, :2]), ShapeError, ["index_put"]),
    (lambda x: ops.take_along_axis(x, [0], 0), ShapeError, ["take_along_axis", "as many axes"]),
    (lambda x: ops.roll(x, (1, 2)), SettingError, ["roll", "axis="]),
    (lambda x: ops.roll(x, (1, 2), (0,)), SettingError, ["roll", "2 shifts for 1 axes"]),
    (lambda x: ops.roll(x, 0.5), SettingError, ["roll", "0.5"]),
    (lambda x: ops.moveaxis(x, (0, 1), 0), SettingError, ["moveaxis", "(0, 1) to 0"]),
    (lambda x: ops.rot90(x, 1, (0, 0)), SettingError, ["rot90", "(0, 0)", "different"]),
    (lambda x: ops.rot90(x, 1, 0), SettingError, ["rot90", "axes must be two"]),
    (lambda x: ops.unflatten(x, 1, (2, 2)), ShapeError, ["reshape", "(2, 3)", "(2, 2, 2)"]),
    (lambda x: ops.meshgrid(x[0], indexing="yx"), SettingError, ["meshgrid", "'yx'"]),
    (lambda x: ops.meshgrid(x), ShapeError, ["meshgrid", "(2, 3)", "2 axes"]),
    (lambda x: ops.narrow(x, 1, 2, 2), ShapeError, ["narrow", "axis 1 of (2, 3)", "2 elements from 2 on"]),
    (lambda x: ops.chunk(x, 0), SettingError, ["chunk", "0 is no number of parts"]),
    (lambda x: ops.tensor_split(x, 0), SettingError, ["tensor_split", "from 1 on"]),
    (lambda x: ops.diagonal(x, 0, 1, 1), SettingError, ["diagonal", "differ"]),
    (lambda x: ops.diagonal(x[0]), ShapeError, ["diagonal", "(3,)", "2 axes"]),
    (lambda x: ops.diagonal(x, 0.5), SettingError, ["diagonal", "offset", "0.5"]),
    (lambda x: ops.diag(x[None]), ShapeError, ["diag", "3 axes", "diag_embed"]),
    (lambda x: ops.block_diag(x[None]), ShapeError, ["block_diag", "(1, 2, 3)"]),
    (lambda x: ops.hstack([]), SettingError, ["hstack", "at least one"]),
    (lambda x: ops.tril_indices(-1, like=x), SettingError, ["tril_indices", "negative"]),
]  # fmt: skip
LATE: list[tuple[Call, list[str]]] = [
    (lambda x: ops.bincount(ops.cast(x[0] - 1, int)), ["bincount: number -1 at position 0"]),
    (lambda x: ops.scatter(x, ops.cast(x[:1] + 1, int), 1.0, 0), ["index_put", "out of bounds"]),
    (lambda x: ops.index_put(x, ops.cast(x[0] + 5, int), 1.0, "max"), ["index_extreme", "out of bounds"]),
    (lambda x: ops.gather_nd(x, ops.cast(x + 2, int)[:, :1]), ["getitem", "out of bounds"]),
    (lambda x: ops.quantile(x, x[0] - 0.5), ["quantile", "gather: index 6"]),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_a_mistake_is_named_on_either_engine(number: int) -> None:
    """When the graph is built, but for the one that only a run can find."""
    call, error, words = MISTAKES[number]
    with pytest.raises(error) as caught:
        call(dynamic.tensor(X))
    described(caught.value, words)
    with static.Graph().as_default():
        x = static.placeholder("float32", (2, 3))
        with pytest.raises(error) as caught:
            static.Session().run(call(x), {x: X})
    described(caught.value, words)


def described(error: Exception, words: list[str]) -> None:
    for word in words:
        assert word in str(error)
    assert "test_order_errors.py" in str(error), "the user's own line"


@pytest.mark.parametrize("number", range(len(LATE)))
def test_a_number_outside_is_named_when_it_is_met(number: int) -> None:
    call, words = LATE[number]
    with pytest.raises(RangeError) as caught:
        call(dynamic.tensor(X))
    described(caught.value, words)
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, 3))
        y = call(x)
        with pytest.raises(RangeError) as caught:
            static.Session().run(y, {x: X})
    described(caught.value, words)


def test_how_many_parts_there_are_must_be_known() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, None))
        indices = static.placeholder("int64", (4, None))
        for call in (ops.chunk, ops.tensor_split):
            with pytest.raises(UnknownSizeError):
                call(x, 2 if call is ops.chunk else [1])
        with pytest.raises(UnknownSizeError):
            ops.gather_nd(x, indices)
        assert len(ops.tensor_split(x, 3)) == 3


def test_arrays_beside_tensors_of_unknown_sizes_go_where_those_are() -> None:
    """Numbers, index arrays and masks are raw in most programs."""
    mask, index = np.array([[True], [False]]), np.array([[2, 0, 1]])
    calls: list[Call] = [
        lambda x: ops.masked_select(x, mask),
        lambda x: ops.masked_scatter(x, mask, np.ones(3)),
        lambda x: ops.masked_fill(x, mask, 2.0),
        lambda x: ops.take_along_axis(x, index, 1),
        lambda x: ops.put_along_axis(x, index, 7.0, 1, "add"),
        lambda x: ops.index_put(x, mask[:, 0], np.array([5.0]), "mul"),
        lambda x: ops.index_put(x, [1, 1], 2.0, "mean"),
        lambda x: ops.index_fill(x, [0], 3.0, 1),
        lambda x: ops.diff(x, prepend=0.0, append=np.float32(1)),
        lambda x: ops.searchsorted(np.arange(4.0), x),
        lambda x: ops.block_diag(x, np.ones(2, np.float32)),
    ]
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, None))
        for call, got in zip(calls, static.Session().run([call(x) for call in calls], {x: X}), strict=True):
            want = call(dynamic.tensor(X)).numpy()
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)


# --- stop_gradient -------------------------------------------------------------------------


def test_what_is_stopped_has_no_gradient_on_dynamic() -> None:
    x = dynamic.tensor([2.0], requires_grad=True)
    y = ops.stop_gradient(x * 3)
    assert not y.requires_grad and not x.detach().requires_grad
    np.testing.assert_array_equal(dynamic.grad(ops.sum(y * x), x).numpy(), [6])
    assert ops.stop_gradient(X) is X


def test_detach_is_a_method_of_whatever_a_gradient_reaches() -> None:
    p = nn.Parameter(np.full(2, 3, np.float32), "p")
    assert isinstance(p.detach(), dynamic.Tensor) and not p.detach().requires_grad
    with static.Graph().as_default():
        x = static.placeholder("float32", (2,))
        v = static.Variable(np.ones(2, np.float32), name="v")
        loss = ops.sum((x * x).detach() * x + p.detach() * p + v.detach() * v)
        grads = static.gradients(loss, [x, p, v])
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            found = session.run(grads, {x: [2, 4]})
    for got, want in zip(found, ([4, 16], [3, 3], [1, 1]), strict=True):
        np.testing.assert_array_equal(got, want)
