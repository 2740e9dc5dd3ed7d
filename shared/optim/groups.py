"""Parameter groups: which parameters are trained, under which names, with which settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from shared.errors import SettingError, StateError
from shared.spec import in_short
from shared.state import State
from shared.usage import late
from shared.usage.numbers import number


class Settings(late.Watched, SimpleNamespace):
    """An optimiser's hyperparameters, apart from the learning rate: `h.momentum`, `h.eps`."""

    __hash__ = object.__hash__  # type: ignore[assignment]

    def told(self) -> dict[str, Any]:
        """All of them."""
        return {key: value for key, value in vars(self).items() if key != late.MARK}


Schedule = Callable[[Any], Any]
"""The learning rate of the step that follows `step` finished ones: see `schedules.py`."""


class HasRate(late.Watched):
    """What has a learning rate: an optimiser, or a group of its parameters.

    lr        the 0-d float64 State that holds the rate; a number that is set to it goes into the State
    schedule  what decides the rate instead, step by step, or None
    """

    def __init__(self, lr: State, schedule: Schedule | None) -> None:
        self._lr, self.schedule = lr, schedule

    def __setattr__(self, key: str, value: Any) -> None:
        own = self.__dict__
        settings = own.get("settings", own.get("defaults"))
        if settings is not None and key in vars(settings) and key not in own and not hasattr(type(self), key):
            raise SettingError(
                f"{key}: is a setting of a group's, and this would not reach the rule; write "
                f"opt.param_groups[0][{key!r}] = {in_short(value)}, for each group"
            )
        super().__setattr__(key, value)

    @property
    def lr(self) -> State:
        return self._lr

    @lr.setter
    def lr(self, rate: Any) -> None:
        if rate is self._lr:  # `opt.lr *= 0.5` has changed it in place, and puts it back
            return
        if self.schedule is not None:
            raise SettingError(
                f"lr: {in_short(self.schedule)} decides the rate of each step, and would overwrite "
                f"{in_short(rate)}; make the optimiser with a number as lr to set it by hand"
            )
        self._lr.data = np.array(number("lr", "the learning rate", rate))


class ParameterGroup(HasRate):
    """Parameters that are trained alike.

    parameters  in the order in which they were given
    settings    the other hyperparameters, as the optimiser's rule takes them
    """

    def __init__(self, lr: State, schedule: Schedule | None, settings: Settings) -> None:
        super().__init__(lr, schedule)
        self.parameters: list[Any] = []
        self.settings = settings

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.parameters)} Parameters>"


class GroupWords(MutableMapping[str, Any]):
    """A parameter group as PyTorch shows it, a dict: `params`, `lr` as a number, and the other settings. What
    is set goes into the group; no key can be added."""

    def __init__(self, group: ParameterGroup) -> None:
        self._group = group

    def __getitem__(self, key: str) -> Any:
        if key == "params":
            return self._group.parameters
        if key == "lr":
            return float(self._group.lr.value())
        if key not in self:
            raise StateError(f"param_groups: there is no {key!r}; there are {', '.join(self)}")
        return vars(self._group.settings)[key]

    def __contains__(self, key: object) -> bool:
        return key in tuple(self)

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "lr":
            self._group.lr = value
        elif key in self and key != "params":
            setattr(self._group.settings, key, value)
        else:
            raise StateError(
                f"param_groups: {key!r} can not be set; there are {', '.join(self)} (parameters are added by "
                "add_param_group)"
            )

    def __delitem__(self, key: str) -> None:
        raise StateError(f"param_groups: {key!r} can not be taken away")

    def __iter__(self) -> Iterator[str]:
        yield from ("params", "lr")
        yield from self._group.settings.told()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        told = {key: value for key, value in self.items() if key != "params"}
        return f"{{'params': {len(self._group.parameters)} Parameters, {str(told)[1:]}"


def told(group: ParameterGroup) -> str:
    """A group in a line."""
    rate = f"{float(group.lr.value()):.6g}"
    if group.schedule is not None:
        rate += f", by {in_short(group.schedule)}"
    words = [f"{key}={value}" for key, value in GroupWords(group).items() if key not in ("params", "lr")]
    numbers = sum(math.prod(p.shape) for p in group.parameters if p.settled)
    many = f"{len(group.parameters)} Parameters of {numbers:,} numbers"
    return f"  {many}: {', '.join([f'lr={rate}', *words])}"


def as_groups(call: str, parameters: Any) -> list[dict[str, Any]]:
    """What users pass for `parameters`, as a list of dicts with the key `params`.

    They pass Parameters, `(name, Parameter)` pairs (`model.named_parameters()`), or dicts that
    hold either under `params` beside settings of their own.
    """
    if isinstance(parameters, Mapping):
        raise SettingError(f"{call}: pass the parameter groups in a list, [{{'params': ...}}, ...]")
    if hasattr(parameters, "assign") or hasattr(parameters, "parameters"):
        raise SettingError(f"{call}: pass the parameters in a list, or model.parameters()")
    if not isinstance(parameters, Iterable):
        if callable(parameters):
            raise SettingError(f"{call}: the parameters are a function, not called; pass model.parameters()")
        raise SettingError(f"{call}: {in_short(parameters)} holds no parameters; pass model.parameters()")
    given = list(parameters)
    if not given:
        raise SettingError(
            f"{call}: no parameters to train; pass model.parameters() (an iterator that was used up "
            "gives none: make a list of it first)"
        )
    if not isinstance(given[0], Mapping):
        return [{"params": given}]
    for index, group in enumerate(given):
        if not isinstance(group, Mapping) or "params" not in group:
            raise SettingError(
                f"{call}: parameter group {index} must be a dict with the key 'params', not {group!r}"
            )
    return [dict(group) for group in given]


def named(call: str, parameters: Any) -> list[tuple[str | None, Any]]:
    """The parameters of one group, each with the name that was given for it, or None."""
    many = [parameters] if hasattr(parameters, "assign") else parameters
    pairs = [entry if isinstance(entry, tuple) else (None, entry) for entry in many]
    for _, parameter in pairs:
        if not hasattr(parameter, "assign"):
            raise SettingError(f"{call}: {parameter!r} is not a Parameter; pass model.parameters()")
    return pairs


def unique(name: str, taken: Iterable[str], index: int) -> str:
    """A name that no other parameter of the optimiser has.

    Two models in one optimiser may both have a `0.weight`: the second is `0.weight~2`. A
    parameter without a name goes by its place.
    """
    name, others = name or f"parameters.{index}", set(taken)
    found, count = name, 1
    while found in others:
        count += 1
        found = f"{name}~{count}"
    return found
