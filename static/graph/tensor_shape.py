"""A shape in TensorFlow 1's words: what `get_shape()` gives. It is the tuple that `shape` is, and more."""

from __future__ import annotations

from typing import Any

from shared.dims import UNKNOWN_RANK, Dim, Size, product


class Dimension(int):
    """A size that is known; `value` is the plain int. (Of a Dim, a size that is not, it is None.)"""

    value = property(int)


class TensorShape(tuple[Any, ...]):
    """Sizes: ints, and Dims where only a run knows them."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if isinstance(index, slice):
            return TensorShape(found)
        return found if isinstance(found, Dim) else Dimension(found)

    def __eq__(self, other: object) -> bool:
        """Whether the sizes are those of a list or tuple. Sizes that are not known are compared as Dims are,
        None stands for such a one."""
        if not isinstance(other, (tuple, list)):
            return False
        if len(self) != len(other):
            return False
        return all(
            isinstance(size, Dim) if wanted is None else bool(size == wanted)
            for size, wanted in zip(self, other, strict=True)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    def as_list(self) -> list[int | None]:
        """The sizes, None for those that are not known."""
        return [None if isinstance(size, Dim) else int(size) for size in self]

    @property
    def ndims(self) -> int:
        return len(self)

    def is_fully_defined(self) -> bool:
        """Whether all sizes are known."""
        return not any(isinstance(size, Dim) for size in self)

    def num_elements(self) -> Size | None:
        """The number of elements; None where a size is not known."""
        return product(tuple(self)) if self.is_fully_defined() else None


def tensor_shape(shape: Any) -> Any:
    """A shape as a TensorShape; one whose very number of axes is unknown stays what it is."""
    return shape if shape is UNKNOWN_RANK else TensorShape(shape)
