"""What a function reads of the Python around it: names of its closure and its module, attributes of what they
name, and so on, through the functions and methods of the user's own that it calls.

Which of them a call will reach is not known beforehand, so all those are taken down whose names stand in the
text of any of these functions. What belongs to a library is taken to stay as it is.
"""

from __future__ import annotations

import os
import random
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dis import get_instructions
from functools import cache, partial
from gc import get_referents
from inspect import getattr_static
from io import IOBase
from types import (
    CodeType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from shared.dispatch import ENGINE_OF
from shared.nn.module import Module, hook_changes
from shared.optim.optimizer import Optimizer
from shared.source import GENERATED, is_ours
from shared.state import State
from shared.usage.door import is_library

MOST = 400
"""How long a list, dict or array may be whose contents are looked into."""
READS = 4000
"""How many things are taken down at most: beyond, a function reads more than it can be asked about."""
CONTAINERS = (list, tuple, dict, set, frozenset, deque)
GENERATORS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)
SLOTS = (MemberDescriptorType, GetSetDescriptorType)
MAKING = ("__init__", "__new__", "__post_init__", "__init_subclass__", "__del__")
"""Methods that are called when an object is made, or goes: nobody does so with one that is there."""
WRAPPERS = (staticmethod, classmethod, property, partial)

Get = Callable[[], Any]


class Reads:
    """What a function may read, when it is called with certain arguments.

    told        for each thing its name, and what gets it
    moving      by name, what moves on when it is used: generators of random numbers, and iterators
    optimizers  by name, the optimisers among it
    names       the names that stand in the text of any of the functions; `asked`, those of attributes that
                need not be there: they are assigned to, or stand in quotes
    """

    def __init__(self, fn: Callable[..., Any], arguments: Any = ()) -> None:
        self.told: list[tuple[str, Get]] = []
        self.moving: list[tuple[str, Any]] = []
        self.optimizers: list[tuple[str, Optimizer]] = []
        self.names: set[str] = set()
        self.asked: set[str] = set()
        self._seen: dict[int, Any] = {}  # what was visited, which lives meanwhile, so that no id is another's
        self._noted: set[tuple[int, str]] = set()
        self._holders: list[tuple[str, Any]] = []
        code = getattr(getattr(fn, "__func__", fn), "__code__", None)
        self._home = "" if code is None else _package(code.co_filename)
        self._visit("self" if isinstance(fn, MethodType) else "", fn)
        self._visit("an argument", arguments)
        before = -1
        while before != len(self._noted) + len(self._holders):
            before = len(self._noted) + len(self._holders)
            if self.names & {"environ", "getenv"}:
                for key in self.asked:
                    self._note(os.environ, key, f"os.environ[{key!r}]", partial(os.environ.get, key))
            for name, holder in list(self._holders):
                self._attributes(name, holder)
        for name, optimizer in self.optimizers:
            if "param_groups" in self.names:  # which shows the rates as numbers
                self._note(optimizer, "lr", f"{name}'s rates", partial(_rates, optimizer))

    def may_read(self, module: Module, key: str) -> bool:
        """Whether an attribute of a layer is one that its text, or ours, may read."""
        return key in self.names or is_ours(_file_of(type(module)))

    def knows(self, value: Any) -> bool:
        """Whether something was there before the call, under a name."""
        return id(value) in self._seen

    def _is_users(self, file: str | None) -> bool:
        return _users_file(file, self._home)

    def _visit(self, name: str, value: Any) -> None:
        """Look into something that is there under a name."""
        kind = type(value)
        if kind in PLAIN or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, MethodType):
            self._visit(name, value.__self__)
            self._visit(name, value.__func__)
        elif isinstance(value, WRAPPERS):
            for part in get_referents(value):
                self._visit(name, part)
        elif isinstance(value, ModuleType):
            if self._is_users(getattr(value, "__file__", "<made>")):
                self._holders.append((name, value))
        elif isinstance(value, GENERATORS):
            self.moving.append((name, value))
        elif isinstance(value, Optimizer):
            self.optimizers.append((name, value))
        elif isinstance(value, CONTAINERS):
            if len(value) <= MOST:
                for part in [*value.values()] if isinstance(value, dict) else list(value):
                    self._visit(name, part)
        elif isinstance(value, type):
            if self._is_users(_file_of(value)):
                self._holders.append((name, value))
        elif isinstance(value, ContextVar):
            self._note(value, "", name, partial(value.get, None))
        elif isinstance(value, weakref.ref):
            self._note(value, "", name, value)
        elif isinstance(value, State):
            self._holders.append((name, value))
        elif hasattr(kind, "__next__") and not isinstance(value, IOBase):
            self._iterator(name, value)
        elif not isinstance(value, (np.ndarray, IOBase)) and ENGINE_OF[kind] is None:
            self._object(name, value)

    def _object(self, name: str, value: Any) -> None:
        """One with attributes."""
        self._visit(name, getattr_static(value, "__wrapped__", None))
        ours = is_ours(_file_of(type(value)))
        if isinstance(value, Module):
            self.names.add("forward")  # which is called when the layer is
            self._note(hook_changes, "", "a layer's hooks", partial(hook_changes.__getitem__, 0))
            for key, part in vars(value).items():
                if ours and isinstance(part, CONTAINERS):
                    self._note(value, key, f"{name}.{key}", partial(vars(value).__getitem__, key))
                elif isinstance(part, (Module, State, *CONTAINERS)):
                    self._visit(name, part)
        if not ours:
            self._holders.append((name, value))

    def _iterator(self, name: str, value: Any) -> None:
        self.moving.append((name, value))
        if isinstance(value, GeneratorType):
            self._codes(value.gi_code)
            for part in (value.gi_frame.f_locals if value.gi_frame else {}).values():
                self._visit(name, part)
        elif hasattr(value, "__dict__"):
            self._object(name, value)
        else:
            for part in get_referents(value):  # those that it is made of: of zip, of map, of islice
                if not isinstance(part, type):
                    self._visit(name, part)

    def _function(self, fn: FunctionType) -> None:
        if not self._is_users(fn.__code__.co_filename):
            return
        self._visit("", vars(fn).get("__wrapped__"))
        cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False))
        cells.pop("__class__", None)  # super()'s, who finds what the object has
        for name, cell in cells.items():
            self._note(cell, name, name, partial(getattr, cell, "cell_contents"))
        self._note(fn, "__code__", f"the text of {fn.__name__}", partial(getattr, fn, "__code__"))
        for code in self._codes(fn.__code__):
            for name in code.co_names:
                if name in fn.__globals__:
                    self._note(fn.__globals__, name, name, partial(fn.__globals__.__getitem__, name))
        defaults = [*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()]
        if any([type(value) not in PLAIN for value in defaults]):
            self._note(fn, "", f"{fn.__name__}'s defaults", lambda: (fn.__defaults__, fn.__kwdefaults__))

    def _codes(self, code: CodeType) -> list[CodeType]:
        """A function's code, and those of the functions that it makes."""
        found = list(_codes(code))
        for each in found:
            self.names.update(each.co_names)
            self.asked.update(_asked(each))
        self.names |= self.asked
        return found

    def _attributes(self, name: str, holder: Any) -> None:
        """The attributes of an object, class or module whose names stand in the text."""
        if isinstance(holder, State):
            if "grad" in self.names:
                self._note(holder, "grad", f"{holder.name or name}.grad", partial(getattr, holder, "grad"))
            return
        own = getattr(holder, "__dict__", {})
        if not isinstance(holder, type):
            for key in own.keys() & self.names:
                self._note(holder, key, f"{name}.{key}", partial(getattr, holder, key))
            if not isinstance(holder, ModuleType):
                for key in self.asked - own.keys():
                    self._note(holder, key, f"{name}.{key}", partial(_first, [own], key))
        kinds = (holder if isinstance(holder, type) else type(holder)).__mro__
        dicts = [own, *[vars(kind) for kind in kinds if self._is_users(_file_of(kind))]]
        for of in dicts[1:]:
            for key in [*of]:
                value = of[key]
                if key not in self.names:
                    if isinstance(value, FunctionType) and key.startswith("__"):
                        if isinstance(holder, type) or key not in MAKING:
                            self._visit(name, value)  # Python itself calls it
                elif not isinstance(value, SLOTS):
                    self._note(holder, key, f"{name}.{key}", partial(_first, dicts, key))
                    self._visit(name, value)  # be it that of a base, which super() leads to
                elif not isinstance(holder, type) and hasattr(holder, key):
                    self._note(holder, key, f"{name}.{key}", partial(getattr, holder, key))

    def _note(self, holder: Any, key: str, name: str, get: Get) -> None:
        """Take down one thing, and look into it."""
        if (id(holder), key) in self._noted or len(self._noted) > READS:
            return
        self._noted.add((id(holder), key))
        self._seen.setdefault(id(holder), holder)
        try:
            value = get()
        except Exception:  # an empty cell
            value = None
        if not isinstance(value, ModuleType):
            self.told.append((name, get))
        self._visit(name, value)


