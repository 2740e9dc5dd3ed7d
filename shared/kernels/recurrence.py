"""Running along an axis, each element made of the one before: what NumPy has no word for."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from shared.kernels import plain, worth_a_kernel
from shared.kernels.emitter import Emitter
from shared.kernels.machine import Routine, address, routine

WORDS = ("lead", "steps", "trail", "first", "step", "a_at", "y_at")
"""y (lead, steps + 1, trail), which holds b, and a of its shape; from `first` on, by `step`: 1 or -1."""


def run_along(a: Any, y: Any, reverse: bool) -> None:
    """y[l, k] += a[l, k] y[l, k - 1] for k = 1, 2, ...; from the last but one back, by y[l, k + 1], if
    `reverse`. y (L, K, T) in C order and a of its shape are of one dtype."""
    if not worth_a_kernel(y):
        return run_along_twin(a, y, reverse)
    a, (lead, count, trail) = plain(a), y.shape
    places = address(a), address(y)
    start = (count - 1, -1) if reverse else (0, 1)
    return _routine(y.dtype.name)(np.array((lead, count - 1, trail, *start, *places), np.int64))


def run_along_twin(a: Any, y: Any, reverse: bool) -> None:
    """The same in the arrays' own module."""
    for k in range(1, y.shape[1]):
        here, before = (-1 - k, -k) if reverse else (k, k - 1)
        y[:, here] += a[:, here] * y[:, before]


def source(dtype: str, name: str) -> str:
    """Each product is rounded before it is added, as in NumPy."""
    e = Emitter(np.dtype(dtype), 1)
    with e.loop("%lead") as at:
        block = e.mul(e.mul(at, e.add("%steps", 1)), "%trail")
        with e.loop("%steps") as k:
            before = e.add(block, e.mul(e.add("%first", e.mul(k, "%step")), "%trail"))
            here = e.add(before, e.mul("%step", "%trail"))
            with e.loop("%trail") as t:
                to = e.at("%y_at", e.add(here, t))
                left = e.load(e.at("%a_at", e.add(here, t)))
                product = e.new(f"fmul {e.element} {left}, {e.load(e.at('%y_at', e.add(before, t)))}")
                e.store(e.new(f"fadd {e.element} {e.load(to)}, {product}"), to)
    return e.text(name, WORDS)


@cache
def _routine(dtype: str) -> Routine:
    return routine(("recurrence", dtype), WORDS, lambda name: source(dtype, name), vectors=False)
