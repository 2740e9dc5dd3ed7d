"""Parametrizations: a Parameter of a layer that is computed by modules from others, which are trained in its
place. As `torch.nn.utils.parametrize`, whose names the states have: `parametrizations.weight.original`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from shared.errors import SettingError, StateError
from shared.nn.container import ModuleDict, ModuleList
from shared.nn.modes import evaluating
from shared.nn.module import Module
from shared.nn.utils.computed import compute, held, hold, is_computed
from shared.state import Parameter
from shared.usage.door import public

__all__ = [
    "ParametrizationList", "is_parametrized", "register_parametrization", "remove_parametrizations",
]  # fmt: skip

WHERE = "parametrizations"
"""The attribute of a layer that holds them."""


class ParametrizationList(ModuleList):
    """The modules that make a value, one after the other, and what they make it from: the Parameter
    `original`, or, where the first has several arguments, `original0`, `original1`, ..."""

    def forward(self) -> Any:
        first, *others = self
        value = first(*self.originals())
        for parametrization in others:
            value = parametrization(value)
        return value

    def originals(self) -> list[Parameter]:
        """The Parameters that training changes."""
        return [value for key, value in vars(self).items() if key.startswith("original")]

    def start(self, parameter: Parameter) -> None:
        """Begin with the originals that make the Parameter's value, as far as the modules know them."""
        value: Any = parameter.value()
        for parametrization in reversed(list(self)):
            if hasattr(parametrization, "right_inverse"):
                value = parametrization.right_inverse(value)
        if isinstance(value, tuple):
            for index, part in enumerate(value):
                setattr(self, f"original{index}", Parameter(np.asarray(part)))
        else:
            parameter.data = np.asarray(value, parameter.dtype)
            self.original = parameter


def register_parametrization(module: Any, name: str, parametrization: Module) -> Any:
    """Let `module.name` be what a module makes of the Parameter there, which is trained on as its original.

    A second one takes the first one's result. With a method `right_inverse(value)`, arrays in and out, a
    parametrization says what to begin with so that the value is as it was; of several arrays it gives a
    tuple. Gives the layer, whose class is another one now. Make the optimiser afterwards.
    """
    if not isinstance(parametrization, Module):
        raise SettingError(f"register_parametrization: {parametrization!r} is no Module")
    if is_parametrized(module, name):
        chain = module.parametrizations[name]
        if hasattr(parametrization, "right_inverse"):
            raise SettingError(
                f"register_parametrization: {name} has a parametrization, and this one would change what it "
                "begins with (it has a right_inverse); register it first"
            )
        chain.append(parametrization)
        return module
    parameter = held("register_parametrization", module, name)
    chain = ParametrizationList([parametrization])
    chain.start(parameter)
    compute(module, name, partial(_value, name))
    if WHERE not in vars(module):
        setattr(module, WHERE, ModuleDict())
    vars(module)[WHERE][name] = chain
    return module


def _value(name: str, module: Any) -> Any:
    return vars(module)[WHERE][name]()


def is_parametrized(module: Any, name: str | None = None) -> bool:
    """Whether a layer has a parametrization, or one of that Parameter."""
    found = vars(module).get(WHERE, ())
    return len(found) > 0 if name is None else name in found and is_computed(module, name)


def remove_parametrizations(module: Any, name: str, leave_parametrized: bool = True) -> Any:
    """Let `module.name` be a Parameter again: with the value that was computed or, with
    `leave_parametrized=False`, the original. Gives the layer. (The value is computed now, by `dynamic`.)"""
    if not is_parametrized(module, name):
        raise SettingError(
            f"remove_parametrizations: {type(module).__name__} has no parametrization of {name!r}"
        )
    chain = module.parametrizations[name]
    originals = chain.originals()
    if not leave_parametrized and len(originals) > 1:
        raise SettingError(f"remove_parametrizations: {name} has no single original to leave there")
    parameter = originals[0] if len(originals) == 1 else Parameter(None)
    if leave_parametrized:
        with evaluating(chain):
            made = chain()
        if not hasattr(made, "array"):
            raise StateError("remove_parametrizations: computes the value now; import dynamic first")
        parameter.hold(np.array(made.numpy()))
    del module.parametrizations[name]
    hold(module, name, parameter)
    if not len(module.parametrizations):
        del vars(module)[WHERE]
    return module


public(globals(), __all__)
