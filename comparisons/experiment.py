"""Experiment: one question about the two designs, answered by running both."""

from __future__ import annotations

import inspect
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.errors import DiptychError


@dataclass(frozen=True)
class Experiment:
    """A question and what answers it.

    name      what the command line calls it
    title     what a page calls it
    question  what a reader would ask
    run       does it on both engines and gives the evidence as JSON
    """

    name: str
    title: str
    question: str
    run: Callable[[], dict[str, Any]]


def source_of(function: Callable[..., Any]) -> str:
    """The body of a function as its author wrote it, without docstring and indentation."""
    lines, _ = inspect.getsourcelines(function)
    return textwrap.dedent("".join(lines[_head(function) :])).rstrip() + "\n"


def _head(function: Callable[..., Any]) -> int:
    """How many lines of a function come before its body: `def` and a docstring of one line."""
    return 2 if function.__doc__ else 1


def attempt(function: Callable[[Callable[[str], None]], Any]) -> dict[str, Any]:
    """Run a user's snippet and capture how it ends.

    The snippet is called with a `reached` to report progress to. Gives, as JSON:

    code      its source
    reached   what it had reported before it ended
    error     None, or {type, message, stopped, named, frames}: `stopped` is the line of the
              snippet at which Python stood, `named` the one that the message names (both
              counted in `code` from 0; None if there is none), `frames` how many calls deep
              below the snippet the error was raised
    """
    reached: list[str] = []
    found: dict[str, Any] = {"code": source_of(function), "reached": reached, "error": None}
    try:
        function(reached.append)
    except DiptychError as error:
        found["error"] = _captured(function, error)
    return found


def _captured(function: Callable[..., Any], error: DiptychError) -> dict[str, Any]:
    code = function.__code__
    first = code.co_firstlineno + _head(function)
    frames = traceback.extract_tb(error.__traceback__)
    own = [i for i, f in enumerate(frames) if f.filename == code.co_filename and f.name == code.co_name]
    line = error.line
    named = line.number - first if line is not None and line.file == code.co_filename else None
    return {
        "type": type(error).__name__,
        "message": str(error),
        "stopped": (frames[own[-1]].lineno or first) - first,
        "named": named,
        "frames": len(frames) - 1 - own[-1],
    }
