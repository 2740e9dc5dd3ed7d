"""What a session warns of before a run: settings that were changed after the graph was built, which no graph
can follow, and values that were changed after the session took them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from inspect import getattr_static
from types import CodeType
from typing import Any

from shared.nn.container import Holder
from shared.nn.module import SETTING, Module
from shared.spec import in_short
from shared.state import Generator, Parameter, State
from shared.usage import late
from static.compile.program import Program
from static.graph.built import Setting
from static.graph.graph import Graph
from static.graph.variables import Variable


class LateSettingWarning(UserWarning):
    """A setting was changed that a graph has been built with, or a value that a session has its own of."""


class Lookout:
    """What has been changed too late for one session's graph, each said once.

    Settings are followed from the graph's beginning. A change is too late if no part of the graph was built
    with what the setting is now. Where another part was, and not what a run needs, it is too late for this
    run if it came after the session and after the last call that could be meant, and the setting is not as it
    was when the program last agreed with it: who builds a graph in both modes and then runs either has
    changed nothing too late. Values are followed from the session's beginning, but for those of generators,
    which any call of a layer moves.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._seen, self._begun = graph.settings.begun, late.count[0]
        self._last: dict[tuple[int, str], late.Note] = {}  # of each setting the last change
        self._first: dict[tuple[int, str], late.Note] = {}  # and the first one since the session's beginning
        self._loaded: list[late.Note] = []
        self._said: set[tuple[Any, str]] = set()

    def look(self, program: Program) -> None:
        """Warn of changes that a run of the program does not see; once for all changes until now."""
        self._read_notes()
        program.looked = late.count[0]
        for (_, key), note in self._last.items():
            holder = note.holder()
            setting = None if holder is None else self.graph.settings.get(holder, key)
            if setting is not None and late.same(note.after, now := getattr(holder, key, None)):
                built = program.built.get(setting, setting.values)
                late_for_all = not late.among(now, setting.values)
                if late_for_all or (not late.among(now, built) and self._meant(setting, note, now, program)):
                    self._say_setting(note, holder, built, now)
        for setting, values in program.built.items():
            if late.among(now := getattr(setting.holder(), setting.key, None), values):
                program.agreed[setting] = now
        self._loaded = [note for note in self._loaded if self._waits(note, note.holder(), program)]

    def taken(self, values: Mapping[Variable, Any]) -> None:
        """The session has new values, so that none of these was changed since it took it."""
        self._read_notes()
        if self._loaded:
            gone = {id(variable.state) for variable in values}
            self._loaded = [note for note in self._loaded if id(note.holder()) not in gone]

    def _read_notes(self) -> None:
        if late.count[0] == self._seen:
            return
        for note in late.since(self._seen):
            holder, since = note.holder(), note.number > self._begun
            if isinstance(holder, State) and note.key == "data":
                if since and not holder.live and not isinstance(holder, Generator):
                    self._loaded.append(note)
            elif holder is not None:
                place = id(holder), note.key
                self._last[place] = note
                if since and (place not in self._first or self._first[place].holder() is not holder):
                    self._first[place] = note
            self._seen = note.number
        self._last = {place: note for place, note in self._last.items() if note.holder() is not None}

    def _meant(self, setting: Setting, note: late.Note, now: Any, program: Program) -> bool:
        """Whether a change to what another part of the graph was built with must be meant for this one."""
        first = self._first.get((id(note.holder()), note.key))
        at_first = now if first is None else first.before
        later = note.number > max(setting.read, self._begun)
        return later and not late.same(now, program.agreed.get(setting, at_first))

    def _say_setting(self, note: late.Note, holder: Any, built: list[Any], now: Any) -> None:
        before, changed = " and ".join(map(in_short, built)), f"{note.key} = {in_short(now)}"
        cure = "call opt.minimize(loss) once more, and run that"
        if isinstance(holder, Module):
            what = f"{type(holder).__name__}.{changed}"
            why = f"the graph was built with {before} and stays so"
            cure = "set it before the model is called, or call the model once more and run what that gives"
            if note.key == "training":
                cure = "call the model once more in that mode, and run what that gives"
            elif isinstance(now, late.Held):
                what, why = f"a change of what a {type(holder).__name__} holds", "the graph was built before"
        elif note.key == "dtype":
            what, why = f"{now} for {holder.name or 'a State'}", f"the graph was built with {built[0]}"
            cure = "build another graph, or cast in this one"
        elif isinstance(holder, Parameter):
            what = f"{changed} of {holder.name or 'a Parameter'}"
            why = "the graph's steps of training do as before"
        else:
            what, why = f"{changed} of an optimiser", f"the graph's steps of training are made with {before}"
        self._say(note, what, f"{why}; {cure}")

    def _waits(self, note: late.Note, state: State | None, program: Program) -> bool:
        """Whether new values are still to be looked at in later runs; what this one does not see is said."""
        variable = self.graph.lifted.get(id(state))
        if state is None or variable is None:
            return False
        if variable in program.reads:
            self._say(
                note, f"a new value of {state.name or 'a Parameter'}",
                "the session has one of its own, which it took before; take this by session.load(model)",
            )  # fmt: skip
        return variable not in program.touched

    def _say(self, note: late.Note, what: str, why: str) -> None:
        if (note.line, note.key) in self._said:
            return
        self._said.add((note.line, note.key))
        file, number = (note.line.file, note.line.number) if note.line is not None else ("<unknown>", 1)
        text = f"{what} comes too late: {why}  (your line: {note.line})"
        warnings.warn_explicit(text, LateSettingWarning, file, number)


def settings_of(module: Module) -> Iterator[tuple[Module, dict[str, Any]]]:
    """With which settings a module is called in a graph: those attributes that its functions read, and what
    the lists and dicts of modules and Parameters in it hold. What is computed, as a property is, is left
    alone."""
    own, found = vars(module), {}
    for key, value in read_by(type(module)).items():  # type: ignore[arg-type]
        value = own.get(key, value)
        if isinstance(value, (*SETTING, Module)):
            found[key] = value
    yield module, found
    for _, child in module.named_children():
        if isinstance(child, Holder) and type(child).forward is Module.forward:
            yield from settings_of(child)


@cache
def read_by(kind: type[Module]) -> dict[str, Any]:
    """The names that a kind of module's own functions read, with what the class has under them; but those
    of properties and other descriptors."""
    names: set[str] = set()
    for base in kind.__mro__[: kind.__mro__.index(Module)]:
        for member in vars(base).values():
            for door in ("fget", "func", "__func__"):  # of properties, cached ones, static and class methods
                member = getattr_static(member, door, member)
            names.update(_names_in(getattr(member, "__code__", None)))
    found = {name: getattr_static(kind, name, _NOTHING) for name in sorted(names)}
    return {name: value for name, value in found.items() if not hasattr(type(value), "__get__")}


_NOTHING = object()


def _names_in(code: CodeType | None) -> Iterator[str]:
    """The names of attributes in a function and in those that are written in it."""
    if code is not None:
        yield from code.co_names
        for part in code.co_consts:
            if isinstance(part, CodeType):
                yield from _names_in(part)
