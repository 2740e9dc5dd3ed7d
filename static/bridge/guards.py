"""What a trace has frozen of the Python around it, and whether it is still so.

A function reads names: of its closure, of its module, attributes of what they name. `Guards` has taken down
what they were when the function was traced, and is asked before each call. Functions of the user's own that
it calls are looked into as well; what belongs to a library is taken to stay as it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from inspect import getattr_static
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from shared.nn.module import PLAIN, Module
from shared.optim.optimizer import Optimizer
from shared.source import is_ours
from shared.state import Parameter, State
from shared.usage.door import is_library
from static.graph.graph import Graph

MOST = 400
"""How many things are taken down at most: beyond, a function reads more than it can be asked about."""


class Guards:
    """What a function reads, as it was.

    told   for each thing its name, and how it was; `holds` says whether all is as it was, and `changed`, what
           is not
    """

    def __init__(self, fn: Callable[..., Any], graph: Graph) -> None:
        self._seen: set[int] = set()
        self.told: list[tuple[str, Callable[[], Any], Any]] = []
        self._function(fn, "")
        for module, kept in list(graph.settings.items()):
            for key, values in kept.items():
                name = f"{module.name}.{key}"
                self.told.append((name, _attribute(module, key), ("plain", frozen(values[-1]))))
            for key, part in vars(module).items():
                if isinstance(part, (State, Module)):
                    self.told.append((f"{module.name}.{key}", _item(vars(module), key), ("is", Same(part))))
        for variable in graph.variables:
            if isinstance(variable.state, Parameter):
                name, get = variable.state.name or variable.name, _attribute(variable.state, "requires_grad")
                self.told.append((f"{name}.requires_grad", get, _state(get)))
        self.holds = self._written()

    def changed(self) -> str:
        """What is not as it was, in words."""
        for name, get, was in self.told:
            now = _state(get, was[0] == "told")
            if now != was:
                if was[0] == now[0] and was[0] in ("is", "made", "told"):
                    return f"{name} is another, or holds something else"
                return f"{name} was {_shown(was)}, and is {_shown(now)}"
        return ""

    # --- what is read ---

    def _function(self, fn: Any, prefix: str) -> None:
        if isinstance(fn, MethodType):
            self._object(f"{prefix}self", lambda: fn.__self__, fn.__self__, fn.__func__.__code__)
            fn = fn.__func__
        fn = getattr(fn, "__wrapped__", fn)
        if not isinstance(fn, FunctionType) or id(fn) in self._seen:
            return
        self._seen.add(id(fn))
        for code in _codes(fn.__code__):
            cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False))
            for name in code.co_names:
                if name in fn.__globals__:
                    self._name(f"{prefix}{name}", _item(fn.__globals__, name), fn.__globals__[name], code)
            for name, cell in cells.items():
                if not _empty(cell):
                    self._name(f"{prefix}{name}", _content(cell), cell.cell_contents, code)
        for value in (*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()):
            if isinstance(value, FunctionType):
                self._function(value, prefix)

    def _name(self, name: str, get: Callable[[], Any], value: Any, code: CodeType) -> None:
        """A name, and what it stands for."""
        if isinstance(value, ModuleType) or len(self.told) >= MOST:
            return
        key = name, id(value)
        if hash(key) in self._seen:
            return
        self._seen.add(hash(key))
        self.told.append((name, get, _state(get)))
        if isinstance(value, (FunctionType, MethodType)):
            file = getattr(value, "__func__", value).__code__.co_filename
            if not (is_ours(file) or is_library(file)):
                self._function(value, f"{name}'s ")
        elif not isinstance(value, State):
            self._object(name, get, value, code)

    def _object(self, name: str, get: Callable[[], Any], value: Any, code: CodeType) -> None:
        """The attributes of an object that a function may read."""
        if isinstance(value, Optimizer):
            self.told.append((f"{name}'s settings", value.guard, ("told", frozen(value.guard()))))
            return
        if isinstance(value, Module) and type(value).__module__.startswith("shared."):
            return  # what it was called with is in the graph's own book
        own = {} if isinstance(value, type) else getattr(value, "__dict__", {})
        for key in dict.fromkeys(code.co_names):
            # Of a class, the user's or an object's, what is plain: the rest are methods and the like.
            found = own[key] if key in own else getattr_static(value, key, Same)
            if not isinstance(found, (State, Module)) and (key in own or _is_data(found)):
                self.told.append((f"{name}.{key}", _attribute(value, key), _state(_attribute(value, key))))

    def _written(self) -> Callable[[], bool]:
        """One expression that is true while all is as it was: of what is plain, by comparison, of all else by
        identity."""
        space: dict[str, Any] = {"_state": _state}
        tests = []
        for i, (_, get, was) in enumerate(self.told):
            space[f"g{i}"], space[f"w{i}"] = get, was
            kind, value = was
            if kind == "is":
                space[f"v{i}"] = value.value
                tests.append(f"g{i}() is v{i}")
            elif kind == "plain" and value[0] in ("int", "str", "bool"):
                space[f"v{i}"], space[f"t{i}"] = value[1], type(value[1])
                tests.append(f"type(x := g{i}()) is t{i} and x == v{i}")
            elif kind == "told":
                tests.append(f"_state(g{i}, True) == w{i}")
            else:
                tests.append(f"_state(g{i}) == w{i}")
        exec(f"def holds():\n    return {' and '.join(tests) or 'True'}", space)
        return space["holds"]


class Same:
    """Equal to itself alone: an object that is compared by identity, and kept alive so that no other gets its
    place."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def _state(get: Callable[[], Any], told: bool = False) -> tuple[str, Any]:
    """What is kept of a value: itself, if it is plain or made of what is plain, else which object it is."""
    try:
        value = get()
    except Exception:
        return "gone", None
    if told:
        return "told", frozen(value)
    if type(value) in PLAIN:
        return "plain", frozen(value)
    if type(value) is np.ndarray and value.size <= MOST:
        return "made", (Same(value), value.tobytes())
    if type(value) in (list, tuple, dict, set) and len(value) <= MOST:
        return "made", (Same(value) if type(value) is not tuple else None, frozen(value))
    return "is", Same(value)


def _is_data(value: Any) -> bool:
    return type(value) in PLAIN or type(value) in (list, tuple, dict, set)


def frozen(value: Any) -> Any:
    """A value that can be compared, type and sign included."""
    if type(value) is dict:
        return "dict", [(frozen(k), frozen(v)) for k, v in value.items()]
    if type(value) in (list, tuple):
        return type(value).__name__, [frozen(part) for part in value]
    if type(value) is set:
        return "set", {*value}
    if type(value) is float:
        return "float", repr(value)
    if type(value) in PLAIN:
        return type(value).__name__, value
    return Same(value)


def _shown(was: tuple[str, Any]) -> str:
    kind, value = was
    if kind in ("plain", "float"):
        return str(value[1]) if kind == "plain" else value
    return "gone" if kind == "gone" else "an object"


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and those of the functions that it makes."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _item(names: dict[str, Any], name: str) -> Callable[[], Any]:
    return lambda: names[name]


def _content(cell: CellType) -> Callable[[], Any]:
    return lambda: cell.cell_contents


def _attribute(holder: Any, key: str) -> Callable[[], Any]:
    return lambda: getattr(holder, key)


def _empty(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (it raises where there is nothing)
    except ValueError:
        return True
    return False


def random_state() -> Any:
    """Where the random numbers of NumPy and Python stand, which a trace would freeze."""
    _, keys, position, *_ = np.random.get_state(legacy=True)
    return hash(np.asarray(keys).tobytes()), position, hash(random.getstate())
