"""Learning-rate schedules: pure functions of the number of steps made so far, written in ops.

    opt = SGD(model.parameters(), lr=CosineAnnealingLR(0.1, T_max=1000))

Their names and numbers are PyTorch's, except that the first argument is the rate to start from
and that the optimiser calls them by itself, once in every step. They count steps, not epochs:
multiply by the number of batches in an epoch. As the rate is computed from the step count on the
engine that trains, a resumed run goes on where it was, and no graph is built again.

Any other callable does as well: `lr=lambda step: 0.1 / (1 + step)`. `step` is 0-d float64; write
`ops.where`, not `if`, so that it can be part of a graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError
from shared.spec import is_weak
from shared.usage.door import methods
from shared.usage.numbers import number


def rate_after(call: str, steps: Any, schedule: Callable[[Any], Any] | None, lr: Any) -> Any:
    """The rate of the step after `steps` finished ones, as a 0-d float64 of the engine that `steps` is of:
    what the schedule says, or `lr` where there is none."""
    if schedule is None:
        return lr
    rate = schedule(steps)
    shape = getattr(rate, "shape", () if is_weak(rate) else None)
    if shape is None or tuple(shape):
        raise SettingError(f"{call}: a schedule gives one number, but {schedule!r} gave {rate!r}")
    if is_weak(rate) or isinstance(rate, (np.ndarray, np.generic)):
        return steps * 0.0 + float(rate)  # a number, made a value of the engine that `steps` is of
    return rate if rate.dtype == np.float64 else ops.cast(rate, "float64")


@dataclass(frozen=True)
class ConstantLR:
    """lr * factor for the first `total_iters` steps, lr from then on."""

    lr: float
    factor: float = 1 / 3
    total_iters: int = 5

    def __post_init__(self) -> None:
        check(self, lr=0, factor=0, total_iters=0)

    def __call__(self, step: Any) -> Any:
        low = step * 0.0 + self.lr * self.factor  # in double precision, as the step is
        return ops.where(ops.less(step, self.total_iters), low, self.lr)


@dataclass(frozen=True)
class LinearLR:
    """From lr * start_factor to lr * end_factor in `total_iters` equal steps: a warm-up."""

    lr: float
    start_factor: float = 1 / 3
    end_factor: float = 1.0
    total_iters: int = 5

    def __post_init__(self) -> None:
        check(self, lr=0, start_factor=0, end_factor=0, total_iters=1)

    def __call__(self, step: Any) -> Any:
        part = ops.minimum(step, self.total_iters) / self.total_iters
        return self.lr * (self.start_factor + (self.end_factor - self.start_factor) * part)


@dataclass(frozen=True)
class StepLR:
    """lr, multiplied by gamma after every `step_size` steps."""

    lr: float
    step_size: int
    gamma: float = 0.1

    def __post_init__(self) -> None:
        check(self, lr=0, step_size=1, gamma=0)

    def __call__(self, step: Any) -> Any:
        return self.lr * ops.pow(self.gamma, ops.cast(ops.cast(step / self.step_size, "int64"), "float64"))


@dataclass(frozen=True)
class MultiStepLR:
    """lr, multiplied by gamma when the step count reaches each of `milestones`."""

    lr: float
    milestones: tuple[int, ...]
    gamma: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "milestones", tuple(self.milestones))
        check(self, lr=0, gamma=0)

    def __call__(self, step: Any) -> Any:
        passed = step * 0.0
        for milestone in self.milestones:
            passed = passed + ops.cast(ops.greater_equal(step, milestone), "float64")
        return self.lr * ops.pow(self.gamma, passed)


@dataclass(frozen=True)
class ExponentialLR:
    """lr * gamma ** step."""

    lr: float
    gamma: float

    def __post_init__(self) -> None:
        check(self, lr=0, gamma=0)

    def __call__(self, step: Any) -> Any:
        return self.lr * ops.pow(self.gamma, step)


@dataclass(frozen=True)
class PolynomialLR:
    """lr * (1 - step / total_iters) ** power, and 0 from then on."""

    lr: float
    total_iters: int = 5
    power: float = 1.0

    def __post_init__(self) -> None:
        check(self, lr=0, total_iters=1, power=0)

    def __call__(self, step: Any) -> Any:
        return self.lr * ops.pow(1.0 - ops.minimum(step, self.total_iters) / self.total_iters, self.power)


@dataclass(frozen=True)
class CosineAnnealingLR:
    """From lr to eta_min along half a cosine in `T_max` steps, then back up, and so on.

    Loshchilov and Hutter 2017, equation 5, without restarts.
    """

    lr: float
    T_max: int
    eta_min: float = 0.0

    def __post_init__(self) -> None:
        check(self, lr=0, T_max=1, eta_min=0)

    def __call__(self, step: Any) -> Any:
        return self.eta_min + (self.lr - self.eta_min) * 0.5 * (1.0 + ops.cos(step * (math.pi / self.T_max)))


@dataclass(frozen=True)
class SequentialLR:
    """One schedule after the other: the next one takes over, from its own step 0, when the step
    count reaches its milestone. There is one milestone less than schedules.

        SequentialLR([LinearLR(0.1, 0.01, total_iters=100), CosineAnnealingLR(0.1, 900)], [100])
    """

    schedules: tuple[Callable[[Any], Any], ...]
    milestones: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", tuple(self.schedules))
        object.__setattr__(self, "milestones", tuple(self.milestones))
        rising = list(self.milestones) == sorted(set(self.milestones))
        if len(self.milestones) != len(self.schedules) - 1 or not rising:
            raise SettingError(
                f"SequentialLR: {len(self.schedules)} schedules need {len(self.schedules) - 1} "
                f"milestones, each larger than the one before, not {self.milestones}"
            )

    def __call__(self, step: Any) -> Any:
        rate = self.schedules[0](step)
        for schedule, start in zip(self.schedules[1:], self.milestones, strict=True):
            # before its own start a schedule is asked for step 0, where every schedule has a rate
            rate = ops.where(ops.less(step, start), rate, schedule(ops.maximum(step - start, 0.0)))
        return rate


@dataclass(frozen=True)
class ChainedScheduler:
    """The product of schedules; give all but one of them lr = 1.

    ChainedScheduler([CosineAnnealingLR(0.1, 1000), LinearLR(1.0, 0.01, total_iters=100)])
    """

    schedules: tuple[Callable[[Any], Any], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", tuple(self.schedules))
        if not self.schedules:
            raise SettingError("ChainedScheduler: pass one schedule or more")

    def __call__(self, step: Any) -> Any:
        rate = self.schedules[0](step)
        for schedule in self.schedules[1:]:
            rate = rate * schedule(step)
        return rate


for _kind in (
    ConstantLR, LinearLR, StepLR, MultiStepLR, ExponentialLR, PolynomialLR, CosineAnnealingLR, SequentialLR,
    ChainedScheduler,
):  # fmt: skip
    methods(_kind, "__call__")


def check(schedule: Any, **least: float) -> None:
    """SettingError unless these fields are numbers, from these on."""
    for name, low in least.items():
        number(type(schedule).__name__, name, getattr(schedule, name), low)
