"""Steepest descent, with and without momentum."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.errors import SettingError
from shared.optim.groups import Schedule, Settings
from shared.optim.optimizer import Optimizer, Rates, Slots
from shared.usage.numbers import number


class SGD(Optimizer):
    """p - lr g; with momentum (Polyak 1964) v = momentum v + (1 - dampening) g and p - lr v.

    weight_decay  adds weight_decay * p to g
    nesterov      p - lr (g + momentum v) (Sutskever, Martens, Dahl and Hinton 2013)
    As `torch.optim.SGD`: dampening does not act on a parameter's first step.
    """

    elementwise = linear = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize,
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

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        if h.momentum and h.dampening:
            return ops.neg(lr), 1.0 - ops.cast(ops.not_equal(now["step"], 1.0), "float64") * h.dampening
        return (ops.neg(lr),)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        downhill, *share = rates
        if h.weight_decay:
            g = p * h.weight_decay + g
        if not h.momentum:
            return p + downhill * g, {}
        v = slots["momentum_buffer"] * h.momentum + (g * share[0] if share else g)
        return p + downhill * (v * h.momentum + g if h.nesterov else v), {"momentum_buffer": v}


class ASGD(Optimizer):
    """p (1 - lambd e) - e g with e = lr / (1 + lambd lr t)^alpha, and the average of all p since step t0,
    which is kept beside: `opt.slots(p)["ax"]`. Polyak and Juditsky 1992; as PyTorch has it, t being the
    steps before this one."""

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize,
            lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay,
        )  # fmt: skip

    def check(self, h: Settings) -> None:
        for name in ("lambd", "alpha", "t0", "weight_decay"):
            setattr(h, name, number("ASGD", name, getattr(h, name)))

    def starts(self, h: Settings) -> dict[str, float]:
        return {"step": 0.0, "ax": 0.0}

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        before = now["step"] - 1.0
        eta = lr / ops.pow(1.0 + h.lambd * lr * before, h.alpha)
        return eta, 1.0 - h.lambd * eta, 1.0 / ops.maximum(before - h.t0, 1.0)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        eta, kept, share = rates
        if h.weight_decay:
            g = p * h.weight_decay + g
        p = p * kept - eta * g
        ax = slots["ax"]
        return p, {"ax": ops.where(ops.equal(share, 1.0), p, ax + (p - ax) * share)}
