"""Calls that are made only to see what they would give: what they assign to States is put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_held: ContextVar[dict[Any, Any] | None] = ContextVar("held", default=None)


@contextmanager
def trial() -> Iterator[dict[Any, Any]]:
    """Within the block, and in this thread, States may be assigned; behind it they hold what they held
    before. Gives what that was, by State, as far as the block has come."""
    held: dict[Any, Any] = {}
    token = _held.set(held)
    try:
        yield held
    finally:
        _held.reset(token)
        for state, data in held.items():
            state.data = data


def about_to_assign(state: Any) -> None:
    """Every State says so, before it holds another array."""
    held = _held.get()
    if held is not None:
        held.setdefault(state, state.data)
