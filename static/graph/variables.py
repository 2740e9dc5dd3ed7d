"""Variables: what a graph keeps from one run to the next. Their values live in a Session."""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType
from typing import Any

import numpy as np

from shared import ops
from shared.casting import cast_number, check_dtype
from shared.dims import UNKNOWN_RANK, Dim
from shared.errors import DTypeError, GraphError, SettingError, ShapeError, SymbolicValueError
from shared.inplace import InPlace
from shared.op import ZERO, Op, Rule
from shared.ops.indexing import ARRAY, scatter_index
from shared.spec import Spec, as_dtype, sizes_match, str_shape
from shared.state import Parameter, State
from shared.usage.door import methods
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
    current_call,
    get_default_graph,
    innermost,
)
from static.graph.guard import guarded
from static.graph.nodes import Symbolic
from static.graph.operands import apply, as_tensor, constant, starting_array, way_in

IMPLIED = {"variables", "trainable_variables"}
"""The collections that a variable is in by what it is."""


class Variable(Symbolic, InPlace):
    """A named value that a session holds. Used in an expression, it is read there.

    Its name stands in the name scope in which it is made, as any node's does.

    initial_value  an array; a Tensor, which is computed whenever the variable is initialised; or a function
                   that gives either (within the package also the State that the variable stands for)
    trainable      whether optimisers change it when they are not told what to change
    automatic      whether a session gives it its first value without being asked
    collections    names under which the graph remembers it, beside those that all are in
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
        collections: Sequence[str] | None = None,
    ) -> None:
        self.state, self.automatic = state, automatic
        self.live = state is not None and state.live
        self._given: Any = None
        if state is not None:
            self.trainable = isinstance(state, Parameter)
            value = state.value()
        else:
            get_default_graph().check_open(name or "Variable")
            self.trainable = trainable
            value = self._given = _starting_value(initial_value, dtype)
            value = value.spec if isinstance(value, Tensor) else value
        self.spec = Spec(tuple(value.shape), value.dtype)
        self.graph: Graph = get_default_graph().root()
        scope = current_call.get() if state is None else None
        self.name = self.graph.unique_name(name or "Variable", scope)
        self.graph.variables.append(self)
        for collection in {*(collections or ())} - IMPLIED:
            self.graph.collections.setdefault(collection, []).append(self)
        self._initializer: Node | None = None

    def __repr__(self) -> str:
        return f"<static.Variable {self.name!r} {self.spec}>"

    def initial(self) -> Any:
        """A fresh copy of the value to start from: what the State holds at that moment."""
        if isinstance(self._given, Tensor):
            raise SymbolicValueError(
                f"variable {self.name!r} starts from the Tensor {self._given.name!r}, which has no value "
                "until a session runs it; run static.global_variables_initializer(), and name that session"
            )
        return np.array(self._given if self.state is None else self.state.numpy(), order="C")

    def value(self) -> Tensor:
        """The variable's value at this point of the program, as a Tensor."""
        tensor = innermost(self.graph).read(self)
        # A read is shared by all its uses, so it is this use that waits.
        return identity(tensor) if controls.get() else tensor

    def assign(self, value: Any) -> Tensor:
        """A Tensor that, when it is run, makes `value` what the variable holds.

        The shape is the variable's. What is of another dtype is cast, if that loses no more than rounding
        does: a float64 goes into a float32, an int32 into an int64 or a float, and neither a float nor an
        int64 into an int32; of numbers, lists and arrays, which are known, each must be one that it holds.
        """
        graph = innermost(self.graph)
        with graph.as_default():
            tensor = self._fitting("assign", value)
            if len(tensor.shape) != len(self.shape) or not all(
                map(sizes_match, tensor.shape, self.shape)
            ):
                raise ShapeError(
                    f"assign: variable {self.name!r} has shape {str_shape(self.shape)}, the value "
                    f"{str_shape(tensor.shape)}; they must be the same"
                )
        return graph.assign(self, tensor)

    def _fitting(self, call: str, value: Any) -> Tensor:
        """A value as a Tensor of the variable's dtype; DTypeError where that would lose it."""
        name = f"variable {self.name!r}"
        if isinstance(value, Dim):
            return ops.zeros((), self.dtype) + value
        if isinstance(value, (bool, int, float, complex, list, tuple, np.generic, np.ndarray)):
            return constant(cast_number(call, name, value, self.dtype))
        tensor = as_tensor(value)
        check_dtype(call, name, tensor.dtype, self.dtype)
        return tensor if tensor.dtype == self.dtype else tensor.astype(self.dtype)

    def _change(self, call: str, write: Any, *written: Any) -> None:
        raise SymbolicValueError(
            f"{call}: the variable {self.name!r} changes when a session runs an assignment, and not before: "
            "step = v.assign(y), v.assign_add(y), v.assign_sub(y) or, of single rows, "
            "static.scatter_update(v, indices, rows); session.run(step)"
        )

    def assign_add(self, delta: Any) -> Tensor:
        """`assign(self + delta)`, where delta is a value that `assign` takes."""
        return self._moved("assign_add", ops.add, delta)

    def assign_sub(self, delta: Any) -> Tensor:
        """`assign(self - delta)`, where delta is a value that `assign` takes."""
        return self._moved("assign_sub", ops.sub, delta)

    def _moved(self, call: str, op: Any, delta: Any) -> Tensor:
        """`assign(op(self, delta))`, for a delta that broadcasts to the variable."""
        graph = innermost(self.graph)
        with graph.as_default():
            change = self._fitting(call, delta)
            if len(change.shape) > len(self.shape):
                raise ShapeError(
                    f"{call}: variable {self.name!r} has shape {str_shape(self.shape)}, the value "
                    f"{str_shape(change.shape)}, which has more axes; reduce it first"
                )
            return self.assign(op(self, change))

    @property
    @guarded
    def initializer(self) -> Node:
        """The operation that gives the variable its first value."""
        if self._initializer is None:
            with self.graph.as_default():
                start = self._given
                if not isinstance(start, Tensor):
                    start = Node(self.graph, INITIAL, (), {"variable": self}, [self.spec], None).outputs[0]
                self._initializer = self.graph.assign(self, start).node
        return self._initializer

    def initialized_value(self) -> Tensor:
        """What the variable starts from, as a Tensor: another variable may start from it, too."""
        return self._given if isinstance(self._given, Tensor) else constant(self.initial())

    @property
    def op(self) -> Variable:
        """TensorFlow 1's way to the name: `variable.op.name`."""
        return self

    read_value = value

    def load(self, value: Any, session: Any = None) -> None:
        """Make `value` what `session`, or the default one, holds; the errors are those of `assign`."""
        array = cast_number("load", f"variable {self.name!r}", value, self.dtype)
        if array.shape != self.shape:
            raise ShapeError(
                f"load: variable {self.name!r} has shape {str_shape(self.shape)}, the value "
                f"{str_shape(array.shape)}; they must be the same"
            )
        (session or get_default_session("load")).hold({self: array})

    def eval(self, session: Any = None) -> Any:
        """The value that `session`, or the default one, holds."""
        return (session or get_default_session("eval")).run(self)

    def _no_value(self, use: str) -> Any:
        raise SymbolicValueError(
            f"the variable {self.name!r} ({self.spec}) has no value for Python: its numbers live in a "
            "session; run it first, session.run(variable), or choose with ops.where"
        )


