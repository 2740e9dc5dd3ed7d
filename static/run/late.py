"""What a session warns of before a run: settings that were changed after the graph was built, which no graph
can follow, and values that were changed after the session took them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from shared.nn.module import PLAIN, Module
from shared.optim.groups import Settings
from shared.state import Parameter, State
from shared.usage import late
from static.compile.program import Program
from static.graph.graph import Graph
from static.graph.variables import Variable


class LateSettingWarning(UserWarning):
    """A setting was changed that a graph has been built with, or a value that a session has its own of."""


class Lookout:
    """What has been changed too late for one session's graph, each said once."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self._seen = graph, late.count[0]
        self._pending: list[late.Note] = []
        self._said: set[tuple[Any, str]] = set()

    def look(self, program: Program) -> None:
        """Warn of changes that a run of the program does not see."""
        self._read_notes()
        self._pending = [note for note in self._pending if self._waits(note, note.holder(), program)]

    def _read_notes(self) -> None:
        if late.count[0] != self._seen:
            self._pending += late.since(self._seen)
            self._seen = late.count[0]

    def _waits(self, note: late.Note, holder: Any, program: Program) -> bool:
        """Whether a note is still to be looked at in later runs; what it is about is said, if it is now."""
        if isinstance(holder, Module):
            self._setting(note, holder)
        elif isinstance(holder, Settings):
            self._of_optimiser(note, holder)
        elif isinstance(holder, Parameter) and note.key == "requires_grad":
            self._frozen(note, holder)
        elif isinstance(holder, State) and not holder.live:
            variable = self.graph.lifted.get(id(holder))
            if variable in program.reads:
                self._say(
                    note, f"a new value of {holder.name or 'a Parameter'}",
                    "the session has one of its own, which it took before; take this by session.load(model)",
                )  # fmt: skip
            return variable is not None and variable not in program.touched
        return False

    def taken(self, values: Mapping[Variable, Any]) -> None:
        """The session has new values, so that none of these was changed since it took it."""
        self._read_notes()
        if self._pending:
            gone = {id(variable.state) for variable in values}
            self._pending = [n for n in self._pending if n.key != "data" or id(n.holder()) not in gone]

    def _setting(self, note: late.Note, module: Module) -> None:
        built = self.graph.settings.get(module, {}).get(note.key)
        now = getattr(module, note.key, None)
        if built is None or now in built or note.key not in read_by(type(module)):  # type: ignore[arg-type]
            return
        if note.key == "training":
            cure = "call the model once more in that mode, and run what that gives"
        else:
            cure = "set it before the model is called, or call the model once more and run what that gives"
        before = " and ".join(map(repr, built))
        what = f"{type(module).__name__}.{note.key} = {now!r}"
        self._say(note, what, f"the graph was built with {before} and stays so; {cure}")

    def _of_optimiser(self, note: late.Note, settings: Settings) -> None:
        now = getattr(settings, note.key)
        built = [step[note.key] for step in vars(settings).get(late.MARK, ()) if note.key in step]
        if now not in built:
            self._say(
                note, f"{note.key} = {now!r} of an optimiser",
                f"the graph's steps of training are made with {' and '.join(map(repr, built))}; call "
                "opt.minimize(loss) once more, and run that",
            )  # fmt: skip

    def _frozen(self, note: late.Note, parameter: Parameter) -> None:
        variable = self.graph.lifted.get(id(parameter))
        if variable is None or not self.graph.assigns:
            return
        trained = any(node.settings["variable"] is variable for node in self.graph.assigns)
        if trained != parameter.requires_grad:
            self._say(
                note, f"requires_grad = {parameter.requires_grad} of {parameter.name or 'a Parameter'}",
                "the graph's steps of training do as before; call opt.minimize(loss) once more, and run that",
            )  # fmt: skip

    def _say(self, note: late.Note, what: str, why: str) -> None:
        if (note.line, note.key) in self._said:
            return
        self._said.add((note.line, note.key))
        file, number = (note.line.file, note.line.number) if note.line is not None else ("<unknown>", 1)
        text = f"{what} comes too late: {why}  (your line: {note.line})"
        warnings.warn_explicit(text, LateSettingWarning, file, number)


def keep_settings(graph: Graph, module: Module) -> None:
    """Remember with which settings a module was called in a graph."""
    late.mark(module)
    kept = graph.settings.setdefault(module, {})
    for key in read_by(type(module)):  # type: ignore[arg-type]
        value = getattr(module, key, None)
        if type(value) in PLAIN and value not in kept.setdefault(key, []):
            kept[key].append(value)


@cache
def read_by(kind: type[Module]) -> frozenset[str]:
    """The names that a kind of module's own functions read."""
    names: set[str] = set()
    for base in kind.__mro__[: kind.__mro__.index(Module)]:
        for function in vars(base).values():
            code = getattr(function, "__code__", None)
            names.update(code.co_names if code is not None else ())
    return frozenset(names)
