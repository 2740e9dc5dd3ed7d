"""What a trace has frozen of the Python around it, and whether it is still so.

`Guards` has taken down what a function reads (`static.bridge.reads`) as it was before the function was
traced, and is asked before each call. So a function that itself changes what it reads, a counter or a list,
is traced again, as often as it does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from keyword import iskeyword
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from shared.dispatch import ENGINE_OF, Neutral
from shared.nn.module import Module
from shared.state import Parameter, State
from static.bridge.reads import ABSENT, CONTAINERS, MOST, Reads
from static.engine import ENGINE
from static.graph.graph import Graph, Tensor

PLAIN = (bool, int, float, str, tuple)
"""Kinds of values that are compared by what they are."""

TRACED = object()
"""What is kept of a value of a trace that is over, which is as good as any other."""


class FunctionGraph(Graph):
    """The graph of a trace. What States hold is theirs, in each call."""

    stores = False
    over = "a static.function has left it where it was put; return it and pass it in, or keep an nn.Buffer"


class Guards:
    """What a function reads, as it was.

    told   for each thing its name, what gets it, and how it was; `holds` says whether all is as it was, and
           `changed`, what is not
    """

    def __init__(self, reads: Reads) -> None:
        self.told: list[tuple[str, Callable[[], Any], Was]] = [
            (name, get, _was(get)) for name, get in reads.told
        ]
        self.holds: Callable[[], bool] = lambda: False

    def traced(self, reads: Reads, graph: Graph) -> None:
        """The function has been traced: what the layers, Parameters and optimisers were that it met."""
        for name, optimizer in reads.optimizers:
            was = Was("told", None, kept(optimizer.guard()))
            self.told.append((f"{name}'s settings", optimizer.guard, was))
        modules: dict[Module, None] = {}
        for module, setting in graph.settings:
            if not isinstance(module, Module):
                continue
            modules[module] = None
            key, seen = setting.key, setting.values[-1]
            if reads.may_read(module, key):
                get = partial(getattr, module, key)
                was = Was("plain", seen, kept(seen)) if type(seen) in PLAIN else Was("is", seen)
                self.told.append((f"{module.name}.{key}", get, was))
        for module in modules:
            for key, part in vars(module).items():
                if isinstance(part, (State, Module)):
                    get = partial(vars(module).__getitem__, key)
                    self.told.append((f"{module.name}.{key}", get, Was("is", part)))
        for variable in graph.variables:
            if isinstance(variable.state, Parameter):
                get = partial(getattr, variable.state, "_requires_grad")  # without a property's call
                self.told.append((f"{variable.state.name or variable.name}.requires_grad", get, _was(get)))
        self.holds = self._written()

    def changed(self) -> str:
        """What is not as it was, in words."""
        for name, get, was in self.told:
            if not was.holds(get):
                now = _was(get)
                if was.kind == now.kind != "plain" or was.kind == "told":
                    return f"{name} is another, or holds something else"
                return f"{name} was {was}, and is {now}"
        return ""

    def _written(self) -> Callable[[], bool]:
        """One expression that is true while all is as it was: of what is plain, by comparison, of all else by
        identity."""
        space: dict[str, Any] = {}
        tests = []
        for i, (_, get, was) in enumerate(self.told):
            got, value = _got(get, i, space), was.value
            space[f"v{i}"] = value
            if was.kind == "is" or (was.kind == "plain" and (value is None or type(value) is bool)):
                tests.append(f"{got} is v{i}")
            elif was.kind == "plain" and (test := _equal("x", value)):
                tests.append(f"type(x := {got}) is {type(value).__name__} and {test}")
            else:
                space |= {f"h{i}": was.holds, f"g{i}": get}
                tests.append(f"h{i}(g{i})")
        body = f"    try:\n        return {' and '.join(tests) or 'True'}\n"
        exec(f"def holds():\n{body}    except Exception:  # it is gone\n        return False", space)
        return space["holds"]


def _got(get: Any, i: int, space: dict[str, Any]) -> str:
    """The text of what a getter gets: without a call, where it gets an attribute or an item."""
    if isinstance(get, partial) and not get.keywords:
        if get.func is getattr and len(get.args) == 2 and _is_name(get.args[1]):
            space[f"o{i}"] = get.args[0]
            return f"o{i}.{get.args[1]}"
        of = getattr(get.func, "__self__", None)
        if isinstance(of, dict) and get.func == of.__getitem__:
            space[f"o{i}"], space[f"k{i}"] = of, get.args[0]
            return f"o{i}[k{i}]"
    space[f"g{i}"] = get
    return f"g{i}()"


def _is_name(text: str) -> bool:
    return text.isidentifier() and not iskeyword(text)


def _equal(name: str, value: Any) -> str:
    """The text of whether what has the type of a plain value is equal to it; empty, if that is not quick to
    tell."""
    if type(value) in (int, str):
        return f"{name} == {value!r}"
    if type(value) is tuple and all([type(part) in (int, str) for part in value]):
        parts = [f"type({name}[{i}]) is {type(part).__name__}" for i, part in enumerate(value)]
        return " and ".join([f"{name} == {value!r}", *parts])
    return ""


class Was(NamedTuple):
    """What is kept of a value, of which no other gets the place: itself, if it is plain; else which object it
    is and, of a container or array that is not long, what it held.

    kind   "plain", "made" of what is plain, a container that is "long", of which the length is kept, a small
           "array" or Tensor of another engine, "told" by somebody, which "is" an object, "traced", or "gone"
    """

    kind: str
    value: Any = None
    held: Any = None

    def holds(self, get: Callable[[], Any]) -> bool:
        """Whether it is so now."""
        try:
            value = get()
        except Exception:
            return self.kind == "gone"
        if self.kind == "plain" or self.kind == "told":
            return alike(value, self.held)
        if self.kind == "traced":
            return _is_traced(value)
        if self.kind == "made":
            return (value is self.value or type(value) is tuple) and alike(value, self.held)
        if value is not self.value or self.kind == "is":
            return value is self.value
        if self.kind == "long":
            return len(value) == self.held
        return bool((value if type(value) is np.ndarray else value.numpy()).tobytes() == self.held)

    def __str__(self) -> str:
        if self.kind == "plain" or self.value is ABSENT:
            return str(self.value)
        return "gone" if self.kind == "gone" else "an object"


def _was(get: Callable[[], Any]) -> Was:
    try:
        value = get()
    except Exception:
        return Was("gone")
    if type(value) in PLAIN:
        return Was("plain", value, kept(value))
    if type(value) is np.ndarray and value.size <= MOST:
        return Was("array", value, value.tobytes())
    if isinstance(value, CONTAINERS):
        return Was("made", value, kept(value)) if len(value) <= MOST else Was("long", value, len(value))
    if type(ENGINE_OF[type(value)]) is not Neutral and ENGINE_OF[type(value)] not in (None, ENGINE):
        return Was("array", value, value.numpy().tobytes()) if value.size <= MOST else Was("is", value)
    return Was("traced") if _is_traced(value) else Was("is", value)


def _is_traced(value: Any) -> bool:
    """Whether a value is one of a trace, which is over: nothing can be computed with any of these."""
    return isinstance(value, Tensor) and isinstance(value.graph, FunctionGraph)


def kept(value: Any) -> Any:
    """A value as `alike` compares it: of containers, their class and what they hold."""
    if isinstance(value, dict):
        return type(value), [(key, kept(part)) for key, part in value.items()]
    if isinstance(value, (set, frozenset)):
        return type(value), {*value}
    if isinstance(value, CONTAINERS):
        return type(value), [kept(part) for part in value]
    return TRACED if _is_traced(value) else value


def alike(value: Any, held: Any) -> bool:
    """Whether a value is what was kept of one: what is plain by its type, value and sign, containers by what
    they hold, in its order, all else by identity."""
    if value is held:
        return True
    kind = type(value)
    if kind is float:
        return type(held) is float and repr(value) == repr(held)
    if kind is int or kind is str or kind is bool:
        return kind is type(held) and bool(value == held)
    if not isinstance(value, CONTAINERS):
        return held is TRACED and _is_traced(value)
    if type(held) is not tuple or held[0] is not kind or len(held[1]) != len(value):
        return False
    if isinstance(value, dict):
        return all([alike(a, b) and alike(value[a], c) for a, (b, c) in zip(value, held[1], strict=True)])
    if isinstance(value, (set, frozenset)):
        return bool(value == held[1])
    if all(map(is_, value, held[1])):  # so it is mostly, and three times as quick to tell
        return True
    return all(map(alike, value, held[1]))
