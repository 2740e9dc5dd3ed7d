"""Views among what a stretch is to give: a program gives arrays of their own, so a view is made behind it, by
the op that made it before, of what the program has given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dynamic.paths import Point, states_of
from shared.state import State
from shared.trace import Applied, Assigned, Known, New, Stepped

Step = tuple[Applied, list[Any]]
"""An op that is done again, and of what: by number a view that was made before, an array of the call, or,
where memory is shared, the one that somebody else has; a State; or a number as it stands."""
VIEW, ARRAY, OWN, STATE, NUMBER = range(5)


def steps_to(begin: Point, end: Point, views: Iterable[int]) -> tuple[list[Step], set[int]] | None:
    """What makes the views of a stretch, in order, and the numbers of the Tensors whose arrays that takes;
    None if one may be of what a State does not hold any more."""
    steps: dict[int, Step] = {}
    needs: set[int] = set()
    stack = [*views]
    while stack:
        k = stack.pop()
        event: Any = end.maker(k)
        if event.first in steps:
            continue
        args: list[Any] = []
        for i, x in enumerate(event.args):
            if isinstance(x, State):
                before = [p.event for p in end.path(begin) if p.count <= k]
                if k < begin.count or any([x in _assigned(earlier) for earlier in before]):
                    return None
                args.append((STATE, x))
            elif isinstance(x, (Known, New)) and end.comes_from_outside(x.number):
                args.append((OWN if i in event.op.alias else ARRAY, x.number))
            elif isinstance(x, Known) and end.fresh(x.number):
                needs.add(x.number)
                args.append((ARRAY, x.number))
            elif isinstance(x, Known):
                stack.append(x.number)
                args.append((VIEW, x.number))
            else:
                args.append((NUMBER, x))
        steps[event.first] = event, args
    return [steps[first] for first in sorted(steps)], needs


def made_by(steps: Sequence[Step], call: Any, now: dict[State, Any]) -> dict[int, Any]:
    """The arrays of views, by number; `now`, what States held when the stretch began."""
    made: dict[int, Any] = {}
    arrays, others = call.arrays, call.copied
    for event, args in steps:
        given = [
            made[x] if kind == VIEW else arrays[x] if kind == ARRAY
            else others.get(x, arrays[x]) if kind == OWN else now[x] if kind == STATE else x
            for kind, x in args
        ]  # fmt: skip
        ys = event.op.on_arrays(given, event.settings)
        made.update(enumerate((ys,) if event.op.single else ys, event.first))
    return made


def _assigned(event: Any) -> Sequence[State]:
    if isinstance(event, Assigned):
        return (event.state,)
    return states_of(event) if isinstance(event, Stepped) else ()
