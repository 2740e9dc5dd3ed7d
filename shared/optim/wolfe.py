"""A line search: a step along a direction that goes down far enough, to where it is flat enough.

Nocedal and Wright, "Numerical Optimization" (2006), algorithms 3.5 and 3.6, with cubic interpolation (3.59);
in the order, and with the safeguards, of PyTorch's and Lua Torch's `lswolfe`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

DOWN, FLAT = 1e-4, 0.9
"""c1 and c2 of the Wolfe conditions: which part of the slope at 0 the loss must go down by for each unit of
the step, and how much of that slope may be left."""


class Place(NamedTuple):
    """A place along the direction: the step to it, the loss there, its gradient, and the slope."""

    t: float
    loss: float
    gradient: Any
    slope: float


def strong_wolfe(
    at: Callable[[float], Place], start: Place, t: float, size: float, smallest: float, most: int
) -> tuple[Place, int]:
    """A place that meets the strong Wolfe conditions, or the lowest that was found; and how many were asked.

    at        what is found at a step
    start     what was found at step 0
    t         the step to try first
    size      of the direction: its largest element
    smallest  a bracket is no longer cut when `size` times its length is below this
    most      how many places may be asked
    """

    def too_high(place: Place) -> bool:
        return place.loss > start.loss + DOWN * place.t * start.slope

    def flat(place: Place) -> bool:
        return abs(place.slope) <= -FLAT * start.slope

    before, now, asked, turn = start, at(t), 1, 0
    while turn < most:
        if too_high(now) or (turn > 1 and now.loss >= before.loss):
            break
        if flat(now):
            return now, asked
        if now.slope >= 0:
            break
        t = between(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10)
        before, now, asked, turn = now, at(t), asked + 1, turn + 1
    bracket = [before, now] if turn < most else [start, now]

    low = 0 if bracket[0].loss <= bracket[1].loss else 1
    stuck = False
    while turn < most:
        ends = sorted(place.t for place in bracket)
        length = ends[1] - ends[0]
        if length * size < smallest:
            break
        t = between(bracket[0], bracket[1], *ends)
        margin = 0.1 * length
        near = min(ends[1] - t, t - ends[0]) < margin
        if near and (stuck or t >= ends[1] or t <= ends[0]):
            t = ends[1] - margin if abs(t - ends[1]) < abs(t - ends[0]) else ends[0] + margin
            near = False
        stuck = near
        now, asked, turn = at(t), asked + 1, turn + 1
        if too_high(now) or now.loss >= bracket[low].loss:
            bracket[1 - low] = now
            low = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        if not flat(now) and now.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = now
        if flat(now):
            break
    return bracket[low], asked


def between(a: Place, b: Place, low: float, high: float) -> float:
    """Where the cubic through both places, with their slopes, is lowest, within [low, high]; the middle where
    it has no lowest place."""
    if a.t == b.t:
        return (low + high) / 2
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    down = b.slope - a.slope + 2 * d2
    lowest = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / down) if down else math.nan
    return min(max(lowest, low), high) if lowest == lowest else (low + high) / 2
