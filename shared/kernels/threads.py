"""Parts of one piece of work on several threads: kernels let go of Python's lock.

How many threads there are is what the libraries around are told, too: OMP_NUM_THREADS or
OPENBLAS_NUM_THREADS, or else the processors that this process may use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any


@cache
def count() -> int:
    """The number of threads."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        if os.environ.get(name, "").isdigit():
            return max(int(os.environ[name]), 1)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count() - 1, "diptych")


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def share(items: int) -> list[range]:
    """So many items cut into runs, one for each thread, as even as can be."""
    parts = max(min(count(), items), 1)
    return [range(items * k // parts, items * (k + 1) // parts) for k in range(parts)]


def run(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    """`work(part)` for each part, the first of them on this thread."""
    if count() == 1:
        for part in parts:
            work(part)
        return
    others = [_pool().submit(work, part) for part in parts[1:]]
    work(parts[0])
    for other in others:
        other.result()
