"""Snippets: a user's code as a function, shown as its author wrote it and run to see how it ends."""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from shared.errors import DiptychError


def source_of(function: Callable[..., Any]) -> str:
    """The body of a function as its author wrote it, without `def`, docstring and indentation."""
    lines, _ = inspect.getsourcelines(function)
    return textwrap.dedent("".join(lines[_head(lines) :])).strip("\n") + "\n"


def _head(lines: list[str]) -> int:
    """How many lines of a function's source come before its body: decorators, `def`, docstring."""
    (function,) = ast.parse(textwrap.dedent("".join(lines))).body
    assert isinstance(function, ast.FunctionDef)
    if ast.get_docstring(function) is not None:
        return function.body[0].end_lineno or 1
    head = function.body[0].lineno - 1
    while lines[head - 1].lstrip().startswith("#"):  # comments above the first line belong to the body
        head -= 1
    return head


def written(code: str) -> int:
    """How many lines of a code somebody had to write: without blank ones, comments and imports."""
    lines = [line.strip() for line in code.splitlines()]
    return sum(bool(line) and not line.startswith(("#", "import ", "from ")) for line in lines)


def attempt(
    function: Callable[..., Any], expected: tuple[type[Exception], ...] = (DiptychError,)
) -> dict[str, Any]:
    """Run a user's snippet, on a default graph of its own, and capture how it ends.

    A snippet that has an argument is called with a `reached`, to report progress to. An exception
    that is not `expected` is a slip in the experiment and goes through. Gives, as JSON:

    code      its source
    reached   what it had reported before it ended
    value     what it returned (None if nothing), which must be JSON
    out       what it printed, on standard output and error in one
    error     None, or {type, message, stopped, named, depth}: `stopped` is the innermost line of
              the snippet, and of what is defined in it, at which Python stood, `named` the one
              that the message names (both counted in `code` from 0; None if there is none),
              `depth` how many calls deep below `stopped` the error was raised
    """
    import static

    static.reset_default_graph()
    reached: list[str] = []
    arguments = [reached.append] if inspect.signature(function).parameters else []
    found: dict[str, Any] = {
        "code": source_of(function), "reached": reached, "value": None, "out": "", "error": None,
    }  # fmt: skip
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            found["value"] = function(*arguments)
    except expected as error:
        found["error"] = _captured(function, error)
    finally:
        static.reset_default_graph()
    found["out"] = said.getvalue()
    return found


def _captured(function: Callable[..., Any], error: Exception) -> dict[str, Any]:
    lines, start = inspect.getsourcelines(function)
    file, first = function.__code__.co_filename, start + _head(lines)
    places = range(len(lines) - _head(lines))

    def place(of: str, number: int | None) -> int | None:
        inside = of == file and number is not None and number - first in places
        return number - first if inside and number is not None else None

    calls = [place(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    depth, stopped = [(i, at) for i, at in enumerate(calls) if at is not None][-1]
    line = getattr(error, "line", None)
    return {
        "type": type(error).__name__,
        "message": str(error),
        "stopped": stopped,
        "named": None if line is None else place(line.file, line.number),
        "depth": len(calls) - 1 - depth,
    }
