"""Running averages of variables, with which one judges what was trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared import ops
from static.graph.collections import trainable_variables
from static.graph.create import group
from static.graph.graph import Node
from static.graph.variables import Variable


class ExponentialMovingAverage:
    """shadow = decay shadow + (1 - decay) variable, from the variable's first value on.

    num_updates: a count of steps; then the decay is min(decay, (1 + num_updates) / (10 + num_updates)).
    """

    def __init__(self, decay: Any, num_updates: Any = None, name: str = "ExponentialMovingAverage") -> None:
        self._decay, self._updates, self.name = decay, num_updates, name
        self._shadows: dict[Any, Variable] = {}

    def apply(self, var_list: Sequence[Variable] | None = None) -> Node:
        """The operation that moves the averages of variables, by default of all that are trainable."""
        decay = self._decay
        if self._updates is not None:
            count = ops.cast(self._updates, "float64")
            decay = ops.minimum(decay, (1 + count) / (10 + count))
        moved = []
        for variable in trainable_variables() if var_list is None else var_list:
            shadow = self._shadows.get(variable)
            if shadow is None:
                first = variable.initialized_value()
                shadow = self._shadows[variable] = Variable(first, False, f"{variable.name}/{self.name}")
            rate = ops.cast(1 - decay, variable.dtype) if self._updates is not None else 1 - decay
            moved.append(shadow.assign_sub((shadow - variable) * rate))
        return group(*moved, name=self.name)

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
