"""Collections: what a graph remembers under a name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from static.graph.graph import Node, get_default_graph
from static.graph.variables import Variable

TRAINABLE_VARIABLES, GLOBAL_VARIABLES, UPDATE_OPS = "trainable_variables", "variables", "update_ops"
LOCAL_VARIABLES, REGULARIZATION_LOSSES = "local_variables", "regularization_losses"


class GraphKeys:
    """The names of the collections that have a meaning."""

    GLOBAL_VARIABLES, LOCAL_VARIABLES = GLOBAL_VARIABLES, LOCAL_VARIABLES
    TRAINABLE_VARIABLES, UPDATE_OPS = TRAINABLE_VARIABLES, UPDATE_OPS
    VARIABLES = GLOBAL_VARIABLES  # as it was called before 1.0
    REGULARIZATION_LOSSES = REGULARIZATION_LOSSES
    LOSSES, SUMMARIES, GLOBAL_STEP = "losses", "summaries", "global_step"


def global_variables(scope: str | None = None) -> list[Variable]:
    """Every variable of the default graph; with `scope`, as `get_collection` takes it, some."""
    return get_collection(GLOBAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Variable]:
    """The variables of the default graph that optimisers may change; with `scope`, as `get_collection` takes
    it, some."""
    return get_collection(TRAINABLE_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Variable]:
    """The variables that metrics count in."""
    return get_collection(LOCAL_VARIABLES, scope)


def add_to_collection(name: str, value: Any) -> None:
    """Remember a value in the default graph under a name."""
    get_default_graph().root().collections.setdefault(name, []).append(value)


def get_collection_ref(name: str) -> list[Any]:
    """The list itself in which what `add_to_collection` was given is remembered."""
    return get_default_graph().root().collections.setdefault(name, [])


def get_collection(name: str, scope: str | None = None) -> list[Any]:
    """What was remembered under a name; UPDATE_OPS are the assignments that modules made when they
    were called (running statistics), be it inside a loop or branch; `minimize` runs them by itself.

    scope: a regular expression; only what has a name, and one that begins with it.
    """
    graph = get_default_graph().root()
    built_in: dict[str, Callable[[], list[Any]]] = {
        TRAINABLE_VARIABLES: lambda: [variable for variable in graph.variables if variable.trainable],
        GLOBAL_VARIABLES: lambda: list(graph.variables),
        UPDATE_OPS: lambda: [node for node in graph.assigns if _is_update(node)],
    }
    found = [*(built_in[name]() if name in built_in else []), *graph.collections.get(name, [])]
    return found if not scope else [x for x in found if re.match(scope, str(getattr(x, "name", "")))]


def _is_update(node: Node) -> bool:
    return node.settings["update"] or (node.call is not None and any(node.call.modules()))
