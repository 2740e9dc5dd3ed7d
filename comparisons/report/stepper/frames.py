"""Frames: the moments of both engines laid side by side.

The engines do the same arithmetic, so wherever one gives an array with the same bits as the
other, the two moments belong together. Between two such meetings the side that has less to do
waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Moment = Mapping[str, Any]


@dataclass(frozen=True)
class Frame:
    """What stands side by side: a moment of each engine, by number.

    same  how many arrays both gave at this moment with the same bits
    """

    dynamic: int
    static: int
    same: int


def frames(dynamic: Sequence[Moment], static: Sequence[Moment]) -> list[Frame]:
    """From both engines' first moments to their last."""
    made = [Frame(0, 0, 0)]
    for i, j, same in _meetings(dynamic, static):
        i0, j0 = made[-1].dynamic, made[-1].static
        steps = max(i - i0, j - j0)
        for k in range(1, steps):
            made.append(Frame(_between(i0, i, k), _between(j0, j, k), 0))
        if steps:
            made.append(Frame(i, j, same))
    return made


def _between(start: int, end: int, k: int) -> int:
    """After k steps from `start`: as far as one can go without reaching `end`."""
    return max(start, min(start + k, end - 1))


def _meetings(dynamic: Sequence[Moment], static: Sequence[Moment]) -> list[tuple[int, int, int]]:
    """Pairs of moments that belong together, in order: preparing, line by line; then by what was
    computed; and the ends."""
    lines = {m["line"]: i for i, m in enumerate(dynamic) if m.get("phase") == "prepare"}
    found = []
    at = 0
    for j, moment in enumerate(static):
        if moment["line"] in lines and moment.get("phase") == "prepare":
            at = lines[moment["line"]]
            found.append((at, j, 0))
        later = (*range(at + 1, len(dynamic)), at)  # `at` itself last: a bias of 0 changes no bits
        for i in later if moment["bits"] else ():
            same = len(set(moment["bits"]) & set(dynamic[i]["bits"]))
            if same:
                found.append((i, j, same))
                at = i
                break
    return [*found, (len(dynamic) - 1, len(static) - 1, 0)]


def told(moments: Sequence[Moment], sides: Mapping[str, str]) -> list[Moment]:
    """The moments worth a frame. Left out: preparations that change nothing in what is held, ends
    of statements whose nodes were all shown, and of an update's nodes all but the assignments."""
    kept: list[Moment] = []
    for moment in moments:
        before = kept[-1] if kept else None
        if before is None:
            worth = True
        elif moment["phase"] == "prepare":
            worth = moment["bytes"] != before["bytes"]
        elif moment["phase"] == "describe":
            update = sides.get(moment["node"], "") == "update" and not moment["node"].startswith("assign ")
            worth = moment["count"] != before["count"] and not update
        else:
            worth = True
        if worth:
            kept.append(moment)
    return kept
