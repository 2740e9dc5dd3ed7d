"""A learning rate that goes down when training gets no better: the one thing here that watches."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import SettingError, StateError
from shared.optim.optimizer import Optimizer
from shared.usage.door import methods
from shared.usage.numbers import number

_UNSAID: Any = object()


class ReduceLROnPlateau:
    """Multiplies the learning rates by `factor` when a metric has not improved for a while.

        plateau = ReduceLROnPlateau(opt, patience=5)
        ...
        plateau.step(validation_loss)                     # dynamic
        plateau.step(validation_loss, session=session)    # static, where the rate lives in a session

    mode            "min" if smaller is better, else "max"
    patience        how many steps without an improvement pass before the rate is lowered
    threshold       how much better counts: relative to the size of the best so far, or, with
                    threshold_mode="abs", absolute
    cooldown        how many steps after a lowering are not counted
    min_lr          no rate goes below it
    eps             a change smaller than this is not made
    As `torch.optim.lr_scheduler.ReduceLROnPlateau`, but below zero too, where that takes worse for better.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        call = type(self).__name__
        if mode not in ("min", "max"):
            raise SettingError(f"{call}: mode must be 'min' or 'max', not {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise SettingError(f"{call}: threshold_mode must be 'rel' or 'abs', not {threshold_mode!r}")
        self.rates = [lr for lr, schedule in optimizer.learning_rates().items() if schedule is None]
        if not self.rates:
            raise SettingError(f"{call}: a schedule decides this optimiser's rate; give it a number as lr")
        self.optimizer, self.mode, self.threshold_mode = optimizer, mode, threshold_mode
        self.factor = number(call, "factor", factor, below=1)
        self.patience = int(number(call, "patience", patience))
        self.threshold = number(call, "threshold", threshold)
        self.cooldown = int(number(call, "cooldown", cooldown))
        self.min_lr = number(call, "min_lr", min_lr)
        self.eps = number(call, "eps", eps)
        self.best = np.inf if mode == "min" else -np.inf
        self.bad_steps = self.cooling = 0

    def step(self, metric: Any, session: Any = _UNSAID) -> bool:
        """Take in a new value of the metric; lower the rates if it is time. True if any changed.

        session: the static session that trains. An optimiser that has built a graph must say
        which; None then means the values that the optimiser itself holds.
        """
        if session is _UNSAID:
            if self.optimizer.minimized:
                raise SettingError(
                    "ReduceLROnPlateau.step: this optimiser has built a graph, whose learning rate lives in "
                    "a session; pass session=session (or session=None for the optimiser's own)"
                )
            session = None
        if self._improved(float(metric)):
            self.best, self.bad_steps = float(metric), 0
        else:
            self.bad_steps += 1
        if self.cooling:
            self.cooling -= 1
            self.bad_steps = 0
        if self.bad_steps <= self.patience:
            return False
        self.cooling, self.bad_steps = self.cooldown, 0
        return self._lower(session)

    def _improved(self, metric: float) -> bool:
        margin = self.threshold * abs(self.best) if self.threshold_mode == "rel" else self.threshold
        if not np.isfinite(self.best):
            margin = 0.0
        return metric < self.best - margin if self.mode == "min" else metric > self.best + margin

    def _lower(self, session: Any) -> bool:
        changed = False
        for lr in self.rates:
            if session is not None:
                session.store(lr)
            old = float(lr.data)
            new = max(old * self.factor, self.min_lr)
            if old - new > self.eps:
                lr.data, changed = np.array(new), True
                if session is not None:
                    session.load(lr)
        return changed

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, as 0-d arrays. The rates are in the optimiser's own state_dict."""
        return {name: np.array(getattr(self, name)) for name in ("best", "bad_steps", "cooling")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        if state.keys() != self.state_dict().keys():
            raise StateError(
                f"ReduceLROnPlateau.load_state_dict: takes {sorted(self.state_dict())}, not {sorted(state)}"
            )
        self.best = float(state["best"])
        self.bad_steps, self.cooling = int(state["bad_steps"]), int(state["cooling"])


methods(ReduceLROnPlateau)
