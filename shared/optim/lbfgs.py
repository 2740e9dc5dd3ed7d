"""LBFGS: a quasi-Newton method, which asks for the loss several times in a step."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from shared.arrays import array_module
from shared.durable import interrupts
from shared.errors import EngineError, GradientError, SettingError
from shared.optim.groups import Schedule, Settings
from shared.optim.optimizer import Optimizer
from shared.optim.raw import raw
from shared.optim.schedules import rate_after
from shared.optim.wolfe import Place, strong_wolfe
from shared.usage.door import methods
from shared.usage.numbers import number

CURVED = 1e-10
"""A pair of differences is kept if their product is above this: else the Hessian would not be positive."""


class LBFGS(Optimizer):
    """Liu and Nocedal 1989; as PyTorch has it, to the order of the calls.

        def closure():
            opt.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            return loss

        opt.step(closure)

    A step makes up to `max_iter` iterations, each of which asks the closure for the loss and its gradients:
    once, or, with `line_search_fn="strong_wolfe"`, until the step along the direction is good.

    lr                the length of a step along the direction, or the first that is tried
    max_eval          how often a step may ask; by default 5/4 of max_iter
    tolerance_grad    it stops where no element of the gradient is larger
    tolerance_change  and where neither the parameters nor the loss change by more
    history_size      how many pairs of differences are remembered

    It runs where its Parameters hold their values, with the gradients that the closure leaves in `.grad`.
    A graph is asked in the same way: the closure does `session.load(*parameters)`, runs loss and gradients,
    and sets each `.grad` to the array that it got. `minimize` is refused, for how often a step asks depends
    on what it is told. The Parameters are one group of one dtype. What is remembered is not saved: after
    `load` it begins anew, down the gradient.
    """

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(
            parameters, lr, max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval, tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change, history_size=history_size, line_search_fn=line_search_fn,
        )  # fmt: skip
        if len(self.groups) > 1 or len({parameter.dtype for parameter in self.parameters}) > 1:
            raise SettingError("LBFGS: takes one group of parameters of one dtype, for they are one vector")
        self._memory = _Memory(self.defaults.history_size)

    def check(self, h: Settings) -> None:
        for name in ("max_iter", "max_eval", "history_size"):
            setattr(h, name, int(number("LBFGS", name, getattr(h, name), 1)))
        for name in ("tolerance_grad", "tolerance_change"):
            setattr(h, name, number("LBFGS", name, getattr(h, name)))
        if h.line_search_fn not in (None, "strong_wolfe"):
            raise SettingError(f"LBFGS: line_search_fn is 'strong_wolfe' or None, not {h.line_search_fn!r}")
        if h.maximize:
            raise SettingError("LBFGS: goes down; negate the loss that the closure gives")

    def minimize(self, loss: Any, var_list: Any = None, global_step: Any = None) -> Any:
        """Refused: see the class."""
        raise EngineError(
            "LBFGS: how often a step asks for the loss depends on what it is told, so no graph holds one; "
            "call opt.step(closure) with a closure that runs the session: session.load(*parameters), run "
            "loss and gradients, set each p.grad"
        )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step; gives the loss at its beginning, as the closure gave it."""
        if closure is None:
            raise SettingError("LBFGS: step(closure) needs a function that computes the loss and gradients")
        h, memory = self.defaults, self._memory
        rate = float(raw(rate_after("LBFGS", self.steps.data, self.schedule, self.lr.data)))
        given = closure()
        loss, g, asked = _number(given), self._gradient(), 1
        for turn in range(1, h.max_iter + 1):
            if _largest(g) <= h.tolerance_grad:
                break
            first = memory.gradient is None
            d = memory.direction(g)
            t = min(1.0, 1.0 / float(abs(g).sum())) * rate if first else rate
            slope = float(g @ d)
            memory.step = d * t
            if slope > -h.tolerance_change:
                break
            before = loss
            if h.line_search_fn is not None:
                found, calls = self._search(closure, Place(0.0, loss, g, slope), d, t, h.max_eval - asked)
                t, loss, g = found.t, found.loss, found.gradient
            else:
                self._go(self._values(), t, d)
                calls = 0
                if turn < h.max_iter:  # what a last one would ask for is asked by the next step
                    loss, g, calls = _number(closure()), self._gradient(), 1
            memory.step, asked = d * t, asked + calls
            if asked >= h.max_eval or _largest(memory.step) <= h.tolerance_change:
                break
            if abs(loss - before) < h.tolerance_change:
                break
        self.steps.data = np.asarray(self.steps.data + 1)
        self.lr.data = np.asarray(rate)
        return given

    def _search(self, closure: Any, start: Place, d: Any, t: float, most: int) -> tuple[Place, int]:
        """Go to where the line search leads."""
        values = self._values()

        def at(t: float) -> Place:
            self._go(values, t, d)
            loss, g = _number(closure()), self._gradient()
            return Place(t, loss, g, float(g @ d))

        found, calls = strong_wolfe(at, start, t, _largest(d), self.defaults.tolerance_change, most)
        self._go(values, found.t, d)
        return found, calls

    def _values(self) -> list[Any]:
        return [parameter.value() for parameter in self.parameters]

    def _go(self, values: list[Any], t: float, d: Any) -> None:
        """Let the parameters hold values + t d."""
        with interrupts.deferred():
            at = 0
            for parameter, value in zip(self.parameters, values, strict=True):
                part = d[at : at + value.size].reshape(value.shape)
                parameter.data, at = value + part * value.dtype.type(t), at + value.size

    def _gradient(self) -> Any:
        """All gradients as one vector; zeros where there is none."""
        parts = [
            np.zeros_like(p.value()).reshape(-1) if p.grad is None else raw(p.grad).reshape(-1)
            for p in self.parameters
        ]
        if all(parameter.grad is None for parameter in self.parameters):
            raise GradientError("step: the closure has left no gradient; it calls loss.backward()")
        return array_module(parts[0]).concatenate(parts)


methods(LBFGS, "minimize", "step")


class _Memory:
    """What the last iterations have told of the Hessian.

    gradient  that of the last iteration; None before the first
    step      what the parameters moved by in it
    pairs     (gradients' difference, parameters' difference, 1 / their product), the oldest first
    scale     what the inverse Hessian is taken for before it is corrected by the pairs
    """

    def __init__(self, size: int) -> None:
        self.gradient: Any = None
        self.step: Any = None
        self.pairs: deque[tuple[Any, Any, float]] = deque(maxlen=size)
        self.scale = 1.0

    def direction(self, g: Any) -> Any:
        """-H g, with H the inverse Hessian as it is known: the two loops of Nocedal 1980."""
        before, self.gradient = self.gradient, g
        if before is None:
            return -g
        y, s = g - before, self.step
        product = float(y @ s)
        if product > CURVED:
            self.pairs.append((y, s, 1.0 / product))
            self.scale = product / float(y @ y)
        kind = g.dtype.type
        d, parts = -g, []
        for y, s, r in reversed(self.pairs):
            parts.append(float(s @ d) * r)
            d = d - y * kind(parts[-1])
        d = d * kind(self.scale)
        for y, s, r in self.pairs:
            d = d + s * kind(parts.pop() - float(y @ d) * r)
        return d


def _largest(x: Any) -> float:
    return float(abs(x).max())


def _number(loss: Any) -> float:
    """A loss as the closure gives it: a Tensor, an array or a number."""
    return float(loss.numpy() if hasattr(loss, "numpy") else loss)
