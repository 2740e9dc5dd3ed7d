"""Parts of one piece of work on several threads: kernels let go of Python's lock.

How many threads there are is what the libraries around are told, too: OMP_NUM_THREADS or
OPENBLAS_NUM_THREADS, or else the processors that this process may use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # loaded with the first pool: it is slow to import
    from concurrent.futures import Future, ThreadPoolExecutor


@cache
def count() -> int:
    """The number of threads."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        if os.environ.get(name, "").isdigit():
            return max(int(os.environ[name]), 1)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(count() - 1, "diptych")


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def share(items: int) -> list[range]:
    """So many items cut into runs, one for each thread, as even as can be."""
    parts = max(min(count(), items), 1)
    return [range(items * k // parts, items * (k + 1) // parts) for k in range(parts)]


def run(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    """`work(part)` for each part, the first of them on this thread. However this is left, no part is at
    work any more: they write into memory that whoever called may let go of."""
    if count() == 1:
        for part in parts:
            work(part)
        return
    others: list[Future[None]] = []
    try:
        left = _begin(work, parts[1:], others)
        for part in (*parts[:1], *left):
            work(part)
    finally:
        _await(others)
    for other in others:
        other.result()


def _begin(work: Callable[[Any], None], parts: Sequence[Any], begun: list[Future[None]]) -> Sequence[Any]:
    """Hand parts to other threads; gives those that none takes, for there are no more new ones when the
    interpreter is about to end."""
    for at, part in enumerate(parts):
        try:
            begun.append(_pool().submit(work, part))
        except RuntimeError:
            return parts[at:]
    return ()


def _await(others: Sequence[Future[None]]) -> None:
    """Until all are done. An interrupt that comes meanwhile is raised then."""
    if not others:
        return
    from concurrent.futures import wait

    try:
        wait(others)
    except KeyboardInterrupt:
        _await(others)
        raise
