"""Pitfall: a few lines of Python that mean one thing when they run line by line, and may mean another once
a function of them is made into a graph."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

Snippet = Callable[..., Any]
Json = Any

SAME, REFUSED, OTHER, ABSENT = "as Python", "refused", "silently other", "not there"
"""What can come of a pitfall: the last where a system has no such thing line by line either."""


@dataclass(frozen=True)
class Pitfall:
    """What somebody wrote, and what it gives when Python runs it line by line.

    name    the name of the function whose code it is; `title`, what was written, in a few words
    right   what it returns line by line or, where it returns nothing, the lines that it prints
    says    what is there to fall into
    code    the text; a system gives it the words that are among its arguments (`systems.py`)
    others  by system, the text in that system's own words where it has others
    """

    name: str
    title: str
    right: Json
    says: str
    code: Snippet
    others: dict[str, Snippet] = field(default_factory=dict)

    def text(self, system: str) -> Snippet:
        """What somebody would write in a system."""
        return self.others.get(system, self.code)

    def on(self, *systems: str) -> Callable[[Snippet], Snippet]:
        """`@name.on("static")` above a function: what one writes there."""

        def put(snippet: Snippet) -> Snippet:
            self.others.update(dict.fromkeys(systems, snippet))
            return snippet

        return put


class Family(dict[str, Pitfall]):
    """Pitfalls of one kind, by name, in the order in which they are written."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

    def pitfall(self, title: str, right: Json) -> Callable[[Snippet], Pitfall]:
        """`@FAMILY.pitfall(title, right)` above a function whose docstring says what there is to fall
        into."""

        def put(code: Snippet) -> Pitfall:
            name = code.__name__
            assert name not in self
            self[name] = Pitfall(name, title, right, inspect.getdoc(code) or "", code)
            return self[name]

        return put


def outcome(snippet: Snippet, words: Mapping[str, Any]) -> Json:
    """What comes of a text, as JSON: {value, error, traces}; `error` is None or {type, message}, `traces` how
    often a system has traced its functions, None where that is not known."""
    asked = inspect.signature(snippet).parameters
    said = io.StringIO()
    value, error = None, None
    try:
        with redirect_stdout(said):
            value = snippet(**{name: words[name] for name in asked})
    except Exception as raised:  # whatever a system refuses with
        error = {"type": type(raised).__name__, "message": telling_line(raised)}
    else:
        value = said.getvalue().splitlines() if value is None else value
    return {"value": value, "error": error, "traces": words["traces"]() if "traces" in words else None}


def telling_line(error: BaseException) -> str:
    """The line of an error that says what is the matter, no longer than a page has room for: the first, but
    where that only tells where it was raised, the last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    said = lines[-1] if lines[0].endswith("user code:") else lines[0]
    return said if len(said) <= MOST else said[: MOST - 1] + "…"


MOST = 300
"""Characters of an error that are shown."""


def verdict(found: Json, right: Json) -> str:
    """What came of a pitfall: one of `SAME`, `REFUSED`, `OTHER`, `ABSENT`. Of another system `plain` says
    whether its text gives what is right when it runs line by line."""
    if not found.get("plain", True):
        return ABSENT
    if found["error"] is not None:
        return REFUSED
    return SAME if found["value"] == right else OTHER
