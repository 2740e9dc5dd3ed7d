"""Schedules that go up and down again, and those that a function of the user's makes; see
`shared.optim.schedules`, whose kind they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared import ops
from shared.dispatch import tensor_engine
from shared.errors import SettingError
from shared.ops.control import plain_while_loop
from shared.optim.schedules import check
from shared.spec import in_short
from shared.usage.door import methods
from shared.usage.numbers import number

Function = Callable[[Any], Any]


def _annealed(start: Any, end: Any, part: Any, strategy: str) -> Any:
    """From `start` to `end` as `part` goes from 0 to 1: along half a cosine, or straight."""
    if strategy == "cos":
        return end + (start - end) * 0.5 * (ops.cos(part * math.pi) + 1.0)
    return start + (end - start) * part


def _check_strategy(schedule: Any) -> None:
    if schedule.anneal_strategy not in ("cos", "linear"):
        raise SettingError(
            f"{type(schedule).__name__}: anneal_strategy must be 'cos' or 'linear', "
            f"not {schedule.anneal_strategy!r}"
        )


@dataclass(frozen=True)
class OneCycleLR:
    """From max_lr / div_factor up to max_lr in the first `pct_start` of `total_steps` steps, and then down to
    a final_div_factor-th of where it began: Smith and Topin 2019.

    total_steps  may be left out where `epochs` and `steps_per_epoch` are given: it is their product
    three_phase  down to where it began in as many steps as it went up in, and further down from there
    Momentum stays what it is, as with PyTorch's cycle_momentum=False.
    """

    max_lr: float
    total_steps: int | None = None
    epochs: int | None = None
    steps_per_epoch: int | None = None
    pct_start: float = 0.3
    anneal_strategy: str = "cos"
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    three_phase: bool = False

    def __post_init__(self) -> None:
        if self.total_steps is None:
            check(self, epochs=1, steps_per_epoch=1)
        check(self, max_lr=0, **({} if self.total_steps is None else {"total_steps": 1}))
        for name in ("div_factor", "final_div_factor"):
            number("OneCycleLR", name, getattr(self, name), above=True)
        if not 0 <= self.pct_start <= 1:
            raise SettingError(f"OneCycleLR: pct_start must be from 0 to 1, not {self.pct_start!r}")
        _check_strategy(self)

    def __call__(self, step: Any) -> Any:
        first = self.max_lr / self.div_factor
        total = self.total_steps or (self.epochs or 1) * (self.steps_per_epoch or 1)
        up, last = self.pct_start * total - 1, total - 1
        phases = [(up, first, self.max_lr), (last, self.max_lr, first / self.final_div_factor)]
        if self.three_phase:
            phases[1:] = [(2 * up, self.max_lr, first), (last, first, first / self.final_div_factor)]
        step, rate = ops.minimum(step, last), None
        starts = [0.0, *(end for end, _, _ in phases)]
        for start, (end, before, behind) in reversed(list(zip(starts, phases, strict=False))):
            part = (step - start) / (end - start or 1.0)
            here = _annealed(before, behind, part, self.anneal_strategy)
            rate = here if rate is None else ops.where(ops.less_equal(step, end), here, rate)
        return rate


@dataclass(frozen=True)
class CyclicLR:
    """From base_lr to max_lr in `step_size_up` steps and back in `step_size_down` (as many, if None), again
    and again: Smith 2017.

    mode      "triangular"; "triangular2", where each cycle goes half as high as the one before; "exp_range",
              where the height is multiplied by gamma after each step
    scale_fn  a function of the cycle's number, from 1, or, with scale_mode="iterations", of the step, that
              gives what the height is multiplied by, in the place of the mode
    Momentum stays what it is, as with PyTorch's cycle_momentum=False.
    """

    base_lr: float
    max_lr: float
    step_size_up: int = 2000
    step_size_down: int | None = None
    mode: str = "triangular"
    gamma: float = 1.0
    scale_fn: Function | None = None
    scale_mode: str = "cycle"

    def __post_init__(self) -> None:
        check(self, base_lr=0, max_lr=0, step_size_up=1, gamma=0)
        if self.step_size_down is not None:
            check(self, step_size_down=0)
        if self.mode not in ("triangular", "triangular2", "exp_range"):
            raise SettingError(
                f"CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range', not {self.mode!r}"
            )
        if self.scale_mode not in ("cycle", "iterations"):
            raise SettingError(f"CyclicLR: scale_mode is 'cycle' or 'iterations', not {self.scale_mode!r}")

    def __call__(self, step: Any) -> Any:
        up = float(self.step_size_up)
        down = up if self.step_size_down is None else float(self.step_size_down)
        whole, turn = up + down, up / (up + down)
        cycle = ops.floor(step / whole) + 1.0
        at = step / whole + 1.0 - cycle
        part = at / turn
        if down:
            part = ops.where(ops.less_equal(at, turn), part, (at - 1.0) / (turn - 1.0))
        return self.base_lr + (self.max_lr - self.base_lr) * part * self._height(step, cycle)

    def _height(self, step: Any, cycle: Any) -> Any:
        if self.scale_fn is not None:
            return self.scale_fn(cycle if self.scale_mode == "cycle" else step)
        if self.mode == "triangular2":
            return ops.pow(0.5, cycle - 1.0)
        return ops.pow(self.gamma, step) if self.mode == "exp_range" else 1.0


@dataclass(frozen=True)
class CosineAnnealingWarmRestarts:
    """From lr to eta_min along half a cosine in `T_0` steps, then from lr again in T_mult times as many, and
    so on: Loshchilov and Hutter 2017."""

    lr: float
    T_0: int
    T_mult: int = 1
    eta_min: float = 0.0

    def __post_init__(self) -> None:
        check(self, lr=0, T_0=1, T_mult=1, eta_min=0)
        if int(self.T_mult) != self.T_mult:
            raise SettingError(f"CosineAnnealingWarmRestarts: T_mult is a whole number, not {self.T_mult!r}")

    def __call__(self, step: Any) -> Any:
        if self.T_mult == 1:
            part = step / self.T_0
            return _annealed(self.lr, self.eta_min, part - ops.floor(part), "cos")
        grown = step * (self.T_mult - 1) / self.T_0 + 1.0
        count = ops.floor(ops.log(grown) / math.log(self.T_mult) + 0.5)
        # A logarithm may lie on the wrong side of a whole number; what it means does not.
        count = ops.where(ops.greater(ops.pow(self.T_mult, count), grown), count - 1.0, count)
        length = ops.pow(self.T_mult, count) * self.T_0
        start = (length - self.T_0) / (self.T_mult - 1)
        return _annealed(self.lr, self.eta_min, (step - start) / length, "cos")


@dataclass(frozen=True)
class LambdaLR:
    """lr * lr_lambda(step)."""

    lr: float
    lr_lambda: Function

    def __post_init__(self) -> None:
        _check_function(self)

    def __call__(self, step: Any) -> Any:
        return self.lr * self.lr_lambda(step)


@dataclass(frozen=True)
class MultiplicativeLR:
    """lr, multiplied after each step by lr_lambda of the number of steps made.

    As a rate is a function of the step count alone, every factor so far is computed for each rate: where
    their product has a formula, LambdaLR of it is quicker.
    """

    lr: float
    lr_lambda: Function

    def __post_init__(self) -> None:
        _check_function(self)

    def __call__(self, step: Any) -> Any:
        def longer(at: Any, product: Any) -> Any:
            return at + 1.0, product * self.lr_lambda(at)

        start = step * 0.0
        loop = plain_while_loop if tensor_engine((start,)) is None else ops.while_loop  # of arrays: now
        return loop(lambda at, _: ops.less_equal(at, step), longer, [start + 1.0, start + self.lr], None)[1]


@dataclass(frozen=True)
class SWALR:
    """From lr to swa_lr in `anneal_epochs` steps, and swa_lr from then on: for averaged weights."""

    lr: float
    swa_lr: float
    anneal_epochs: int = 10
    anneal_strategy: str = "cos"

    def __post_init__(self) -> None:
        check(self, lr=0, swa_lr=0, anneal_epochs=0)
        _check_strategy(self)

    def __call__(self, step: Any) -> Any:
        part = ops.minimum(step / self.anneal_epochs if self.anneal_epochs else step * 0.0 + 1.0, 1.0)
        return _annealed(self.lr, self.swa_lr, part, self.anneal_strategy)


for _kind in (OneCycleLR, CyclicLR, CosineAnnealingWarmRestarts, LambdaLR, MultiplicativeLR, SWALR):
    methods(_kind, "__call__")


def _check_function(schedule: Any) -> None:
    check(schedule, lr=0)
    if not callable(schedule.lr_lambda):
        given = in_short(schedule.lr_lambda)
        raise SettingError(f"{type(schedule).__name__}: lr_lambda must be a function, not {given}")
