"""Tensor: an array, and how it came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynamic.values import Values, raw_array
from shared import ops
from shared.device import cuda
from shared.device.cuda import owned
from shared.errors import DTypeError, GradientError
from shared.op import as_array
from shared.spec import Spec, as_dtype

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Leaf:
    """Where gradients end: what a Tensor that requires them has for an edge."""

    __slots__ = ("spec", "grad", "watch", "__weakref__")

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.grad: Tensor | None = None


class Tensor(Values):
    """A value that remembers how it was computed.

    data  the raw array
    edge  where its cotangent goes: `(node, output index)` of the Node that made it, its Leaf if
          it was made to require a gradient, or None
    """

    __slots__ = ("data", "edge", "__weakref__")

    def __init__(self, data: Any, edge: Any = None) -> None:
        self.data = data
        self.edge = edge

    # --- what it is ---

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow back to, or through, this Tensor."""
        return self.edge is not None

    @property
    def is_leaf(self) -> bool:
        """Whether no op that the tape remembers made this Tensor."""
        return type(self.edge) is not tuple

    def __repr__(self) -> str:
        values = np.array2string(self.numpy(), separator=", ", prefix="tensor(", threshold=100)
        made = "" if self.is_leaf else f", made by {self.edge[0].name}"
        leaf = ", requires_grad=True" if type(self.edge) is Leaf else ""
        return f"tensor({values}, {self.dtype}{leaf}{made})"

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise GradientError(
                f"a Tensor made by {self.edge[0].name} can not be pickled with its history; pickle "
                "x.detach(), or save parameters with model.save(path)"
            )
        return tensor, (self.numpy(), self.requires_grad)

    def __copy__(self) -> Tensor:
        return Tensor(self.data, self.edge)

    def __deepcopy__(self, memo: Any) -> Tensor:
        kind, arguments = self.__reduce__()
        return kind(*arguments)

    # --- its history ---

    @property
    def grad(self) -> Tensor | None:
        """What backward() has added up so far: on leaves that require a gradient, and on Tensors
        whose `retain_grad()` was called."""
        if type(self.edge) is Leaf:
            return self.edge.grad
        from dynamic.watch import retained

        return None if self.edge is None else retained(self.edge)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if type(self.edge) is not Leaf:
            raise GradientError(
                "only a leaf that requires a gradient has a .grad to set; make it with "
                "tensor(..., requires_grad=True)"
            )
        self.edge.grad = value

    def requires_grad_(self, on: bool = True) -> Tensor:
        """Make this leaf require a gradient, or no longer; gives the Tensor itself."""
        if not self.is_leaf:
            raise GradientError(
                f"requires_grad_: this Tensor was made by {self.edge[0].name}; only leaves can be "
                "changed: detach() it first"
            )
        if not on:
            self.edge = None
        elif self.edge is None:
            self.edge = _leaf(self.data)
        return self

    def detach(self) -> Tensor:
        """The same array without the history."""
        return Tensor(self.data)

    def clone(self) -> Tensor:
        """A copy of the values that gradients flow through."""
        return ops.cast(self, self.dtype)

    def unchain(self) -> Tensor:
        """Forget how this Tensor came to be, and free what the tape held for it: for truncated
        backpropagation. It is a constant from now on; gives the Tensor itself."""
        from dynamic.tape import unchain

        unchain(self)
        return self

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Any] | None = None,
    ) -> None:
        """Add the derivative of this Tensor by each leaf to that leaf's `.grad`.

        `gradient` is the cotangent to start from; a Tensor of one element needs none. With
        `create_graph` the gradients can be differentiated again. What the tape holds is freed
        as it goes unless `retain_graph` (by default, as `create_graph`). With `inputs`, only
        those leaves are reached, and only what leads to them is computed.
        """
        from dynamic.backward import backward

        backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Let backward() leave this Tensor's gradient in `.grad` though it is no leaf."""
        from dynamic.watch import retain

        retain(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Callable[[], None]:
        """Call `hook(gradient)` when backward has this Tensor's gradient; what it gives, if not
        None, takes the gradient's place. Gives a function that takes the hook off again."""
        from dynamic.watch import register

        return register(self, hook)

def _leaf(array: Any) -> Leaf:
    if array.dtype.kind not in "fc":
        raise GradientError(
            f"{array.dtype} values have no gradient; use a float dtype or leave requires_grad out"
        )
    return Leaf(Spec(array.shape, array.dtype))


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None, device: str | None = None) -> Tensor:
    """A leaf Tensor with a copy of `data`: arrays keep their dtype, Python floats become float32.

    device: "cpu" or "cuda"; if None, where `data` is, if that is an array on the GPU, else the default
    device (`dynamic.set_default_device`).

    Raises GradientError if a gradient is asked for on integers or bools, DTypeError for what
    does not make an array of numbers.
    """
    try:
        if cuda.in_use or device is not None:
            array = _placed(raw_array(data), dtype, device)
        else:
            array = np.array(as_array(raw_array(data), None if dtype is None else as_dtype(dtype)), order="C")
    except ValueError as error:
        raise DTypeError(
            f"tensor: {str(error).rstrip('.')}; pass numbers, in rows of one length (pad the shorter ones)"
        ) from None
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"tensor: {data!r} does not make an array of numbers")
    return Tensor(array, _leaf(array) if requires_grad else None)


def _placed(data: Any, dtype: Any, device: str | None) -> Any:
    """A copy of `data` on the device that `tensor` is to make it on."""
    data = as_array(cuda.adopted(data), None if dtype is None else as_dtype(dtype))
    if device is not None:
        cuda.check_device("tensor", device)
    elif isinstance(data, cuda.CudaArray):
        device = "cuda"
    there = cuda.to_device(data, device or cuda.default_device())
    return owned(there) if there is data else there
