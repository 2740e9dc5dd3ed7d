"""The session that is meant where none is named: the innermost one that was entered."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from shared.errors import NoSessionError

innermost_session: ContextVar[Any] = ContextVar("default_session", default=None)


def get_default_session(call: str = "get_default_session") -> Any:
    """The innermost session entered with `with`; SessionError if there is none."""
    session = innermost_session.get()
    if session is None:
        raise NoSessionError(
            f"{call}: cannot evaluate, for no default session is registered; use "
            "`with static.Session() as s:`, or pass session=..."
        )
    return session
