"""The tape: one Node for each op that was applied to something with a gradient.

A node's edges point back to the nodes and leaves that its arguments came from, never to
Tensors, and what its rules will read is held as raw arrays. So a Tensor holds its history and
no history holds its Tensor: without cycles, all is freed as soon as the last Tensor is let go.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from dynamic import inplace, watch
from dynamic.modes import mode
from dynamic.tensors import Tensor
from dynamic.values import operand
from shared.errors import GradientError
from shared.op import Op
from shared.rules import Plan
from shared.source import Line, user_line
from shared.spec import Spec, is_weak, spec_of
from shared.state import State
from shared.watch import hooks

next_order = itertools.count().__next__
_new = object.__new__


class Node:
    """One application of an op.

    plan      the op, and how to differentiate it by the arguments that have an edge
    edges     for each argument `(node, output index)`, or the leaf, or None: where its
              cotangent goes
    inputs    for each argument the raw array if a rule reads it, or the weak number, or a Spec;
              None where the edge leads to what knows the Spec; no list once it was freed
    outputs   for each output the raw array if a rule reads it, else its Spec
    order     when it was made, counted over the whole process
    watch     see `dynamic.watch`; most nodes have none
    """

    __slots__ = ("plan", "settings", "edges", "inputs", "outputs", "order", "watch", "__weakref__")

    def __init__(
        self,
        plan: Plan,
        settings: dict[str, Any],
        edges: list[Any],
        inputs: list[Any],
        outputs: Sequence[Any],
    ) -> None:
        self.plan = plan
        self.settings = settings
        self.edges = edges
        self.inputs: list[Any] | None = inputs
        self.outputs = outputs
        self.order = next_order()

    @property
    def op(self) -> Op:
        return self.plan.op

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.op.name

    @property
    def line(self) -> Line | None:
        """The user's line that made it, where it was asked for (`anomaly()`, or a hook)."""
        return lines.get(self)

    def __repr__(self) -> str:
        return f"<{self.name} %{self.order}>"

    def free(self) -> None:
        """Let go of the arrays; a second backward through this node is then an error."""
        self.inputs = None
        if self.plan is not None and self.plan.keeps:
            self.outputs = [spec_of(y) for y in self.outputs]

    def kept(self) -> tuple[list[Any], Sequence[Any]]:
        """What the rules may see: raw arrays, weak numbers and Specs."""
        if self.inputs is None:
            raise GradientError(
                f"backward through {self.op.name} a second time: what it needs was freed by the "
                "first; pass retain_graph=True there, or compute the value again"
            )
        inputs = self.inputs
        for i in self.plan.dropped:
            if inputs[i] is None:  # the Spec of the value that the edge leads to
                edge = self.edges[i]
                if type(edge) is tuple:
                    y = edge[0].outputs[edge[1]]
                    inputs[i] = y if type(y) is Spec else spec_of(y)
                else:
                    inputs[i] = edge.spec
        if inplace.changes:
            inplace.check(self)
        return inputs, self.outputs


lines: WeakKeyDictionary[Node, Line | None] = WeakKeyDictionary()


def apply(op: Op, args: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Compute now; if a gradient could flow and the mode records, remember how.

    Every op of define-by-run comes through here, so a microsecond in this function is a
    microsecond of every op: hence the few cases that are written out.
    """
    arrays: list[Any] = []
    edges: list[Any] = []
    for arg in args:
        if type(arg) is Tensor:
            arrays.append(arg.data)
            edges.append(arg.edge)
        elif isinstance(arg, (Tensor, State)):
            arrays.append(arg.data if isinstance(arg, Tensor) else arg.value())
            edges.append(arg.edge)
        else:
            arrays.append(operand(op, arg))
            edges.append(None)
    now = mode.get()
    y = watch.run(op, arrays, settings) if hooks.active else op.on_arrays(arrays, settings)

    wanted: tuple[bool, ...]
    if len(edges) == 2:
        wanted = edges[0] is not None, edges[1] is not None
    else:
        wanted = tuple([edge is not None for edge in edges])
    if True not in wanted or not now.recording:
        return Tensor(y) if op.single else tuple([Tensor(part) for part in y])
    plan = op.plans.get(wanted) or op.plan(wanted)

    for i in plan.dropped:
        array = arrays[i]
        if edges[i] is not None:
            arrays[i] = None
        elif type(array) is np.ndarray or not is_weak(array):
            arrays[i] = Spec(array.shape, array.dtype)
    if op.single:
        dtype = y.dtype
        if dtype.kind not in "fc":
            return Tensor(y)
        node = _new(Node)  # Node(...) and Tensor(...), without the cost of two calls of __init__
        node.plan = plan
        node.settings = settings
        node.edges = edges
        node.inputs = arrays
        if plan.keeps:
            node.outputs = (y,)
        else:
            (spec,) = node.outputs = plan.unread
            if spec.dtype is not dtype or spec.shape != y.shape:
                node.outputs = plan.unread = (Spec(y.shape, dtype),)
        node.order = next_order()
        made: Any = _new(Tensor)
        made.data = y
        made.edge = (node, 0)
    else:
        kept = plan.outputs or (False,) * len(y)
        outputs = [part if keep else spec_of(part) for part, keep in zip(y, kept, strict=True)]
        node = Node(plan, settings, edges, arrays, outputs)
        made = tuple(
            [
                Tensor(part, (node, i) if op.carries_gradient(i, part.dtype) else None)
                for i, part in enumerate(y)
            ]
        )
    if hooks.active or now.tracing:
        lines[node] = user_line()
    return made


def unchain(y: Tensor) -> None:
    """See `Tensor.unchain`."""
    stack, y.edge = [y.edge], None
    while stack:
        edge = stack.pop()
        if type(edge) is tuple and edge[0].inputs is not None:
            node = edge[0]
            stack.extend(node.edges)
            node.free()
            node.edges = [None] * len(node.edges)
