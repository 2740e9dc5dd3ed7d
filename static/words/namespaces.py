"""Modules that are tables: `static.nn`, `static.train` and their like, and what a name in them gives."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from shared.op import Op
from static.words.word import word

Row = str | tuple[str, str]
"""Where the thing is, `file:name`, and, if it is called otherwise there, how it is called here."""


class Words:
    """The names of TensorFlow 1's, dotted, with their rows, and what to write for those that are not here.

    places  the modules that the rows' files are
    absent  dotted names, or beginnings of them, and what to write
    """

    def __init__(self, rows: Mapping[str, Row], absent: Mapping[str, str], places: Mapping[str, str]) -> None:
        self.rows, self.absent, self.places = rows, absent, places
        self.found: dict[str, Any] = {}
        self.namespaces: dict[str, Namespace] = {}
        for name in rows:
            while name := name.rpartition(".")[0]:
                self.namespaces.setdefault(name, Namespace(self, name))
        for name, namespace in self.namespaces.items():
            sys.modules[f"static.{name}"] = namespace  # so that `from static.contrib import rnn` finds it

    def __call__(self, name: str) -> Any:
        """What stands under a dotted name; AttributeError, with what to write, where there is nothing."""
        if name in self.namespaces:
            return self.namespaces[name]
        if name not in self.found:
            if name not in self.rows:
                raise AttributeError(self._missing(name))
            self.found[name] = self._made(name, self.rows[name])
        return self.found[name]

    def _made(self, name: str, row: Row) -> Any:
        place, takes = (row, None) if isinstance(row, str) else row
        file, _, inside = place.partition(":")
        thing = import_module(self.places[file])
        for part in inside.split("."):
            thing = getattr(thing, part)
        return word(name, thing, takes) if isinstance(thing, (FunctionType, Op)) else thing

    def _missing(self, name: str) -> str:
        if cure := self.absent.get(name):
            return f"static.{name}: {cure}"
        parts = name.split(".")
        close = get_close_matches(parts[-1], self.inside(".".join(parts[:-1])), 3)
        meant = f"; is it {', '.join(close)}?" if close else ""
        for count in range(len(parts) - 1, 0, -1):
            if cure := self.absent.get(".".join(parts[:count])):
                return f"static.{name}: there is none; {cure}{meant}"
        return f"module 'static' has no attribute {name!r}{meant}"

    def inside(self, namespace: str) -> list[str]:
        """The names that stand in a namespace; "" is `static` itself."""
        start = f"{namespace}." if namespace else ""
        names = [*self.rows, *self.namespaces]
        return sorted({name[len(start) :].partition(".")[0] for name in names if name.startswith(start)})


class Namespace(ModuleType):
    """What `static.nn` is: names, looked up when they are asked for."""

    def __init__(self, words: Words, name: str) -> None:
        super().__init__(f"static.{name}", f"TensorFlow 1's `{name}`: see docs/static.md.")
        self._words, self._name = words, name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._words(f"{self._name}.{name}")

    def __dir__(self) -> list[str]:
        return self._words.inside(self._name)
