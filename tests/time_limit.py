"""A limit on how long a block may run."""

from __future__ import annotations

import gc
import signal
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

AGAIN = 0.01
"""Seconds until the next try of an alarm that came where an error would be lost."""
LOST = 1.0
"""Seconds after which an error that was raised must have left the block: else it was lost all the same."""


@contextmanager
def time_limit(seconds: float, error: BaseException, cpu: bool = False) -> Iterator[None]:
    """Raises `error` in a block that runs longer: by the clock, or by the process's CPU time. In the main
    thread, where there are alarms; else there is no limit.

    An error that is raised while an object is finalized is printed and dropped, so the alarm comes again
    until it finds the block outside of that; and later, should the block run on nevertheless.
    """
    alarm, timer = (signal.SIGPROF, signal.ITIMER_PROF) if cpu else (signal.SIGALRM, signal.ITIMER_REAL)

    def late(_: int, frame: FrameType | None) -> None:
        if not _finalizing(frame):
            signal.setitimer(timer, LOST, AGAIN)
            raise error

    try:
        before: Any = signal.signal(alarm, late)
    except (ValueError, AttributeError):
        yield
        return
    signal.setitimer(timer, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(alarm, before)


def _finalizing(frame: FrameType | None) -> bool:
    """Whether a frame runs for an object that is going away: in a callback, or below a finalizer; or in what
    the garbage collector calls, as hypothesis has it do."""
    called = {getattr(function, "__code__", None) for function in gc.callbacks}
    if frame is not None and frame.f_code.co_name == "<lambda>":  # a weak reference's, for all one knows
        return True
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename == weakref.__file__ or code in called:
            return True
        frame = frame.f_back
    return False
