"""What a Tensor offers for its values: conversions, changes in place, devices.

Apart from `Tensor` itself because none of it has to do with the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dynamic import inplace
from dynamic.modes import mode
from dynamic.node import Edge, Node
from dynamic.sharing import is_shown
from shared import ops
from shared.device.cuda import DEVICES, check_device, device_of, to_device, to_host
from shared.errors import DTypeError, GradientError, ShapeError
from shared.inplace import InPlace
from shared.op import Op, Rule
from shared.spec import Spec, str_shape
from shared.state import State
from shared.usage.door import methods


class Values(InPlace):
    """The half of Tensor that needs its array alone."""

    __slots__ = ()

    array: Any
    edge: Edge | None

    @property
    def device(self) -> str:
        """"cpu" or "cuda"."""
        return device_of(self.array)

    # --- its values ---

    def item(self) -> Any:
        """The one element, as a Python number."""
        if self.array.size != 1:
            raise ShapeError(
                f"item: a Tensor of shape {str_shape(self.shape)} has {self.array.size} elements, not one; "
                "reduce it (.sum(), .mean()), index one of them, or take all with .tolist()"
            )
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.array.tolist()

    def numpy(self) -> Any:
        """The array itself, not a copy; without the history. On a GPU, a copy on the host."""
        return to_host(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        check_detached("a NumPy array", self)
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ShapeError(
                f"the truth of a Tensor of shape {str_shape(self.shape)} is not one bool; reduce it "
                "first (ops.any, ops.all), or choose elementwise with ops.where"
            )
        return bool(self.array)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.size != 1 or self.array.dtype.kind not in "iu":
            raise DTypeError(
                f"a Tensor of {self.dtype} and shape {str_shape(self.shape)} is no index for Python; only "
                "one integer is: int(x) makes one of a float"
            )
        return self.array.item()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.array.size == 1 else repr(self)

    def __contains__(self, value: Any) -> bool:
        return value.array in self.array if isinstance(value, Values) else value in self.array

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        """On another device ("cpu", "cuda"), by the standard's name."""
        return self.to(device)

    def __complex__(self) -> complex:
        return complex(self.item())

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: Any = None
    ) -> Any:
        check_detached("__dlpack__", self)
        return self.array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    # --- in place ---

    def _change(self, call: str, write: Callable[..., Any], *written: Any) -> None:
        arrays = [raw_array(value) for value in written]
        inplace.change(self, self.array, call, lambda array: write(array, *arrays), written)

    def _update(self, name: str, other: Any) -> Any:
        """Of what the tape remembers, or shall remember for y, `x += y` makes a new Tensor, x + y, that takes
        x's name; not of a view, nor where there are views of x, for what these show would stay as it is."""
        if self.edge is not None and mode.get().recording and isinstance(node := self.edge[0], Node):
            if (node.pullback is None or not node.pullback.op.alias) and not is_shown(self):
                return getattr(self, f"__{name}__")(other)
        if self.edge is None and getattr(other, "edge", None) is not None and mode.get().recording:
            if self.array.base is None and not is_shown(self):  # the name alone is to hold the sum
                made = getattr(self, f"__{name}__")(other)
                if made.shape == self.shape and made.dtype == self.dtype:
                    return made
        return super()._update(name, other)

    # --- where it lives ---

    def to(self, target: Any = None, dtype: Any = None, *, device: Any = None) -> Any:
        """On another device ("cpu", "cuda"), or in another dtype, or both. Gradients flow back through it."""
        if device is not None or dtype is not None:
            place = target if device is None else device
            there = self if place is None else self.to(place)
            return there if dtype is None else ops.cast(there, dtype)
        if isinstance(target, Values):
            target = target.dtype
        if not isinstance(target, str) or target not in DEVICES:
            return ops.cast(self, target)
        return self if target == self.device else _MOVES[check_device("to", target)](self)

    def cpu(self) -> Any:
        """On the host."""
        return self.to("cpu")

    def cuda(self) -> Any:
        """On the GPU."""
        return self.to("cuda")


def check_detached(call: str, x: Any) -> None:
    """GradientError if a copy of the values of x, a Tensor or Parameter, would lose a gradient unasked."""
    if x.edge is not None and mode.get().recording:
        raise GradientError(
            f"{call}: made of a value (shape {str_shape(x.shape)}) that carries a gradient, which would be "
            "lost; compute with ops, which keep it (ops.stack joins a list); where it is not wanted, write "
            "x.detach() or x.numpy(), or compute under `with dynamic.no_grad():`"
        )


def raw_array(value: Any) -> Any:
    """The array of a Tensor or State; anything else as it is."""
    if isinstance(value, State):
        return value.value()
    return value.array if isinstance(value, Values) else value


def _move(device: str, back: str) -> Op:
    """The op that brings an array to a device; its gradient comes back."""
    return Op(
        f"to_{device}", lambda x: to_device(x, device), lambda x: Spec(x.shape, x.dtype),
        [Rule(lambda g, y, x: _MOVES[back](g))], listed=False,
    )  # fmt: skip


_MOVES = {"cpu": _move("cpu", "cuda"), "cuda": _move("cuda", "cpu")}


methods(Values)
