"""Diptych's define-and-run engine: describe, compile, then run.

    import static
    x = static.placeholder("float32", (None, 3), name="x")
    y = (x * x).sum()
    with static.Session() as session:
        session.run(y, feed_dict={x: [[1.0, 2.0, 3.0]]})
"""

from shared.hooks import Event, Hook, watching
from shared.nan import NanFinder
from shared.profiler import Profiler
from static.branches import case, cond
from static.differentiate import gradients
from static.engine import ENGINE
from static.graph import Graph, Node, Tensor, get_default_graph, name_scope, reset_default_graph
from static.loops import map_fn, scan
from static.make import assign, constant, group, placeholder
from static.session import Session, get_default_session
from static.variables import Variable, global_variables_initializer
from static.views import draw, show, to_networkx
from static.while_loops import while_loop

__all__ = [
    "ENGINE", "Event", "Graph", "Hook", "NanFinder", "Node", "Profiler", "Session", "Tensor",
    "Variable", "assign", "case", "cond", "constant", "draw", "get_default_graph", "get_default_session",
    "global_variables_initializer", "gradients", "group", "map_fn", "name_scope", "placeholder",
    "reset_default_graph", "scan", "show", "to_networkx", "watching", "while_loop",
]  # fmt: skip
