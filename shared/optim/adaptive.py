"""Optimisers whose step adapts to each parameter's gradients."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.optim.optimizer import Optimizer, Slots


class Adam(Optimizer):
    """Kingma and Ba 2015, algorithm 1, with PyTorch's defaults."""

    slot_names = ("m", "v")

    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        self.betas, self.eps = (float(betas[0]), float(betas[1])), float(eps)

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> tuple[Any, Slots]:
        b1, b2 = self.betas
        m = slots["m"] * b1 + g * (1 - b1)
        v = slots["v"] * b2 + g * g * (1 - b2)
        step = ops.cast(lr / (1 - ops.pow(b1, t)), p.dtype)
        scale = ops.cast(ops.sqrt(1 - ops.pow(b2, t)), p.dtype)
        return p - step * m / (ops.sqrt(v) / scale + self.eps), {"m": m, "v": v}
