"""What a node takes for an argument, made of whatever a user gives; and the node of an op that is applied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim
from shared.errors import DTypeError, EngineError, GradientError, GraphError, ShapeError
from shared.op import Op, as_array, single_floats
from shared.ops.creation import zeros
from shared.spec import (
    NUMBERS,
    Spec,
    as_dtype,
    in_short,
    is_weak,
    number_or_array,
    plain,
    spec_of,
    str_shape,
)
from static.graph.graph import CONSTANT, Graph, Node, Tensor, get_default_graph, innermost
from static.graph.nodes import Symbolic
from static.graph.rankless import fitted


def apply(op: Op, args: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Describe the application of an op: infer what comes out, add a node, give its outputs."""
    graph = _graph_of(args)
    inputs = [as_operand(arg, graph) for arg in args]
    if op.broadcasts and any([isinstance(x, Tensor) and x.spec.shape is UNKNOWN_RANK for x in inputs]):
        inputs = fitted(inputs)
    if op.together and any([type(x) is float for x in inputs]):
        inputs = single_floats(op, inputs, _in_single_precision)
    inferred = op.infer(*(spec_of(x) for x in inputs), **settings)
    specs = (inferred,) if op.single else inferred
    node = Node(graph, op, inputs, settings, specs, None)
    return node.outputs[0] if op.single else node.outputs


def _in_single_precision(value: Any) -> Tensor:
    """A Tensor, or a number, as a float32 Tensor."""
    return constant(np.float32(value)) if is_weak(value) else value.astype(np.float32)


def _graph_of(args: Sequence[Any]) -> Graph:
    for arg in args:
        if isinstance(arg, Symbolic):
            return innermost(arg.graph)
    return get_default_graph()


def as_tensor(value: Any, dtype: Any = None) -> Tensor:
    """`value` as a Tensor of the default graph: variables are read, arrays become constants."""
    operand = as_operand(value, get_default_graph())
    if isinstance(operand, Dim):
        return zeros((), "int64" if dtype is None else dtype) + operand
    return operand if isinstance(operand, Tensor) else constant(operand, dtype)


def as_operand(value: Any, graph: Graph) -> Any:
    """What a node of `graph` takes for an argument: a Tensor of it, or a weak number."""
    return way_in.dispatch(type(value))(value, graph)  # called by ourselves: errors look for the user's line


@singledispatch
def way_in(value: Any, graph: Graph) -> Any:
    """The same, for each kind of value that is registered; `static.graph.variables` adds variables and
    Parameters."""
    if is_weak(value):
        return plain(value)
    raise EngineError(
        f"{in_short(value)} can not be part of a graph; a static call takes static Tensors, variables, "
        "arrays and numbers (feed a dynamic Tensor's .numpy() to a placeholder instead)"
    )


@way_in.register
def _(value: Tensor, graph: Graph) -> Tensor:
    if value.graph is graph:
        return value
    if graph.is_inside(value.graph):
        return graph.capture(value)
    over = value.graph.over or graph.over
    raise GraphError(
        f"Tensor {value.name!r} must be from the same graph as the others in this call; "
        + (f"one of them is no value any more: {over}" if over else BOTH)
    )


BOTH = "build both inside one `with graph.as_default():`"


@way_in.register
def _(value: np.generic, graph: Graph) -> Any:
    number = number_or_array(value)
    return number if is_weak(number) else constant(number)


@way_in.register(np.ndarray)
@way_in.register(list)
@way_in.register(tuple)
def _(value: Any, graph: Graph) -> Tensor:
    return constant(value)


@way_in.register
def _(value: Spec, graph: Graph) -> Any:
    raise GradientError(f"a gradient rule uses a value ({value}) that its `reads` does not name")


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A Tensor that is the same in every run. Holds a copy; Python floats become float32.

    shape: the shape that the numbers are put into, in their order; where they are too few, the last of them
    fills the rest. ShapeError where they are too many.
    """
    array = starting_array("constant", value, dtype)
    if shape is not None:
        array = _spread(array, tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))
    graph = get_default_graph()
    return Node(graph, CONSTANT, (), {"value": array}, [Spec(array.shape, array.dtype)], name).outputs[0]


def _spread(array: Any, shape: tuple[int, ...]) -> Any:
    missing = math.prod(shape) - array.size
    if missing < 0 or (missing and not array.size):
        raise ShapeError(
            f"constant: {array.size} numbers do not fill the shape {str_shape(shape)}; leave the shape out"
        )
    flat = array.reshape(-1)
    return np.concatenate([flat, np.repeat(flat[-1:], missing)]).reshape(shape)


def starting_array(call: str, value: Any, dtype: Any) -> Any:
    """A copy of `value` in C order; DTypeError for what does not make an array of numbers."""
    kind = None if dtype is None else as_dtype(dtype)
    try:
        array = np.array(as_array(value, kind), order="C")
    except ShapeError:
        raise
    except ValueError as error:
        raise DTypeError(f"{call}: {in_short(value)} does not make an array of numbers: {error}") from None
    if array.dtype.kind not in NUMBERS:
        raise DTypeError(f"{call}: {in_short(value)} does not make an array of numbers")
    return array
