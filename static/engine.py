"""What `shared` asks of define-and-run: an op applied is a node added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from shared import dispatch
from shared.casting import check_dtype
from shared.durable.interrupts import within
from shared.errors import SymbolicValueError
from shared.operators import bind
from shared.state import Parameter, State
from static.control.cond import cond
from static.control.scan import scan
from static.control.while_loop import while_loop
from static.differentiate import gradients
from static.graph.create import group
from static.graph.graph import (
    Graph,
    Node,
    Tensor,
    call_within,
    current_call,
    get_default_graph,
    innermost,
)
from static.graph.nodes import Call
from static.graph.operands import apply
from static.graph.select import updates
from static.graph.variables import Variable, lift
from static.run.late import settings_of


class StaticEngine:
    """Define-and-run."""

    name = "static"

    apply = staticmethod(apply)

    def assign(self, state: State, value: Tensor) -> Tensor:
        """An assign node, that belongs to the module call in progress: one is an update of it."""
        variable = lift(value.graph, state)
        check_dtype("assign", f"variable {variable.name!r}", value.dtype, variable.dtype)
        if value.dtype != variable.dtype:
            value = value.astype(variable.dtype)
        call = current_call.get()
        return value.graph.assign(variable, value, update=call is not None and any(call.modules()))

    def step(self, optimizer: Any, ready: Sequence[Any]) -> None:
        raise SymbolicValueError(
            "step: the gradients are static Tensors, which have no value yet; in a graph the operation that "
            "opt.minimize(loss) gives makes the step, when a session runs it"
        )

    def change(self, state: State, call: str, write: Any, written: Sequence[Any]) -> None:
        """Outside of graphs a Parameter is changed as it is; to a graph it is a variable."""
        if dispatch.tensor_engine(written) is self or dispatch.engine_in_charge() is self:
            raise SymbolicValueError(
                f"{call}: in a graph {state.name or 'a parameter'} is a variable, which changes when a "
                "session runs an assignment: step = p.assign(p - y), session.run(step)"
            )
        write(state.data, *[value.value() if isinstance(value, State) else value for value in written])

    def check_detached(self, call: str, state: State) -> None:
        """Outside of graphs a Parameter is what it holds; in a graph it is a variable."""
        if dispatch.engine_in_charge() is self:
            raise SymbolicValueError(
                f"{call}: in a graph {state.name or 'a parameter'} is a variable, whose values a session "
                "has; compute with ops (ops.stack joins a list), or take what it starts from: p.numpy()"
            )

    def gradients(self, loss: Tensor, states: Sequence[State]) -> list[Any]:
        return gradients(loss, list(states))

    def train(
        self, loss: Tensor | None, assigned: Iterable[Any], settings: Iterable[tuple[Any, Any]] = ()
    ) -> Node:
        """The assignments, and those that module calls which `loss`, if given, depends on have made."""
        step = group(*assigned, *(() if loss is None else updates(loss)), name="train")
        built = step.graph.root().settings
        for holder, values in settings:
            built.keep(holder, values, step)
        for variable in step.graph.root().variables:
            if isinstance(variable.state, Parameter):  # frozen or not: what it was may have been meant so
                built.keep(variable.state, {"requires_grad": variable.state.requires_grad})
        return step

    cond = staticmethod(cond)
    while_loop = staticmethod(while_loop)
    scan = staticmethod(scan)

    def scope(self, value: Tensor) -> AbstractContextManager[Any]:
        graph = innermost(value.graph)
        return dispatch.using(self) if graph is get_default_graph() else graph.as_default()

    def call(self, module: Any, value: Tensor | None) -> within:
        """Nodes made while a module is called belong to that call."""
        graph = get_default_graph() if value is None else innermost(value.graph)
        if current_call.get() is None:
            for path, state in module.named_states():
                state.called(path)
        default = [dispatch.charge(self)] if graph is get_default_graph() else graph.defaults()
        parent = dict(default).get(current_call, current_call.get())
        opened = call_within(graph, module.name, parent, module=True)
        return _Kept(module, graph.root(), opened.gives, *default, *opened.changes)


class _Kept(within):
    """The call of a module in a graph, which keeps with which settings it was built: as they were before, and
    where the session of a later day runs it, also as the call has left them."""

    def __init__(self, module: Any, graph: Graph, call: Call, *changes: Any) -> None:
        super().__init__(*changes)
        self.module, self.graph, self.call = module, graph, call

    def _keep(self) -> None:
        for holder, values in settings_of(self.module):
            self.graph.settings.keep(holder, values, *self.call.modules())

    def on(self) -> None:
        self._keep()
        super().on()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self.graph.stores:
            self._keep()


ENGINE = StaticEngine()
dispatch.register(ENGINE, Tensor, Variable)
bind(Tensor, apply)
