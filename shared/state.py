"""What a model keeps between steps: Parameters, buffers, generators, optimiser slots.

A State is storage with a name that belongs to no engine. `dynamic` reads `.data` as it is;
`static` lifts it to a variable of the graph when a graph first meets it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared.device.cuda import check_device, device_of, owned, to_device, to_host
from shared.dispatch import ENGINE_OF, NEUTRAL, Neutral
from shared.errors import ShapeError, StateError
from shared.operators import Operators
from shared.spec import Spec, str_shape


class State(Operators):
    """An array with a name. `assign` is the one way to change it that both engines share.

    data   the array; None while a layer does not know its shape yet
    name   its path in the model, such as `conv1.weight`
    grad   in `dynamic`, the gradient that backward() has left here, as a Tensor
    """

    requires_grad = False
    is_leaf = True
    _device = "cpu"

    def __init__(self, data: Any, name: str = "") -> None:
        self.data: Any = None if data is None else owned(data)
        self.name = name
        self.grad: Any = None

    def __repr__(self) -> str:
        kind = type(self).__name__
        if self.data is None:
            return f"{kind}({self.name!r}, no shape yet)"
        return f"{kind}({self.name!r}, {self.data.dtype}{list(self.data.shape)})"

    def called(self, path: str) -> None:
        """Take a path in a model for its name, unless it has a longer one: a model's layers may be
        asked for their parameters apart."""
        if path.endswith(self.name.rpartition(".")[2]) and not self.name.endswith(f".{path}"):
            self.name = path

    def value(self) -> Any:
        """The array, or StateError while its shape is not known."""
        if self.data is None:
            raise StateError(
                f"{self.name or 'a parameter'} has no value yet: its layer learns the shape when "
                "it is first called; call the model once, or give the layer its input size"
            )
        return self.data

    @property
    def device(self) -> str:
        """"cpu" or "cuda": where the values live, or will."""
        return self._device if self.data is None else device_of(self.data)

    @property
    def edge(self) -> tuple[State, int] | None:
        """Where its cotangent goes on dynamic's tape: it is its own leaf."""
        return (self, 0) if self.requires_grad else None

    @property
    def outputs(self) -> tuple[Spec]:
        """What a leaf shows to the tape: the Spec of what gradients arrive for."""
        return (Spec(self.shape, self.dtype),)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value().shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value().dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        if self.value().size != 1:
            raise ShapeError(
                f"the truth of {self.name or 'a Parameter'} of shape {str_shape(self.shape)} is not one "
                "bool; compare and reduce its values, or write `is not None`"
            )
        return bool(self.value())

    def numpy(self) -> Any:
        """The array itself, not a copy. On a GPU, a copy on the host."""
        return to_host(self.value())

    def to(self, device: str) -> None:
        """Hold the values on a device ("cpu", "cuda") from now on, those to come too. A gradient is
        forgotten."""
        self._device = check_device("to", device)
        self.grad = None
        if self.data is not None:
            self.data = to_device(self.data, device)

    def assign(self, value: Any) -> Any:
        """Hold `value` from now on: at once, or, for a static Tensor, when the graph runs.

        The shape must stay; the dtype stays and `value`, which may be a plain number, is cast to it.
        """
        if not hasattr(value, "shape"):
            value = np.asarray(value)
        if self.data is not None and tuple(value.shape) != self.shape:
            raise ShapeError(
                f"assign: {self.name or 'the state'} has shape {str_shape(self.shape)}, the "
                f"value {str_shape(tuple(value.shape))}; they must be the same"
            )
        engine = ENGINE_OF[type(value)]
        if engine is None or isinstance(engine, Neutral):
            given = value.value() if isinstance(value, State) else value
            self.data = owned(given, self.dtype, beside=self.value())
            return None
        return engine.assign(self, value)


class Parameter(State):
    """A State that training changes: gradients reach it, unless `requires_grad` is set to False.

    While `data` is None, `sizes` is what is known of the shape (None for a size to be learnt),
    `kind` the dtype to be, and `initialiser` what will draw the values once the shape is known:
    see `nn.init.settle`.
    """

    requires_grad = True

    def __init__(
        self,
        data: Any,
        name: str = "",
        *,
        sizes: tuple[int | None, ...] | None = None,
        initialiser: Callable[..., Any] | None = None,
        kind: Any = np.float32,
    ) -> None:
        super().__init__(data, name)
        self.sizes, self.initialiser, self.kind = sizes, initialiser, np.dtype(kind)


class Buffer(State):
    """A State that is kept but not trained: running statistics, counters."""


class Slot(State):
    """What an optimiser remembers of a Parameter, `parameter`, under a name of its own, `slot`."""

    def __init__(self, data: Any, parameter: Any, slot: str, name: str) -> None:
        super().__init__(data, name)
        self.parameter, self.slot = parameter, slot


class Generator(Buffer):
    """The state of a layer's own random numbers: uint64 (2,). PyTorch's checkpoints have none."""


for _kind in (State, Parameter, Buffer, Slot, Generator):
    ENGINE_OF[_kind] = NEUTRAL
