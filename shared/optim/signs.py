"""Optimisers that go by the signs of gradients."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.errors import SettingError
from shared.optim.groups import Schedule, Settings
from shared.optim.optimizer import Optimizer, Rates, Slots
from shared.usage.numbers import number, pair


class Rprop(Optimizer):
    """p - s sign(g), where each element's step size s, lr at first, grows by etas[1] while the sign of g
    stays and shrinks by etas[0] when it changes (that step is not made), within `step_sizes`. For whole
    batches. Riedmiller and Braun 1993, without going back; as PyTorch has it."""

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize, etas=etas, step_sizes=step_sizes
        )

    def check(self, h: Settings) -> None:
        for name in ("etas", "step_sizes"):
            value = getattr(h, name)
            if not isinstance(value, (tuple, list)) or len(value) != 2:
                raise SettingError(f"Rprop: {name} must be two numbers, not {value!r}")
        shrink, grow = h.etas
        h.etas = (
            number("Rprop", "etas[0]", shrink, below=1, above=True), number("Rprop", "etas[1]", grow, 1.0)
        )  # fmt: skip
        least, most = h.step_sizes
        h.step_sizes = (
            number("Rprop", "step_sizes[0]", least, above=True), number("Rprop", "step_sizes[1]", most, least)
        )  # fmt: skip

    def starts(self, h: Settings) -> dict[str, float]:
        return {"prev": 0.0, "step_size": 0.0}  # no step size is 0 once a step was made

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        (lr,), (shrink, grow) = rates, h.etas
        size = slots["step_size"]
        size = ops.where(ops.equal(size, 0), lr, size)
        turn = g * slots["prev"]
        back, on = ops.less(turn, 0), ops.greater(turn, 0)
        size = ops.clip(ops.where(back, size * shrink, ops.where(on, size * grow, size)), *h.step_sizes)
        g = ops.where(back, 0, g)
        return p - size * ops.sign(g), {"prev": g, "step_size": size}


class Lion(Optimizer):
    """p (1 - lr weight_decay) - lr sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g. Chen et al. 2023,
    "Symbolic discovery of optimization algorithms"; its rates are a third to a tenth of AdamW's."""

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize, betas=betas, weight_decay=weight_decay
        )

    def check(self, h: Settings) -> None:
        h.betas = pair("Lion", "betas", h.betas)
        h.weight_decay = number("Lion", "weight_decay", h.weight_decay)

    def starts(self, h: Settings) -> dict[str, float]:
        return {"exp_avg": 0.0}

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        return lr, 1.0 - lr * h.weight_decay

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        (lr, kept), (b1, b2), m = rates, h.betas, slots["exp_avg"]
        p = p * kept - lr * ops.sign(m * b1 + g * (1 - b1))
        return p, {"exp_avg": m * b2 + g * (1 - b2)}
