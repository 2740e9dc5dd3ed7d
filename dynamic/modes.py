"""Modes of the engine; each thread, and each asyncio task, has its own."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from shared.durable.interrupts import within


@dataclass(frozen=True, slots=True)
class Mode:
    """How ops are applied at the moment.

    recording  whether the tape remembers how Tensors are made
    tracing    whether nodes also remember the user's line (slower)
    call       the call of a `dynamic.function` in progress, which hears of everything that is done
    """

    recording: bool = True
    tracing: bool = False
    call: Any = None


mode: ContextVar[Mode] = ContextVar("mode", default=Mode())


class in_mode(within):
    """Another mode within the block: the one there is, but for these settings."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.settings = settings

    def on(self) -> None:
        self.changes = ((mode, replace(mode.get(), **self.settings)),)
        super().on()

    def again(self) -> in_mode:
        return in_mode(**self.settings)


def no_grad() -> Any:
    """Compute without remembering how: `with no_grad():`, or `@no_grad()` on a function."""
    return in_mode(recording=False)


def enable_grad() -> Any:
    """Remember again, inside a `no_grad` block."""
    return in_mode(recording=True)


def inference() -> Any:
    """The same as `no_grad`, by PyTorch's name: here an untracked Tensor costs nothing more."""
    return in_mode(recording=False)


def anomaly() -> Any:
    """Nodes remember the user's line; an error in backward, or a NaN that appears there, names
    the line that ran forward. For finding mistakes: every op is slower."""
    return in_mode(tracing=True)
