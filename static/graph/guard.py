"""One at a time: what several threads add to one graph."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_LOCK = threading.RLock()
"""Of all graphs: building takes microseconds, and a lock that is one can not be taken in two orders."""
if hasattr(os, "register_at_fork"):  # in a child nobody would open what another thread had locked
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


def guarded(function: Callable[P, R]) -> Callable[P, R]:
    """A function during which no other thread is in one of these: it looks at a graph and then changes it."""

    @wraps(function)
    def alone(*args: P.args, **settings: P.kwargs) -> R:
        with _LOCK:
            return function(*args, **settings)

    return alone
