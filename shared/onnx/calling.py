"""One node, called: its inputs made ready for its row, its attributes set beside them, what it gives
labelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from shared.errors import DiptychError, OnnxError
from shared.onnx import sizes
from shared.onnx.graph import Graph, Node
from shared.onnx.narrowing import narrowed
from shared.onnx.table import Row
from shared.onnx.values import Narrow, carrier, is_narrow, is_sizes, known, lifted, measured, tensor_of

Closed = Callable[..., tuple[Any, ...]]


def call(row: Row, node: Node, opset: int, inputs: Sequence[Any], graphs: Mapping[str, Closed]) -> Any:
    """What a row gives of a node's inputs. `graphs`: the bodies among its attributes, as functions."""
    try:
        settings = settled(row, node, opset, graphs)
        while inputs and inputs[-1] is None and node.inputs[len(inputs) - 1] == "":
            inputs = inputs[:-1]
        _check_count(row, node, inputs)
        if any(map(is_sizes, inputs)):
            made = sizes.attempt(node.op, inputs, settings)
            if made is not NotImplemented:
                return made
        given = [_ready(row, node, place, value) for place, value in enumerate(inputs)]
        if any(map(is_sizes, given)):  # what unknown sizes are done with can't be computed at once
            given = [x if row.input_name(i) in row.known else lifted(x) for i, x in enumerate(given)]
        made = row.function(*given, **settings)
    except DiptychError as error:
        if node.op not in error.message or (node.name and node.name not in error.message):
            error.message = f"{node}: {error.message}"
        raise
    return made if row.narrow else _labelled(node, opset, inputs, made)


def settled(row: Row, node: Node, opset: int, graphs: Mapping[str, Closed]) -> dict[str, Any]:
    """The keyword arguments for a row."""
    found: dict[str, Any] = {}
    for key, value in node.attributes.items():
        if key not in row.attributes:
            raise OnnxError(f"{node}: there is no attribute {key!r}; there are {', '.join(row.attributes)}")
        found[key] = graphs[key] if isinstance(value, Graph) else value
    for key, default in row.attributes.items():
        if default is REQUIRED and key not in found:
            raise OnnxError(f"{node}: needs the attribute {key!r}")
    if "outputs" in row.special:
        found["outputs"] = len(node.outputs)
    if "opset" in row.special:
        found["opset"] = opset
    return found


def _check_count(row: Row, node: Node, inputs: Sequence[Any]) -> None:
    if len(inputs) > len(row.inputs) and not row.variadic:
        raise OnnxError(f"{node}: takes {len(row.inputs)} inputs, not {len(inputs)}")
    if len(inputs) < row.fewest:
        raise OnnxError(f"{node}: needs {row.fewest} inputs, and has {len(inputs)}")


def _ready(row: Row, node: Node, place: int, value: Any) -> Any:
    name = row.input_name(place)
    if value is None:
        return None
    if name in row.known:
        return measured(value) if name in row.sizes else known(str(node), name, value)
    if row.narrow:
        return _own(value)
    if isinstance(value, Narrow):
        return value.value
    if isinstance(value, np.ndarray) and is_narrow(value.dtype):
        return value.astype(carrier(value.dtype))
    if isinstance(value, list):
        return [part.value if isinstance(part, Narrow) else tensor_of(part) for part in value]
    return tensor_of(value)


def _own(value: Any) -> Any:
    """An array of a dtype that NumPy lacks, as any other value of it."""
    if isinstance(value, np.ndarray) and is_narrow(value.dtype):
        return Narrow(value.astype(carrier(value.dtype)), value.dtype)
    return tensor_of(value)


def _labelled(node: Node, opset: int, inputs: Sequence[Any], made: Any) -> Any:
    """What a node made of Narrow values, rounded to their dtype where ONNX says that it is of the same
    type.
    """
    kinds = [
        x.dtype if isinstance(x, Narrow) or (isinstance(x, np.ndarray) and is_narrow(x.dtype)) else None
        for x in inputs
    ]
    if not any(kind is not None for kind in kinds):
        return made
    places = sources(node.op, node.domain, opset)
    parts: list[Any] = []
    for place, part in enumerate(made if isinstance(made, tuple) else (made,)):
        source = places[min(place, len(places) - 1)] if places else 0
        kind = kinds[source] if source is not None and source < len(kinds) else None
        if kind is not None and isinstance(part, list):
            parts.append([narrowed(piece, kind) for piece in part])
        else:
            parts.append(part if kind is None or part is None else narrowed(part, kind))
    return tuple(parts) if isinstance(made, tuple) else parts[0]


@cache
def sources(op: str, domain: str, opset: int) -> list[int | None]:
    """For each output of an op the first input whose type it has; None for what has a type of its own."""
    import onnx

    try:
        schema = onnx.defs.get_schema(op, opset, domain)
    except onnx.defs.SchemaError:
        return [0]
    inputs = [formal.type_str for formal in schema.inputs]
    return [inputs.index(y.type_str) if y.type_str in inputs else None for y in schema.outputs]


REQUIRED: Any = ...
"""What stands for the default of an attribute that has none."""
