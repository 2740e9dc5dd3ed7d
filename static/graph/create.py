"""Making Tensors and operations that are no op of the table: placeholder, group, identity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim
from shared.errors import FetchError, SettingError, ShapeError
from shared.op import ZERO, Op, Rule
from shared.spec import Spec, as_dtype, sizes_match, str_shape
from static.graph.graph import GROUP, PLACEHOLDER, Graph, Node, Tensor, get_default_graph
from static.graph.operands import as_tensor


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
    graph = get_default_graph()
    made = Node(graph, GROUP, [as_tensor(tensor) for tensor in deps], {}, [], name)
    made.control += graph.waits_for([n for op in operations if isinstance(op, Node) for n in op.control])
    return made


ASSIGNED = Op(
    "assigned", lambda value, before: value, lambda value, before: value,
    [ZERO, Rule(lambda g, y, value, before: g)],
    alias=(0,), listed=False,
)  # fmt: skip
"""What a variable holds inside of a loop or branch once a value was assigned to it. As everywhere, the reads
of a variable share one gradient, and through an assignment to it none flows."""
IDENTITY = Op("identity", lambda x: x, lambda x: x, [Rule(lambda g, y, x: g)], alias=(0,), listed=False)


def identity(x: Any, name: str | None = None) -> Tensor:
    """The same value as a Tensor of its own; under `control_dependencies` it waits for them."""
    tensor = as_tensor(x)
    return Node(get_default_graph(), IDENTITY, [tensor], {}, [tensor.spec], name).outputs[0]
