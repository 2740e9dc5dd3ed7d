"""Tensor: an array, and how it came to be."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamic import gradient_hooks, sharing
from dynamic.modes import mode
from dynamic.node import Edge, Leaf, Node, release
from dynamic.values import Values, check_detached, raw_array
from shared import ops
from shared.device import cuda
from shared.device.cuda import owned
from shared.errors import DTypeError, GradientError, ShapeError
from shared.op import as_array
from shared.spec import Spec, as_dtype
from shared.state import State, check_fits
from shared.usage.door import methods

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Tensor(Values):
    """A value that remembers how it was computed.

    array  the raw array; `data` is the same, and looks at what it is set to
    edge   where its cotangent goes: the Node that made it and which of its outputs it is, its Leaf
           and 0 if it was made to require a gradient, or None
    kin    those that show the same array, where there are any: see `dynamic.sharing`
    """

    __slots__ = ("array", "edge", "kin", "__weakref__")

    def __init__(self, array: Any, edge: Edge | None = None) -> None:
        self.array = array if type(array) is not list else np.array(array, np.float32)
        self.edge = edge

    # --- what it is ---

    @property
    def data(self) -> Any:
        """The raw array. Another of the same shape and dtype may be set in its place: what was computed
        from the old one keeps that."""
        return self.array

    @data.setter
    def data(self, array: Any) -> None:
        check_fits("x.data", array, self)
        self._becomes_another()
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow back to, or through, this Tensor."""
        return self.edge is not None

    @property
    def grad_fn(self) -> Node | None:
        """The Node that made this Tensor; None for a leaf."""
        node = None if self.edge is None else self.edge[0]
        return node if isinstance(node, Node) else None

    @property
    def is_leaf(self) -> bool:
        """Whether no op that the tape remembers made this Tensor."""
        return self.edge is None or self.edge[0].is_leaf

    def __repr__(self) -> str:
        values = np.array2string(self.numpy(), separator=", ", prefix="tensor(", threshold=100)
        node = self.grad_fn
        history = f", made by {node.name}" if node else ", requires_grad=True" if self.edge else ""
        return f"tensor({values}, {self.dtype}{history})"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def __reduce__(self) -> Any:
        if self.grad_fn is not None:
            raise GradientError(
                f"a Tensor made by {self.grad_fn.name} can not be pickled with its history; pickle "
                "x.detach(), or save parameters with model.save(path)"
            )
        return tensor, (self.numpy(), self.requires_grad)

    def __copy__(self) -> Tensor:
        return Tensor(self.array, self.edge)

    def __deepcopy__(self, memo: Any) -> Tensor:
        make, arguments = self.__reduce__()
        return make(*arguments)

    # --- its history ---

    @property
    def grad(self) -> Tensor | None:
        """What backward() has added up so far: on leaves that require a gradient, and on Tensors
        whose `retain_grad()` was called."""
        if self.edge is None:
            return None
        node, index = self.edge
        if isinstance(node, Node):
            return node.hooks.retained.get(index) if node.hooks is not None else None
        return node.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        leaf = None if self.edge is None else self.edge[0]
        if not isinstance(leaf, Leaf):
            raise GradientError(
                "only a leaf that requires a gradient has a .grad to set; make it with "
                "tensor(..., requires_grad=True)"
            )
        if value is not None:
            check_fits("x.grad", value.array if isinstance(value, Tensor) else value, self)
        leaf.grad = value

    def requires_grad_(self, on: bool = True) -> Tensor:
        """Make this leaf require a gradient, or no longer; gives the Tensor itself."""
        if self.grad_fn is not None:
            raise GradientError(
                f"requires_grad_: this Tensor was made by {self.grad_fn.name}; only leaves can be "
                "changed: detach() it first"
            )
        if bool(on) is self.requires_grad:
            return self
        self._becomes_another()
        if not on:
            self.edge = None
        else:
            self.edge = leaf_edge(self.array)
        return self

    def detach(self) -> Tensor:
        """The same array without the history."""
        y = Tensor(self.array)
        sharing.note(self, (y,))
        return y

    def clone(self) -> Tensor:
        """A copy of the values that gradients flow through."""
        return ops.cast(self, self.dtype)

    def unchain(self) -> Tensor:
        """Forget how this Tensor came to be, and free what the tape held for it: for truncated
        backpropagation. It is a constant from now on; gives the Tensor itself."""
        self._becomes_another()
        release(self.edge)
        self.edge = None
        return self

    def _becomes_another(self) -> None:
        """Its array or its edge is about to be replaced: a call of a `dynamic.function` hears of it."""
        call = mode.get().call
        if call is not None:
            call.forget(self)

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
        raise NotImplementedError  # `dynamic.backward`, which stands above, puts itself in this place

    def retain_grad(self) -> None:
        """Let backward() leave this Tensor's gradient in `.grad` though it is no leaf."""
        gradient_hooks.retain(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Callable[[], None]:
        """Call `hook(gradient)` when backward has this Tensor's gradient; what it gives, if not
        None, takes the gradient's place. Gives a function that takes the hook off again."""
        return gradient_hooks.register(self, hook)


def leaf_edge(array: Any) -> Edge:
    """The edge to a new leaf, for a Tensor of this array that is to require a gradient."""
    if array.dtype.kind not in "fc":
        raise GradientError(
            f"{array.dtype} values have no gradient; use a float dtype or leave requires_grad out"
        )
    return Leaf(Spec(array.shape, array.dtype)), 0


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None, device: str | None = None) -> Tensor:
    """A leaf Tensor with a copy of `data`: arrays keep their dtype, Python floats become float32.

    device: "cpu" or "cuda"; if None, where `data` is, if that is an array on the GPU, else the default
    device (`dynamic.set_default_device`).

    Raises GradientError if a gradient is asked for on integers or bools, or if `data` carries one, which a
    copy would lose; DTypeError for what does not make an array of numbers.
    """
    if isinstance(data, (Tensor, State)):
        check_detached("tensor", data)
    try:
        if cuda.in_use or device is not None:
            array = _placed(raw_array(data), dtype, device)
        else:
            array = np.array(as_array(raw_array(data), None if dtype is None else as_dtype(dtype)), order="C")
    except ShapeError:
        raise
    except ValueError as error:
        raise DTypeError(
            f"tensor: {str(error).rstrip('.')}; pass numbers, in rows of one length (pad the shorter ones)"
        ) from None
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"tensor: {data!r} does not make an array of numbers")
    return Tensor(array, leaf_edge(array) if requires_grad else None)


def _placed(data: Any, dtype: Any, device: str | None) -> Any:
    """A copy of `data` on the device that `tensor` is to make it on."""
    data = as_array(cuda.adopted(data), None if dtype is None else as_dtype(dtype))
    if device is not None:
        cuda.check_device("tensor", device)
    elif isinstance(data, cuda.CudaArray):
        device = "cuda"
    there = cuda.to_device(data, device or cuda.default_device())
    return owned(there) if there is data else there


methods(Tensor)