methods(Variable, "assign", "assign_add", "assign_sub", "load", "eval")


def _starting_value(value: Any, dtype: Any) -> Any:
    """What a variable starts from: a copy of an array, or a Tensor."""
    if isinstance(value, FunctionType):
        value = value()
    if value is None:
        raise SettingError("Variable: give an initial value: an array, a number, or a Tensor")
    if isinstance(value, Variable):
        value = value.initialized_value()
    if not isinstance(value, Tensor):
        return starting_array("Variable", value, dtype)
    if value.graph is not get_default_graph().root():
        raise SymbolicValueError(
            f"Variable: the initial value {value.name!r} is of a loop or branch, or of another graph; make "
            "it outside, or give a function that makes it"
        )
    if value.shape is UNKNOWN_RANK or any(isinstance(size, Dim) for size in value.shape):
        raise ShapeError(
            f"Variable: the initial value {value.name!r} has the shape {str_shape(value.shape)}, and a "
            "variable keeps one shape, which has to be known; give an array, or say the shape with set_shape"
        )
    return value if dtype is None or as_dtype(dtype) == value.dtype else value.astype(dtype)


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
        if graph.stores:
            graph.settings.keep(state, {"dtype": state.dtype})
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


def assign_sub(variable: Variable, delta: Any) -> Tensor:
    """See `Variable.assign_sub`."""
    return variable.assign_sub(delta)


