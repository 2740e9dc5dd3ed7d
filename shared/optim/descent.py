"""Steepest descent, and its momentum."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.optim.optimizer import Optimizer, Slots


class SGD(Optimizer):
    """p - lr g."""

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> tuple[Any, Slots]:
        return p - ops.cast(lr, p.dtype) * g, {}


class Momentum(Optimizer):
    """v = momentum v + g; p - lr v. As `torch.optim.SGD(momentum=...)` (Polyak 1964)."""

    slot_names = ("velocity",)

    def __init__(self, parameters: Any, lr: float, momentum: float = 0.9) -> None:
        super().__init__(parameters, lr)
        self.momentum = float(momentum)

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> tuple[Any, Slots]:
        v = slots["velocity"] * self.momentum + g
        return p - ops.cast(lr, p.dtype) * v, {"velocity": v}
