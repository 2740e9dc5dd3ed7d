"""What flows between the nodes of a model from a file.

Most values are Tensors, or States. Beside them there are

- NumPy arrays: what is known when the graph is built. Ops compute on them at once, so the arithmetic on
shapes that
  exporters write out is done before anything runs. An array of objects holds sizes, unknown ones (`Dim`)
  among them
- `Narrow`: what is of a dtype that NumPy lacks
- arrays of NumPy's StringDType: strings
- lists, which are sequences, and None, which is an optional that is empty, or an input that is left out
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim, Size, product
from shared.dispatch import current_engine, engine_in_charge
from shared.errors import DTypeError, SymbolicValueError, TooLargeError
from shared.op import TABLE
from shared.ops.sampling import up_to
from shared.spec import str_shape
from shared.state import State

STRINGS = np.dtypes.StringDType()

LARGEST = 2**30
"""How many bytes one array may take that a file makes out of a few numbers."""


@dataclass
class Narrow:
    """A value of a dtype that NumPy lacks (bfloat16, float8, int4, ...), as ml_dtypes has it.

    value  its numbers, exactly, in a dtype that NumPy has: float32, int8 or uint8
    """

    value: Any
    dtype: np.dtype[Any]

    @property
    def shape(self) -> Any:
        return self.value.shape


@dataclass(frozen=True)
class IsOne:
    """Among sizes, the truth of "it is 1", where a run alone knows it."""

    size: Dim


def is_undecided(value: Any) -> bool:
    """Whether a value is an array of truths that a run alone knows."""
    return is_sizes(value) and any(isinstance(part, IsOne) for part in value.flat)


def carrier(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of NumPy's that carries the numbers of one of ml_dtypes."""
    name = dtype.name
    return np.dtype("int8" if name.startswith("int") else "uint8" if name.startswith("uint") else "float32")


def is_narrow(dtype: np.dtype[Any]) -> bool:
    """Whether NumPy itself lacks a dtype."""
    return dtype.kind == "V" or dtype.name.startswith("float8")


def is_sizes(value: Any) -> bool:
    """Whether a value is an array of sizes, unknown ones among them."""
    return isinstance(value, np.ndarray) and value.dtype == object


def sizes(values: Sequence[Size] | Any) -> Any:
    """Sizes as an array: int64 where all of them are known, else of objects."""
    array = np.empty(len(values), object) if isinstance(values, (tuple, list)) else np.asarray(values, object)
    if isinstance(values, (tuple, list)):
        array[:] = values
    return array if any(isinstance(size, Dim) for size in array.flat) else array.astype(np.int64)


def tensor_of(value: Any) -> Any:
    """What an op takes: sizes as a Tensor, all else as it is."""
    if not is_sizes(value):
        return value
    part = _truth if is_undecided(value) else _number
    parts = [part(x) for x in value.flat]
    return ops.reshape(ops.stack(parts), value.shape)


def _number(size: Size) -> Any:
    return ops.zeros((), "int64") + size


def _truth(x: Any) -> Any:
    return ops.equal(_number(x.size), 1) if isinstance(x, IsOne) else ops.full((), x, "bool")


def is_known(value: Any) -> bool:
    """Whether a value is there already."""
    return known_or_none(value) is not None


def known_or_none(value: Any) -> Any:
    """The value as an array, if it is there already: of a static Tensor it is not."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Narrow):
        inner = known_or_none(value.value)
        return None if inner is None else inner.astype(value.dtype)
    if isinstance(value, State):
        return value.numpy()
    try:
        return ops.stop_gradient(value).numpy() if getattr(value, "requires_grad", False) else value.numpy()
    except SymbolicValueError:
        return None


def known(call: str, name: str, value: Any) -> Any:
    """The value as an array; SymbolicValueError, with the way out, where it is there only once a graph
    runs.
    """
    found = known_or_none(value)
    if found is None:
        raise SymbolicValueError(
            f"{call}: its input {name!r} is needed when the graph is built, and this one is known only when "
            "a session runs it; give the input that it comes from as an array (model.known lists them)"
        )
    return found


def measured(value: Any) -> Any:
    """Sizes as an array; those that are there only once a graph runs, as sizes that a run measures."""
    found = known_or_none(value)
    if found is not None:
        return found
    count = product(tuple(value.shape))
    if isinstance(count, Dim):
        raise SymbolicValueError("how many sizes there are is known only when a session runs the graph")
    flat = ops.reshape(ops.cast(value, "int64"), (count,))
    parts = [up_to(ops.narrow(flat, 0, i, 1)).shape[0] for i in range(count)]
    return sizes(tuple(parts)).reshape(tuple(value.shape))


def ints(array: Any) -> tuple[Any, ...]:
    """The numbers of a known array as a tuple of ints and Dims."""
    return tuple(size if isinstance(size, Dim) else int(size) for size in np.asarray(array).ravel())


def check_room(call: str, shape: Sequence[Size], dtype: Any) -> None:
    """TooLargeError for an array that a file makes out of nothing and that would fill the memory."""
    found = [size for size in shape if not isinstance(size, Dim)]
    if math.prod(found) * np.dtype(dtype).itemsize > LARGEST:
        raise TooLargeError(
            f"{call}: an array of shape {str_shape(tuple(shape))} would take more than {LARGEST >> 30} GiB; "
            "raise shared.onnx.values.LARGEST if the file may be trusted"
        )


def outward(value: Any) -> Any:
    """A value as who called the model gets it: of the engine in charge, if there is one."""
    if isinstance(value, list):
        return [outward(part) for part in value]
    if isinstance(value, Narrow):
        return outward(value.value)
    value = tensor_of(value)
    if isinstance(value, np.ndarray) and value.dtype == STRINGS:
        return value
    if (isinstance(value, np.ndarray) and engine_in_charge() is not None) or isinstance(value, State):
        return current_engine().apply(TABLE["reshape"], (value,), {"shape": tuple(value.shape)})
    return value


def lifted(value: Any) -> Any:
    """An array as a Tensor of the engine in charge; any other value as it is."""
    return outward(value) if isinstance(value, np.ndarray) else value


def dtype_of(value: Any) -> np.dtype[Any]:
    """The dtype of a value as ONNX has it."""
    if is_sizes(value):
        return np.dtype(np.int64)
    if not hasattr(value, "dtype"):
        raise DTypeError(f"{value!r} has no dtype: a tensor is needed, not a sequence or an optional")
    return value.dtype
