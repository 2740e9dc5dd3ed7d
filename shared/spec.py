"""What is known of an array before it exists: its shape and its dtype."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, Shape, Size, product, same_shape, same_size, stretched
from shared.errors import AxisError, DTypeError, SettingError, ShapeError

_SHORT = {"float": "f", "int": "i", "uint": "u", "bool": "bool", "complex": "c"}


@dataclass(slots=True, unsafe_hash=True, eq=False)
class Spec:
    """Shape and dtype of an array. Never changed after it is made. Two are equal if they are known to
    be the same.

    It answers to `.shape .dtype .ndim .size` as an array does, so a gradient rule can be
    handed a Spec wherever it needs no values.
    """

    shape: Shape
    dtype: np.dtype[Any]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec):
            return NotImplemented
        return self.dtype == other.dtype and same_shape(self.shape, other.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Size:
        return product(self.shape)

    def __str__(self) -> str:
        if self.shape is UNKNOWN_RANK:
            return f"{dtype_name(self.dtype)}<unknown rank>"
        return f"{dtype_name(self.dtype)}[{','.join(str(size) for size in self.shape)}]"

    def __bool__(self) -> bool:
        return True


Operand = Any
"""What `infer` is given for an argument: a Spec, or a Python number or Dim (weak)."""


def is_weak(value: object) -> bool:
    """Whether a value takes the dtype of the array beside it: a Python number or a Dim."""
    return isinstance(value, (int, float, complex, Dim))


def plain(number: Any) -> Any:
    """A weak number as Python's own: `x.size`, and sizes in TensorFlow's words, are ints of a kind that NumPy
    would take for an array."""
    return int(number) if isinstance(number, int) and type(number) not in (int, bool) else number


def number_or_array(value: np.generic) -> Any:
    """What a NumPy scalar is beside a Tensor: NumPy's float64 and complex128 are Python's numbers too, and as
    weak; any other is an array without axes."""
    return value.item() if isinstance(value, (float, complex)) else np.asarray(value)


def spec_of(value: Any) -> Operand:
    """The Spec of an array or tensor; weak numbers and Specs stay as they are."""
    if isinstance(value, Spec) or is_weak(value):
        return value
    shape = value.shape
    return Spec(shape if type(shape) is tuple or shape is UNKNOWN_RANK else tuple(shape), value.dtype)


def shape_of(value: Operand) -> Shape:
    """The shape; of a weak number ()."""
    return () if is_weak(value) else value.shape


def ndim_of(value: Operand) -> int:
    """The number of axes; of a weak number 0."""
    return 0 if is_weak(value) else len(value.shape)


@cache
def dtype_name(dtype: np.dtype[Any]) -> str:
    """`f32`, `i64`, `bool`: the short name of a dtype."""
    kind = dtype.name.rstrip("0123456789")
    return _SHORT.get(kind, kind) + dtype.name[len(kind):]


NUMBERS = "biufc"
"""The kinds of NumPy's dtypes that an array of numbers or bools may have."""


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """A NumPy dtype of numbers or bools from whatever names one; `DTypeError` if nothing does. (NumPy
    takes a shape for one: `(None, 3)` is a dtype of records there.) "float" is float32, as networks mean it;
    Python's own `float` is NumPy's float64."""
    try:
        found = np.dtype("float32" if isinstance(dtype, str) and dtype == "float" else dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found.kind not in NUMBERS:
        raise DTypeError(f"{dtype!r} is not a dtype of numbers; use a name such as 'float32'")
    return found


def whole(call: str, name: str, value: Any, low: int = 0) -> int:
    """A count as an int, from `low` up; SettingError for what is none, 2.5 and True among it."""
    try:
        found = low - 1 if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        found = low - 1
    if found < low:
        raise SettingError(f"{call}: {name} must be a whole number, {low} or more, not {in_short(value)}")
    return found


def as_seed(call: str, seed: Any, below: int = 2**64) -> int:
    """A seed that is a whole number from 0 up; SettingError for another. (NumPy takes much more for one,
    and some of it ends the process.)"""
    try:
        found = operator.index(seed)
    except TypeError:
        found = -1
    if not 0 <= found < below:
        raise SettingError(
            f"{call}: a seed is a whole number from 0 up to 2**{below.bit_length() - 1}, not {in_short(seed)}"
        )
    return found


def _weak_type(value: Any) -> Any:
    return int if isinstance(value, Dim) else type(value)


def promote(*operands: Operand) -> np.dtype[Any]:
    """The dtype that NumPy 2 gives arrays and weak numbers together."""
    return np.result_type(
        *(_weak_type(x)(0) if is_weak(x) else x.dtype for x in operands)
    )


@cache
def _ufunc_dtype(ufunc: np.ufunc, kinds: tuple[Any, ...]) -> np.dtype[Any]:
    return ufunc.resolve_dtypes((*kinds, None))[-1]


def ufunc_dtype(name: str, ufunc: np.ufunc, operands: Sequence[Operand]) -> np.dtype[Any]:
    """The dtype that a NumPy ufunc gives these operands."""
    kinds = tuple(_weak_type(x) if is_weak(x) else x.dtype for x in operands)
    if builtins.all(isinstance(kind, type) for kind in kinds):
        kinds = tuple(np.dtype(kind) for kind in kinds)
    else:
        kinds = tuple(np.dtype(bool) if kind is bool else kind for kind in kinds)
    try:
        return _ufunc_dtype(ufunc, kinds)
    except TypeError:
        names = ", ".join(np.dtype(kind).name for kind in kinds)
        raise DTypeError(
            f"{name}: no way to compute it on ({names}); cast an argument first"
        ) from None


def float_dtype(operand: Operand) -> np.dtype[Any]:
    """The operand's dtype if it is floating point, else the one NumPy's `exp` would give."""
    return ufunc_dtype("float", np.exp, (operand,))


def broadcast_shapes(name: str, *operands: Operand) -> Shape:
    """The shape that operands broadcast to, by NumPy's rules.

    A size of one stretches. An unknown size beside a known one takes the known one (a run checks
    it). Two different unknown sizes give the one that is not 1, whichever that will be. Beside single
    numbers what has an unknown number of axes keeps it.
    """
    shapes = [shape_of(x) for x in operands]
    if UNKNOWN_RANK in shapes:
        return _beside_unknown_rank(name, shapes)
    width = max((len(shape) for shape in shapes), default=0)
    if all([same_shape(shape, shapes[0]) for shape in shapes]):
        return shapes[0] if shapes else ()
    result: list[Size] = []
    for axis in range(-width, 0):
        sizes = [shape[axis] for shape in shapes if len(shape) >= -axis and not same_size(shape[axis], 1)]
        known = [size for size in sizes if not isinstance(size, Dim)]
        if differing := [size for size in known[1:] if size != known[0]]:
            listed = " and ".join(str_shape(shape) for shape in shapes)
            raise ShapeError(
                f"{name}: shapes {listed} do not broadcast: sizes {known[0]} and {differing[0]} on "
                f"axis {axis} differ and neither is 1; reshape or expand_dims one of them"
            )
        result.append(stretched(*sizes))
    return tuple(result)


def _beside_unknown_rank(name: str, shapes: Sequence[Shape]) -> Shape:
    known = [shape for shape in shapes if shape is not UNKNOWN_RANK]
    if wide := [shape for shape in known if not all(same_size(size, 1) for size in shape)]:
        raise SettingError(
            f"{name}: {str_shape(wide[0])} beside what has an unknown number of axes; say its shape with "
            "tensor.set_shape(...)"
        )
    return UNKNOWN_RANK


def str_shape(shape: Shape) -> str:
    """A shape as Python writes a tuple, unknown sizes by name."""
    if shape is UNKNOWN_RANK:
        return "<unknown>"
    return f"({', '.join(str(size) for size in shape)}{',' if len(shape) == 1 else ''})"


def in_short(value: Any) -> str:
    """A value as an error names it: arrays and tensors by kind, dtype and shape, since their numbers would
    fill the screen, lists of them part by part; all else as Python writes it, cut where it is long."""
    shape = getattr(value, "shape", None)
    if hasattr(value, "dtype") and (isinstance(shape, tuple) or shape is UNKNOWN_RANK):
        kind = type(value)
        return f"{kind.__module__.split('.')[0]}.{kind.__name__} {value.dtype} {str_shape(shape)}"
    if isinstance(value, (tuple, list)) and 0 < len(value) <= 4:
        left, right = "()" if isinstance(value, tuple) else "[]"
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"{left}{', '.join(map(in_short, value))}{comma}{right}"
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def as_number(name: str, setting: str, value: Any) -> float:
    """A setting that is one number, as a float; SettingError for what is none, and for a Tensor, whose
    gradient a setting would lose."""
    if isinstance(value, (bool, int, float, np.generic)):
        return float(value)
    if isinstance(value, np.ndarray) and not value.ndim:
        return float(value)
    raise SettingError(f"{name}: {setting} must be a number, not {in_short(value)}")


def one_axis(name: str, axis: int, ndim: int) -> int:
    """`axis` counted from the front, or SettingError."""
    if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
        raise SettingError(f"{name}: axis must be an int, not {axis!r}")
    if not -ndim <= axis < ndim:
        way_out = f"use one from {-ndim} to {ndim - 1}" if ndim else "a single number has no axes"
        raise AxisError(f"{name}: axis {axis} is out of range for {ndim} dimension(s); {way_out}")
    return int(axis) % ndim


def many_axes(name: str, axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front, sorted; None means all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    found = [one_axis(name, a, ndim) for a in axes]
    if len(set(found)) != len(found):
        raise SettingError(f"{name}: axis {tuple(axes)} names an axis twice")
    return tuple(sorted(found))


def sizes_match(a: Size, b: Size) -> bool:
    """Whether two sizes may be equal: unknown ones are left for the run to check."""
    return isinstance(a, Dim) or isinstance(b, Dim) or a == b
