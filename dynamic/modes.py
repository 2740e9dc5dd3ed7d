"""Modes of the engine; each thread, and each asyncio task, has its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

recording: ContextVar[bool] = ContextVar("recording", default=True)


@contextmanager
def set_recording(on: bool) -> Iterator[None]:
    """Record, or do not record, how Tensors are made within the block."""
    token = recording.set(on)
    try:
        yield
    finally:
        recording.reset(token)


def no_grad() -> set_recording:  # type: ignore[valid-type]
    """Compute without remembering how: `with no_grad():`, or `@no_grad()` on a function."""
    return set_recording(False)
