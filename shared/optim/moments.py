"""Kin of Adam: other norms, other corrections of what starts at zero."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.optim.adaptive import decayed
from shared.optim.groups import Schedule, Settings
from shared.optim.optimizer import Optimizer, Rates, Slots
from shared.usage.numbers import number, pair


class Adamax(Optimizer):
    """m = b1 m + (1 - b1) g; u = max(b2 u, |g| + eps); p - lr / (1 - b1^t) m / u. Kingma and Ba 2015,
    section 7; as PyTorch has it."""

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize, betas=betas, eps=eps, weight_decay=weight_decay
        )

    def check(self, h: Settings) -> None:
        h.betas = pair("Adamax", "betas", h.betas)
        h.eps = number("Adamax", "eps", h.eps, above=True)  # at 0, a gradient of 0 would be 0 / 0
        h.weight_decay = number("Adamax", "weight_decay", h.weight_decay)

    def starts(self, h: Settings) -> dict[str, float]:
        return dict.fromkeys(("step", "exp_avg", "exp_inf"), 0.0)

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        return (lr / (1.0 - ops.pow(h.betas[0], now["step"])),)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        (lr,), (b1, b2) = rates, h.betas
        g = decayed(p, g, h)
        m = slots["exp_avg"] * b1 + g * (1 - b1)
        u = ops.maximum(slots["exp_inf"] * b2, ops.abs(g) + h.eps)
        return p - lr * m / u, {"exp_avg": m, "exp_inf": u}


class _Corrected(Optimizer):
    """What NAdam and RAdam share: the moments m and v of Adam, and two ways of weight decay.

    weight_decay  adds weight_decay * p to g or, with `decoupled_weight_decay`, first scales p by
                  1 - lr weight_decay, as AdamW does
    """

    elementwise = True

    def check(self, h: Settings) -> None:
        h.betas = pair(self._kind, "betas", h.betas)
        for name in ("eps", "weight_decay"):
            setattr(h, name, number(self._kind, name, getattr(h, name)))

    def starts(self, h: Settings) -> dict[str, float]:
        return dict.fromkeys(("step", "exp_avg", "exp_avg_sq"), 0.0)

    def _kept(self, lr: Any, h: Settings) -> Rates:
        """What p is scaled by first, if it is."""
        return (1.0 - lr * h.weight_decay,) if h.decoupled_weight_decay and h.weight_decay else ()

    def _moved(self, p: Any, g: Any, slots: Slots, kept: Any, h: Settings) -> tuple[Any, Any, Slots]:
        """p and g after the decay, and the new moments."""
        p, g = (p * kept[0], g) if kept else (p, g if h.decoupled_weight_decay else decayed(p, g, h))
        b1, b2 = h.betas
        m = slots["exp_avg"] * b1 + g * (1 - b1)
        v = slots["exp_avg_sq"] * b2 + g * g * (1 - b2)
        return p, g, {"exp_avg": m, "exp_avg_sq": v}


class NAdam(_Corrected):
    """Adam with Nesterov's momentum: p - lr ((1 - mu) / (1 - M) g + mu' / (1 - M mu') m) / (sqrt(v') + eps),
    with mu = b1 (1 - 0.96^(t momentum_decay) / 2), mu' that of the next step, and M the product of all mu so
    far. Dozat 2016; as PyTorch has it.

    weight_decay  adds weight_decay * p to g or, with `decoupled_weight_decay`, first scales p by
                  1 - lr weight_decay, as AdamW does
    """

    numbers = ("step", "mu_product")

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize, betas=betas, eps=eps, weight_decay=weight_decay,
            momentum_decay=momentum_decay, decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def check(self, h: Settings) -> None:
        super().check(h)
        h.momentum_decay = number("NAdam", "momentum_decay", h.momentum_decay)

    def starts(self, h: Settings) -> dict[str, float]:
        return {**super().starts(h), "mu_product": 1.0}

    @staticmethod
    def _mu(t: Any, h: Settings) -> Any:
        return h.betas[0] * (1.0 - 0.5 * ops.pow(0.96, t * h.momentum_decay))

    def tally(self, numbers: Slots, h: Settings) -> Slots:
        t = numbers["step"] + 1
        return {"step": t, "mu_product": numbers["mu_product"] * self._mu(t, h)}

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        t, product = now["step"], now["mu_product"]
        mu, then = self._mu(t, h), self._mu(t + 1, h)
        of_g, of_m = lr * (1.0 - mu) / (1.0 - product), lr * then / (1.0 - product * then)
        return of_g, of_m, ops.sqrt(1.0 - ops.pow(h.betas[1], t)), *self._kept(lr, h)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        of_g, of_m, scale, *kept = rates
        p, g, moved = self._moved(p, g, slots, kept, h)
        d = ops.sqrt(moved["exp_avg_sq"]) / scale + h.eps
        return p - (g * of_g + moved["exp_avg"] * of_m) / d, moved


class RAdam(_Corrected):
    """Adam whose early steps, while v says little yet, are taken without it: p - lr m' r / (sqrt(v') + eps),
    or p - lr m' where the length of the average, rho = r8 - 2 t b2^t / (1 - b2^t) with r8 = 2 / (1 - b2) - 1,
    is 5 or less; r^2 = (rho - 4) (rho - 2) r8 / ((r8 - 4) (r8 - 2) rho). Liu et al. 2020; as in PyTorch.

    weight_decay  adds weight_decay * p to g or, with `decoupled_weight_decay`, first scales p by
                  1 - lr weight_decay, as AdamW does
    """

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize, betas=betas, eps=eps, weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        t, (b1, b2) = now["step"], h.betas
        decay, longest = ops.pow(b2, t), 2 / (1 - b2) - 1
        rho = longest - 2.0 * t * decay / (1.0 - decay)
        long = ops.maximum(rho, 5.0)  # below, the square root may not exist, and is not used
        square = (long - 4.0) * (long - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * long)
        known = ops.greater(rho, 5.0)
        rectified = ops.where(known, ops.sqrt(ops.abs(square) * (1.0 - decay)), 0.0)
        return lr / (1.0 - ops.pow(b1, t)), rectified, *self._kept(lr, h)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        lr, rectified, *kept = rates
        p, g, moved = self._moved(p, g, slots, kept, h)
        adapted = rectified / (ops.sqrt(moved["exp_avg_sq"]) + h.eps)
        return p - lr * moved["exp_avg"] * ops.where(ops.greater(rectified, 0.0), adapted, 1.0), moved
