"""Arrays: what TensorFlow 1 orders or means otherwise than NumPy does. What goes by another name alone, or by
other keywords, is a line of `static.aliases`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from shared import ops
from shared.casting import check_holds
from shared.dims import product
from shared.errors import DTypeError, SettingError
from shared.spec import as_dtype
from static.graph.create import identity
from static.graph.effects import control_dependencies
from static.graph.graph import Tensor
from static.graph.operands import as_tensor
from static.graph.rankless import flat, matrix
from static.graph.sizes import Sizes

# --- sizes -----------------------------------------------------------------------------------------


def shape(x: Any) -> Sizes:
    """The sizes of x, which only a run may know: each may be used as a size, or as a number."""
    return Sizes(as_tensor(x).shape)


def size(x: Any) -> Any:
    """The number of elements of x: an int, or a size that only a run knows."""
    return product(as_tensor(x).shape)


def rank(x: Any) -> int:
    """The number of axes of x."""
    return len(as_tensor(x).shape)


def static_sizes(x: Any) -> Any:
    """A shape as ops take it: of a Tensor that was made of sizes, those."""
    if isinstance(x, Tensor) and x.node.op.name == "constant":
        return tuple(int(n) for n in np.atleast_1d(x.node.settings["value"]))
    if isinstance(x, Tensor):
        raise SettingError(
            f"{x.name!r} is no shape: a graph knows sizes before it runs; give a list of ints and of the "
            "parts of static.shape(x), as in [static.shape(x)[0], -1]"
        )
    return tuple(x) if isinstance(x, (list, tuple)) else x


def reshape(x: Any, shape: Any) -> Any:
    """x in another shape; see `ops.reshape`. [] makes a number of it."""
    return ops.reshape(x, static_sizes(shape))


# --- making ----------------------------------------------------------------------------------------


def convert_to_tensor(value: Any, dtype: Any = None, preferred_dtype: Any = None) -> Tensor:
    """`value` as a Tensor. DTypeError where it is one of another dtype."""
    made = as_tensor(value, dtype)
    if dtype is not None and made.dtype != as_dtype(dtype):
        raise DTypeError(
            f"convert_to_tensor: {made.name!r} is {made.dtype}, and {as_dtype(dtype)} was asked for; cast it"
        )
    return made


def fill(dims: Any, value: Any) -> Any:
    """An array of this shape filled with one number."""
    if isinstance(value, (int, float)):
        return ops.full(static_sizes(dims), value, "float32" if isinstance(value, float) else "int64")
    return ops.broadcast_to(as_tensor(value), static_sizes(dims))


def zeros(shape: Any, dtype: Any = "float32") -> Any:
    """Zeros."""
    return ops.zeros(static_sizes(shape), dtype)


def ones(shape: Any, dtype: Any = "float32") -> Any:
    """Ones."""
    return ops.ones(static_sizes(shape), dtype)


def eye(num_rows: Any, num_columns: Any = None, dtype: Any = "float32") -> Any:
    """The identity matrix."""
    return ops.eye(num_rows, num_columns, dtype=dtype)


def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: int | None = None,
    dtype: Any = None,
) -> Any:  # fmt: skip
    """`on_value` (1) at each index along a new axis of size `depth`, `off_value` (0) elsewhere; -1 is the
    last axis. RangeError for an index outside, of which TensorFlow 1 makes a row of zeros."""
    made = ops.one_hot(indices, depth, "float32" if dtype is None else dtype)
    if on_value is not None or off_value is not None:
        on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
        if made.dtype.kind in "iu":
            check_holds("one_hot", made.dtype, on, off)
        made = ops.where(ops.equal(made, 1), on, off)
        made = made if dtype is None else ops.cast(made, dtype)
    last = len(made.shape) - 1
    if axis in (None, -1, last):
        return made
    order = list(range(last))
    order.insert(axis, last)
    return ops.transpose(made, order)


# --- joining and cutting ---------------------------------------------------------------------------


def concat(values: Any, axis: Any) -> Any:
    """Tensors put one after the other along an axis."""
    if isinstance(values, int):
        raise SettingError("concat: the axis stands second since TensorFlow 1.0: concat(values, axis)")
    return ops.concatenate([as_tensor(value) for value in values], axis)


def stack(values: Any, axis: int = 0) -> Any:
    """Tensors, and sizes, put beside each other along a new axis."""
    return ops.stack([as_tensor(value) for value in values], axis)


def unstack(value: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The parts of a Tensor along an axis, whose size has to be known, without it."""
    return list(ops.unbind(value, axis))


