"""Diptych's define-and-run engine: describe, compile, then run.

    import static
    x = static.placeholder("float32", (None, 3), name="x")
    y = (x * x).sum()
    with static.Session() as session:
        session.run(y, feed_dict={x: [[1.0, 2.0, 3.0]]})
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared.hooks import Event, Hook, watching
from shared.memory import keep_freed_memory
from shared.nan import NanFinder
from shared.profiler import Profiler
from static.branches import case, cond
from static.differentiate import gradients, hessian_vector_product, jacobian
from static.effects import (
    Assert,
    Print,
    check_numerics,
    control_dependencies,
    identity,
    py_func,
    stop_gradient,
)
from static.engine import ENGINE
from static.graph import Graph, Node, Tensor, get_default_graph, name_scope, reset_default_graph
from static.loops import map_fn, scan
from static.make import (
    assign,
    assign_add,
    constant,
    group,
    placeholder,
    placeholder_with_default,
    scatter_update,
)
from static.passes import PASSES
from static.sampling import random_normal, random_uniform, set_random_seed
from static.scopes import (
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
from static.session import InteractiveSession, RunMetadata, RunOptions, Session, get_default_session
from static.variables import Variable, global_variables_initializer
from static.views import draw, show, to_networkx
from static.while_loops import while_loop

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
    from static.estimate import summary
    from static.loaded import Loaded, load
    from static.onnx_export import export_onnx
    from static.saver import Saver, latest_checkpoint

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

_LATE = {
    "Loaded": "static.loaded", "Saver": "static.saver", "export_onnx": "static.onnx_export",
    "latest_checkpoint": "static.saver", "load": "static.loaded", "summary": "static.estimate",
} | dict.fromkeys(
    (
        "add_n", "concat", "divide", "multiply", "negative", "reduce_all", "reduce_any",
        "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
        "subtract", "to_float",
    ),
    "static.aliases",
)  # fmt: skip
"""What is loaded when it is first asked for: a graph can be built and run without it."""

keep_freed_memory()


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'static' has no attribute {name!r}")
