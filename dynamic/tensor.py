"""Tensor: an array, and how it came to be."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import DTypeError, GradientError, ShapeError
from shared.op import as_array
from shared.operators import Operators
from shared.spec import as_dtype, str_shape


class Tensor(Operators):
    """A value that remembers how it was computed.

    data           the raw array
    edge           `(node, output index)` of the Node that made it, or None for a leaf
    grad           on leaves that require it, what backward() has added up so far
    requires_grad  whether gradients flow back to, or through, this Tensor
    """

    __slots__ = ("data", "edge", "grad", "requires_grad", "__weakref__")

    def __init__(self, data: Any, edge: Any = None, requires_grad: bool = False) -> None:
        self.data = data
        self.edge = edge
        self.grad: Tensor | None = None
        self.requires_grad = requires_grad or edge is not None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    def __repr__(self) -> str:
        values = np.array2string(np.asarray(self.data), separator=", ", prefix="tensor(", threshold=100)
        made = f", made by {self.edge[0].op.name}" if self.edge is not None else ""
        leaf = ", requires_grad=True" if self.requires_grad and self.edge is None else ""
        return f"tensor({values}, {self.dtype}{leaf}{made})"

    def __bool__(self) -> bool:
        if self.data.size != 1:
            raise ShapeError(
                f"the truth of a Tensor of shape {str_shape(self.shape)} is not one bool; "
                "reduce it first, or compare with ops.where"
            )
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self.data.__index__()

    def item(self) -> Any:
        """The one element, as a Python number."""
        return self.data.item()

    def numpy(self) -> Any:
        """The array itself, not a copy; without the history."""
        return self.data

    def detach(self) -> Tensor:
        """The same array without the history."""
        return Tensor(self.data)

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Add the derivative of this Tensor by each leaf to that leaf's `.grad`.

        `gradient` is the cotangent to start from; a Tensor of one element needs none. With
        `create_graph` the gradients can be differentiated again. What the tape holds is freed
        as it goes unless `retain_graph` (by default, as `create_graph`).
        """
        from dynamic.backward import backward

        backward(self, gradient, retain_graph, create_graph)


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """A leaf Tensor with a copy of `data`: arrays keep their dtype, Python floats become float32.

    Raises DTypeError if a gradient is asked for on integers or bools.
    """
    if isinstance(data, Tensor):
        data = data.data
    array = np.array(as_array(data, None if dtype is None else as_dtype(dtype)))
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"tensor: {data!r} does not make an array of numbers")
    if requires_grad and array.dtype.kind not in "fc":
        raise GradientError(
            f"tensor: {array.dtype} values have no gradient; use a float dtype or leave "
            "requires_grad out"
        )
    return Tensor(array, requires_grad=requires_grad)
