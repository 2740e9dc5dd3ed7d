"""With which settings a graph was built: those of modules when they were called, with the Parameters and
modules in them, those of optimisers and Parameters when a training step was made."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.usage import late


@dataclass(eq=False)
class Setting:
    """An attribute of a module, an optimiser or a Parameter, that a graph has read.

    holder  a weak reference to whose it is
    key     its name
    values  what it was, whenever it was read
    read    how many changes of settings there had been when it was read last: see `late.count`
    """

    holder: weakref.ref[Any]
    key: str
    values: list[Any] = field(default_factory=list)
    read: int = 0

    def keep(self, value: Any) -> None:
        """The graph reads it, and it is this."""
        if not late.among(value, self.values):
            self.values.append(value)
        self.read = late.count[0]


class Built:
    """The settings that a graph was built with, and which of its parts read what.

    A part is a call of a module, or the node of a training step. What is read of a module is kept when its
    call begins and when it has ended: what the call itself has changed was not changed too late.
    """

    def __init__(self) -> None:
        self.begun = late.count[0]
        self._settings: dict[tuple[int, str], Setting] = {}
        self._parts: dict[Any, list[tuple[Setting, Any]]] = {}

    def __iter__(self) -> Iterator[tuple[Any, Setting]]:
        """Each setting, with whose it is."""
        for setting in [*self._settings.values()]:
            holder = setting.holder()
            if holder is not None:
                yield holder, setting

    def get(self, holder: Any, key: str) -> Setting | None:
        """One of them; None if no part has read it."""
        setting = self._settings.get((id(holder), key))
        return setting if setting is not None and setting.holder() is holder else None

    def keep(self, holder: Any, values: Mapping[str, Any], *parts: Any) -> None:
        """Parts of the graph are made with these attributes of `holder`."""
        late.mark(holder)
        for key, value in values.items():
            setting = self.get(holder, key)
            if setting is None:
                setting = self._settings[id(holder), key] = Setting(weakref.ref(holder), key)
            setting.keep(value)
            for part in parts:
                self._parts.setdefault(part, []).append((setting, value))

    def of(self, parts: Iterable[Any]) -> dict[Setting, list[Any]]:
        """What some parts have read, and the values that it had."""
        found: dict[Setting, list[Any]] = {}
        for part in parts:
            for setting, value in self._parts.get(part, ()):
                values = found.setdefault(setting, [])
                if not late.among(value, values):
                    values.append(value)
        return found
