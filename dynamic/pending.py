"""Tensors of which something waits until somebody looks: the value, the history, or a change.

Each is a Tensor whose class says what waits; once it is there, the object is a plain Tensor again and costs
nothing more.
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
    """One that is not computed yet: in the place of the array stands (Spec, whether it has a history), in
    that of the edge the call that will compute it."""

    __slots__ = ()

    @property
    def array(self) -> Any:
        edge_in(self).flush()
        return self.array

    @array.setter
    def array(self, array: Any) -> None:
        edge_in(self).flush()
        self.array = array

    @property
    def edge(self) -> Any:
        if not array_of(self)[1]:
            return None
        edge_in(self).flush()
        return self.edge

    @edge.setter
    def edge(self, edge: Any) -> None:
        edge_in(self).flush()
        self.edge = edge

    @property
    def shape(self) -> tuple[int, ...]:
        return array_of(self)[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return array_of(self)[0].dtype

    @property
    def requires_grad(self) -> bool:
        return array_of(self)[1]


class Remembered(Tensor):
    """One that is computed, and of whose history only the call is known that it was computed in: it stands in
    the place of the edge."""

    __slots__ = ()

    @property
    def edge(self) -> Any:
        edge_in(self).remember()
        return self.edge

    @edge.setter
    def edge(self, edge: Any) -> None:
        become_plain(self)
        self.edge = edge

    @property
    def requires_grad(self) -> bool:
        return True


class Read(Tensor):
    """One that a call reads which has not been computed yet: before anybody gets hold of its array, and might
    change it, that is done."""

    __slots__ = ()

    @property
    def array(self) -> Any:
        readers[id(self)].flush()
        return self.array

    @array.setter
    def array(self, array: Any) -> None:
        readers[id(self)].flush()
        self.array = array

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
    tensor: Any = object.__new__(Tensor)
    tensor.array = spec_and_history
    tensor.edge = call
    tensor.__class__ = Pending
    return tensor


def become_plain(tensor: Any) -> None:
    """Nothing waits any more."""
    tensor.__class__ = Tensor
