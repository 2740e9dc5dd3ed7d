"""States that are read and changed for a while, and then hold again what they held: for what is computed a
second time, and for what is only tried. (It asks of a State for no more than its array and its `hold`,
and so may stand below the ops.)"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

touching: list[None] = []
"""One entry for each block of `touched` that is open in any thread, and for each call that keeps States
waiting: empty almost always, and quick to ask."""
_touched: ContextVar[dict[Any, Any] | None] = ContextVar("touched", default=None)


@contextmanager
def touched(into: dict[Any, Any] | None = None) -> Iterator[dict[Any, Any]]:
    """The states that are read or changed within the block, with the arrays that they held before: in a dict
    that is given, by its `setdefault`, or in a new one."""
    arrays: dict[Any, Any] = {} if into is None else into
    token = _touched.set(arrays)
    touching.append(None)
    try:
        yield arrays
    finally:
        touching.pop()
        _touched.reset(token)
        outer = _touched.get()
        if outer is not None:
            for state, array in arrays.items():
                outer.setdefault(state, array)


@contextmanager
def holding(arrays: dict[Any, Any]) -> Iterator[None]:
    """Within the block the states hold these arrays; afterwards, whatever was assigned to them or to
    others that it touched, they hold again what they held before."""
    for state in arrays:
        if type(state._data) is Waiting:
            state._data.settle(state)
    before = {state: state._data for state in arrays}
    for state, array in arrays.items():
        state.hold(array)
    with touched() as also:
        try:
            yield
        finally:
            for state, array in (also | before).items():
                state.hold(array)


def noted() -> dict[Any, Any] | None:
    """What the innermost block of this thread has noted so far; None where there is none."""
    return _touched.get()


class Waiting:
    """Stands for the array of a State that is read or assigned by what has not been computed yet; whoever
    looks at the State has that done first, by `settle`."""

    __slots__ = ("shape", "dtype", "settle")

    def __init__(self, shape: Any, dtype: Any, settle: Callable[[Any], Any]) -> None:
        self.shape, self.dtype, self.settle = shape, dtype, settle


def touch(state: Any) -> Any:
    """Every State says so before it is read or changed, while there is such a block, or one that waits. Gives
    its array, for another thread may let it wait again at once."""
    array = state._data
    if type(array) is Waiting:
        array = array.settle(state)
    arrays = _touched.get()
    if arrays is not None and array is not None:
        arrays.setdefault(state, array)
    return array
