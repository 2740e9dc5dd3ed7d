"""The tape: one Node for each op that was applied to something with a gradient.

A node's edges point back to the nodes and leaves that its arguments came from, never to
interior Tensors, and what its rules will read is held as raw arrays. So a Tensor holds its
history and no history holds its Tensor: without cycles, all is freed as soon as the last
Tensor is let go.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from dynamic.modes import recording
from dynamic.tensor import Tensor
from shared import dispatch
from shared.errors import EngineError, GradientError
from shared.op import Op, as_array
from shared.spec import Spec, is_weak, spec_of
from shared.state import State

_next_order = itertools.count().__next__


class Node:
    """One application of an op.

    edges    for each argument `(node, output index)`, or the leaf, or None: where its
             cotangent goes
    inputs   for each argument the raw array if a rule reads it, else its Spec; weak numbers
             as they are; None once backward has freed it
    outputs  for each output the raw array if a rule reads it, else its Spec
    order    when it was made, counted over the whole process
    """

    __slots__ = ("op", "settings", "edges", "inputs", "outputs", "order", "__weakref__")

    def __init__(
        self,
        op: Op,
        settings: dict[str, Any],
        edges: tuple[Any, ...],
        inputs: tuple[Any, ...],
        outputs: tuple[Any, ...],
    ) -> None:
        self.op, self.settings, self.edges = op, settings, edges
        self.inputs: tuple[Any, ...] | None = inputs
        self.outputs = outputs
        self.order = _next_order()

    def __repr__(self) -> str:
        return f"<{self.op.name} %{self.order}>"

    def free(self) -> None:
        """Let go of the arrays; a second backward through this node is then an error."""
        if self.inputs is not None:
            self.inputs = None
            self.outputs = tuple(spec_of(y) for y in self.outputs)

    def kept(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """What the rules may see, as raw arrays."""
        if self.inputs is None:
            raise GradientError(
                f"backward through {self.op.name} a second time: what it needs was freed by the "
                "first; pass retain_graph=True there, or compute the value again"
            )
        return self.inputs, self.outputs


def raw(value: Any) -> Any:
    """What `compute` takes for an argument that is no Tensor or State of ours."""
    if isinstance(value, np.ndarray) or is_weak(value):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Spec):
        raise GradientError(f"a gradient rule uses a value ({value}) that its `reads` does not name")
    engine = dispatch.tensor_engine((value,))
    if engine is not None:
        raise EngineError(
            f"a dynamic Tensor and a Tensor of the {engine.name} engine in one call: one holds "
            "values now, the other gets them when a session runs; keep a call on one engine "
            "(session.run gives arrays that dynamic takes)"
        )
    if isinstance(value, (list, tuple)):
        return as_array(value)
    if hasattr(value, "__array_namespace__"):
        return value
    raise EngineError(f"{value!r} is neither a Tensor, an array nor a number")


class DynamicEngine:
    """What `shared` asks of define-by-run."""

    name = "dynamic"

    def apply(self, op: Op, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        """Compute now; if a gradient could flow and the mode records, remember how."""
        arrays: list[Any] = []
        edges: list[Any] = []
        tracked = False
        for arg in args:
            if isinstance(arg, (Tensor, State)):
                arrays.append(arg.data if arg.data is not None else arg.value())
                edge = arg.edge
                if edge is None and arg.requires_grad:
                    edge = arg
                edges.append(edge)
                tracked = tracked or edge is not None
            else:
                arrays.append(raw(arg))
                edges.append(None)
        y = op.on_arrays(arrays, settings)
        outputs = (y,) if op.single else y
        if not (tracked and recording.get()):
            return Tensor(y) if op.single else tuple([Tensor(part) for part in outputs])
        carries = [op.carries_gradient(i, part.dtype) for i, part in enumerate(outputs)]
        if not any(carries):
            return Tensor(y) if op.single else tuple([Tensor(part) for part in outputs])

        plan = op.plan(tuple([edge is not None for edge in edges]), len(outputs))
        node = Node(
            op,
            settings,
            tuple(edges),
            tuple([a if keep else spec_of(a) for a, keep in zip(arrays, plan.inputs, strict=True)]),
            tuple([a if keep else spec_of(a) for a, keep in zip(outputs, plan.outputs, strict=True)]),
        )
        if op.single:
            return Tensor(y, (node, 0))
        return tuple(
            [Tensor(part, (node, i) if carries[i] else None) for i, part in enumerate(outputs)]
        )

    def assign(self, state: State, value: Tensor) -> None:
        """At once, and without a gradient."""
        state.data = np.array(value.data, state.dtype)

    def gradients(self, loss: Tensor, states: Sequence[State]) -> list[Any]:
        from dynamic.backward import grad

        return grad(loss, states, allow_unused=True)

    def train(self, loss: Tensor, assigned: Any) -> None:
        """Nothing is left to do: each assignment was made when it was asked for."""

    def scope(self, value: Any) -> AbstractContextManager[None]:
        return dispatch.using(self)

    def call(self, module: Any, value: Any) -> AbstractContextManager[None]:
        return dispatch.using(self)


ENGINE = DynamicEngine()
dispatch.register(ENGINE, Tensor, eager=True)
