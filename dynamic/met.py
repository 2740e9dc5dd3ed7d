"""What a call of a `dynamic.function` has met: Tensors, arrays and States, and how they wait while nothing is
computed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from dynamic.operands import operand
from dynamic.paths import Point
from dynamic.pending import Read, Remembered, array_of, edge_in, readers
from dynamic.sharing import kin_of
from dynamic.tensors import Tensor
from dynamic.tree import Tree
from shared.op import TABLE
from shared.state import State
from shared.touched import Waiting, touching
from shared.trace import Known, New


class Met:
    """What is known of one call.

    point    the last event that happened; `begin`, the last look; `done`, up to where programs have run
    known    whether the call still follows a path that is compiled
    records  whether it writes down what was not seen before; else, where it leaves what is known, `scout`
             goes along with it
    values   by number the Tensors that were met: while they wait, themselves; later by a weak reference
    needed   of those, the ones that what waits needs
    inputs   those of them that come from outside, and the arrays among them; `edges`, where the gradients of
             those Tensors went when they were met
    armed    Tensors that tell when somebody looks at their arrays; `copied`, by number, the arrays of inputs
             that somebody else has too
    arrays   by number, the arrays of what is computed and may be fed to a program; `views`, of what is not
             fed, for it is a view in another order than C
    states   what each State held when the call first met it; `waiting`, what those hold that wait; `left`,
             what they held after the last look
    bases    up to which point each look went, and where it stands in the order of nodes
    taped    whether a tape stands behind what was computed: then it does behind all that follows
    misses   how many times events had to be done one by one; `asked`, whether a history was made again;
             `again`, how many events were done for that
    recorded how many events are new; `compiled`, how many ran in programs; `aside`, how many ops were done
             beside the path
    """

    def __init__(self, tree: Tree, known: bool, records: bool = True) -> None:
        self.tree, self.known, self.records = tree, known, records
        self.scout: Any = None
        self.point = self.begin = self.done = tree.root
        self.values: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.inputs: dict[int, Any] = {}
        self.edges: dict[int, Any] = {}
        self.arrays: dict[int, Any] = {}
        self.views: dict[int, Any] = {}
        self.states: dict[State, Any] = {}
        self.waiting: dict[State, Any] = {}
        self.left: dict[State, Any] = {}
        self.needed: list[Any] = []
        self.armed: list[Tensor] = []
        self.copied: dict[int, Any] = {}
        self.bases: list[tuple[Point, int]] = []
        self.misses, self.asked, self.again = 0, False, 0
        self.recorded = self.compiled = self.aside = 0
        self.silent = self.taped = False

    def _is(self, x: Any, argument: Any) -> bool:
        """Whether a value is what an event was given."""
        if isinstance(argument, Known):
            return x is self.values[argument.number] or self.holds(argument.number, x)
        return x is argument

    def holds(self, number: int, x: Any) -> bool:
        """Whether x is a Tensor from before the last look."""
        held = self.values[number]
        return type(held) is ref and held() is x

    def _leaf(self, argument: Any) -> Any:
        """Where the gradient of a leaf is kept."""
        return argument if isinstance(argument, State) else self.edges[argument.number][0]

    def _gradient(self, argument: Any) -> Any:
        return self._leaf(argument).grad

    def has_met(self, leaf: Any) -> bool:
        """Whether a Tensor that was met has this leaf."""
        return any([edge is not None and edge[0] is leaf for edge in self.edges.values()])

    def read(self, x: Any, argument: New) -> None:
        """Take in what comes from outside, so that nobody changes it before it is read."""
        number = len(self.values)
        self.values.append(x)
        self.inputs[number] = x
        if argument.weak:
            array = np.array(x, argument.spec.dtype)
            self.values[-1] = None
        elif not isinstance(x, Tensor):
            array = np.array(operand(ANY, x), order="K")
            self.values[-1] = None
        else:
            array = array_of(x)
            if type(x) is not Remembered:
                self.edges[number] = edge_in(x)
            if array.base is not None or _others_have(x):
                self.copied[number] = array
                array = array.copy(order="K")  # somebody else has it, and may write into it
            self._arm(x)
        self.arrays[number] = array

    def _alive(self, number: int) -> Any:
        """A Tensor that was met before; None if it is gone."""
        x = self.values[number]
        return x() if type(x) is ref else x

    def show(self, point: Point, given: Any) -> Any:
        """The views that an op gave, of what is computed, are made at once; from then on they are as what
        comes from outside is. given: their arrays, as they were read."""
        event: Any = point.event
        read = own = (given,) if event.op.single else given
        if self.copied and any([x.number in self.copied for x in event.args if isinstance(x, (Known, New))]):
            args = [self._own(x.number) if isinstance(x, (Known, New)) else x for x in event.args]
            given = event.op.on_arrays(args, event.settings)
            own = (given,) if event.op.single else given
        made = tuple(map(Tensor, own))
        for number, x, array in zip(range(event.first, point.count), made, read, strict=True):
            self.inputs[number], self.edges[number] = x, None
            (self.arrays if array.flags.c_contiguous else self.views)[number] = array
            if x.array is not array:
                self.copied[number] = x.array
        self.values += made
        self.point = point
        return made[0] if event.op.single else made

    def _own(self, number: int) -> Any:
        """The array, of a Tensor that does not wait, that somebody else may have too."""
        return self.copied[number] if number in self.copied else self.held(number)

    def held(self, number: int) -> Any:
        """The array, as it was read, of a Tensor that does not wait."""
        return self.views[number] if number in self.views else self.arrays[number]

    def _as_read(self, number: int) -> Any:
        """What came from outside, or was computed before, with the values that it had when it was read."""
        x = self.inputs[number] if number in self.inputs else self._alive(number)
        if type(x) is float or (number not in self.arrays and number not in self.views):
            return x
        array = self.held(number)
        if not isinstance(x, Tensor):
            return array
        now = array_of(x)
        same = now is array or (number in self.copied and now.tobytes() == array.tobytes())
        edge = self.edges.get(number, edge_in(x))
        if same and edge is edge_in(x):
            return x
        return Tensor(array, x.edge if type(x) is Remembered else edge)

    def _array(self, x: Any, argument: Any) -> Any:
        """The array of an argument that does not wait."""
        if isinstance(argument, Known):
            return self.held(argument.number)
        if isinstance(x, State):
            return self.waiting.get(x, x._data)
        return array_of(x) if isinstance(x, Tensor) else operand(ANY, x)

    def needs(self, number: int) -> None:
        """What waits is given a Tensor that does not, or a reference to it."""
        x = self.values[number]
        if type(x) is ref:  # from before the last look, which another thread may have just made
            x = x()
            self.needed.append(x)
        if type(x) is Tensor and number in self.arrays and number not in self.copied and _others_have(x):
            self.copied[number] = array_of(x)
            self.arrays[number] = array_of(x).copy(order="K")
        self._arm(x)

    def _arm(self, x: Any) -> None:
        """Whoever looks at the array of a Tensor is to come here first."""
        if type(x) is Tensor:
            readers[id(x)] = self
            x.__class__ = Read
            self.armed.append(x)

    def unchanged(self, point: Point) -> bool:
        """Whether arrays that somebody else has too are what they were when they were read."""
        return all(
            [
                self.held(k).tobytes() == self.copied[k].tobytes()
                for k in point.known if k in self.copied
            ]
        )  # fmt: skip

    def hold(self, state: State) -> None:
        """A State is read or assigned by what waits."""
        array = state._data
        if not self.waiting:
            touching.append(None)
        self.waiting[state] = array
        self.states.setdefault(state, array)
        waiting = self.tree.waiting.get(state)
        if waiting is None or waiting.shape != array.shape or waiting.dtype is not array.dtype:
            waiting = self.tree.waiting[state] = Waiting(array.shape, array.dtype, self.tree.settle)
        state._data = waiting

    flush: Callable[[], None]
    """Compute all that waits."""

    def _settle(self) -> dict[State, Any]:
        """States hold their arrays again, and what was read can be changed."""
        now, self.waiting = self.waiting, {}
        if now:
            touching.pop()
        for state, array in now.items():
            if type(state._data) is Waiting:
                state._data = array
        for x in self.armed:
            x.__class__ = Tensor
            del readers[id(x)]
        self.armed.clear()
        return now


def _others_have(x: Any) -> bool:
    """Whether the array of a Tensor is held by others than itself, its call, and the views of it."""
    more = count_of_own(x) - OWN - 1
    kin = kin_of(x) if more > 0 else None
    if kin is not None:
        array = array_of(x)
        more -= sum([getattr(array_of(y), "base", None) is array for one in kin if (y := one()) is not None])
    return more > 0


def references(values: list[Any], first: int, last: int) -> list[int]:
    """How many references there are to each of some of a list's values."""
    return list(map(sys.getrefcount, values[first:last]))


def count_of_own(x: Any) -> int:
    """The references to an array that only its Tensor holds, and whoever has just taken it out."""
    array = array_of(x)
    return sys.getrefcount(array)


ANY = TABLE["add"]
"""In whose name what is no Tensor becomes an array."""
HELD = references([object()], 0, 1)[0]
"""The references to an object that only a list holds."""
OWN = count_of_own(Tensor(np.zeros(1)))
