"""What all optimisers share: parameters, slots, the step count, and two ways to run a rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from shared.dispatch import tensor_engine
from shared.errors import EngineError, GradientError, SettingError
from shared.state import Parameter, State

Slots = dict[str, Any]


class Optimizer:
    """Changes Parameters by their gradients. Subclasses write `rule` and name their slots.

    lr     the learning rate: a 0-d float64 State, which the rule reads; `opt.lr.assign(x)`
           changes it (in static: through the session) without building anything again
    steps  how many steps were made: a 0-d float64 State
    """

    slot_names: tuple[str, ...] = ()

    def __init__(self, parameters: Iterable[Parameter], lr: float) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise SettingError(
                f"{type(self).__name__}: no parameters to train; pass model.parameters()"
            )
        self.lr = State(np.float64(lr), "lr")
        self.steps = State(np.float64(0), "steps")
        self._slots: dict[int, dict[str, State]] = {}

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> tuple[Any, Slots]:
        """The new parameter and slots, from the old ones and the gradient, in ops.

        lr and t, the number of this step (from 1), are 0-d float64; cast them to the
        parameter's dtype before they touch it.
        """
        raise NotImplementedError

    def slots(self, parameter: Parameter) -> dict[str, State]:
        """What the rule remembers of a parameter; zeros before the first step."""
        found = self._slots.get(id(parameter))
        if found is None:
            found = self._slots[id(parameter)] = {
                name: State(np.zeros_like(parameter.value()), f"{parameter.name}/{name}")
                for name in self.slot_names
            }
        return found

    def named_states(self) -> Iterator[tuple[str, State]]:
        """The learning rate, the step count and all slots, with names."""
        yield "lr", self.lr
        yield "steps", self.steps
        for parameter in self.parameters:
            for name, state in self.slots(parameter).items():
                yield f"{parameter.name}/{name}", state

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Change every parameter that has a `.grad`, now (define-by-run)."""
        ready = [p for p in self.parameters if p.grad is not None]
        if not ready:
            raise GradientError("step: no parameter has a gradient; call loss.backward() first")
        t = np.asarray(self.steps.data + 1)
        for parameter in ready:
            slots = self.slots(parameter)
            arrays = {name: state.data for name, state in slots.items()}
            new, moved = self.rule(parameter.data, parameter.grad.data, arrays, self.lr.data, t)
            parameter.data = new
            for name, value in moved.items():
                slots[name].data = value
        self.steps.data = t

    def minimize(self, loss: Any) -> Any:
        """The operation that makes one step on a static `loss`, and the state updates (running
        statistics, dropout's generator) that the loss depends on (define-and-run)."""
        engine = tensor_engine((loss,))
        if engine is None:
            raise EngineError(f"minimize: the loss must be a Tensor, not {loss!r}")
        found = zip(engine.gradients(loss, self.parameters), self.parameters, strict=True)
        with engine.scope(loss):
            return engine.train(loss, self._assign([(g, p) for g, p in found if g is not None]))

    def _assign(self, pairs: Sequence[tuple[Any, Parameter]]) -> list[Any]:
        """The assignments of one step, by the type of the gradients."""
        if not pairs:
            raise GradientError(
                "no gradients provided for any variable: the loss does not depend on any "
                "parameter of this optimiser; was the model called to make it?"
            )
        t = self.steps + 1
        done = []
        for g, parameter in pairs:
            slots = self.slots(parameter)
            new, moved = self.rule(parameter, g, dict(slots), self.lr, t)
            done.append(parameter.assign(new))
            done.extend(slots[name].assign(value) for name, value in moved.items())
        done.append(self.steps.assign(t))
        return done
