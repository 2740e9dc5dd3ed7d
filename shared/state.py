"""What a model keeps between steps: Parameters, buffers, generators, optimiser slots.

A State is storage with a name that belongs to no engine. `dynamic` reads `.data` as it is;
`static` lifts it to a variable of the graph when a graph first meets it.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any
from weakref import WeakSet

import numpy as np

from shared.casting import cast_number, check_dtype
from shared.device.cuda import check_device, device_of, owned, to_device, to_host
from shared.dispatch import ENGINE_OF, NEUTRAL, Neutral, engine_at_hand, engine_of
from shared.errors import AssignmentError, DTypeError, ShapeError, StateError
from shared.inplace import InPlace
from shared.spec import Spec, in_short, str_shape
from shared.touched import Waiting, noted, touch, touching
from shared.usage import late
from shared.usage.door import methods

forms = [0]
"""How often some State has come to hold an array of another shape, dtype or kind: whoever has looked at
several need not look again before."""


class State(InPlace):
    """An array with a name. `assign` is the one way to change it that both engines share; in `dynamic`
    it can be changed in place too, where no gradient is put at risk.

    data   the array; None while a layer does not know its shape yet. Set to another, it looks whether
           that is of the same shape and dtype
    name   its path in the model, such as `conv1.weight`
    grad   in `dynamic`, the gradient that backward() has left here, as a Tensor; what is set must fit
    """

    requires_grad = False
    is_leaf = True
    live = False
    """Whether sessions follow what the State holds: a number that users set while they train."""
    _device = "cpu"

    def __init__(self, data: Any, name: str = "") -> None:
        self._data: Any = None if data is None else owned(data)
        self._grad: Any = None
        self.name = name

    def __repr__(self) -> str:
        kind = type(self).__name__
        if not self.settled:
            return f"{kind}({self.name!r}, no shape yet)"
        return f"{kind}({self.name!r}, {self.dtype}{list(self.shape)})"

    def __getstate__(self) -> Any:
        self.data  # noqa: B018  what waits is computed before it is copied or pickled
        return super().__getstate__()

    def called(self, path: str) -> None:
        """Take a path in a model for its name, unless it has a longer one: a model's layers may be
        asked for their parameters apart."""
        if path.endswith(self.name.rpartition(".")[2]) and not self.name.endswith(f".{path}"):
            self.name = path

    @property
    def data(self) -> Any:
        array = self._data
        return touch(self) if touching or type(array) is Waiting else array

    @data.setter
    def data(self, array: Any) -> None:
        if touching:
            touch(self)
        if not _alike(array, self._data):
            check_fits(f"{self.name or 'a parameter'}.data", array, self if self._data is not None else array)
            forms[0] += 1
        late.note(self, "data")
        self._data = array

    @property
    def grad(self) -> Any:
        return self._grad

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if gradient is not None and not _alike(getattr(gradient, "array", gradient), self._data):
            array = gradient if is_raw(gradient) else getattr(gradient, "data", gradient)
            check_fits(f"{self.name or 'a parameter'}.grad", array, self)
        self._grad = gradient

    def hold(self, array: Any) -> None:
        """Hold `array` from now on, whatever its shape and dtype: for who makes the State another one."""
        if type(self._data) is Waiting:
            self._data.settle(self)
        if not _alike(array, self._data):
            forms[0] += 1
        self._data = array

    def value(self) -> Any:
        """The array, or StateError while its shape is not known."""
        array = self._data
        if array is None:
            self.known()
        return touch(self) if touching or type(array) is Waiting else array

    @property
    def settled(self) -> bool:
        """Whether it has values, or will once what waits is computed: not while its layer does not know its
        shape."""
        return self._data is not None

    def known(self) -> Any:
        """What has the array's shape and dtype, and may be no more yet than that; StateError while they
        are not known."""
        if self._data is None:
            raise StateError(
                f"{self.name or 'a parameter'} has no value yet: its layer learns the shape when "
                "it is first called; call the model once, or give the layer its input size"
            )
        return self._data

    @property
    def device(self) -> str:
        """"cpu" or "cuda": where the values live, or will."""
        return device_of(self.data) if self.settled else self._device

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
        return self.known().shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.known().dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.requires_grad and (engine := engine_at_hand()) is not None:
            engine.check_detached("a NumPy array", self)
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
        if self.settled:
            self.hold(to_device(self.data, device))

    def assign(self, value: Any) -> Any:
        """Hold `value` from now on: at once, or, for a static Tensor, when the graph runs.

        The shape must stay; the dtype stays and `value`, which may be a plain number, is cast to it, if that
        loses no more than rounding does (DTypeError: see `shared.casting`).
        """
        held = self._data
        if touching and type(held) is not Waiting:
            touch(self)
        name = self.name or "the state"
        if not hasattr(value, "shape"):
            value = np.asarray(value) if held is None else cast_number("assign", name, value, self.dtype)
        elif held is not None:
            check_dtype("assign", name, value.dtype, self.dtype)
        if held is not None and tuple(value.shape) != self.shape:
            raise ShapeError(
                f"assign: {self.name or 'the state'} has shape {str_shape(self.shape)}, the "
                f"value {str_shape(tuple(value.shape))}; they must be the same"
            )
        engine = ENGINE_OF[type(value)]
        if engine is None or isinstance(engine, Neutral):
            given = value.value() if isinstance(value, State) else value
            self.hold(owned(given, self.dtype, beside=self.value()))
            late.note(self, "data")
            return None
        return engine.assign(self, value)

    def _change(self, call: str, write: Callable[..., Any], *written: Any) -> None:
        self.value()
        if touching and noted() is not None:
            self._data = self._data.copy()  # what was noted stays as it is
        engine_of(*written).change(self, call, write, written)
        late.note(self, "data")


methods(State, "to", "assign")


def _alike(a: Any, b: Any) -> bool:
    """Whether two values are arrays of one kind, dtype and shape: seen at once, as it is of each gradient."""
    return type(a) is type(b) and a is not None and a.dtype is b.dtype and a.shape == b.shape


def is_raw(value: Any) -> bool:
    """Whether a value is an array of NumPy's, CuPy's or another library's, and no Tensor or State of ours."""
    return hasattr(value, "__array_namespace__") and not isinstance(value, InPlace)


