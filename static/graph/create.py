"""Making Tensors and operations that are no op of the table: placeholder, constant, group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim
from shared.errors import EngineError, FetchError, GradientError, GraphError, SettingError, ShapeError
from shared.op import Op, Rule
from shared.spec import Spec, as_dtype, in_short, is_weak, sizes_match, str_shape
from shared.state import State
from static.graph.graph import (
    CONSTANT,
    GROUP,
    PLACEHOLDER,
    Graph,
    Node,
    Tensor,
    building,
    get_default_graph,
    innermost,
)
from static.graph.variables import Variable, starting_array


def placeholder(dtype: Any, shape: Sequence[Any] | None = None, name: str | None = None) -> Tensor:
    """A Tensor whose value every run is fed.

    shape: each size an int, None (unknown), or a name: placeholders that give the same name
    have the same unknown size there, and a run checks it. Without a shape not even the number of
    axes is known: such a Tensor can be reshaped, passed on, fetched, and told its shape.
    """
    graph = get_default_graph()
    if isinstance(dtype, (tuple, list)):
        raise SettingError(
            f"placeholder: the dtype comes first and the shape second: placeholder({shape!r}, {dtype!r})"
        )
    kind = as_dtype(dtype)
    if shape is None:
        return Node(graph, PLACEHOLDER, (), {}, [Spec(UNKNOWN_RANK, kind)], name).outputs[0]
    if isinstance(shape, str) or not isinstance(shape, Iterable):
        raise SettingError(
            f"placeholder: {shape!r} is no shape; give a tuple of sizes, as ({shape!r},), or () for a number"
        )
    sizes = tuple(_size(graph, shape, size) for size in shape)
    spec = Spec(sizes, kind)
    return Node(graph, PLACEHOLDER, (), {}, [spec], name).outputs[0]


def _size(graph: Graph, shape: Sequence[Any], size: Any) -> int | Dim:
    if size is None or isinstance(size, str):
        return graph.dim(size)
    if isinstance(size, Dim):
        return size
    if not isinstance(size, (int, np.integer)) or size < 0:
        raise SettingError(
            f"placeholder: {size!r} in the shape {tuple(shape)!r} is no size; use an int, 0 or more, None "
            "where it is not known, or a name"
        )
    return int(size)


def placeholder_with_default(default: Any, shape: Sequence[Any], name: str | None = None) -> Tensor:
    """A Tensor that a run may be fed, and that has the value of `default` where it is not."""
    graph = get_default_graph()
    source = as_tensor(default)
    sizes = tuple(graph.dim(n) if n is None or isinstance(n, str) else n for n in shape)
    if len(sizes) != len(source.shape) or not all(map(sizes_match, sizes, source.shape)):
        raise ShapeError(
            f"placeholder_with_default: the default has shape {str_shape(source.shape)}, which does not "
            f"fit {str_shape(sizes)}"
        )
    spec = Spec(sizes, source.dtype)
    return Node(graph, DefaultOp(spec), [source], {}, [spec], name).outputs[0]


class DefaultOp(Op):
    """Gives its argument on as a value of `spec`, which may leave more sizes unknown."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        super().__init__(
            "placeholder_with_default", lambda x: x, lambda x: spec, [Rule(lambda g, y, x: g)],
            alias=(0,), listed=False,
        )  # fmt: skip


def constant(value: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A Tensor that is the same in every run. Holds a copy; Python floats become float32."""
    array = starting_array("constant", value, dtype)
    graph = get_default_graph()
    return Node(graph, CONSTANT, (), {"value": array}, [Spec(array.shape, array.dtype)], name).outputs[0]


def group(*operations: Any, name: str | None = None) -> Node:
    """One operation that runs all of these (Tensors or operations); it has no value."""
    deps: list[Tensor] = []
    for operation in operations:
        if not isinstance(operation, (Node, Tensor)):
            raise FetchError(f"group: {operation!r} is neither a Tensor nor an operation; leave it out")
        if isinstance(operation, Node):
            deps.extend(operation.outputs if operation.op is not GROUP else operation.inputs)
        else:
            deps.append(operation)
    made = Node(get_default_graph(), GROUP, deps, {}, [], name)
    made.control += tuple(n for op in operations if isinstance(op, Node) for n in op.control)
    return made


def assign(variable: Variable, value: Any) -> Tensor:
    """See `Variable.assign`."""
    return variable.assign(value)


def assign_add(variable: Variable, delta: Any) -> Tensor:
    """See `Variable.assign_add`."""
    return variable.assign_add(delta)


def scatter_update(variable: Variable, indices: Any, updates: Any) -> Tensor:
    """Rows of a variable replaced: `variable[indices] = updates`, along the first axis. Of an
    index that stands there twice, the last one counts."""
    from static.engine import ENGINE

    with building(innermost(variable.graph)):
        rows = as_tensor(updates, variable.dtype)
        return variable.assign(ENGINE.apply(replace_rows, [variable, as_tensor(indices), rows], {}))


def _compute_replace_rows(x: Any, indices: Any, rows: Any) -> Any:
    y = x.copy()
    y[indices] = rows
    return y


replace_rows = Op("replace_rows", _compute_replace_rows, lambda x, *_: x, listed=False)


def as_tensor(value: Any, dtype: Any = None) -> Tensor:
    """`value` as a Tensor of the default graph: variables are read, arrays become constants."""
    operand = as_operand(get_default_graph(), value)
    return operand if isinstance(operand, Tensor) else constant(operand, dtype)


def as_operand(graph: Graph, value: Any) -> Any:
    """What a node of `graph` takes for an argument: a Tensor of it, or a weak number."""
    if isinstance(value, Tensor):
        if value.graph is not graph:
            if graph.is_inside(value.graph):
                return graph.capture(value)
            raise GraphError(
                f"Tensor {value.name!r} must be from the same graph as the others in this call; "
                "build both inside one `with graph.as_default():`"
            )
        return value
    if isinstance(value, np.generic):  # some are subclasses of Python's numbers; all are weak here
        return value.item()
    if is_weak(value):
        return value
    if isinstance(value, Variable):
        if not graph.is_inside(value.graph):
            raise GraphError(f"variable {value.name!r} must be from the same graph as the others")
        return graph.read(value)
    if isinstance(value, State):
        return graph.read(graph.lift(value))
    if isinstance(value, (np.ndarray, list, tuple)):
        return constant(value)
    if isinstance(value, Spec):
        raise GradientError(f"a gradient rule uses a value ({value}) that its `reads` does not name")
    raise EngineError(
        f"{in_short(value)} can not be part of a graph; a static call takes static Tensors, variables, "
        "arrays and numbers (feed a dynamic Tensor's .numpy() to a placeholder instead)"
    )
