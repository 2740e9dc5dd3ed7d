"""Values in lists, tuples, namedtuples and dicts, nested: taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def flatten(structure: Any) -> tuple[list[Any], Callable[[Any], Any]]:
    """The values in a structure, in order, and what puts as many values back into its shape.

    None is no value: it stays where it is.
    """
    values: list[Any] = []
    build = _take_apart(structure, values)
    return values, lambda parts: build(iter(parts))


def _take_apart(structure: Any, into: list[Any]) -> Callable[[Iterator[Any]], Any]:
    if structure is None:
        return lambda parts: None
    if isinstance(structure, (list, tuple)):
        builds = [_take_apart(part, into) for part in structure]
        kind = type(structure)
        if hasattr(structure, "_fields"):
            return lambda parts: kind(*[build(parts) for build in builds])
        return lambda parts: kind([build(parts) for build in builds])
    if isinstance(structure, dict):
        named = {key: _take_apart(part, into) for key, part in structure.items()}
        return lambda parts: {key: build(parts) for key, build in named.items()}
    into.append(structure)
    return next
