"""Variables: what a graph keeps from one run to the next. Their values live in a Session."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import GraphError, SettingError, ShapeError, SymbolicValueError
from shared.inplace import InPlace
from shared.op import Op
from shared.spec import Spec, sizes_match, str_shape
from shared.state import Parameter, State
from static.graph.create import identity
from static.graph.default_session import get_default_session
from static.graph.graph import (
    GROUP,
    INITIAL,
    Graph,
    Node,
    Tensor,
    building,
    controls,
    get_default_graph,
    innermost,
)
from static.graph.guard import guarded
from static.graph.nodes import Symbolic
from static.graph.operands import apply, as_tensor, starting_array, way_in


class Variable(Symbolic, InPlace):
    """A named value that a session holds. Used in an expression, it is read there.

    initial_value  an array, or (within the package) the State that the variable stands for
    trainable      whether optimisers change it when they are not told what to change
    automatic      whether a session gives it its first value without being asked
    """

    is_leaf = True  # cotangents of all its reads arrive here

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        state: State | None = None,
        automatic: bool = False,
    ) -> None:
        self.state, self.automatic = state, automatic
        if state is not None:
            self.trainable = isinstance(state, Parameter)
            value = state.value()
        else:
            get_default_graph().check_open(name or "Variable")
            self.trainable = trainable
            value = self._given = _starting_value(initial_value, dtype)
        self.spec = Spec(tuple(value.shape), value.dtype)
        self.graph: Graph = get_default_graph().root()
        self.name = self.graph.unique_name(name or "Variable", None)
        self.graph.variables.append(self)
        self._initializer: Node | None = None

    def __repr__(self) -> str:
        return f"<static.Variable {self.name!r} {self.spec}>"

    def initial(self) -> Any:
        """A fresh copy of the value to start from: what the State holds at that moment."""
        return np.array(self._given if self.state is None else self.state.numpy(), order="C")

    def value(self) -> Tensor:
        """The variable's value at this point of the program, as a Tensor."""
        tensor = innermost(self.graph).read(self)
        # A read is shared by all its uses, so it is this use that waits.
        return identity(tensor) if controls.get() else tensor

    def assign(self, value: Any) -> Tensor:
        """A Tensor that, when it is run, makes `value` what the variable holds."""
        graph = innermost(self.graph)
        with graph.as_default():
            tensor = as_tensor(value, self.dtype)
            if len(tensor.shape) != len(self.shape) or not all(
                map(sizes_match, tensor.shape, self.shape)
            ):
                raise ShapeError(
                    f"assign: variable {self.name!r} has shape {str_shape(self.shape)}, the value "
                    f"{str_shape(tensor.shape)}; they must be the same"
                )
            if tensor.dtype != self.dtype:
                tensor = tensor.astype(self.dtype)
        return graph.assign(self, tensor)

    def _change(self, call: str, write: Any, *written: Any) -> None:
        raise SymbolicValueError(
            f"{call}: the variable {self.name!r} changes when a session runs an assignment, and not before: "
            "step = v.assign(y), v.assign_add(y), v.assign_sub(y) or, of single rows, "
            "static.scatter_update(v, indices, rows); session.run(step)"
        )

    def assign_add(self, delta: Any) -> Tensor:
        """`assign(self + delta)`."""
        return self.assign(self + delta)

    def assign_sub(self, delta: Any) -> Tensor:
        """`assign(self - delta)`."""
        return self.assign(self - delta)

    @property
    @guarded
    def initializer(self) -> Node:
        """The operation that gives the variable its first value."""
        if self._initializer is None:
            with self.graph.as_default():
                start = Node(self.graph, INITIAL, (), {"variable": self}, [self.spec], None)
                self._initializer = self.graph.assign(self, start.outputs[0]).node
        return self._initializer

    def eval(self, session: Any = None) -> Any:
        """The value that `session`, or the default one, holds."""
        return (session or get_default_session("eval")).run(self)

    def _no_value(self, use: str) -> Any:
        raise SymbolicValueError(
            f"the variable {self.name!r} ({self.spec}) has no value for Python: its numbers live in a "
            "session; run it first, session.run(variable), or choose with ops.where"
        )


def _starting_value(value: Any, dtype: Any) -> Any:
    """The array that a variable starts from: a copy of `value`."""
    if value is None:
        raise SettingError("Variable: give an initial value: an array, or a number")
    if isinstance(value, (Tensor, Variable)):
        raise SymbolicValueError(
            f"Variable: the initial value must be an array or a number, but {value.name!r} has none until a "
            "session runs it; give np.zeros(shape), and run v.assign(tensor) once"
        )
    return starting_array("Variable", value, dtype)


def global_variables_initializer() -> Node:
    """The operation that gives every variable of the default graph its first value.

    Variables that stand for Parameters start from what the Parameters hold when it is run.
    """
    graph = get_default_graph()
    starts = [variable.initializer for variable in graph.variables]
    return Node(graph, GROUP, [node.outputs[0] for node in starts], {}, [], "init")


@guarded
def lift(graph: Graph, state: State) -> Variable:
    """The variable of a graph that stands for a Parameter, buffer or optimiser slot; it is made where
    the graph first meets the State."""
    graph = graph.root()
    variable = graph.lifted.get(id(state))
    if variable is None:
        with graph.as_default():
            variable = Variable(state=state, name=state.name.replace(".", "/") or None)
        graph.lifted[id(state)] = variable
    return variable


@way_in.register
def _(value: Variable, graph: Graph) -> Tensor:
    if not graph.is_inside(value.graph):
        raise GraphError(f"variable {value.name!r} must be from the same graph as the others")
    return graph.read(value)


@way_in.register
def _(value: State, graph: Graph) -> Tensor:
    return graph.read(lift(graph, value))


# --- TensorFlow's functions for a variable's methods --------------------------------------------


def assign(variable: Variable, value: Any) -> Tensor:
    """See `Variable.assign`."""
    return variable.assign(value)


def assign_add(variable: Variable, delta: Any) -> Tensor:
    """See `Variable.assign_add`."""
    return variable.assign_add(delta)


def scatter_update(variable: Variable, indices: Any, updates: Any) -> Tensor:
    """Rows of a variable replaced: `variable[indices] = updates`, along the first axis. Of an
    index that stands there twice, the last one counts."""
    with building(innermost(variable.graph)):
        rows = as_tensor(updates, variable.dtype)
        return variable.assign(apply(replace_rows, [variable, as_tensor(indices), rows], {}))


def _compute_replace_rows(x: Any, indices: Any, rows: Any) -> Any:
    y = x.copy()
    y[indices] = rows
    return y


replace_rows = Op("replace_rows", _compute_replace_rows, lambda x, *_: x, listed=False)
