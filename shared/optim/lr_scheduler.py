"""PyTorch's schedulers: objects that are stepped and set an optimiser's rates, over the schedules of this
package.

    scheduler = lr_scheduler.StepLR(opt, step_size=30)
    ...
    scheduler.step()

They work where steps are made by `opt.step()`, or by sessions: a rate that is set is followed. A schedule
that is given as `lr=` needs no stepping, and goes on by itself when training is resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from shared.errors import SettingError, StateError
from shared.optim import cycles, schedules
from shared.optim.optimizer import Optimizer
from shared.optim.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from shared.usage.door import methods


class LRScheduler:
    """Sets the rate of each group of an optimiser to what its schedule says of the number of `step()`s so
    far.

    made  from the rate that a group has now, and the number of the first group that has it, its schedule
    """

    def __init__(self, optimizer: Optimizer, made: Callable[[float, int], Callable[[Any], Any]]) -> None:
        if not isinstance(optimizer, Optimizer):
            raise SettingError(
                f"{type(self).__name__}: the first argument is an optimiser, not "
                f"{type(optimizer).__name__}; as a "
                "schedule write optim.SGD(parameters, lr=optim.StepLR(0.1, 30))"
            )
        self.optimizer, self.last_epoch = optimizer, 0
        if any(group.schedule is not None for group in optimizer.groups):
            raise SettingError(
                f"{type(self).__name__}: a schedule decides this optimiser's rate; give it a number "
                "as lr"
            )
        first: dict[Any, int] = {}
        for i, group in enumerate(optimizer.groups):
            first.setdefault(group.lr, i)
        self.base_lrs, self._rates = [float(rate.value()) for rate in first], list(first)
        self._made, self._first = made, list(first.values())
        self._schedule()
        self._set()

    def _schedule(self) -> None:
        begun = zip(self.base_lrs, self._first, strict=True)
        self._schedules = [self._made(base, group) for base, group in begun]

    def step(self, epoch: int | None = None) -> None:
        """One epoch (or batch) more, or the number of one."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set()

    def _set(self) -> None:
        for rate, schedule in zip(self._rates, self._schedules, strict=True):
            rate.data = np.asarray(float(schedule(np.float64(self.last_epoch))), np.float64)

    def get_last_lr(self) -> list[float]:
        """The rates of all groups as they are now."""
        return [float(group.lr.value()) for group in self.optimizer.groups]

    def state_dict(self) -> dict[str, Any]:
        """How many steps there were, and the rates at the beginning."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where `state_dict` was taken."""
        if set(state) != {"last_epoch", "base_lrs"} or len(state["base_lrs"]) != len(self.base_lrs):
            raise StateError(f"{type(self).__name__}.load_state_dict: this is no state of such a scheduler")
        self.last_epoch, self.base_lrs = int(state["last_epoch"]), [float(lr) for lr in state["base_lrs"]]
        self._schedule()
        self._set()


def _refuse_begun(kind: str, last_epoch: int) -> None:
    if last_epoch != -1:
        raise SettingError(
            f"{kind}: last_epoch={last_epoch}: a scheduler begins at the beginning; to go on from where "
            "another stood, load_state_dict(its state_dict()), or step(epoch)"
        )


class LambdaLR(LRScheduler):
    """The rate at the beginning times what a function says of the number of steps."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        _refuse_begun("LambdaLR", last_epoch)
        many = list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * len(optimizer.groups)
        if len(many) != len(optimizer.groups):
            raise SettingError(f"LambdaLR: {len(many)} functions for {len(optimizer.groups)} groups")
        chosen: dict[Any, Any] = {}
        for group, function in zip(optimizer.groups, many, strict=True):
            if chosen.setdefault(group.lr, function) is not function:
                raise SettingError(
                    "LambdaLR: groups that have one rate can not have two functions; give each group an lr "
                    "of its own"
                )
        super().__init__(optimizer, lambda base, group: _times(base, many[group]))


def _times(base: float, function: Callable[[int], float]) -> Callable[[Any], Any]:
    return lambda step: base * function(int(step))


def _stepped(kind: Any) -> type[LRScheduler]:
    """The scheduler of a schedule: an optimiser in the place of the rate that it begins with, if it is told
    one, and else before its arguments."""
    told = "lr" in kind.__annotations__

    def __init__(
        self: Any, optimizer: Optimizer, *args: Any, last_epoch: int = -1, cycle_momentum: bool = False,
        **settings: Any,
    ) -> None:  # fmt: skip
        if cycle_momentum:
            raise SettingError(f"{kind.__name__}: the momentum stays what it is; leave cycle_momentum out")
        _refuse_begun(kind.__name__, last_epoch)
        LRScheduler.__init__(
            self, optimizer, lambda base, _: kind(*((base, *args) if told else args), **settings)
        )

    words = {"__init__": __init__, "__doc__": f"{kind.__doc__} Stepped, of an optimiser's own rate.",
             "__module__": __name__}  # fmt: skip
    return type(kind.__name__, (LRScheduler,), words)


methods(LRScheduler)


def __getattr__(name: str) -> Any:
    kind = getattr(schedules, name, None) or getattr(cycles, name, None)
    if name.startswith("_") or not is_dataclass(kind) or name in ("SequentialLR", "ChainedScheduler"):
        raise AttributeError(
            f"optim.lr_scheduler.{name}: there is no such scheduler; any function of the number "
            "of steps does as well: "
            "write lr_scheduler.LambdaLR(opt, function)"
        )
    globals()[name] = _stepped(kind)
    return globals()[name]
