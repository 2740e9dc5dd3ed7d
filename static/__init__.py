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
from shared.usage.door import public
from shared.watch.hooks import Event, Hook, watching
from shared.watch.nan import NanFinder
from shared.watch.profiler import Profiler
from static.compile.passes import PASSES
from static.control.cond import case, cond
from static.control.scan import map_fn, scan
from static.control.while_loop import while_loop
from static.differentiate import gradients, hessian_vector_product, jacobian
from static.engine import ENGINE
from static.graph.create import group, identity, placeholder, placeholder_with_default
from static.graph.default_session import get_default_session
from static.graph.effects import (
    Assert,
    Print,
    check_numerics,
    control_dependencies,
    py_func,
    stop_gradient,
)
from static.graph.graph import Graph, Node, Tensor, get_default_graph, name_scope, reset_default_graph
from static.graph.operands import constant
from static.graph.random import random_normal, random_uniform, set_random_seed
from static.graph.scopes import (
    AUTO_REUSE,
    GLOBAL_VARIABLES,
    TRAINABLE_VARIABLES,
    UPDATE_OPS,
    add_to_collection,
    get_collection,
    get_variable,
    get_variable_scope,
    global_variables,
    trainable_variables,
    variable_scope,
)
from static.graph.variables import (
    Variable,
    assign,
    assign_add,
    global_variables_initializer,
    scatter_update,
)
from static.look.views import draw, show, to_networkx
from static.run.session import InteractiveSession, RunMetadata, RunOptions, Session

if TYPE_CHECKING:
    from static.aliases import (
        add_n,
        concat,
        divide,
        multiply,
        negative,
        reduce_all,
        reduce_any,
        reduce_logsumexp,
        reduce_max,
        reduce_mean,
        reduce_min,
        reduce_prod,
        reduce_sum,
        subtract,
        to_float,
    )
    from static.archive.load import Loaded, load
    from static.look.estimate import summary
    from static.onnx.export import export_onnx
    from static.run.saver import Saver, latest_checkpoint

__all__ = [
    "AUTO_REUSE", "Assert", "ENGINE", "Event", "GLOBAL_VARIABLES", "Graph", "Hook",
    "InteractiveSession", "Loaded", "NanFinder", "Node", "PASSES", "Print", "Profiler", "RunMetadata",
    "RunOptions", "Saver", "Session", "TRAINABLE_VARIABLES", "Tensor", "UPDATE_OPS", "Variable",
    "add_n", "add_to_collection", "assign", "assign_add", "case", "check_numerics", "concat",
    "cond", "constant", "control_dependencies", "divide", "draw", "export_onnx",
    "get_collection", "get_default_graph", "get_default_session", "get_variable",
    "get_variable_scope", "global_variables", "global_variables_initializer", "gradients",
    "group", "hessian_vector_product", "identity", "jacobian", "latest_checkpoint", "load",
    "map_fn", "multiply", "name_scope", "negative", "placeholder", "placeholder_with_default",
    "py_func", "random_normal", "random_uniform", "reduce_all", "reduce_any",
    "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
    "reset_default_graph", "scan", "scatter_update", "set_random_seed", "show", "stop_gradient",
    "subtract", "summary", "to_float", "to_networkx", "trainable_variables", "variable_scope",
    "watching", "while_loop",
]  # fmt: skip

public(globals(), __all__, hot=("Event", "Node", "Tensor"))

_LATE = {
    "Loaded": "static.archive.load", "Saver": "static.run.saver", "export_onnx": "static.onnx.export",
    "latest_checkpoint": "static.run.saver", "load": "static.archive.load", "summary": "static.look.estimate",
} | dict.fromkeys(
    (
        "add_n", "concat", "divide", "multiply", "negative", "reduce_all", "reduce_any",
        "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
        "subtract", "to_float",
    ),
    "static.aliases",
)  # fmt: skip
"""What is loaded when it is first asked for: a graph can be built and run without it."""



def _bound_late(module: str, name: str) -> Any:
    """A method that is a function of a module that is loaded when it is first called."""

    def method(self: Any, *args: Any, **settings: Any) -> Any:
        return getattr(import_module(module), name)(self, *args, **settings)

    method.__name__ = name
    return method


Graph.save = _bound_late("static.archive.save", "save")
Graph.export_onnx = _bound_late("static.onnx.export", "export")
keep_freed_memory()


def __getattr__(name: str) -> Any:
    if name in _LATE:
        globals()[name] = getattr(import_module(_LATE[name]), name)
        public(globals(), [name])
        return globals()[name]
    raise AttributeError(f"module 'static' has no attribute {name!r}")
