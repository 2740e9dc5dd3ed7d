"""Tensor: an array, and how it came to be."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import DTypeError, GradientError, ShapeError
from shared.op import as_array
from shared.operators import Operators
from shared.spec import Spec, as_dtype, str_shape


class Leaf:
    """Where gradients end: what a Tensor that requires them has for an edge."""

    __slots__ = ("spec", "grad", "__weakref__")

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.grad: Tensor | None = None


class Tensor(Operators):
    """A value that remembers how it was computed.

    data  the raw array
    edge  where its cotangent goes: `(node, output index)` of the Node that made it, its Leaf if
          it was made to require a gradient, or None
    """

    __slots__ = ("data", "edge", "__weakref__")

    def __init__(self, data: Any, edge: Any = None) -> None:
        self.data = data
        self.edge = edge

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow back to, or through, this Tensor."""
        return self.edge is not None

    @property
    def is_leaf(self) -> bool:
        """Whether no op that the tape remembers made this Tensor."""
        return type(self.edge) is not tuple

    @property
    def grad(self) -> Tensor | None:
        """On leaves that require a gradient, what backward() has added up so far."""
        return self.edge.grad if type(self.edge) is Leaf else None

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if type(self.edge) is not Leaf:
            raise GradientError(
                "only a leaf that requires a gradient has a .grad; make it with "
                "tensor(..., requires_grad=True)"
            )
        self.edge.grad = value

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    def __repr__(self) -> str:
        values = np.array2string(np.asarray(self.data), separator=", ", prefix="tensor(", threshold=100)
        made = "" if self.is_leaf else f", made by {self.edge[0].op.name}"
        leaf = ", requires_grad=True" if type(self.edge) is Leaf else ""
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
    return Tensor(array, Leaf(Spec(array.shape, array.dtype)) if requires_grad else None)
