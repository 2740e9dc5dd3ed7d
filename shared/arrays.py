"""Raw arrays: made of what a user gives, filled, and asked for their module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.device.cuda import device_of, owned
from shared.dispatch import ENGINE_OF
from shared.errors import DTypeError, ShapeError
from shared.spec import in_short, is_weak

Array = Any
_SINGLE = {np.dtype(np.float64): np.float32, np.dtype(np.complex128): np.complex64}


def as_array(values: Any, dtype: Any = None) -> Array:
    """An array of `values`: arrays keep their dtype, Python floats become float32, complex numbers
    complex64."""
    if dtype is not None and np.dtype(dtype).kind not in "cb" and _is_complex(values):
        raise DTypeError(f"{in_short(values)} is complex, and {dtype} has no imaginary part; take its .real")
    if dtype is not None or hasattr(values, "dtype"):
        return np.asarray(values, dtype=dtype) if device_of(values) == "cpu" else owned(values, dtype)
    if isinstance(values, (list, tuple)) and _holds_tensors(values):
        raise ShapeError(
            f"{in_short(values)} is no tensor but holds some; join them by ops.stack, which keeps their "
            "gradients, or where a layer such as nn.LSTM gave its output and its state, take them apart: "
            "y, state = lstm(x)"
        )
    array = np.asarray(values)
    single = _SINGLE.get(array.dtype)
    return array if single is None else array.astype(single)


def _is_complex(values: Any) -> bool:
    kind = values.dtype.kind if hasattr(values, "dtype") else ""
    return kind == "c" or isinstance(values, complex)


def _holds_tensors(values: Sequence[Any]) -> bool:
    """Whether a list holds Tensors or Parameters, in lists within it too."""
    kinds = set(map(type, values))
    if any(ENGINE_OF[kind] is not None for kind in kinds):
        return True
    nested = list in kinds or tuple in kinds
    return nested and any(isinstance(part, (list, tuple)) and _holds_tensors(part) for part in values)


def in_single_precision(value: Any) -> Array:
    """An array, or a number, as a float32 array."""
    return np.asarray(value, np.float32) if is_weak(value) else value.astype(np.float32)


def put(y: Array, out: Array | None) -> Array:
    """What a compute gives that has made y: y itself, or `out`, where it was given one, filled with it."""
    if out is None or y is out:
        return y
    out[...] = y
    return out


def array_module(array: Array) -> Any:
    """The module (NumPy, CuPy) whose functions take this array; NumPy for plain numbers."""
    if isinstance(array, np.ndarray) or is_weak(array):
        return np
    return array.__array_namespace__()


def single_floats(op: Any, args: list[Any], single: Callable[[Any], Any]) -> list[Any]:
    """The arguments as the op takes them: Python floats are float32 where no floating array takes part, so
    integers and bools beside them become float32, or, where there are none, one of the numbers does.

    `single` makes float32 of an array, or an array of a number.
    """
    for i in op.together:  # beside a floating array, as almost always, there is nothing to do
        if i >= len(args):
            break
        if type(args[i]) is np.ndarray and args[i].dtype.kind in "fc":
            return args
    values = [args[i] for i in op.together if i < len(args)]
    if not any([isinstance(v, float) for v in values]) or any([isinstance(v, complex) for v in values]):
        return args
    arrays = [v for v in values if not is_weak(v)]
    if any([v.dtype.kind not in "biu" for v in arrays]):
        return args
    args, alone = list(args), not arrays
    for i in op.together:
        if i < len(args) and (isinstance(args[i], float) if alone else not is_weak(args[i])):
            args[i] = single(args[i])
            if alone:
                break
    return args