def check_fits(place: str, array: Any, x: Any) -> None:
    """Raise an error unless `array` is an array of the shape and dtype of x, to whose `place` it shall go."""
    if not is_raw(array):
        raise AssignmentError(
            f"{place}: is an array, not {in_short(array)}; of a Tensor take its .data, and of numbers make "
            "an array; x.assign(value) and, under no_grad, x.copy_(value) take either"
        )
    if tuple(array.shape) != tuple(x.shape):
        raise ShapeError(
            f"{place}: has shape {str_shape(x.shape)}, not {str_shape(array.shape)}; they must be the same"
        )
    if array.dtype != x.dtype:
        raise DTypeError(
            f"{place}: is {x.dtype}, not {array.dtype}; cast it first, with .astype({str(x.dtype)!r})"
        )


averaged: WeakSet[Any] = WeakSet()
"""The Parameters whose gradients are averaged over ranks: see `shared.nn.averaging`."""


class Parameter(State):
    """A State that training changes: gradients reach it, unless `requires_grad` is set to False.

    While `data` is None, `sizes` is what is known of the shape (None for a size to be learnt),
    `kind` the dtype to be, and `initialiser` what will draw the values once the shape is known:
    see `nn.init.settle`.
    """

    _requires_grad = True
    averager: Any = None
    """What makes of its gradient on this rank that of all ranks: a `shared.nn.averaging.Averager`."""

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

    def _set_requires_grad(self, on: bool) -> None:
        before = self._requires_grad
        if before != on:
            late.note(self, "requires_grad", before, on)
        self._requires_grad = on

    requires_grad = property(
        attrgetter("_requires_grad"), _set_requires_grad, doc="Whether gradients reach it, of both engines."
    )

    def requires_grad_(self, on: bool = True) -> Parameter:
        """Let gradients reach it, or no longer; gives the Parameter itself."""
        self.requires_grad = bool(on)
        return self


methods(Parameter, "requires_grad_")


class Buffer(State):
    """A State that is kept but not trained: running statistics, counters."""


class Slot(State):
    """What an optimiser remembers of a Parameter, `parameter`, under a name of its own, `slot`."""

    def __init__(self, data: Any, parameter: Any, slot: str, name: str) -> None:
        super().__init__(data, name)
        self.parameter, self.slot = parameter, slot


class Rate(State):
    """A number that a rule reads and users may set at any time: a learning rate."""

    live = True


class Generator(Buffer):
    """The state of a layer's own random numbers: uint64 (2,). PyTorch's checkpoints have none."""


for _kind in (State, Parameter, Buffer, Slot, Generator):
    ENGINE_OF[_kind] = NEUTRAL
