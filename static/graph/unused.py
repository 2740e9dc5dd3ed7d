"""Settings of TensorFlow 1's that there is nothing here to set with: they are taken, and said, once, to
change nothing."""

from __future__ import annotations

import warnings
from typing import Any

from shared.source import user_line


class NoEffectWarning(UserWarning):
    """A setting changes nothing here."""


_said: set[tuple[str, str]] = set()


def changes_nothing(call: str, why: str, **given: Any) -> None:
    """Warn, once for each call and setting, of those of the settings that were given (are not None)."""
    for name, value in given.items():
        if value is None or (call, name) in _said:
            continue
        _said.add((call, name))
        line = user_line()
        text = f"{call}: {name} changes nothing here: {why}"
        file, number = (line.file, line.number) if line is not None else ("<unknown>", 1)
        warnings.warn_explicit(text, NoEffectWarning, file, number)
