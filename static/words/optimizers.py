"""`static.train`'s optimisers: they find their variables when `minimize` is called.

Each is a rule of `shared.optim`, or one of its own where TensorFlow 1's formula is another than PyTorch's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from shared import ops, optim
from shared.dims import UNKNOWN_RANK
from shared.errors import NoGradientError, SettingError
from shared.nn.averaging import average
from shared.optim.groups import Settings
from shared.optim.optimizer import Rates, Slots
from shared.state import State
from shared.usage.numbers import number
from static.differentiate import gradients
from static.graph.collections import trainable_variables
from static.graph.graph import Node, Tensor, building
from static.graph.operands import as_tensor
from static.graph.variables import Variable, lift

# --- TensorFlow 1's own formulas -------------------------------------------------------------------


class _Adam(optim.Adam):
    """m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p - lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps):
    Kingma and Ba 2015, end of section 2, where eps is not scaled with v."""

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        return super().rates(lr, now, h)[0], now["step"] * 0.0 + h.eps


class _RMSProp(optim.RMSprop):
    """s = decay s + (1 - decay) g^2, from 1 on; v = momentum v + lr g / sqrt(s + eps); p - v. centered: of
    s - m^2, where m is the running mean of g."""

    def starts(self, h: Settings) -> dict[str, float]:
        found = super().starts(h)
        return found | {"square_avg": 1.0}

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        (lr,) = rates
        s = slots["square_avg"] * h.alpha + g * g * (1 - h.alpha)
        moved, spread = {"square_avg": s}, s
        if h.centered:
            m = moved["grad_avg"] = slots["grad_avg"] * h.alpha + g * (1 - h.alpha)
            spread = s - m * m
        d = lr * g * ops.rsqrt(spread + h.eps)
        if h.momentum:
            d = moved["momentum_buffer"] = slots["momentum_buffer"] * h.momentum + d
        return p - d, moved


# --- finding variables -----------------------------------------------------------------------------


class Optimizer:
    """What all of them do. learning_rate: a number, a Tensor or placeholder of one, or a variable.

    `minimize` trains every variable of the graph that is trainable, or `var_list`; the updates of layers that
    the loss depends on go with it.
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    def __init__(self, rule: Any, learning_rate: Any, name: str, **settings: Any) -> None:
        if not isinstance(learning_rate, (Tensor, Variable, State)):
            number(name, "learning_rate", learning_rate)
        elif learning_rate.shape is UNKNOWN_RANK:
            learning_rate = ops.reshape(learning_rate, ())
        self._rule, self._rate, self._settings = rule, learning_rate, settings
        self._name = name
        self._own: Any = None

    def get_name(self) -> str:
        """What it is called."""
        return self._name

    def _over(self, variables: Sequence[Any]) -> Any:
        """The optimiser that has the rule, over these variables too."""
        if self._own is None:
            self._own = self._rule(variables, lr=self._rate, **self._settings)
        else:
            known = set(self._own.parameters)
            if new := [variable for variable in variables if variable not in known]:
                self._own.add_param_group({"params": new})
        return self._own

    def minimize(
        self, loss: Any, global_step: Any = None, var_list: Any = None, gate_gradients: Any = None,
        aggregation_method: Any = None, colocate_gradients_with_ops: bool = False, name: str | None = None,
        grad_loss: Any = None,
    ) -> Node:  # fmt: skip
        """The operation that makes one step. global_step: a variable that it adds 1 to."""
        pairs = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        return self._train(loss, pairs, global_step, name)

    def compute_gradients(
        self, loss: Any, var_list: Any = None, gate_gradients: Any = None, aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False, grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:  # fmt: skip
        """The first half of `minimize`: (gradient, variable) pairs, None for a variable that the loss does
        not depend on. gate_gradients, aggregation_method, colocate_gradients_with_ops: there is nothing to
        choose, sums have one order."""
        loss = as_tensor(loss)
        with building(loss.graph):
            asked = trainable_variables() if var_list is None else list(_flat(var_list))
        if not asked:
            raise NoGradientError(f"{self._name}: no variables to optimize; are they made, and trainable?")
        trained = [lift(loss.graph, v) if isinstance(v, State) else v for v in asked]
        trained = [v for v in trained if v.state is None or getattr(v.state, "requires_grad", True)]
        found = average(gradients(loss, trained, grad_loss), [v.state for v in trained], loss)
        return list(zip(found, trained, strict=True))

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Any, Any]], global_step: Any = None, name: str | None = None
    ) -> Node:
        """The second half: the operation that makes one step with these gradients."""
        return self._train(None, list(grads_and_vars), global_step, name)

    def _train(self, loss: Any, pairs: Sequence[tuple[Any, Any]], step: Any, name: str | None) -> Node:
        used = [(as_tensor(g), v) for g, v in pairs if g is not None]
        if not used:
            listed = ", ".join(repr(v.name) for _, v in pairs)
            raise NoGradientError(
                f"{self._name}: no gradients provided for any variable ({listed}); the loss does not depend "
                "on them"
            )
        made = self._over([v for _, v in used])._train(loss, used, step)
        made.graph.rename(made, name or self._name)
        return made

    def get_slot_names(self) -> list[str]:
        """What the rule remembers of each variable."""
        return [] if self._own is None else sorted(self._own.starts(self._own.defaults))

    def get_slot(self, var: Any, name: str) -> Variable | None:
        """The variable that holds what the rule remembers of another; None before it has one."""
        slot = self._own.slots(var).get(name) if self._own is not None else None
        return None if slot is None else lift(var.graph, slot)

    def variables(self) -> list[Variable]:
        """Every variable of the rule's own."""
        if self._own is None:
            return []
        graph = self._own.parameters[0].graph
        return [lift(graph, state) for _, state in self._own.named_states()]


