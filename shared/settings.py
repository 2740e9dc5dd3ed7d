"""Settings as keys: what tells one application of an op from another."""

from __future__ import annotations

from typing import Any

from shared.dims import Dim


def settings_key(settings: dict[str, Any]) -> tuple[Any, ...]:
    """An exact, hashable key: `2`, `2.0`, `True` and `-0.0` all differ."""
    return tuple((name, exact(settings[name])) for name in sorted(settings))


def exact(value: Any) -> Any:
    """The same for one value of a setting, or a weak number."""
    if isinstance(value, tuple):
        return tuple(exact(part) for part in value)
    if isinstance(value, slice):
        return ("slice", exact((value.start, value.stop, value.step)))
    if isinstance(value, Dim):
        return ("Dim", value.key)
    if isinstance(value, (bool, int, float, complex)):
        return (type(value).__name__, repr(value))
    return (type(value).__name__, value)
