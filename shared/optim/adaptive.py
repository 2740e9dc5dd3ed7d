"""Optimisers whose step adapts to each element's own gradients."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.optim.groups import Schedule, Settings
from shared.optim.optimizer import Optimizer, Rates, Slots
from shared.usage.numbers import number, pair


def decayed(p: Any, g: Any, h: Settings) -> Any:
    """The gradient of the loss plus weight_decay / 2 times the square of p."""
    return p * h.weight_decay + g if h.weight_decay else g


class Adagrad(Optimizer):
    """s = s + g^2; p - lr g / (sqrt(s) + eps). Duchi, Hazan and Singer 2011; as PyTorch has it.

    lr_decay  the rate of a parameter's t-th step is lr / (1 + (t - 1) lr_decay)
    """

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize, lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, eps=eps,
        )  # fmt: skip

    def check(self, h: Settings) -> None:
        for name in ("lr_decay", "weight_decay", "initial_accumulator_value", "eps"):
            setattr(h, name, number("Adagrad", name, getattr(h, name)))

    def starts(self, h: Settings) -> dict[str, float]:
        return {"sum": h.initial_accumulator_value, **({"step": 0.0} if h.lr_decay else {})}

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        return (lr / ((now["step"] - 1.0) * h.lr_decay + 1.0) if h.lr_decay else lr,)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        (lr,) = rates
        g = decayed(p, g, h)
        s = g * g + slots["sum"]
        return p - lr * g / (ops.sqrt(s) + h.eps), {"sum": s}


class Adadelta(Optimizer):
    """s = rho s + (1 - rho) g^2; d = g sqrt(a + eps) / sqrt(s + eps); a = rho a + (1 - rho) d^2;
    p - lr d. Zeiler 2012; as PyTorch has it."""

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize, rho=rho, eps=eps, weight_decay=weight_decay
        )

    def check(self, h: Settings) -> None:
        h.rho = number("Adadelta", "rho", h.rho, below=1)
        h.eps = number("Adadelta", "eps", h.eps, above=True)  # at 0 the first step would be 0 / 0
        h.weight_decay = number("Adadelta", "weight_decay", h.weight_decay)

    def starts(self, h: Settings) -> dict[str, float]:
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        (lr,) = rates
        g = decayed(p, g, h)
        s = slots["square_avg"] * h.rho + g * g * (1 - h.rho)
        d = ops.sqrt(slots["acc_delta"] + h.eps) / ops.sqrt(s + h.eps) * g
        a = slots["acc_delta"] * h.rho + d * d * (1 - h.rho)
        return p - lr * d, {"square_avg": s, "acc_delta": a}


class RMSprop(Optimizer):
    """s = alpha s + (1 - alpha) g^2; p - lr g / (sqrt(s) + eps). Hinton's lecture 6e, 2012.

    centered  m = alpha m + (1 - alpha) g, and s - m^2 in the place of s: the variance (Graves
              2013), taken as 0 where rounding makes it negative
    momentum  v = momentum v + g / (sqrt(s) + eps); p - lr v
    As PyTorch has it, whose eps stands outside the root.
    """

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize,
            alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered,
        )  # fmt: skip

    def check(self, h: Settings) -> None:
        h.alpha = number("RMSprop", "alpha", h.alpha, below=1)
        for name in ("eps", "weight_decay", "momentum"):
            setattr(h, name, number("RMSprop", name, getattr(h, name)))

    def starts(self, h: Settings) -> dict[str, float]:
        wanted = {"square_avg": True, "grad_avg": h.centered, "momentum_buffer": h.momentum}
        return {name: 0.0 for name, want in wanted.items() if want}

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        (lr,) = rates
        g = decayed(p, g, h)
        s = slots["square_avg"] * h.alpha + g * g * (1 - h.alpha)
        moved, spread = {"square_avg": s}, s
        if h.centered:
            m = moved["grad_avg"] = slots["grad_avg"] * h.alpha + g * (1 - h.alpha)
            spread = ops.maximum(s - m * m, 0.0)
        d = g / (ops.sqrt(spread) + h.eps)
        if h.momentum:
            d = moved["momentum_buffer"] = slots["momentum_buffer"] * h.momentum + d
        return p - lr * d, moved


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p - lr m' / (sqrt(v') + eps), with m' and v'
    freed of their bias towards 0. Kingma and Ba 2015, with PyTorch's defaults.

    weight_decay  adds weight_decay * p to g
    amsgrad       the largest v so far in the place of v (Reddi, Kale and Kumar 2018)

    Both corrections are numbers of the step alone, and go into the rate and eps (section 2 of
    the paper). Each parameter's steps are counted for themselves, so one that is unfrozen late
    starts as a new one does.
    """

    elementwise = True

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, clip_norm, clip_value, maximize,
            betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
        )  # fmt: skip

    def check(self, h: Settings) -> None:
        h.betas = pair(self._kind, "betas", h.betas)
        h.eps = number(self._kind, "eps", h.eps)
        h.weight_decay = number(self._kind, "weight_decay", h.weight_decay)

    def starts(self, h: Settings) -> dict[str, float]:
        names = ("step", "exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if h.amsgrad else ()))
        return dict.fromkeys(names, 0.0)

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        b1, b2 = h.betas
        scale = ops.sqrt(1.0 - ops.pow(b2, now["step"]))
        return lr * scale / (1.0 - ops.pow(b1, now["step"])), scale * h.eps

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        return self._descend(p, decayed(p, g, h), slots, rates, h)

    def _descend(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        step, eps = rates
        b1, b2 = h.betas
        m = slots["exp_avg"] * b1 + g * (1 - b1)
        v = slots["exp_avg_sq"] * b2 + g * g * (1 - b2)
        moved, largest = {"exp_avg": m, "exp_avg_sq": v}, v
        if h.amsgrad:
            largest = moved["max_exp_avg_sq"] = ops.maximum(slots["max_exp_avg_sq"], v)
        return p - step * m / (ops.sqrt(largest) + eps), moved


class AdamW(Adam):
    """Adam with p first scaled by 1 - lr weight_decay, apart from the gradient (Loshchilov and
    Hutter 2019)."""

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, betas, eps, weight_decay, amsgrad,
            maximize=maximize, clip_norm=clip_norm, clip_value=clip_value,
        )  # fmt: skip

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        return (*super().rates(lr, now, h), 1.0 - lr * h.weight_decay)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        *adam, kept = rates
        return self._descend(p * kept, g, slots, tuple(adam), h)