def scatter_add(variable: Variable, indices: Any, updates: Any) -> Tensor:
    """`variable[indices] += updates`, along the first axis; rows of an index that stands there twice add up.

    updates: as of `scatter_update`.
    """
    return _rows_added("scatter_add", variable, indices, updates, variable.assign_add)


def scatter_sub(variable: Variable, indices: Any, updates: Any) -> Tensor:
    """`variable[indices] -= updates`: see `scatter_add`."""
    return _rows_added("scatter_sub", variable, indices, updates, variable.assign_sub)


def _rows_added(call: str, variable: Variable, indices: Any, updates: Any, change: Any) -> Tensor:
    with building(innermost(variable.graph)):
        ids, rows = as_tensor(indices), variable._fitting(call, updates)
        if rows.shape:
            rows = apply(rows_given, [rows, ids], {"call": call, "shape": variable.shape})
        else:
            _check_rows(call, variable.spec, ids, rows)
            rows = ops.broadcast_to(rows, (*ids.shape, *variable.shape[1:]))
        return change(scatter_index(rows, ids, shape=variable.shape, index=(ARRAY,)))


def scatter_update(variable: Variable, indices: Any, updates: Any) -> Tensor:
    """Rows of a variable replaced: `variable[indices] = updates`, along the first axis. Of an
    index that stands there twice, the last one counts.

    updates: a row for each index, (*indices.shape, *variable.shape[1:]), or one number for all; of a dtype
    that `assign` takes. Raises ShapeError for other shapes, DTypeError for indices that are no integers.
    """
    with building(innermost(variable.graph)):
        rows = variable._fitting("scatter_update", updates)
        return variable.assign(apply(replace_rows, [variable, as_tensor(indices), rows], {}))


def _compute_replace_rows(x: Any, indices: Any, rows: Any) -> Any:
    y = x.copy()
    y[indices] = rows
    return y


def _infer_replace_rows(x: Any, indices: Any, rows: Any) -> Any:
    _check_rows("scatter_update", x, indices, rows)
    return x


def _infer_rows_given(rows: Any, indices: Any, *, call: str, shape: Any) -> Any:
    _check_rows(call, Spec(shape, rows.dtype), indices, rows)
    return Spec((*indices.shape, *shape[1:]), rows.dtype)


def _check_rows(call: str, x: Any, indices: Any, rows: Any) -> None:
    if indices.dtype.kind not in "iu":
        raise DTypeError(f"{call}: indices are integers, not {indices.dtype}; cast them")
    if not len(x.shape):
        raise ShapeError(f"{call}: a variable of shape () has no rows; assign it")
    wanted = (*indices.shape, *x.shape[1:])
    if rows.shape and not (len(rows.shape) == len(wanted) and all(map(sizes_match, rows.shape, wanted))):
        raise ShapeError(
            f"{call}: {str_shape(indices.shape)} indices into rows of a variable of shape "
            f"{str_shape(x.shape)} take updates of shape {str_shape(wanted)}, or one number, not "
            f"{str_shape(rows.shape)}; reshape them, or broadcast_to it"
        )


replace_rows = Op("replace_rows", _compute_replace_rows, _infer_replace_rows, check=True, listed=False)
rows_given = Op(
    "rows_given", lambda rows, indices, *, call, shape: rows, _infer_rows_given,
    [Rule(lambda g, y, rows, indices, *, call, shape: g), ZERO], alias=(0,), check=True, listed=False,
    doc="Rows, of which a run checks that there is one for each index: they might broadcast.",
)  # fmt: skip