def split(value: Any, num_or_size_splits: Any, axis: int = 0) -> list[Any]:
    """A Tensor cut along an axis: into so many equal parts, or into parts of these sizes."""
    if isinstance(value, int):
        raise SettingError("split: the value stands first since TensorFlow 1.0: split(value, parts, axis)")
    return list(ops.split(value, num_or_size_splits, axis))


def part(x: Any, begin: Sequence[int], size: Sequence[Any]) -> Any:
    """The part of x that starts at `begin` and has these sizes; -1 goes to the end of the axis."""
    ends = [None if isinstance(n, int) and n == -1 else b + n for b, n in zip(begin, size, strict=True)]
    return as_tensor(x)[tuple(slice(b, end) for b, end in zip(begin, ends, strict=True))]


def boolean_mask(tensor: Any, mask: Any) -> Any:
    """The parts of a Tensor, along its first axes, for which `mask` is true."""
    return as_tensor(tensor)[as_tensor(mask)]


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where the condition is true, y elsewhere; a condition of one axis chooses whole rows."""
    if x is None or y is None:
        raise SettingError("where: give x and y too; places alone have a size that only a run knows")
    condition, x = as_tensor(condition), as_tensor(x)
    if len(condition.shape) == 1 < len(x.shape):
        condition = ops.expand_dims(condition, tuple(range(1, len(x.shape))))
    return ops.where(condition, x, y)


def pad(x: Any, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0) -> Any:
    """x with `paddings` (one pair for each axis) around it."""
    pairs = [tuple(int(n) for n in pair) for pair in np.asarray(paddings)]
    return ops.pad(x, pairs, mode.lower(), constant_values)


# --- reducing --------------------------------------------------------------------------------------


def argmax(x: Any, axis: int | None = None, output_type: Any = None) -> Any:
    """Where the largest element stands along an axis, by default the first; int64, or `output_type`."""
    found = ops.argmax(x, 0 if axis is None else axis)
    return found if output_type is None else ops.cast(found, output_type)


def argmin(x: Any, axis: int | None = None, output_type: Any = None) -> Any:
    """The same of the smallest."""
    found = ops.argmin(x, 0 if axis is None else axis)
    return found if output_type is None else ops.cast(found, output_type)


def _reduced(name: str) -> Any:
    op = getattr(ops, name)

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return op(flat(x) if axis is None else x, tuple(axis) if isinstance(axis, list) else axis, keepdims)

    reduced.__name__, reduced.__doc__ = f"reduce_{name}", op.__doc__
    return reduced


reduce_sum, reduce_mean, reduce_max, reduce_min = map(_reduced, ("sum", "mean", "max", "min"))
reduce_prod, reduce_any, reduce_all, reduce_logsumexp = map(_reduced, ("prod", "any", "all", "logsumexp"))


def add_n(inputs: Sequence[Any]) -> Any:
    """The sum of several Tensors of one shape."""
    return reduce(ops.add, inputs)


def div(x: Any, y: Any) -> Any:
    """x / y, of integers rounded down, as Python 2 had it."""
    x, y = (v if isinstance(v, (int, float)) else as_tensor(v) for v in (x, y))
    whole = all(isinstance(v, int) or (isinstance(v, Tensor) and v.dtype.kind in "iu") for v in (x, y))
    return ops.floor_divide(x, y) if whole else ops.div(x, y)


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool") -> Any:
    """For each length a row of `maxlen` that is true up to it. By default maxlen is the largest length, which
    has to be known."""
    lengths = as_tensor(lengths)
    if maxlen is None:
        if "value" not in lengths.node.settings:
            raise SettingError("sequence_mask: give maxlen, for only a run knows the largest length")
        maxlen = int(np.max(lengths.node.settings["value"], initial=0))
    return ops.cast(ops.less(ops.arange(maxlen), ops.expand_dims(lengths, -1)), dtype)


def squared_difference(x: Any, y: Any) -> Any:
    """(x - y)^2, elementwise."""
    return ops.square(ops.sub(x, y))


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """The product of matrices, the last two axes of a and of b, either transposed first if asked."""
    a, b = matrix(a), matrix(b)
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    return ops.matmul(a, ops.swapaxes(b, -1, -2) if transpose_b else b)


def joined(tensors: Sequence[Any], control_inputs: Sequence[Any] | None = None) -> list[Any]:
    """The Tensors, each of which is there only once all of them are."""
    with control_dependencies([*(t for t in tensors if t is not None), *(control_inputs or ())]):
        return [None if tensor is None else identity(tensor) for tensor in tensors]
