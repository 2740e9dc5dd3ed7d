"""What a trace has frozen of the Python around it, and whether it is still so.

`Guards` has taken down what a function reads (`static.bridge.reads`) as it was before the function was
traced, and is asked before each call. So a function that itself changes what it reads, a counter or a list,
is traced again, as often as it does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from shared.nn.module import PLAIN, Module
from shared.state import Parameter, State
from static.bridge.reads import CONTAINERS, MOST, Reads
from static.graph.graph import Graph


class Guards:
    """What a function reads, as it was.

    told   for each thing its name, what gets it, and how it was; `holds` says whether all is as it was, and
           `changed`, what is not
    """

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self.told: list[tuple[str, Callable[[], Any], Any]] = [
            (name, get, _state(get)) for name, get in reads.told
        ]
        self.holds: Callable[[], bool] = lambda: False

    def traced(self, graph: Graph) -> None:
        """The function has been traced: what the layers, Parameters and optimisers were that it met."""
        for name, optimizer in self._reads.optimizers:
            self.told.append((f"{name}'s settings", optimizer.guard, ("told", frozen(optimizer.guard()))))
        for module, kept in list(graph.settings.items()):
            for key, values in kept.items():
                name = f"{module.name}.{key}"
                self.told.append((name, partial(getattr, module, key), ("plain", frozen(values[-1]))))
            for key, part in vars(module).items():
                if isinstance(part, (State, Module)):
                    get = partial(vars(module).__getitem__, key)
                    self.told.append((f"{module.name}.{key}", get, ("is", Same(part))))
        for variable in graph.variables:
            if isinstance(variable.state, Parameter):
                get = partial(getattr, variable.state, "requires_grad")
                self.told.append((f"{variable.state.name or variable.name}.requires_grad", get, _state(get)))
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
        body = f"    try:\n        return {' and '.join(tests) or 'True'}\n"
        exec(f"def holds():\n{body}    except Exception:  # it is gone\n        return False", space)
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
    if isinstance(value, CONTAINERS) and len(value) <= MOST:
        return "made", (Same(value) if type(value) is not tuple else None, frozen(value))
    return "is", Same(value)


def frozen(value: Any) -> Any:
    """A value that can be compared, type and sign included."""
    if type(value) is float:
        return "float", repr(value)
    if type(value) in (bool, int, str):
        return type(value).__name__, value
    if isinstance(value, dict):
        return "dict", [(frozen(k), frozen(v)) for k, v in value.items()]
    if isinstance(value, (set, frozenset)):
        return "set", {*value}
    if isinstance(value, CONTAINERS):
        return type(value).__name__, [frozen(part) for part in value]
    return Same(value)


def _shown(was: tuple[str, Any]) -> str:
    kind, value = was
    if kind in ("plain", "float"):
        return str(value[1]) if kind == "plain" else value
    return "gone" if kind == "gone" else "an object"
