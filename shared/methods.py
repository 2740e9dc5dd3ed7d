"""PyTorch's methods of Tensors, for the Tensors of both engines, Parameters and variables.

What has another meaning in NumPy goes by that: `x.max(axis=1)` gives values alone, `x.repeat` repeats
elements, `x.size` is a number (and, called, what PyTorch's is).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim, Size, product
from shared.errors import SettingError
from shared.numpy_calls import NumPyCalls
from shared.spec import as_dtype
from shared.usage.absent import TENSOR, Answers
from shared.usage.door import methods

_UNSAID: Any = object()


class Count(int):
    """How many elements there are, and, called as in PyTorch, the sizes: `x.size(0)`, `x.size()`."""

    shape: tuple[Any, ...]

    def __call__(self, axis: int | None = None, *, dim: int | None = None) -> Any:
        at = axis if dim is None else dim
        return self.shape if at is None else self.shape[at]

    def __reduce__(self) -> Any:
        return int, (int(self),)


def count(shape: tuple[Any, ...]) -> Size:
    """The number of elements of a shape, as `x.size` gives it."""
    size = product(shape)
    if isinstance(size, Dim):
        return size
    found = Count(size)
    found.shape = shape
    return found


class Methods(NumPyCalls, Answers):
    """Mixed into whatever an op takes. The class that mixes this in says `shape` and `dtype`."""

    __slots__ = ()

    _absent = TENSOR

    shape: Any
    dtype: Any

    # --- what it is ---

    def dim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def numel(self) -> Size:
        """The number of elements."""
        return product(self.shape)

    nelement = numel

    def is_contiguous(self) -> bool:
        """Whether it is to be taken as in C order: always, for no op looks at the order in memory."""
        return True

    @property
    def is_cuda(self) -> Any:
        """Whether it lies on a GPU."""
        return self.device == "cuda"  # type: ignore[attr-defined]

    def is_complex(self) -> bool:
        """Whether the dtype is one of complex numbers."""
        return bool(self.dtype.kind == "c")

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return bool(self.dtype.kind == "f")

    # --- in another dtype, or on another device ---

    def type(self, dtype: Any) -> Any:
        """In another dtype."""
        return ops.cast(self, dtype)

    def type_as(self, other: Any) -> Any:
        """In another's dtype."""
        return ops.cast(self, other.dtype)

    # --- its shape ---

    def view(self, *shape: Any) -> Any:
        """`reshape`."""
        return self.reshape(*shape)  # type: ignore[attr-defined]

    def view_as(self, other: Any) -> Any:
        """In another's shape."""
        return ops.reshape(self, other.shape)

    def reshape_as(self, other: Any) -> Any:
        """In another's shape."""
        return ops.reshape(self, other.shape)

    def contiguous(self) -> Any:
        """The value itself: no op looks at the order in memory."""
        return self

    def permute(self, *axes: Any) -> Any:
        """With its axes in another order."""
        return self.transpose(*axes)  # type: ignore[attr-defined]

    def unsqueeze(self, axis: int) -> Any:
        """With one more axis, of size 1, there."""
        return ops.expand_dims(self, axis)

    def t(self) -> Any:
        """The transpose of a matrix."""
        return ops.transpose(self)

    @property
    def mT(self) -> Any:
        """The transposes of the matrices in the last two axes."""
        return ops.swapaxes(self, -1, -2)

    @property
    def mH(self) -> Any:
        """The same, conjugate."""
        return ops.conj(self.mT)

    H = mH

    @property
    def real(self) -> Any:
        """The real part; of real values the value itself."""
        return ops.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part; of real values zeros."""
        return ops.imag(self)

    def conj(self) -> Any:
        """The complex conjugate; of real values the value itself."""
        return ops.conj(self)

    def expand(self, *sizes: Any) -> Any:
        """Broadcast to a shape, where -1 leaves an axis as it is."""
        wanted = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
        own = (1,) * (len(wanted) - len(self.shape)) + tuple(self.shape)
        shape = tuple(
            [a if not isinstance(b, Dim) and b == -1 else b for a, b in zip(own, wanted, strict=True)]
        )
        return ops.broadcast_to(self, shape)

    def expand_as(self, other: Any) -> Any:
        """Broadcast to another's shape."""
        return ops.broadcast_to(self, other.shape)

    def repeat_interleave(self, repeats: Any, axis: Any = None) -> Any:
        """Each element, or slice along `axis`, so many times: `ops.repeat`."""
        return ops.repeat(self, repeats, axis)

    # --- beside others ---

    def add(self, other: Any, *, alpha: Any = 1) -> Any:
        """This and `alpha` times the other: `ops.add`."""
        return ops.add(self, other if alpha == 1 else ops.mul(other, alpha))

    def sub(self, other: Any, *, alpha: Any = 1) -> Any:
        """This less `alpha` times the other: `ops.sub`."""
        return ops.sub(self, other if alpha == 1 else ops.mul(other, alpha))

    def masked_fill(self, mask: Any, value: Any) -> Any:
        """`value` where the mask is True."""
        return ops.where(mask, value, self)

    def where(self, condition: Any, other: Any) -> Any:
        """This where the condition is True, else the other."""
        return ops.where(condition, self, other)

    def gather(self, axis: int, index: Any) -> Any:
        """Elements picked along an axis, in PyTorch's order of arguments: `ops.gather(x, index, axis)`."""
        return ops.gather(self, index, axis)

    def index_select(self, axis: int, index: Any) -> Any:
        """Slices picked along an axis: `ops.take(x, index, axis)`."""
        return ops.take(self, index, axis)

    def scatter(self, axis: int, index: Any, src: Any, reduce: str = "set") -> Any:
        """With `src` put along an axis, in PyTorch's order of arguments: `ops.scatter`."""
        if not hasattr(src, "shape"):
            src = ops.full(index.shape, src, self.dtype, like=self)
        return ops.scatter(self, index, src, axis, reduce=reduce)

    def scatter_add(self, axis: int, index: Any, src: Any) -> Any:
        """The same, added."""
        return self.scatter(axis, index, src, "add")

    def new_zeros(self, *shape: Any, dtype: Any = None) -> Any:
        """Zeros of a shape, of this dtype."""
        return ops.zeros(_sizes(shape), as_dtype(dtype) if dtype is not None else self.dtype, like=self)

    def new_ones(self, *shape: Any, dtype: Any = None) -> Any:
        """Ones of a shape, of this dtype."""
        return ops.ones(_sizes(shape), as_dtype(dtype) if dtype is not None else self.dtype, like=self)

    def new_full(self, shape: Any, value: Any, dtype: Any = None) -> Any:
        """One number, of this dtype."""
        kind = as_dtype(dtype) if dtype is not None else self.dtype
        return ops.full(_sizes((shape,)), value, kind, like=self)

    def allclose(self, other: Any, rtol: Any = 1e-5, atol: Any = 1e-8) -> Any:
        """Whether all elements are the same to within `atol + rtol * |other|`."""
        return ops.all(ops.abs(ops.sub(self, other)) <= atol + rtol * ops.abs(other))

    # --- where NumPy's and PyTorch's methods of one name differ: what is meant goes by name ---

    def repeat(self, *repeats: Any, axis: Any = _UNSAID) -> Any:
        """Each element, or slice along `axis`, so many times: `ops.repeat`. The axis goes by name."""
        if axis is _UNSAID:
            told = ", ".join(map(repr, repeats))
            raise SettingError(
                f"repeat: x.repeat({told}) lays copies of x side by side in PyTorch, and repeats "
                "elements in NumPy; "
                f"write x.tile({told}) for the first, x.repeat({repeats[0] if repeats else 2}, "
                "axis=0) for the second"
            )
        if len(repeats) != 1:
            raise SettingError(f"repeat: takes one count, not {len(repeats)}; write x.tile for several")
        return ops.repeat(self, repeats[0], axis=axis)

    def sort(self, *, axis: Any = _UNSAID, descending: Any = False) -> Any:
        """The elements along `axis`, which goes by name, in order: `ops.sort`."""
        if axis is _UNSAID:
            raise SettingError(
                "sort: x.sort() gives values and places in PyTorch, and sorts in place in NumPy; write "
                "x.sort(axis=-1) for the values, x.argsort(axis=-1) for the places, or "
                "dynamic.sort(x) for both"
            )
        return ops.sort(self, axis, descending)

    def split(self, sizes: Any, axis: Any = 0) -> Any:
        """Cut along an axis into parts of these sizes: `ops.split`."""
        if not isinstance(sizes, (list, tuple)):
            raise SettingError(
                f"split: x.split({sizes!r}) cuts into parts of {sizes!r} in PyTorch, and into "
                f"{sizes!r} parts in "
                f"NumPy; write x.split([{sizes!r}, ...]) with each size, or x.chunk({sizes!r}) "
                "for as many parts"
            )
        return ops.split(self, sizes, axis)

    def amax(self, axis: Any = None, keepdims: Any = False) -> Any:
        """The largest element, over axes."""
        return ops.max(self, axis=axis, keepdims=keepdims)

    def amin(self, axis: Any = None, keepdims: Any = False) -> Any:
        """The smallest element, over axes."""
        return ops.min(self, axis=axis, keepdims=keepdims)

    # --- extremes: by NumPy's meaning, with the axis by name ---

    def max(self, *args: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The largest element, over all axes or over `axis`, which goes by name: `ops.max`."""
        return _extreme("max", self, args, axis, keepdims)

    def min(self, *args: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The smallest element, over all axes or over `axis`, which goes by name: `ops.min`."""
        return _extreme("min", self, args, axis, keepdims)


DTYPES = {
    "float": np.float32, "double": np.float64, "half": np.float16, "long": np.int64, "int": np.int32,
    "short": np.int16, "char": np.int8, "byte": np.uint8, "bool": np.bool_,
}  # fmt: skip
"""The methods that cast: `x.float()` is `ops.cast(x, "float32")`."""


def _cast(name: str, dtype: Any) -> Any:
    def method(self: Any) -> Any:
        return ops.cast(self, dtype)

    method.__name__, method.__doc__ = name, f"In {np.dtype(dtype).name}."
    return method


for _name, _dtype in DTYPES.items():
    setattr(Methods, _name, _cast(_name, _dtype))


def _extreme(name: str, x: Any, args: tuple[Any, ...], axis: Any, keepdims: Any) -> Any:
    if args:
        if len(args) == 1 and hasattr(args[0], "shape"):
            return getattr(ops, f"{name}imum")(x, args[0])
        raise SettingError(
            f"{name}: x.{name}({', '.join(map(repr, args))}) gives values and places in PyTorch, "
            "values in NumPy; "
            f"write x.{name}(axis={args[0]!r}) for the values, x.arg{name}({args[0]!r}) for the places, or "
            f"ops.{name}_with_indices(x, {args[0]!r}) for both"
        )
    return getattr(ops, name)(x, axis=axis, keepdims=keepdims)


def _sizes(shape: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


methods(Methods)
