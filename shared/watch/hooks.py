"""Watching ops run, on either engine: one interface, before and after each op.

    with watching(MyHook()):
        ...

Timing, memory, printing, the search for NaN: all of them are a Hook. Whoever watches sees the
ops of its own thread only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from shared.durable.interrupts import within
from shared.errors import ArgumentError
from shared.op import Op
from shared.source import Line
from shared.spec import in_short


@dataclass(slots=True)
class Event:
    """One op at work.

    engine    "dynamic" or "static"
    phase     "forward", or "backward" for the rules of an op that ran forward before
    op        the op
    inputs    raw arrays and weak numbers; in backward the cotangents of the op's outputs
    settings  the op's settings
    outputs   what came out; in backward the cotangents of its arguments; empty before it ran
    line      the user's line that applied the op, where it is known
    name      the node's name, where the engine has names
    notes     for the hook's own use between before and after
    """

    engine: str
    phase: str
    op: Op
    inputs: Sequence[Any]
    settings: dict[str, Any]
    line: Line | None = None
    name: str = ""
    outputs: Sequence[Any] = ()
    notes: dict[Any, Any] = field(default_factory=dict)


class Hook:
    """Called around each op. Subclasses write one of the two, or both."""

    def before(self, event: Event) -> None:
        """Before an op runs."""

    def after(self, event: Event) -> None:
        """After it has run; `event.outputs` is set."""


active: list[Hook] = []
"""All hooks that are watching in any thread: empty almost always, and quick to ask."""
_mine: ContextVar[tuple[Hook, ...]] = ContextVar("hooks", default=())


def hooks() -> tuple[Hook, ...]:
    """The hooks that watch this thread."""
    return _mine.get()


class watching(within):
    """Call these hooks around every op within the block, which `as` gives."""

    def __init__(self, *new: Hook) -> None:
        for hook in new:
            if isinstance(hook, type) or not (hasattr(hook, "before") and hasattr(hook, "after")):
                raise ArgumentError(f"watching: takes Hooks, such as Profiler(), not {in_short(hook)}")
        super().__init__((_mine, (*_mine.get(), *new)), gives=new)
        self.listed: list[Hook] = []

    def on(self) -> tuple[Hook, ...]:
        self.listed = list(self.gives)
        active.extend(self.listed)
        return super().on()

    def off(self, late: bool = False) -> None:
        super().off(late)
        while self.listed:
            if self.listed[-1] in active:
                active.remove(self.listed[-1])
            self.listed.pop()

    def again(self) -> watching:
        return watching(*self.gives)


@contextmanager
def around(event: Event) -> Iterator[Event]:
    """Run the hooks before and after the block, which sets `event.outputs`."""
    watchers = _mine.get()
    for hook in watchers:
        hook.before(event)
    yield event
    for hook in reversed(watchers):
        hook.after(event)
