"""Variables: what a graph keeps from one run to the next. Their values live in a Session."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Dim
from shared.errors import DTypeError, SettingError, ShapeError, SymbolicValueError
from shared.op import as_array
from shared.operators import Operators
from shared.spec import NUMBERS, Spec, as_dtype, in_short, sizes_match, str_shape
from shared.state import Parameter, State
from static.graph.graph import GROUP, INITIAL, Graph, Node, Tensor, controls, get_default_graph, innermost


class Variable(Operators):
    """A named value that a session holds. Used in an expression, it is read there.

    initial_value  an array, or (within the package) the State that the variable stands for
    trainable      whether optimisers change it when they are not told what to change
    automatic      whether a session gives it its first value without being asked
    """

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

    @property
    def shape(self) -> tuple[int | Dim, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.spec.dtype

    def initial(self) -> Any:
        """A fresh copy of the value to start from: what the State holds at that moment."""
        return np.array(self._given if self.state is None else self.state.numpy(), order="C")

    def value(self) -> Tensor:
        """The variable's value at this point of the program, as a Tensor."""
        tensor = innermost(self.graph).read(self)
        if controls.get():  # a read is shared by all its uses, so it is this use that waits
            from static.graph.effects import identity

            return identity(tensor)
        return tensor

    def assign(self, value: Any) -> Tensor:
        """A Tensor that, when it is run, makes `value` what the variable holds."""
        from static.graph.create import as_tensor

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

    def assign_add(self, delta: Any) -> Tensor:
        """`assign(self + delta)`."""
        return self.assign(self + delta)

    def assign_sub(self, delta: Any) -> Tensor:
        """`assign(self - delta)`."""
        return self.assign(self - delta)

    @property
    def initializer(self) -> Node:
        """The operation that gives the variable its first value."""
        if self._initializer is None:
            with self.graph.as_default():
                start = Node(self.graph, INITIAL, (), {"variable": self}, [self.spec], None)
                self._initializer = self.graph.assign(self, start.outputs[0]).node
        return self._initializer

    def eval(self, session: Any = None) -> Any:
        """The value that `session`, or the default one, holds."""
        from static.run.session import get_default_session

        return (session or get_default_session("eval")).run(self)

    def _no_value(self, *_: Any, **__: Any) -> Any:
        raise SymbolicValueError(
            f"the variable {self.name!r} ({self.spec}) has no value for Python: its numbers live in a "
            "session; run it first, session.run(variable), or choose with ops.where"
        )

    __bool__ = __float__ = __int__ = __index__ = __array__ = _no_value


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


def starting_array(call: str, value: Any, dtype: Any) -> Any:
    """A copy of `value` in C order; DTypeError for what does not make an array of numbers."""
    kind = None if dtype is None else as_dtype(dtype)
    try:
        array = np.array(as_array(value, kind), order="C")
    except ValueError as error:
        raise DTypeError(f"{call}: {in_short(value)} does not make an array of numbers: {error}") from None
    if array.dtype.kind not in NUMBERS:
        raise DTypeError(f"{call}: {in_short(value)} does not make an array of numbers")
    return array


def global_variables_initializer() -> Node:
    """The operation that gives every variable of the default graph its first value.

    Variables that stand for Parameters start from what the Parameters hold when it is run.
    """
    graph = get_default_graph()
    starts = [variable.initializer for variable in graph.variables]
    return Node(graph, GROUP, [node.outputs[0] for node in starts], {}, [], "init")
