"""Tensor: an array, and how it came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynamic import inplace
from shared import ops
from shared.errors import DTypeError, EngineError, GradientError, ShapeError
from shared.op import as_array
from shared.operators import Operators
from shared.spec import Spec, as_dtype, str_shape
from shared.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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

    # --- what it is ---

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def device(self) -> str:
        """"cpu" or "cuda"."""
        return "cpu" if isinstance(self.data, np.ndarray) else "cuda"

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow back to, or through, this Tensor."""
        return self.edge is not None

    @property
    def is_leaf(self) -> bool:
        """Whether no op that the tape remembers made this Tensor."""
        return type(self.edge) is not tuple

    def __repr__(self) -> str:
        shown = self.data if self.device == "cpu" else self.data.get()
        values = np.array2string(shown, separator=", ", prefix="tensor(", threshold=100)
        made = "" if self.is_leaf else f", made by {self.edge[0].op.name}"
        leaf = ", requires_grad=True" if type(self.edge) is Leaf else ""
        return f"tensor({values}, {self.dtype}{leaf}{made})"

    # --- its values ---

    def item(self) -> Any:
        """The one element, as a Python number."""
        if self.data.size != 1:
            raise ShapeError(
                f"item: a Tensor of shape {str_shape(self.shape)} has {self.data.size} elements, not one; "
                "reduce it (.sum(), .mean()), index one of them, or take all with .tolist()"
            )
        return self.data.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.data.tolist()

    def numpy(self) -> Any:
        """The array itself, not a copy; without the history. On a GPU, a copy on the host."""
        return self.data if isinstance(self.data, np.ndarray) else self.data.get()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        if self.data.size != 1:
            raise ShapeError(
                f"the truth of a Tensor of shape {str_shape(self.shape)} is not one bool; reduce it "
                "first (ops.any, ops.all), or choose elementwise with ops.where"
            )
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.data.size != 1 or self.data.dtype.kind not in "iu":
            raise DTypeError(
                f"a Tensor of {self.dtype} and shape {str_shape(self.shape)} is no index for Python; only "
                "one integer is: int(x) makes one of a float"
            )
        return self.data.item()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.data.size == 1 else repr(self)

    def __contains__(self, value: Any) -> bool:
        return value.data in self.data if isinstance(value, Tensor) else value in self.data

    def __dlpack__(self, **options: Any) -> Any:
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.data.__dlpack_device__()

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise GradientError(
                f"a Tensor made by {self.edge[0].op.name} can not be pickled with its history; pickle "
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
                f"requires_grad_: this Tensor was made by {self.edge[0].op.name}; only leaves can be "
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
        from dynamic.backward import unchain

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

    # --- in place ---

    def __setitem__(self, index: Any, value: Any) -> None:
        key = tuple(_raw(part) for part in index) if isinstance(index, tuple) else _raw(index)
        inplace.change(self, "x[...] = v", lambda array: array.__setitem__(key, _raw(value)))

    def _update(self, call: str, ufunc: np.ufunc, other: Any) -> Tensor:
        inplace.change(self, call, lambda array: ufunc(array, _raw(other), out=array, casting="same_kind"))
        return self

    def __iadd__(self, other: Any) -> Tensor:  # type: ignore[misc]
        return self._update("x += y", np.add, other)

    def __isub__(self, other: Any) -> Tensor:  # type: ignore[misc]
        return self._update("x -= y", np.subtract, other)

    def __imul__(self, other: Any) -> Tensor:  # type: ignore[misc]
        return self._update("x *= y", np.multiply, other)

    def __itruediv__(self, other: Any) -> Tensor:  # type: ignore[misc]
        return self._update("x /= y", np.true_divide, other)

    def copy_(self, other: Any) -> Tensor:
        """Overwrite the values with those of `other`, which broadcasts; gives the Tensor itself."""
        inplace.change(self, "copy_", lambda array: np.copyto(array, _raw(other), casting="same_kind"))
        return self

    def zero_(self) -> Tensor:
        """Overwrite the values with zeros; gives the Tensor itself."""
        inplace.change(self, "zero_", lambda array: array.fill(0))
        return self

    # --- where it lives ---

    def to(self, target: Any) -> Tensor:
        """On another device ("cpu", "cuda"), or in another dtype."""
        if target == "cpu":
            return self if self.device == "cpu" else Tensor(self.numpy())
        if target == "cuda":
            return Tensor(_cupy().asarray(self.data))
        return ops.cast(self, target)

    def cpu(self) -> Tensor:
        """On the host."""
        return self.to("cpu")

    def cuda(self) -> Tensor:
        """On the GPU."""
        return self.to("cuda")

    # --- PyTorch's names for what NumPy calls otherwise ---

    def permute(self, *axes: Any) -> Any:
        return self.transpose(*axes)

    def view(self, *shape: Any) -> Any:
        return self.reshape(*shape)

    def unsqueeze(self, axis: int) -> Any:
        return ops.expand_dims(self, axis)

    def masked_fill(self, mask: Any, value: float) -> Any:
        return ops.where(mask, value, self)


def _raw(value: Any) -> Any:
    if isinstance(value, State):
        return value.value()
    return value.data if isinstance(value, Tensor) else value


def _leaf(array: Any) -> Leaf:
    if array.dtype.kind not in "fc":
        raise GradientError(
            f"{array.dtype} values have no gradient; use a float dtype or leave requires_grad out"
        )
    return Leaf(Spec(array.shape, array.dtype))


def _cupy() -> Any:
    try:
        import cupy
    except ImportError:
        raise EngineError(
            "to('cuda'): CuPy is not installed; install diptych[cuda12] or diptych[cuda13], by the "
            "CUDA version of the driver"
        ) from None
    return cupy


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """A leaf Tensor with a copy of `data`: arrays keep their dtype, Python floats become float32.

    Raises GradientError if a gradient is asked for on integers or bools, DTypeError for what
    does not make an array of numbers.
    """
    try:
        array = np.array(as_array(_raw(data), None if dtype is None else as_dtype(dtype)))
    except ValueError as error:
        raise DTypeError(
            f"tensor: {str(error).rstrip('.')}; pass numbers, in rows of one length (pad the shorter ones)"
        ) from None
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"tensor: {data!r} does not make an array of numbers")
    return Tensor(array, _leaf(array) if requires_grad else None)


def from_numpy(array: Any) -> Tensor:
    """A Tensor that shares the array's memory."""
    return Tensor(np.asarray(array))


def from_dlpack(source: Any) -> Tensor:
    """A Tensor that shares the memory of another library's array (PyTorch, CuPy, JAX, ...)."""
    device = source.__dlpack_device__()[0]
    return Tensor(np.from_dlpack(source) if int(device) == 1 else _cupy().from_dlpack(source))
