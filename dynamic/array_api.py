"""The Array API standard, 2024.12: what `x.__array_namespace__()` of a Tensor gives.

Its names are those of `shared.ops`, but for what stands here: other words for them, what makes arrays,
dtypes, and what means another thing in the standard. Whoever computes by the standard alone, as scikit-learn
and SciPy do, can compute with Tensors.
"""

from __future__ import annotations

import builtins
import math
from typing import Any, NamedTuple

import numpy as np

from dynamic.array_making import (
    arange as arange,
    asarray as asarray,
    check_device,
    empty as empty,
    empty_like as empty_like,
    eye as eye,
    from_dlpack as from_dlpack,
    full as full,
    full_like as full_like,
    linspace as linspace,
    ones as ones,
    ones_like as ones_like,
    plain,
    zeros as zeros,
    zeros_like as zeros_like,
)
from dynamic.tensors import Tensor
from shared import ops
from shared.errors import DTypeError, SettingError
from shared.spec import as_dtype

__array_api_version__ = "2024.12"

e, inf, nan, newaxis, pi = np.e, np.inf, np.nan, None, np.pi
bool, int8, int16, int32, int64 = map(np.dtype, ("bool", "int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(np.dtype, ("uint8", "uint16", "uint32", "uint64"))
float32, float64, complex64, complex128 = map(np.dtype, ("float32", "float64", "complex64", "complex128"))

NAMED = {
    "divide": "div", "multiply": "mul", "subtract": "sub", "negative": "neg", "concat": "concatenate",
    "permute_dims": "permute", "bitwise_invert": "bitwise_not", "unstack": "unbind",
}  # fmt: skip
"""The standard's words for ops that have another name here."""


def __getattr__(name: str) -> Any:
    found = getattr(ops, NAMED.get(name, name), None)
    if found is None or name.startswith("_"):
        raise AttributeError(f"array_api: there is no {name!r} in the standard, or it is not here")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*ops.__all__, *NAMED, *(name for name in globals() if not name.startswith("_"))})


# --- dtypes --------------------------------------------------------------------------------------


def astype(x: Any, dtype: Any, /, *, copy: Any = True, device: Any = None) -> Tensor:
    """In another dtype; of the same a copy, unless `copy` is False."""
    check_device(device)
    kind = as_dtype(dtype)
    if x.dtype == kind:
        return Tensor(x.numpy().copy()) if copy and x.edge is None else x
    if x.dtype.kind == "c" and kind.kind != "c":
        raise DTypeError(f"astype: {x.dtype} to {kind} would drop imaginary parts; write real(x)")
    return ops.cast(x, kind)


def can_cast(from_: Any, to: Any, /) -> Any:
    """Whether a cast keeps values, by NumPy's rules between dtypes."""
    kind = from_.dtype if hasattr(from_, "dtype") else from_
    return builtins.bool(np.can_cast(kind, as_dtype(to)))


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype that arrays, dtypes and Python's numbers give together."""
    kinds = [np.empty(0, x.dtype) if hasattr(x, "dtype") else x for x in arrays_and_dtypes]
    return np.result_type(*[k.dtype if isinstance(k, np.ndarray) else k for k in kinds])


def isdtype(dtype: Any, kind: Any) -> Any:
    """Whether a dtype is of a kind ("integral", "real floating", ...), another dtype, or one of several."""
    return builtins.bool(np.isdtype(as_dtype(dtype), kind))


def finfo(type: Any, /) -> Any:
    """What a floating dtype can hold, its numbers as Python's."""
    found = np.finfo(type.dtype if hasattr(type, "dtype") else type)
    return _Info(found, ("eps", "max", "min", "smallest_normal"), float)


def iinfo(type: Any, /) -> Any:
    """What an integer dtype can hold."""
    return _Info(np.iinfo(type.dtype if hasattr(type, "dtype") else type), ("max", "min"), int)


class _Info:
    def __init__(self, found: Any, names: tuple[str, ...], kind: Any) -> None:
        self.bits, self.dtype = found.bits, np.dtype(found.dtype)
        for name in names:
            setattr(self, name, kind(getattr(found, name)))