def _flat(given: Any) -> Iterable[Any]:
    for value in given if isinstance(given, (list, tuple)) else [given]:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        elif isinstance(value, (Variable, State)):
            yield value
        else:
            raise SettingError(f"var_list: {value!r} is no variable")


# --- each of them ----------------------------------------------------------------------------------


class GradientDescentOptimizer(Optimizer):
    """p - lr g."""

    def __init__(
        self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent"
    ) -> None:
        super().__init__(optim.SGD, learning_rate, name)


class MomentumOptimizer(Optimizer):
    """v = momentum v + g; p - lr v. use_nesterov: p - lr (g + momentum v)."""

    def __init__(
        self, learning_rate: Any, momentum: float, use_locking: bool = False, name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(optim.SGD, learning_rate, name, momentum=momentum, nesterov=use_nesterov)


class AdamOptimizer(Optimizer):
    """Adam, with epsilon where TensorFlow 1 has it: see `_Adam`."""

    def __init__(
        self, learning_rate: Any = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
        use_locking: bool = False, name: str = "Adam",
    ) -> None:  # fmt: skip
        super().__init__(_Adam, learning_rate, name, betas=(beta1, beta2), eps=epsilon)


class RMSPropOptimizer(Optimizer):
    """RMSProp, with epsilon and the start where TensorFlow 1 has them: see `_RMSProp`."""

    def __init__(
        self, learning_rate: Any, decay: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-10,
        use_locking: bool = False, centered: bool = False, name: str = "RMSProp",
    ) -> None:  # fmt: skip
        settings = {"alpha": decay, "momentum": momentum, "eps": epsilon, "centered": centered}
        super().__init__(_RMSProp, learning_rate, name, **settings)


class AdagradOptimizer(Optimizer):
    """s = s + g^2, from `initial_accumulator_value` on; p - lr g / sqrt(s)."""

    def __init__(
        self, learning_rate: Any, initial_accumulator_value: float = 0.1, use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:  # fmt: skip
        start = number(name, "initial_accumulator_value", initial_accumulator_value, above=True)
        super().__init__(optim.Adagrad, learning_rate, name, initial_accumulator_value=start, eps=0.0)


class AdadeltaOptimizer(Optimizer):
    """See `optim.Adadelta`."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-8, use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:  # fmt: skip
        super().__init__(optim.Adadelta, learning_rate, name, rho=rho, eps=epsilon)
