"""The Array API standard's functions that make arrays: see `dynamic.array_api`."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic.create import check_unmarked
from dynamic.tensors import Tensor, tensor
from shared import ops
from shared.casting import check_holds
from shared.device.cuda import CudaArray, cupy
from shared.spec import as_dtype


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Tensor:
    """A Tensor of what is given: the Tensor itself, or one that shares an array's memory, unless `copy`, or a
    cast, makes another."""
    check_device(device)
    if isinstance(obj, Tensor):
        cast = dtype is not None and obj.dtype != as_dtype(dtype)
        if copy is False and cast:
            raise ValueError("asarray: another dtype takes a copy, and copy=False forbids one")
        if cast:
            return ops.cast(obj, dtype)
        return tensor(obj.detach()) if copy else obj
    array = np.asarray(plain(obj), None if dtype is None else as_dtype(dtype))
    if copy is False and (not isinstance(obj, np.ndarray) or array is not obj):
        raise ValueError(
            "asarray: what is no array, or of another dtype, takes a copy, and copy=False forbids one"
        )
    if dtype is None and not isinstance(obj, (np.ndarray, np.generic)) and array.dtype.kind in "fc":
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.complex64)
    return Tensor(array.copy() if copy and array is obj else array)


def plain(obj: Any) -> Any:
    """Tensors, also in lists, as arrays."""
    if isinstance(obj, (list, tuple)):
        return [plain(part) for part in obj]
    return obj.numpy() if isinstance(obj, Tensor) else obj


def check_device(device: Any) -> None:
    """ValueError for any device but the CPU."""
    if device not in (None, "cpu"):
        raise ValueError(
            f"device {device!r}: arrays of the standard are made on the CPU; x.to_device moves them"
        )


def _dtype(dtype: Any) -> Any:
    return np.dtype(np.float32) if dtype is None else as_dtype(dtype)


def _shape(shape: Any) -> tuple[Any, ...]:
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros."""
    check_device(device)
    return Tensor(np.zeros(_shape(shape), _dtype(dtype)))


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones."""
    check_device(device)
    return Tensor(np.ones(_shape(shape), _dtype(dtype)))


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Values of no meaning: zeros here."""
    return zeros(shape, dtype=dtype, device=device)


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """One number everywhere, in its own kind of dtype: float32, complex64, int64 or bool."""
    check_device(device)
    if dtype is None:
        dtype = asarray(fill_value).dtype
    return Tensor(np.full(_shape(shape), fill_value, as_dtype(dtype)))


def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros of another's shape and dtype."""
    return zeros(x.shape, dtype=x.dtype if dtype is None else dtype, device=device)


def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones of another's shape and dtype."""
    return ones(x.shape, dtype=x.dtype if dtype is None else dtype, device=device)


empty_like = zeros_like


def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """One number, of another's shape and dtype."""
    return full(x.shape, fill_value, dtype=x.dtype if dtype is None else dtype, device=device)


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """start, start + step, ..., without stop: int64 of integers, else float32."""
    check_device(device)
    bounds = (0, start, step) if stop is None else (start, stop, step)
    if dtype is None:
        dtype = np.int64 if all_integers(bounds) else np.float32
    kind, numbers = as_dtype(dtype), np.arange(*bounds)
    if kind.kind not in "iu" or numbers.dtype.kind not in "iu":
        return Tensor(np.arange(*bounds, dtype=kind))
    check_holds("arange", kind, *numbers[[0, -1]] if numbers.size else ())
    return Tensor(numbers.astype(kind))


def all_integers(numbers: Sequence[Any]) -> Any:
    """Whether all are integers."""
    return builtins.all(isinstance(number, (int, np.integer)) for number in numbers)


def linspace(
    start: Any, stop: Any, /, num: Any, *, dtype: Any = None, device: Any = None, endpoint: Any = True
) -> Tensor:
    """`num` numbers evenly from start to stop, with it or without."""
    check_device(device)
    plain = np.complex64 if isinstance(start, complex) or isinstance(stop, complex) else np.float32
    kind = as_dtype(plain if dtype is None else dtype)
    if kind.kind in "iu":
        check_holds("linspace", kind, start, stop)
    return Tensor(np.linspace(start, stop, num, endpoint, dtype=kind))


def eye(n_rows: Any, n_cols: Any = None, /, *, k: Any = 0, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones on a diagonal."""
    check_device(device)
    return Tensor(np.eye(n_rows, n_cols, k, _dtype(dtype)))


def from_dlpack(x: Any, /, *, device: Any = None, copy: Any = None) -> Tensor:
    """A Tensor that shares another library's memory, unless `copy`."""
    check_unmarked(x)
    if isinstance(x, Tensor) and x.device == "cuda":
        return Tensor(CudaArray(cupy().from_dlpack(x)))
    return Tensor(np.from_dlpack(x, device=device, copy=copy))