class __array_namespace_info__:
    """What there is: see the standard's Inspection."""

    def capabilities(self) -> dict[str, Any]:
        """Masks as indices, shapes that depend on data, and no bound on the number of axes but NumPy's."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """The CPU."""
        return "cpu"

    def devices(self) -> list[str]:
        """Where arrays can be made by these functions."""
        return ["cpu"]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """float32, complex64, int64."""
        return {"real floating": float32, "complex floating": complex64, "integral": int64, "indexing": int64}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """All of a kind, by name."""
        kinds = (bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, complex64,
                 complex128)  # fmt: skip
        every = {k.name: k for k in kinds}
        return every if kind is None else {name: k for name, k in every.items() if isdtype(k, kind)}


# --- what means another thing in the standard ----------------------------------------------------


def equal(x1: Any, x2: Any, /) -> Any:
    """Element by element."""
    return ops.equal(x1, x2)


def sum(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """The sum, in `dtype`."""
    return ops.sum(_wide(x, dtype), axis=axis, keepdims=keepdims)


def prod(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """The product, in `dtype`."""
    return ops.prod(_wide(x, dtype), axis=axis, keepdims=keepdims)


def _wide(x: Any, dtype: Any) -> Any:
    if dtype is not None:
        return ops.cast(x, dtype)
    if x.dtype.kind == "u" and x.dtype.itemsize < 8:
        return ops.cast(x, "uint64")
    return ops.cast(x, "int64") if x.dtype.kind in "bi" and x.dtype.itemsize < 8 else x


def var(x: Any, /, *, axis: Any = None, correction: Any = 0.0, keepdims: Any = False) -> Any:
    """The variance: the sum of squares about the mean, divided by n - `correction`, which is 0."""
    if correction == int(correction) and correction >= 0:
        return ops.var(x, axis=axis, correction=int(correction), keepdims=keepdims)
    over = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count = math.prod([x.shape[i] for i in over])
    return ops.var(x, axis=axis, correction=0, keepdims=keepdims) * (count / (count - correction))


def std(x: Any, /, *, axis: Any = None, correction: Any = 0.0, keepdims: Any = False) -> Any:
    """The standard deviation: the root of `var`."""
    if correction == int(correction) and correction >= 0:
        return ops.std(x, axis=axis, correction=int(correction), keepdims=keepdims)
    return ops.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /) -> UniqueAll:
    """The different elements, where each stands first, where each element went, and how often each comes."""
    return UniqueAll(*ops.unique_all(x))


def unique_counts(x: Any, /) -> UniqueCounts:
    """The different elements, and how often each comes."""
    return UniqueCounts(*ops.unique_counts(x))


def unique_inverse(x: Any, /) -> UniqueInverse:
    """The different elements, and where each element went."""
    return UniqueInverse(*ops.unique_inverse(x))


def _running(op: Any, x: Any, axis: Any, dtype: Any, include_initial: Any, start: Any) -> Any:
    if axis is None:
        if x.ndim != 1:
            raise SettingError(f"cumulative sums of {x.ndim} axes: along which? write axis=0")
        axis = 0
    y = op(_wide(x, dtype), axis)
    if not include_initial:
        return y
    shape = tuple([1 if i == axis % x.ndim else size for i, size in enumerate(x.shape)])
    return ops.concatenate([Tensor(np.full(shape, start, y.dtype)), y], axis)


def cumulative_sum(x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: Any = False) -> Any:
    """The sums of the elements so far, with the sum of none before them, if `include_initial`."""
    return _running(ops.cumsum, x, axis, dtype, include_initial, 0)


def cumulative_prod(x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: Any = False) -> Any:
    """The products of the elements so far."""
    return _running(ops.cumprod, x, axis, dtype, include_initial, 1)


def expand_dims(x: Any, /, axis: Any = 0) -> Any:
    """With one more axis of size 1."""
    return ops.expand_dims(x, axis)


def positive(x: Any, /) -> Any:
    """A copy."""
    return ops.mul(x, 1)


def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """x1 where the condition is True, else x2."""
    return ops.where(condition, x1, x2)


def concat(arrays: Any, /, *, axis: Any = 0) -> Any:
    """One after another along an axis; with `axis=None` as if they had one."""
    if axis is None:
        return ops.concatenate([ops.reshape(x, -1) for x in arrays], 0)
    return ops.concatenate(arrays, axis)


def vecdot(x1: Any, x2: Any, /, *, axis: Any = -1) -> Any:
    """The products of vectors along an axis, the first conjugate, in the dtype of both."""
    y = ops.linalg.vecdot(x1, x2, axis=axis)
    return ops.cast(y, result_type(x1, x2))


def clip(x: Any, /, min: Any = None, max: Any = None) -> Any:
    """Cut off at both ends, each a number, an array, or none; in x's dtype."""
    y = x
    if min is not None:
        y = ops.maximum(y, min)
    if max is not None:
        y = ops.minimum(y, max)
    return astype(y, x.dtype) if y is x or y.dtype != x.dtype else y


def tril(x: Any, /, *, k: Any = 0) -> Any:
    """The lower triangle, up to a diagonal."""
    return ops.tril(x, k)


def triu(x: Any, /, *, k: Any = 0) -> Any:
    """The upper triangle, from a diagonal on."""
    return ops.triu(x, k)


def reshape(x: Any, /, shape: Any, *, copy: Any = None) -> Any:
    """In another shape; a copy, if asked for."""
    y = ops.reshape(x, shape)
    return Tensor(y.numpy().copy()) if copy and y.edge is None else y


def meshgrid(*arrays: Any, indexing: str = "xy") -> Any:
    """Coordinates of a grid."""
    return list(ops.meshgrid(*arrays, indexing=indexing))


def broadcast_arrays(*arrays: Any) -> Any:
    """All in their common shape."""
    return list(ops.broadcast_arrays(*arrays))


def repeat(x: Any, repeats: Any, /, *, axis: Any = None) -> Any:
    """Each element so many times, the count one for all or one for each."""
    if hasattr(repeats, "shape") and repeats.ndim:
        flat = ops.reshape(x, -1) if axis is None else x
        counts = np.broadcast_to(repeats.numpy(), (flat.shape[axis or 0],))
        return ops.take(flat, Tensor(np.repeat(np.arange(counts.size), counts)), axis or 0)
    return ops.repeat(x, int(repeats), axis)


def take(x: Any, indices: Any, /, *, axis: Any = None) -> Any:
    """Slices along an axis."""
    return ops.take(x, indices, 0 if axis is None else axis)


def sort(x: Any, /, *, axis: Any = -1, descending: Any = False, stable: Any = True) -> Any:
    """The elements along an axis, in order."""
    return ops.sort(x, axis, descending)


def argsort(x: Any, /, *, axis: Any = -1, descending: Any = False, stable: Any = True) -> Any:
    """The places of the elements along an axis, in order."""
    return ops.argsort(x, axis, descending)


def nextafter(x1: Any, x2: Any, /) -> Any:
    """The next number from x1 towards x2. Without a gradient."""
    kind = result_type(x1, x2)
    return Tensor(np.asarray(np.nextafter(plain(x1), plain(x2), dtype=kind)))


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes change places."""
    return ops.swapaxes(x, -1, -2)

