"""Attributes that are computed from States whenever their layer is called, in the place of a Parameter that
it held: what parametrizations and pruning stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from shared.durable.interrupts import within
from shared.errors import AssignmentError, SettingError
from shared.nn.module import Module
from shared.spec import in_short
from shared.state import Parameter

How = Callable[[Any], Any]
"""Gives the attribute of a module, in ops."""

_made: ContextVar[Mapping[tuple[int, str], Any]] = ContextVar("made", default=MappingProxyType({}))
"""The attributes of the modules that are being called, by module and name."""


class Computing(Module):
    """What a layer is, before its own class, while some of its attributes are computed."""

    _computed: dict[str, How]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        # Once for each call: what keeps a State of its own (spectral norm) makes one step.
        made = {(id(self), name): how(self) for name, how in self._computed.items()}
        with within((_made, {**_made.get(), **made})):
            return super().forward(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        how = self.__dict__.get("_computed", {}).get(name)
        if how is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        found = _made.get().get((id(self), name))
        return how(self) if found is None else found

    def __setattr__(self, key: str, value: Any) -> None:
        if key in self.__dict__.get("_computed", {}):
            raise AssignmentError(
                f"{type(self).__name__}.{key}: it is computed, so what is put there would not be used; "
                "change what it is computed from, or make it a Parameter again by remove_parametrizations or "
                "prune.remove"
            )
        super().__setattr__(key, value)


@lru_cache(maxsize=256)
def _computing(kind: Any) -> Any:
    """The class of a layer of this kind some of whose attributes are computed."""
    return type(f"Parametrized{kind.__name__}", (Computing, kind), {"__doc__": kind.__doc__})


def compute(module: Module, name: str, how: How) -> None:
    """Let `module.name` be `how(module)` from now on, in the place of what stands there."""
    del module.__dict__[name]
    if not isinstance(module, Computing):
        module.__dict__["_computed"] = {}
        kind: Any = type(module)
        module.__class__ = _computing(kind)
    vars(module)["_computed"] = {**vars(module)["_computed"], name: how}


def hold(module: Module, name: str, parameter: Parameter) -> None:
    """Let `module.name` be a Parameter again."""
    left = {key: how for key, how in vars(module)["_computed"].items() if key != name}
    vars(module)["_computed"] = left
    if not left:
        del module.__dict__["_computed"]
        module.__class__ = type(module).__mro__[2]
    setattr(module, name, parameter)


def is_computed(module: Module, name: str) -> bool:
    """Whether an attribute is computed."""
    return name in vars(module).get("_computed", {})


def held(call: str, module: Any, name: str) -> Parameter:
    """The Parameter of that name, which has values; SettingError if there is none."""
    if not isinstance(module, Module):
        raise SettingError(f"{call}: takes a layer, not {in_short(module)}")
    if is_computed(module, name):
        raise SettingError(f"{call}: {name} is computed already; make it a Parameter again first")
    found = vars(module).get(name)
    if not isinstance(found, Parameter):
        has = ", ".join(key for key, value in vars(module).items() if isinstance(value, Parameter))
        raise SettingError(
            f"{call}: {type(module).__name__} has no Parameter {name!r}; it has {has or 'none of its own'}"
        )
    found.value()
    return found