PLAIN = (bool, int, float, complex, str, bytes, type(None), np.dtype)
NOBODYS = ("<frozen", GENERATED, "<__array_function__")
"""How the names of files begin that are Python's, ours or NumPy's, and no files."""


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


@cache
def _asked(code: CodeType) -> frozenset[str]:
    """The names of attributes that a code may set, or ask whether they are there; but for what is set of an
    object that is being made."""
    steps = get_instructions(code) if code.co_name != "__init__" else ()
    stored = [step.argval for step in steps if step.opname == "STORE_ATTR"]
    quoted = [text for text in code.co_consts if type(text) is str and text.isidentifier()]
    return frozenset(stored + quoted)


def _rates(optimizer: Optimizer) -> tuple[float, ...]:
    return tuple([float(group.lr.value()) for group in optimizer.groups])


class Absent:
    """What stands for an attribute that is not there."""

    def __repr__(self) -> str:
        return "not there"


ABSENT = Absent()


def _first(dicts: Sequence[Any], key: str) -> Any:
    """What a key stands for in the first of several dicts that has it."""
    for each in dicts:
        if key in each:
            return each[key]
    return ABSENT


def _users_file(file: str | None, home: str = "") -> bool:
    """Whether a file is the user's own: none of ours, of Python's or of what is installed, but for the
    package that is `home`."""
    if file is None or file.startswith("<"):  # typed in, or made by `exec`
        return file is not None and not file.startswith(NOBODYS)
    if is_ours(file) or is_library(file):
        return False
    return not _package(file) or _package(file) == home


@cache
def _package(file: str) -> str:
    """The folder of the installed package that a file is of; "" if it is of none."""
    parts = file.split(os.sep)
    for place in ("site-packages", "dist-packages"):
        if place in parts:
            return os.sep.join(parts[: parts.index(place) + 2])
    return ""


def _file_of(kind: type) -> str:
    """The file of a class."""
    module = sys.modules.get(kind.__module__)
    if module is None or kind.__module__ == "__main__":
        return "<main>"
    return getattr(module, "__file__", None) or NOBODYS[0]


