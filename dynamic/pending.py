"""Tensors of which something waits until somebody looks: the value, the history, or a change.

Each is a Tensor whose class says what waits; once it is there, the object is a plain Tensor again and costs
nothing more. Another thread may look while that happens: what is read here is right at each moment of
`complete`, which puts the array first and the class last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamic.tensors import Tensor
from shared.spec import Spec

_slots: Any = Tensor
array_of = _slots.array.__get__
"""What stands in a Tensor's place for the array, whatever its class makes of it."""
edge_in = _slots.edge.__get__
put_array, put_edge = _slots.array.__set__, _slots.edge.__set__


class Pending(Tensor):
    """One that is not computed yet.

    foretold  (Spec, whether it has a history), in the place of the array
    by        the call that will compute it, in that of the edge
    """

    __slots__ = ()
    foretold, by = _slots.array, _slots.edge

    @property
    def array(self) -> Any:
        _compute(self)
        return array_of(self)

    @array.setter
    def array(self, array: Any) -> None:
        _compute(self)
        put_array(self, array)

    @property
    def edge(self) -> Any:
        if not self.requires_grad:
            return None
        _compute(self)
        return edge_in(self) if type(self) is Pending else self.edge

    @edge.setter
    def edge(self, edge: Any) -> None:
        _compute(self)
        complete(self, array_of(self), edge)

    @property
    def shape(self) -> tuple[int, ...]:
        held = array_of(self)
        return held[0].shape if type(held) is tuple else held.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        held = array_of(self)
        return held[0].dtype if type(held) is tuple else held.dtype

    @property
    def requires_grad(self) -> bool:
        held = array_of(self)
        return held[1] if type(held) is tuple else edge_in(self) is not None


def _compute(x: Any) -> None:
    call = edge_in(x)
    if _waits(call):  # else another thread has done it by now
        call.flush()


def _waits(edge: Any) -> bool:
    """Whether in the place of an edge there stands a call."""
    return edge is not None and type(edge) is not tuple


class Remembered(Tensor):
    """One that is computed, and of whose history only the call is known that it was computed in: it stands in
    the place of the edge."""

    __slots__ = ()

    @property
    def edge(self) -> Any:
        call = edge_in(self)
        if _waits(call):
            call.remember()
        return edge_in(self)

    @edge.setter
    def edge(self, edge: Any) -> None:
        complete(self, array_of(self), edge)

    @property
    def requires_grad(self) -> bool:
        return True


class Read(Tensor):
    """One that a call reads which has not been computed yet: before anybody gets hold of its array, and might
    change it, that is done."""

    __slots__ = ()

    @property
    def array(self) -> Any:
        self._flush()
        return array_of(self)

    @array.setter
    def array(self, array: Any) -> None:
        self._flush()
        put_array(self, array)

    def _flush(self) -> None:
        call = readers.get(id(self))
        if call is not None:  # else another thread has done it by now
            call.flush()

    @property
    def shape(self) -> tuple[int, ...]:
        return array_of(self).shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return array_of(self).dtype


readers: dict[int, Any] = {}
"""The call that reads each `Read` Tensor, by its id: the call holds it."""


def pending(spec_and_history: tuple[Spec, bool], call: Any) -> Tensor:
    """A Tensor that `call` will compute."""
    tensor: Any = object.__new__(Pending)
    tensor.foretold, tensor.by = spec_and_history, call
    return tensor


def complete(x: Any, array: Any, edge: Any, kind: type[Tensor] = Tensor) -> None:
    """What x waited for is there: an array, and an edge or who knows it."""
    put_array(x, array)
    put_edge(x, edge)
    x.__class__ = kind
