"""Views among what a stretch is to give: a program gives arrays of their own, so a view is made behind it, by
the op that made it before, of what the program has given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynamic.paths import Point, states_of
from shared.state import State
from shared.trace import Assigned, Known, New, Stepped


def sources(begin: Point, end: Point, k: int) -> set[int] | None:
    """The numbers of the Tensors whose arrays there must be for a view to be made; None if it may be one of
    what a State does not hold any more."""
    event: Any = end.maker(k)
    found: set[int] = set()
    for x in event.args:
        if isinstance(x, State):
            before = [p.event for p in end.path(begin) if p.count <= k]
            if k < begin.count or any([x in _assigned(earlier) for earlier in before]):
                return None
        elif isinstance(x, Known) and end.comes_from_outside(x.number):
            continue
        elif isinstance(x, Known) and not end.fresh(x.number):
            below = sources(begin, end, x.number)
            if below is None:
                return None
            found |= below
        elif isinstance(x, Known):
            found.add(x.number)
    return found


def view(call: Any, end: Point, k: int, now: dict[State, Any]) -> Any:
    """The array of a view; `now`, what States held when the stretch began."""
    event: Any = end.maker(k)
    args: list[Any] = []
    for i, x in enumerate(event.args):
        if isinstance(x, State):
            args.append(now[x])
        elif isinstance(x, New) or (isinstance(x, Known) and end.comes_from_outside(x.number)):
            array = call.arrays[x.number]
            args.append(call.copied.get(x.number, array) if i in event.op.alias else array)
        elif isinstance(x, Known) and not end.fresh(x.number):
            args.append(view(call, end, x.number, now))
        else:
            args.append(call.arrays[x.number] if isinstance(x, Known) else x)
    y = event.op.on_arrays(args, event.settings)
    return y if event.op.single else y[k - event.first]


def _assigned(event: Any) -> Sequence[State]:
    if isinstance(event, Assigned):
        return (event.state,)
    return states_of(event) if isinstance(event, Stepped) else ()
