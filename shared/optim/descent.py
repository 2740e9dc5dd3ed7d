"""Steepest descent, with and without momentum."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.errors import SettingError
from shared.optim.checks import number
from shared.optim.groups import Schedule, Settings
from shared.optim.optimizer import Optimizer, Rates, Slots


class SGD(Optimizer):
    """p - lr g; with momentum (Polyak 1964) v = momentum v + (1 - dampening) g and p - lr v.

    weight_decay  adds weight_decay * p to g
    nesterov      p - lr (g + momentum v) (Sutskever, Martens, Dahl and Hinton 2013)
    As `torch.optim.SGD`: dampening does not act on a parameter's first step.
    """

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value,
            momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov,
        )  # fmt: skip

    def check(self, h: Settings) -> None:
        for name in ("momentum", "dampening", "weight_decay"):
            setattr(h, name, number("SGD", name, getattr(h, name)))
        if h.nesterov and (not h.momentum or h.dampening):
            raise SettingError("SGD: nesterov needs a momentum above 0 and a dampening of 0")

    def starts(self, h: Settings) -> dict[str, float]:
        if not h.momentum:
            return {}
        return {"momentum_buffer": 0.0, **({"step": 0.0} if h.dampening else {})}

    def rates(self, lr: Any, t: Any, h: Settings) -> Rates:
        if h.momentum and h.dampening:
            return ops.neg(lr), 1.0 - ops.cast(ops.not_equal(t, 1.0), "float64") * h.dampening
        return (ops.neg(lr),)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        downhill, *share = rates
        if h.weight_decay:
            g = p * h.weight_decay + g
        if not h.momentum:
            return p + downhill * g, {}
        v = slots["momentum_buffer"] * h.momentum + (g * share[0] if share else g)
        return p + downhill * (v * h.momentum + g if h.nesterov else v), {"momentum_buffer": v}
