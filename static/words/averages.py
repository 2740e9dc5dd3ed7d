"""Running averages of variables, with which one judges what was trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared import ops
from shared.ops.creation import zeros
from static.graph.collections import trainable_variables
from static.graph.create import group
from static.graph.graph import Node, Tensor
from static.graph.variables import Variable


class ExponentialMovingAverage:
    """shadow = decay shadow + (1 - decay) variable, from the variable's first value on; or the same of a
    Tensor, from its first value that is seen.

    num_updates: a count of steps; then the decay is min(decay, (1 + num_updates) / (10 + num_updates)).
    """

    def __init__(self, decay: Any, num_updates: Any = None, name: str = "ExponentialMovingAverage") -> None:
        self._decay, self._updates, self.name = decay, num_updates, name
        self._shadows: dict[Any, Variable] = {}

    def apply(self, var_list: Sequence[Any] | None = None) -> Node:
        """The operation that moves the averages of variables, by default of all that are trainable."""
        decay = self._decay
        if self._updates is not None:
            count = ops.cast(self._updates, "float64")
            decay = ops.minimum(decay, (1 + count) / (10 + count))
        moved = []
        for variable in trainable_variables() if var_list is None else var_list:
            shadow = self._shadows.get(variable)
            if shadow is None:
                name = f"{variable.op.name}/{self.name}"
                first = zeros(variable.shape, variable.dtype)
                first = variable.initialized_value() if isinstance(variable, Variable) else first
                shadow = self._shadows[variable] = Variable(first, False, name)
            if isinstance(variable, Tensor):
                moved.append(self._unbiased(shadow, variable))
                continue
            rate = ops.cast(1 - decay, variable.dtype) if self._updates is not None else 1 - decay
            moved.append(shadow.assign_sub((shadow - variable) * rate))
        return group(*moved, name=self.name)

    def _unbiased(self, shadow: Variable, x: Tensor) -> Tensor:
        """The average of a Tensor's values so far, which does not begin at one: what it holds of zeros is
        divided out (Kingma and Ba 2015, section 3)."""
        biased, count = Variable(shadow.initialized_value(), False), Variable(0.0, False)
        steps, kept = count.assign_add(1.0), ops.cast(self._decay, x.dtype)
        total = biased.assign(biased * kept + x * (1 - kept))
        return shadow.assign(total / (1 - ops.pow(kept, ops.cast(steps, x.dtype))))

    def average(self, var: Variable) -> Variable | None:
        """The variable that holds the average of another; None if `apply` was not told of it."""
        return self._shadows.get(var)

    def average_name(self, var: Variable) -> str:
        """What that is called in a checkpoint."""
        return self._shadows[var].name if var in self._shadows else f"{var.name}/{self.name}"

    def variables_to_restore(self) -> dict[str, Variable]:
        """What a Saver takes to restore averages in the place of their variables."""
        averaged = {self.average_name(variable): variable for variable in self._shadows}
        return averaged | {v.name: v for v in trainable_variables() if v not in self._shadows}
