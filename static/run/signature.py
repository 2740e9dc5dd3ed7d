"""What a saved graph is given and gives: Tensors by the names that a caller will use, and the
values that its variables take along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from shared.errors import FetchError, GraphError, SessionError
from static.graph.default_session import get_default_session
from static.graph.graph import Graph, Tensor
from static.graph.variables import Variable
from static.run.session import Session

Named = Tensor | str | Sequence[Any] | Mapping[str, Any]
"""A Tensor or its name ("y:0"), several, or a dict whose keys are to be their names."""


def named_tensors(call: str, graph: Graph, named: Named, kind: str) -> dict[str, Tensor]:
    """Tensors of `graph` by name: a dict's key, else the node's name (the Tensor's, `lstm:1`,
    where the node gives several)."""
    parts: Any = named if isinstance(named, (list, tuple, Mapping)) else [named]
    pairs = parts.items() if isinstance(parts, Mapping) else [(None, part) for part in parts]
    found: dict[str, Tensor] = {}
    for key, part in pairs:
        tensor = graph.named(part) if isinstance(part, str) else part
        if not isinstance(tensor, Tensor):
            raise FetchError(
                f"{call}: {part!r} can be no {kind}; name Tensors of the graph (for a variable v, v.value())"
            )
        if tensor.graph is not graph:
            raise GraphError(f"{call}: the {kind} {tensor.name!r} is not of this graph")
        name = key or (tensor.node.name if len(tensor.node.outputs) == 1 else tensor.name)
        if name in found:
            raise FetchError(f"{call}: two {kind}s are called {name!r}; name them: {{'a': ..., 'b': ...}}")
        found[name] = tensor
    return found


def values_of(graph: Graph, variables: Sequence[Variable], session: Session | None) -> dict[Variable, Any]:
    """The variables' values: those of `session`, else of the default session if it runs this
    graph, else those that they start from (for a Parameter, what it holds now)."""
    if session is None:
        with suppress(SessionError):
            session = get_default_session()
        if session is None or session.graph is not graph:
            return {variable: variable.initial() for variable in variables}
    if not variables:
        return {}
    return dict(zip(variables, session.run(list(variables)), strict=True))
