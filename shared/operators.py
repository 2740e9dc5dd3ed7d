"""Python's operators and the usual methods, for everything that an op takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared import ops
from shared.dims import Dim, Shape, Size, product


class Operators:
    """Mixed into the Tensors of both engines and into Parameters.

    Arithmetic and comparisons are elementwise and broadcast; `==` too, and so hashing is by
    identity. The class that mixes this in says `shape` and `dtype`.
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that `ndarray * Tensor` comes to our __rmul__
    __array_priority__ = 1000
    __hash__ = object.__hash__

    shape: Any
    dtype: Any

    # arithmetic
    def __add__(self, other: Any) -> Any:
        return ops.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return ops.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return ops.sub(self, other)

    def __rsub__(self, other: Any) -> Any:
        return ops.sub(other, self)

    def __mul__(self, other: Any) -> Any:
        return ops.mul(self, other)

    def __rmul__(self, other: Any) -> Any:
        return ops.mul(other, self)

    def __truediv__(self, other: Any) -> Any:
        return ops.div(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return ops.div(other, self)

    def __pow__(self, other: Any) -> Any:
        return ops.pow(self, other)

    def __rpow__(self, other: Any) -> Any:
        return ops.pow(other, self)

    def __matmul__(self, other: Any) -> Any:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return ops.matmul(other, self)

    def __neg__(self) -> Any:
        return ops.neg(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return ops.abs(self)

    # comparisons and logic
    def __eq__(self, other: object) -> Any:
        return ops.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return ops.not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return ops.less(self, other)

    def __le__(self, other: Any) -> Any:
        return ops.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return ops.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return ops.greater_equal(self, other)

    def __and__(self, other: Any) -> Any:
        return ops.logical_and(self, other)

    def __or__(self, other: Any) -> Any:
        return ops.logical_or(self, other)

    def __invert__(self) -> Any:
        return ops.logical_not(self)

    # shape
    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Size:
        return product(self.shape)

    @property
    def T(self) -> Any:
        """The transpose: all axes reversed."""
        return ops.transpose(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor; it has no first axis")
        return int(self.shape[0])

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, index)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape: Any) -> Any:
        return ops.reshape(self, _flat(shape))

    def transpose(self, *axes: Any) -> Any:
        return ops.transpose(self, _flat(axes) or None)

    def flatten(self, start_axis: int = 0) -> Any:
        return ops.flatten(self, start_axis)

    def astype(self, dtype: Any) -> Any:
        return ops.cast(self, dtype)

    # reductions
    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        return ops.sum(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        return ops.mean(self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        return ops.max(self, axis, keepdims)

    def argmax(self, axis: int | None = None) -> Any:
        return ops.argmax(self, axis)


def _flat(values: tuple[Any, ...]) -> Shape | Sequence[int]:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    if len(values) == 1 and not isinstance(values[0], (int, Dim)):
        return tuple(values[0]) if values[0] is not None else ()
    return values
