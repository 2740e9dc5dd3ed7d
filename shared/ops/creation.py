"""Ops that make an array out of settings alone.

Each takes `like`, which decides where the array lives: beside that tensor, on its engine and in
its graph, or, for a raw array, in its array module. Without it the engine at hand makes a Tensor.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.casting import check_holds
from shared.device import cuda
from shared.dims import Dim, Shape, Size, same_size
from shared.dispatch import ENGINE_OF, NEUTRAL, current_engine, tensor_engine
from shared.errors import DTypeError, SettingError
from shared.op import Op, array_module, as_array
from shared.ops.ranges import range_size
from shared.spec import Spec, as_dtype, plain


class Creation:
    """An op without arguments, and how to do its work in a module of one's choice.

    make   `make(xp, **settings)` gives the array, xp being the array module
    infer  `infer(**settings)` gives its Spec
    """

    def __init__(self, name: str, make: Callable[..., Any], infer: Callable[..., Spec]) -> None:
        self.make = make
        self.op = Op(
            name, lambda **settings: make(cuda.default_module() if cuda.in_use else np, **settings), infer
        )

    def __call__(self, like: Any, **settings: Any) -> Any:
        engine = tensor_engine((like,))
        if engine is not None:
            with engine.scope(like):
                return engine.apply(self.op, (), settings)
        if like is None or ENGINE_OF[type(like)] is NEUTRAL:
            return current_engine().apply(self.op, (), settings)
        try:
            return self.make(array_module(like), **settings)
        except Exception as error:
            raise self.op.explain(error, (), settings) from None


# --- one value everywhere ------------------------------------------------------------------


def _make_full(xp: Any, *, shape: tuple[int, ...], value: Any, dtype: Any) -> Any:
    if type(value) is int and value == 0:  # memory that the system hands out zeroed
        return xp.zeros(shape, dtype)
    return xp.full(shape, value, dtype)


_full = Creation("full", _make_full, lambda *, shape, value, dtype: Spec(shape, dtype))


def full(shape: Sequence[Size] | Size, value: float, dtype: Any = "float32", *, like: Any = None) -> Any:
    """An array of `shape` filled with one number; DTypeError for one that a dtype of integers does not
    reach to."""
    number = value.item() if isinstance(value, np.generic) else value
    if not isinstance(number, (int, float, complex, Dim)):
        raise SettingError(f"full: the value must be a number, not {value!r}; broadcast_to stretches arrays")
    kind = as_dtype(dtype)
    if isinstance(number, complex) and kind.kind not in "cb":
        raise DTypeError(f"full: {number} is complex, and {kind} has no imaginary part; say 'complex64'")
    if kind.kind in "iu":
        check_holds("full", kind, number)
    return _full(like, shape=sizes_of("full", shape), value=plain(number), dtype=kind)


def zeros(shape: Sequence[Size] | Size, dtype: Any = "float32", *, like: Any = None) -> Any:
    """An array of zeros."""
    return full(shape, 0, dtype, like=like)


def ones(shape: Sequence[Size] | Size, dtype: Any = "float32", *, like: Any = None) -> Any:
    """An array of ones."""
    return full(shape, 1, dtype, like=like)


def full_like(x: Any, value: float, dtype: Any = None) -> Any:
    """An array of x's shape filled with one number; of x's dtype, unless another is given."""
    x = x if hasattr(x, "shape") else as_array(x)
    return full(x.shape, value, x.dtype if dtype is None else dtype, like=x)


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros of x's shape; of x's dtype, unless another is given."""
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones of x's shape; of x's dtype, unless another is given."""
    return full_like(x, 1, dtype)


# --- ranges --------------------------------------------------------------------------------


def _infer_arange(*, start: Any, stop: Any, step: Any, dtype: Any) -> Spec:
    if any(isinstance(number, float) for number in (start, stop, step)):
        count: Size = max(math.ceil((stop - start) / step), 0)
    else:
        count = range_size(start, stop, step)
    return Spec((count,), dtype)


def _make_arange(xp: Any, *, start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    """Floats in double precision first: NumPy measures the step in the dtype, where it may be 0. Integers in
    64 bits: it would wrap them."""
    wide = np.result_type(dtype, np.float64) if dtype.kind in "fc" else dtype
    if dtype.kind in "iu" and not any(isinstance(number, float) for number in (start, stop, step)):
        count = range_size(start, stop, step)
        check_holds("arange", dtype, *(start, start + (count - 1) * step) if count else ())
        wide = dtype if dtype.itemsize == 8 else np.dtype(np.int64)
    return xp.arange(start, stop, step, wide).astype(dtype, copy=False)


_arange = Creation("arange", _make_arange, _infer_arange)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, like: Any = None) -> Any:
    """The numbers from `start` (0 if only one is given) up to, and without, `stop`.

    int64 where all three are integers, else float32, unless a dtype is given; floats are
    computed in double precision and rounded each. Raises SettingError for a step of zero.
    """
    given = (0, start, step) if stop is None else (start, stop, step)
    numbers = [_number("arange", n) for n in given]
    whole = all(isinstance(n, (int, Dim)) for n in numbers)
    if not whole and not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
        raise SettingError(
            f"arange: {numbers} must be finite, and integers beside a size that is not known yet"
        )
    if same_size(numbers[2], 0):
        raise SettingError("arange: the step can not be zero")
    kind = as_dtype(dtype if dtype is not None else "int64" if whole else "float32")
    return _arange(like, start=numbers[0], stop=numbers[1], step=numbers[2], dtype=kind)


_linspace = Creation(
    "linspace",
    lambda xp, *, start, stop, num, endpoint, dtype: xp.linspace(start, stop, num, endpoint, dtype=dtype),
    lambda *, start, stop, num, endpoint, dtype: Spec((num,), dtype),
)


def linspace(
    start: float, stop: float, num: Size = 50, endpoint: bool = True, dtype: Any = "float32",
    *, like: Any = None,
) -> Any:  # fmt: skip
    """`num` numbers, evenly spaced from `start` to `stop`, which is the last unless `endpoint`
    is False."""
    low, high = _number("linspace", start), _number("linspace", stop)
    (count,) = sizes_of("linspace", num)
    kind = as_dtype(dtype)
    if kind.kind in "iu":
        check_holds("linspace", kind, low, high)
    return _linspace(like, start=low, stop=high, num=count, endpoint=bool(endpoint), dtype=kind)


# --- the identity --------------------------------------------------------------------------

_eye = Creation(
    "eye",
    lambda xp, *, n, m, k, dtype: xp.eye(n, m, k, dtype=dtype),
    lambda *, n, m, k, dtype: Spec((n, m), dtype),
)


def eye(n: Size, m: Size | None = None, k: int = 0, dtype: Any = "float32", *, like: Any = None) -> Any:
    """The n x m matrix (n x n if m is None) with ones on the diagonal k, zeros elsewhere.

    k 0 is the main diagonal, 1 the one above it.
    """
    sizes = sizes_of("eye", (n, n if m is None else m))
    return _eye(like, n=sizes[0], m=sizes[1], k=whole("eye", k), dtype=as_dtype(dtype))


# --- settings ------------------------------------------------------------------------------


def sizes_of(call: str, shape: Any) -> Shape:
    """A shape as a tuple of ints and unknown sizes."""
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    found = tuple(whole(call, size) for size in sizes)
    if any(isinstance(size, int) and size < 0 for size in found):
        raise SettingError(f"{call}: a size can not be negative: {shape!r}")
    return found


def whole(call: str, number: Any) -> Any:
    """An int or unknown size."""
    if isinstance(number, Dim):
        return number
    try:
        return int(operator.index(number))
    except TypeError:
        raise SettingError(f"{call}: {number!r} is no integer") from None


def _number(call: str, value: Any) -> Any:
    """A Python number or unknown size."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, bool) or not isinstance(number, (int, float, Dim)):
        raise SettingError(f"{call}: {value!r} is no number")
    return plain(number)
