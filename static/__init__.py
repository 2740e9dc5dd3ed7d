"""Diptych's define-and-run engine: describe, compile, then run.

import static
x = static.placeholder("float32", (None, 3), name="x")
y = (x * x).sum()
with static.Session() as session:
    session.run(y, feed_dict={x: [[1.0, 2.0, 3.0]]})
"""

try:
    from shared import HOME as _HOME  # noqa: F401
except ImportError as _error:
    raise ImportError(
        f"static needs Diptych's package `shared`, and `import shared` gives another one ({_error}); rename "
        "that folder, or run from another one"
    ) from None


from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared.device.memory import keep_freed_memory
from shared.usage.door import door, public
from shared.watch.hooks import Event, Hook, watching
from shared.watch.nan import NanFinder
from shared.watch.profiler import Profiler
from static.aliases import WORDS
from static.compile.passes import PASSES
from static.control.cond import case
from static.control.scan import scan
from static.differentiate import hessian_vector_product, jacobian
from static.engine import ENGINE
from static.graph.collections import (
    GLOBAL_VARIABLES,
    TRAINABLE_VARIABLES,
    UPDATE_OPS,
    GraphKeys,
    add_to_collection,
    get_collection,
    global_variables,
    local_variables,
    trainable_variables,
)
from static.graph.create import group, identity, placeholder, placeholder_with_default
from static.graph.default_session import get_default_session
from static.graph.effects import control_dependencies, py_func
from static.graph.graph import Graph, Node, Tensor, get_default_graph, name_scope, reset_default_graph
from static.graph.operands import constant
from static.graph.random import set_random_seed
from static.graph.scopes import AUTO_REUSE, get_variable, get_variable_scope, variable_scope
from static.graph.unused import NoEffectWarning
from static.graph.variables import Variable, global_variables_initializer
from static.look.views import draw, show, to_networkx
from static.run.interactive import InteractiveSession
from static.run.options import RunMetadata, RunOptions
from static.run.session import Session

if TYPE_CHECKING:
    from static.archive.load import Loaded, load
    from static.bridge.function import explain, function
    from static.look.estimate import estimate
    from static.onnx.export import export_onnx
    from static.run.saver import Saver, latest_checkpoint

__all__ = [
    "AUTO_REUSE", "ENGINE", "Event", "GLOBAL_VARIABLES", "Graph", "GraphKeys", "Hook", "InteractiveSession",
    "Loaded", "NanFinder", "NoEffectWarning", "Node", "PASSES", "Profiler", "RunMetadata", "RunOptions",
    "Saver", "Session", "TRAINABLE_VARIABLES", "Tensor", "UPDATE_OPS", "Variable", "add_to_collection",
    "case", "constant", "control_dependencies", "draw", "estimate", "explain", "export_onnx", "function",
    "get_collection", "get_default_graph", "get_default_session", "get_variable", "get_variable_scope",
    "global_variables", "global_variables_initializer", "group", "hessian_vector_product", "identity",
    "jacobian", "latest_checkpoint", "load", "local_variables", "name_scope", "placeholder",
    "placeholder_with_default", "py_func", "reset_default_graph", "scan", "set_random_seed", "show",
    "to_networkx", "trainable_variables", "variable_scope", "watching",
]  # fmt: skip
"""What is `static`'s own. TensorFlow 1's other words are looked up in `static.aliases`."""

public(globals(), __all__, hot=("Event", "Node", "Tensor"))

_LATE = {
    "explain": "static.bridge.function", "function": "static.bridge.function",
    "Loaded": "static.archive.load", "Saver": "static.run.saver", "export_onnx": "static.onnx.export",
    "estimate": "static.look.estimate", "latest_checkpoint": "static.run.saver",
    "load": "static.archive.load",
}  # fmt: skip
"""What is loaded when it is first asked for: a graph can be built and run without it."""


def _bound_late(called: str, module: str, name: str) -> Any:
    """A method that is a function of a module that is loaded when it is first called."""

    def method(self: Any, *args: Any, **settings: Any) -> Any:
        return door(getattr(import_module(module), name), called)(self, *args, **settings)

    method.__name__ = called
    return method


Graph.save = _bound_late("save", "static.archive.save", "save")
Graph.export_onnx = _bound_late("export_onnx", "static.onnx.export", "export")
keep_freed_memory()


def __getattr__(name: str) -> Any:
    if name in _LATE:
        globals()[name] = getattr(import_module(_LATE[name]), name)
        public(globals(), [name])
    elif name.startswith("__"):
        raise AttributeError(name)
    else:
        globals()[name] = WORDS(name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE, *WORDS.inside("")})
