"""What `shared` asks of define-and-run: an op applied is a node added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from shared import dispatch
from shared.op import Op
from shared.operators import bind
from shared.spec import spec_of
from shared.state import State
from static.control.cond import cond
from static.control.scan import scan
from static.control.while_loop import while_loop
from static.graph.create import as_operand, group
from static.graph.graph import Graph, Node, Tensor, current_call, get_default_graph, innermost, name_scope
from static.graph.variables import Variable


class StaticEngine:
    """Define-and-run."""

    name = "static"

    def apply(self, op: Op, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        """Describe the application: infer what comes out, add a node, give its outputs."""
        graph = _graph_of(args)
        inputs = [as_operand(graph, arg) for arg in args]
        inferred = op.infer(*(spec_of(x) for x in inputs), **settings)
        specs = (inferred,) if op.single else inferred
        node = Node(graph, op, inputs, settings, specs, None)
        return node.outputs[0] if op.single else node.outputs

    def assign(self, state: State, value: Tensor) -> Tensor:
        """An assign node, that belongs to the module call in progress."""
        variable = value.graph.lift(state)
        if value.dtype != variable.dtype:
            value = value.astype(variable.dtype)
        return value.graph.assign(variable, value)

    def gradients(self, loss: Tensor, states: Sequence[State]) -> list[Any]:
        from static.differentiate import gradients

        return gradients(loss, list(states))

    def train(self, loss: Tensor | None, assigned: Iterable[Any]) -> Node:
        """The assignments, and those that module calls which `loss`, if given, depends on have made."""
        from static.graph.select import updates

        return group(*assigned, *(() if loss is None else updates(loss)), name="train")

    cond = staticmethod(cond)
    while_loop = staticmethod(while_loop)
    scan = staticmethod(scan)

    def scope(self, value: Tensor) -> AbstractContextManager[Any]:
        graph = innermost(value.graph)
        return dispatch.using(self) if graph is get_default_graph() else graph.as_default()

    @contextmanager
    def call(self, module: Any, value: Tensor | None) -> Iterator[None]:
        """Nodes made while a module is called belong to that call."""
        graph = get_default_graph() if value is None else innermost(value.graph)
        if current_call.get() is None:
            for path, state in module.named_states():
                state.called(path)
        if graph is get_default_graph():
            with dispatch.using(self), name_scope(module.name, module=True):
                yield
        else:
            with graph.as_default(), name_scope(module.name, module=True):
                yield


def _graph_of(args: Sequence[Any]) -> Graph:
    for arg in args:
        if isinstance(arg, (Tensor, Variable)):
            return innermost(arg.graph)
    return get_default_graph()


ENGINE = StaticEngine()
dispatch.register(ENGINE, Tensor, Variable)
bind(Tensor, ENGINE.apply)
