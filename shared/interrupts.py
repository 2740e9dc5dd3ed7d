"""Ctrl-C where it must not strike: work in many parts of which all or none has to be done."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals whose handlers are asked to wait, where they are written in Python and so may raise."""


class deferred:
    """Ctrl-C waits until the block is over, and is raised there.

    Signals are handled in the main thread alone, so elsewhere nothing is done. Handlers are exchanged for one
    that takes a note, which costs some microseconds: for steps of training and the like, not for ops.
    """

    __slots__ = ("before", "noted")

    def __enter__(self) -> deferred:
        self.before: list[tuple[int, Any]] = []
        self.noted: list[tuple[int, FrameType | None]] = []
        if threading.get_ident() == threading.main_thread().ident:
            try:
                for number in SIGNALS:
                    handler = signal.getsignal(number)
                    if callable(handler):
                        self.before.append((number, handler))  # first: whatever comes, it is put back
                        signal.signal(number, self._note)
            except BaseException:
                self._restore()
                raise
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.noted.append((number, frame))

    def _restore(self) -> None:
        for number, handler in reversed(self.before):
            signal.signal(number, handler)

    def __exit__(self, *error: object) -> None:
        self._restore()
        for number, frame in self.noted:
            dict(self.before)[number](number, frame)
