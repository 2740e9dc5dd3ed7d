"""Keeping freed memory for the next step; and leaving in peace what is not garbage.

glibc, the C library of most Linux systems, takes large arrays from the operating system one by one
and gives them back when they are freed; every page of the next array is then a fault, which costs
more than the arithmetic of most ops. A training step asks for the same sizes again and again.
"""

from __future__ import annotations

import gc

import numpy as np

from shared.durable.interrupts import Block

LARGEST = (32 << 20) - (1 << 13)
"""Bytes: the largest array that glibc learns from, less its own bookkeeping."""


def keep_freed_memory() -> None:
    """Let the C library keep what arrays of up to 32 MiB leave, up to 64 MiB of it, for the next ones.

    glibc raises its threshold to the size of the largest array that was freed (mallopt(3),
    M_MMAP_THRESHOLD), so freeing one does it; its pages are never touched. Other C libraries learn
    nothing from it. Who sets `MALLOC_MMAP_THRESHOLD_` or `MALLOC_TRIM_THRESHOLD_` in the environment
    has decided otherwise, and glibc then stays with that.
    """
    np.empty(LARGEST, np.uint8)


class uncollected(Block):
    """Within the block Python does not look for garbage: for work that makes much and drops little.

    The collector would look through all of it again each time that it has grown by a quarter.
    """

    def __init__(self) -> None:
        self.was = False

    def on(self) -> None:
        self.was = gc.isenabled()
        gc.disable()

    def off(self, late: bool = False) -> None:
        if self.was:
            gc.enable()
        self.was = False

    def again(self) -> uncollected:
        return uncollected()
