"""Sequences, which are lists, and optionals, which are values or None."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.errors import RangeError
from shared.onnx.graph import Type
from shared.onnx.table import onnx_op
from shared.onnx.values import ints


@onnx_op("SequenceConstruct", narrow=True)
def construct(*xs: Any) -> Any:
    """The sequence of some values."""
    return list(xs)


@onnx_op("SequenceEmpty")
def empty(*, dtype: int = 1) -> Any:
    """A sequence of nothing."""
    return []


@onnx_op("SequenceLength", narrow=True)
def length(xs: Any) -> Any:
    """How many values a sequence has."""
    return np.asarray(len(xs), np.int64)


def _place(xs: Any, position: Any, last: int) -> int:
    place = ints(position)[0]
    if not -last <= place < last:
        raise RangeError(f"there is no place {place} in a sequence of {len(xs)}")
    return int(place) % last if last else 0


@onnx_op("SequenceAt", known=("position",), narrow=True)
def at(xs: Any, position: Any) -> Any:
    """One value of a sequence."""
    return xs[_place(xs, position, len(xs))]


@onnx_op("SequenceInsert", known=("position",), narrow=True)
def insert(xs: Any, x: Any, position: Any = None) -> Any:
    """A sequence with one value more, at its end or before a place."""
    place = len(xs)
    if position is not None:
        place = ints(position)[0]
        if not -len(xs) <= place <= len(xs):
            raise RangeError(f"there is no place {place} to put something in a sequence of {len(xs)}")
        place = place + len(xs) if place < 0 else place
    return [*xs[:place], x, *xs[place:]]


@onnx_op("SequenceErase", known=("position",), narrow=True)
def erase(xs: Any, position: Any = None) -> Any:
    """A sequence without one value, the last or one at a place."""
    place = len(xs) - 1 if position is None else _place(xs, position, len(xs))
    return [*xs[:place], *xs[place + 1 :]]


@onnx_op("SequenceMap", narrow=True)
def over(xs: Any, *more: Any, body: Any, outputs: int = 1) -> Any:
    """What a graph gives of each value, as sequences."""
    rows = [body(x, *(m[i] if isinstance(m, list) else m for m in more)) for i, x in enumerate(xs)]
    made = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(outputs)]
    return tuple(made)


@onnx_op("SplitToSequence", known=("split",))
def split(x: Any, split: Any = None, *, axis: int = 0, keepdims: int = 1) -> Any:
    """Parts along an axis: each of size 1, of one size, or of given sizes."""
    size = x.shape[axis]
    if split is None:
        parts = list(ops.split(x, [1] * int(size), axis))
        return parts if keepdims else [ops.squeeze(part, axis) for part in parts]
    if split.ndim:
        return list(ops.split(x, list(ints(split)), axis))
    step = ints(split)[0]
    rest = int(size) % step
    return list(ops.split(x, [step] * (int(size) // step) + ([rest] if rest else []), axis))


@onnx_op("ConcatFromSequence")
def joined(xs: Any, *, axis: int, new_axis: int = 0) -> Any:
    """The values of a sequence, along an axis or a new one."""
    return ops.stack(xs, axis) if new_axis else ops.concatenate(xs, axis)


@onnx_op("Optional", narrow=True)
def optional(x: Any = None, *, type: Type | None = None) -> Any:  # noqa: A002
    """A value, or None."""
    return x


@onnx_op("OptionalGetElement", narrow=True)
def get_element(x: Any) -> Any:
    """The value; of what is no optional, itself."""
    if x is None:
        raise RangeError("an optional that is empty has no element")
    return x


@onnx_op("OptionalHasElement", narrow=True)
def has_element(x: Any = None) -> Any:
    """Whether there is a value."""
    return np.asarray(x is not None)
