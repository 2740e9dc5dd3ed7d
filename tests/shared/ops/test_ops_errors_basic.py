"""Mistakes in elementwise ops, reductions and shape ops: on either engine the error names the call,
the values and the way out, and is of the Python class that one expects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import ArgumentError, DTypeError, SettingError, ShapeError, UnknownSizeError
from shared.op import TABLE, Op
from shared.state import Parameter

F23, F34, I3, B3 = ("float32", (2, 3)), ("float32", (3, 4)), ("int32", (3,)), ("bool", (3,))


@dataclass(frozen=True)
class Mistake:
    """A call on arrays of these dtypes and shapes, what it raises, and words that the message has."""

    name: str
    call: Callable[..., Any]
    args: Sequence[tuple[str, tuple[int, ...]]]
    error: type[Exception]
    words: Sequence[str]

    def __str__(self) -> str:
        return self.name


MISTAKES = [
    Mistake("shapes that do not broadcast", lambda a, b: a + b, [F23, F34], ShapeError,
            ["add", "(2, 3) and (3, 4)", "sizes", "reshape or expand_dims"]),
    Mistake("three that do not broadcast", ops.where, [("bool", (2, 3)), F23, F34], ShapeError,
            ["where", "(3, 4)", "neither is 1"]),
    Mistake("a mask of numbers", ops.where, [I3, I3, I3], DTypeError, ["where", "bool, not i32", "x != 0"]),
    Mistake("a mask that is a number", lambda x: ops.where(1.0, x, x), [I3], DTypeError, ["where", "float"]),
    Mistake("the difference of bools", lambda a, b: a - b, [B3, B3], DTypeError,
            ["sub", "(bool, bool)", "cast"]),
    Mistake("minus a bool", lambda a: -a, [B3], DTypeError, ["neg", "(bool)", "cast"]),
    Mistake("integers to a negative power", lambda a: a**-1, [I3], DTypeError,
            ["pow", "int32 to the power -1", "cast it to a float"]),
    Mistake("bits of floats", lambda a: a & a, [F23], DTypeError,
            ["bitwise_and", "(float32, float32)", "compare first", "cast to an integer"]),
    Mistake("bits of a float", lambda a: 1.5 | a, [I3], DTypeError, ["bitwise_or", "(int32, float)"]),
    Mistake("bits of a float and a bool", lambda a, b: a ^ b, [F23, ("bool", (3,))], DTypeError,
            ["bitwise_xor", "(float32, bool)"]),
    Mistake("a float turned", lambda a: ~a, [F23], DTypeError, ["bitwise_not", "(float32)", "x > 0"]),
    Mistake("a float shifted", lambda a: a << 1, [F23], DTypeError, ["bitwise_left_shift", "cast"]),
    Mistake("bools shifted", lambda a: a >> a, [B3], DTypeError, ["bitwise_right_shift", "(bool, bool)"]),
    Mistake("bits of signed and unsigned 64", lambda a, b: a & b, [("int64", (3,)), ("uint64", (3,))],
            DTypeError, ["bitwise_and", "cast"]),
    Mistake("a number too wide", lambda a: a + 2**40, [I3], DTypeError, ["add", "int32"]),
    Mistake("clip without a bound", ops.clip, [F23], SettingError, ["clip", "low, high, or both"]),
    Mistake("clip of bools", lambda x: ops.clip(x, 0, 1), [B3], DTypeError, ["clip", "cast"]),
    Mistake("no dtype", lambda x: ops.cast(x, "flaot32"), [F23], DTypeError, ["flaot32", "'float32'"]),
    Mistake("a dtype of no numbers", lambda x: ops.cast(x, str), [F23], DTypeError, ["cast", "'float32'"]),
    Mistake("no dtype at all", lambda x: ops.cast(x, None), [F23], DTypeError, ["cast", "None"]),
    Mistake("a slope below 0", lambda x: ops.leaky_relu(x, -1), [F23], SettingError,
            ["leaky_relu", "negative_slope", "from 0 on, not -1"]),
    Mistake("an alpha below 0", lambda x: ops.elu(x, alpha=-2.0), [F23], SettingError,
            ["elu", "alpha", "not -2.0"]),
    Mistake("an approximation that is none", lambda x: ops.gelu(x, "sigmoid"), [F23], SettingError,
            ["gelu", "'none' or 'tanh', not 'sigmoid'"]),
    # reductions
    Mistake("an axis out of range", lambda x: ops.sum(x, axis=2), [F23], SettingError,
            ["sum", "axis 2", "2 dimension", "from -2 to 1"]),
    Mistake("an axis of what has none", lambda x: ops.max(x, 0), [("float32", ())], SettingError,
            ["max", "axis 0", "no axes"]),
    Mistake("an axis twice", lambda x: x.sum(axis=(0, -2)), [F23], SettingError, ["sum", "twice", "(0, -2)"]),
    Mistake("an axis that is no int", lambda x: ops.mean(x, axis=1.0), [F23], SettingError,
            ["mean", "int", "1.0"]),
    Mistake("an axis that is a bool", lambda x: ops.argmax(x, axis=True), [F23], SettingError,
            ["argmax", "True"]),
    Mistake("the largest of nothing", lambda x: ops.max(x, axis=0), [("float32", (0, 3))], ShapeError,
            ["max", "(0, 3)", "no elements along axis (0,)"]),
    Mistake("the place of nothing", ops.argmin, [("float32", (0,))], ShapeError, ["argmin", "no elements"]),
    Mistake("a correction that is no int", lambda x: ops.var(x, correction=0.5), [F23], SettingError,
            ["var", "correction", "0.5"]),
    Mistake("a correction below 0", lambda x: ops.std(x, correction=-1), [F23], SettingError, ["std", "-1"]),
    Mistake("p below 1", lambda x: ops.norm(x, p=0.5), [F23], SettingError, ["norm", "from 1 on", "0.5"]),
    # shapes
    Mistake("another number of elements", lambda x: x.reshape(4, 2), [F23], ShapeError,
            ["reshape", "(2, 3) has 6", "(4, 2) has 8"]),
    Mistake("a rest that does not divide", lambda x: x.reshape(4, -1), [F23], ShapeError,
            ["reshape", "(2, 3)", "(4, -1)", "divide"]),
    Mistake("two sizes to work out", lambda x: ops.reshape(x, (-1, -1)), [F23], ShapeError,
            ["reshape", "one size may be -1"]),
    Mistake("a negative size", lambda x: ops.reshape(x, (-2, 3)), [F23], SettingError,
            ["reshape", "(-2, 3)"]),
    Mistake("half a size", lambda x: ops.reshape(x, (2.5, 2)), [F23], SettingError, ["reshape", "(2.5, 2)"]),
    Mistake("an axis left out", lambda x: ops.transpose(x, (0, 0)), [F23], SettingError,
            ["transpose", "(0, 0)", "(2, 3)", "once"]),
    Mistake("squeezing a size of 3", lambda x: ops.squeeze(x, 1), [F23], ShapeError,
            ["squeeze", "axis 1", "size 3, not 1"]),
    Mistake("an axis put in twice", lambda x: ops.expand_dims(x, (0, 0)), [F23], SettingError,
            ["expand_dims", "twice"]),
    Mistake("stretching a 3", lambda x: ops.broadcast_to(x, (2, 4)), [F23], ShapeError,
            ["broadcast_to", "(2, 3)", "(2, 4)", "sizes of 1"]),
    Mistake("summing to what was not stretched", lambda x: ops.sum_to(x, (2,)), [F23], ShapeError,
            ["sum_to", "(2,)", "(2, 3)"]),
    Mistake("summing to as many that are others", lambda x: ops.sum_to(x, (3, 2)), [F23], ShapeError,
            ["sum_to", "(3, 2)", "(2, 3)"]),
    Mistake("joining other sizes", lambda a, b: ops.concatenate([a, b]), [F23, F34], ShapeError,
            ["concatenate", "(2, 3), (3, 4)", "axis 0"]),
    Mistake("stacking other shapes", lambda a, b: ops.stack([a, b]), [F23, F34], ShapeError,
            ["stack", "(2, 3), (3, 4)", "concatenate"]),
    Mistake("unequal parts", lambda x: ops.split(x, 2, axis=1), [F23], ShapeError,
            ["split", "(2, 3)", "2 equal parts", "list of sizes"]),
    Mistake("parts that do not add up", lambda x: ops.split(x, [1, 1], axis=1), [F23], ShapeError,
            ["split", "(1, 1)", "add up to 2", "size 3"]),
    Mistake("a negative part", lambda x: ops.split(x, [-1, 4], axis=1), [F23], SettingError,
            ["split", "(-1, 4)", "negative"]),
    Mistake("too few widths", lambda x: ops.pad(x, ((1, 1),)), [F23], ShapeError,
            ["pad", "(2, 3)", "each axis"]),
    Mistake("more off than there is", lambda x: ops.pad(x, -2), [F23], ShapeError,
            ["pad", "(2, 3)", "take off"]),
    Mistake("nothing to mirror", lambda x: ops.pad(x, 1, "reflect"), [("float32", (0, 2))], ShapeError,
            ["pad", "(0, 2)", "'reflect'"]),
    Mistake("a value for the edge", lambda x: ops.pad(x, 1, "edge", 2), [F23], SettingError,
            ["pad", "value 2", "'edge'"]),
    Mistake("a width that is none", lambda x: ops.pad(x, "same"), [F23], SettingError, ["pad", "'same'"]),
    Mistake("another mode", lambda x: ops.pad(x, 1, mode="mean"), [F23], SettingError, ["pad", "'mean'"]),
    Mistake("half a number among ints", lambda x: ops.pad(x, 1, value=0.5), [I3], DTypeError,
            ["pad", "int32", "0.5", "cast"]),
    Mistake("a fill that is no number", lambda x: ops.pad(x, 1, value="x"), [F23], SettingError,
            ["pad", "'x'"]),
    Mistake("tiling half", lambda x: ops.tile(x, 1.5), [F23], SettingError, ["tile", "1.5"]),
    Mistake("repeating less than never", lambda x: ops.repeat(x, -1), [F23], SettingError,
            ["repeat", "-1", "from 0 on"]),
    Mistake("repeating each its own number of times", lambda x: ops.repeat(x, [1, 2], 0), [F23], SettingError,
            ["repeat", "[1, 2]"]),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_named_on_dynamic(mistake: Mistake) -> None:
    tensors = [dynamic.tensor(np.ones(shape, dtype)) for dtype, shape in mistake.args]
    assert_named(mistake, tensors)


@pytest.mark.parametrize("mistake", [m for m in MISTAKES if m.name != "a number too wide"], ids=str)
def test_a_mistake_is_named_when_the_graph_is_built(mistake: Mistake) -> None:
    """All but the number that does not fit, at which NumPy looks only when it computes."""
    with static.Graph().as_default():
        assert_named(mistake, [static.placeholder(dtype, shape) for dtype, shape in mistake.args])


def assert_named(mistake: Mistake, tensors: Sequence[Any]) -> None:
    with pytest.raises(mistake.error) as caught:
        mistake.call(*tensors)
    for word in mistake.words:
        assert word in str(caught.value)
    assert "test_ops_errors_basic.py" in str(caught.value), "the user's own line"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: ops.concatenate([]), SettingError),
        (lambda: ops.stack([]), SettingError),
        (lambda: ops.exp("abc"), DTypeError),
        (lambda: ops.exp(None), DTypeError),
        (lambda: ops.sum("abc"), DTypeError),
        (lambda: ops.sum([[1.0, 2.0], [3.0]]), ShapeError),
        (lambda: ops.exp(np.array(["a"])), DTypeError),
        (lambda: ops.add(np.ones(3), np.array([None] * 3)), DTypeError),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(call: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_a_negative_power_found_out_late_is_refused_too() -> None:
    with pytest.raises(DTypeError, match="negative integer power"):
        ops.pow(np.array([2, 3]), np.array([1, -1]))


def test_squeezing_sizes_that_are_not_known_needs_their_names() -> None:
    """Which axes would go depends on the feed, and so the rank of what comes out."""
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, 3, 1))
        with pytest.raises(UnknownSizeError, match="name them"):
            ops.squeeze(x)
        assert ops.squeeze(x, 2).shape == x.shape[:2]


def test_unbinding_an_axis_whose_size_is_not_known_is_refused() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, 3))
        with pytest.raises(UnknownSizeError, match=r"use ops\.scan"):
            ops.unbind(x)
        assert len(ops.unbind(x, 1)) == 3


def test_the_internal_ops_of_choosing_refuse_masks_of_numbers() -> None:
    with pytest.raises(DTypeError, match="gate: the mask must be bool"):
        TABLE["gate"](np.ones(3), np.ones(3))


# --- too many arguments, or too few --------------------------------------------------------

EXACT_COUNTS = [op for op in TABLE.values() if op.most is not None]


@pytest.mark.parametrize("op", EXACT_COUNTS, ids=lambda op: op.name)
def test_an_argument_too_many_or_too_few_is_refused_and_nothing_is_written(op: Op) -> None:
    """NumPy's ufuncs would take one more for `out`: h, a leaf even, would be overwritten."""
    h = np.full((2, 3), 7, np.float32)
    arrays = [np.ones((2, 3), np.float32)] * op.most  # type: ignore[operator]
    for make in (np.asarray, dynamic.tensor, lambda a: dynamic.tensor(a, requires_grad=True)):
        given = [make(a) for a in arrays]
        last = dynamic.from_numpy(h).requires_grad_() if make is not np.asarray else h
        for args in ([*given, last], given[: op.fewest - 1] if op.fewest else [last]):
            with pytest.raises(ArgumentError, match=f"^{op.name}: takes .* not {len(args)}; settings go by"):
                op(*args)
    with static.Graph().as_default() as graph:
        tensors = [static.placeholder("float32", (2, 3)) for _ in range(len(arrays) + 1)]
        with pytest.raises(ArgumentError):
            op(*tensors)
    assert len(graph.nodes) == len(tensors)
    np.testing.assert_array_equal(h, 7)


@pytest.mark.parametrize("op", [op for op in EXACT_COUNTS if op.out and op.most == 1], ids=lambda op: op.name)
def test_out_is_taken_by_name_and_of_raw_arrays_alone(op: Op) -> None:
    x = np.full((2, 2), 0.5, np.float32)
    with static.Graph().as_default():
        described = static.placeholder("float32", (2, 2))
    for tensor in (dynamic.tensor(x), described, Parameter(x)):
        with pytest.raises(SettingError, match=rf"^{op.name}: out= is for raw arrays alone"):
            op(tensor, out=np.zeros_like(x))


def test_out_of_a_raw_array_is_filled() -> None:
    out = np.zeros(2, np.float32)
    assert ops.tanh(np.ones(2, np.float32), out=out) is out and out[0] == np.tanh(np.float32(1))
