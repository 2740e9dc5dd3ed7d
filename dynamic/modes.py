"""Modes of the engine; each thread, and each asyncio task, has its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Mode:
    """How ops are applied at the moment.

    recording  whether the tape remembers how Tensors are made
    """

    recording: bool = True


mode: ContextVar[Mode] = ContextVar("mode", default=Mode())


@contextmanager
def changed(**changes: Any) -> Iterator[None]:
    """Another mode within the block."""
    token = mode.set(replace(mode.get(), **changes))
    try:
        yield
    finally:
        mode.reset(token)


def no_grad() -> Any:
    """Compute without remembering how: `with no_grad():`, or `@no_grad()` on a function."""
    return changed(recording=False)
