"""What a Tensor offers for its values: conversions, changes in place, devices.

Apart from `Tensor` itself because none of it has to do with the tape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynamic import inplace
from dynamic.node import Edge
from shared import ops
from shared.device.cuda import DEVICES, check_device, device_of, to_device, to_host
from shared.errors import DTypeError, ShapeError
from shared.op import Op, Rule, array_module
from shared.operators import Operators
from shared.spec import Spec, str_shape
from shared.state import State


class Values(Operators):
    """The half of Tensor that needs `data` alone."""

    __slots__ = ()

    data: Any
    edge: Edge | None

    if TYPE_CHECKING:

        def __init__(self, data: Any, edge: Edge | None = None) -> None: ...

    @property
    def device(self) -> str:
        """"cpu" or "cuda"."""
        return device_of(self.data)

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
        return to_host(self.data)

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
        return value.data in self.data if isinstance(value, Values) else value in self.data

    def __dlpack__(self, **options: Any) -> Any:
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.data.__dlpack_device__()

    # --- in place ---

    def __setitem__(self, index: Any, value: Any) -> None:
        key = tuple(raw_array(part) for part in index) if isinstance(index, tuple) else raw_array(index)
        inplace.change(self, "x[...] = v", lambda array: array.__setitem__(key, raw_array(value)), value)

    def _update(self, call: str, ufunc: np.ufunc, other: Any) -> Any:
        inplace.change(self, call, lambda a: ufunc(a, raw_array(other), out=a, casting="same_kind"), other)
        return self

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("x += y", np.add, other)

    def __isub__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("x -= y", np.subtract, other)

    def __imul__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("x *= y", np.multiply, other)

    def __itruediv__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("x /= y", np.true_divide, other)

    def copy_(self, other: Any) -> Any:
        """Overwrite the values with those of `other`, which broadcasts; gives the Tensor itself."""
        inplace.change(
            self, "copy_", lambda a: array_module(a).copyto(a, raw_array(other), casting="same_kind"), other
        )
        return self

    def zero_(self) -> Any:
        """Overwrite the values with zeros; gives the Tensor itself."""
        inplace.change(self, "zero_", lambda array: array.fill(0))
        return self

    # --- where it lives ---

    def to(self, target: Any) -> Any:
        """On another device ("cpu", "cuda"), or in another dtype. Gradients flow back through it."""
        if not isinstance(target, str) or target not in DEVICES:
            return ops.cast(self, target)
        return self if target == self.device else _MOVES[check_device("to", target)](self)

    def cpu(self) -> Any:
        """On the host."""
        return self.to("cpu")

    def cuda(self) -> Any:
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


def raw_array(value: Any) -> Any:
    """The array of a Tensor or State; anything else as it is."""
    if isinstance(value, State):
        return value.value()
    return value.data if isinstance(value, Values) else value


def _move(device: str, back: str) -> Op:
    """The op that brings an array to a device; its gradient comes back."""
    return Op(
        f"to_{device}", lambda x: to_device(x, device), lambda x: Spec(x.shape, x.dtype),
        [Rule(lambda g, y, x: _MOVES[back](g))], listed=False,
    )  # fmt: skip


_MOVES = {"cpu": _move("cpu", "cuda"), "cuda": _move("cuda", "cpu")}
