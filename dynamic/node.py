"""What the tape is made of: nodes and leaves, and the edges between them.

A node's edges point back to the nodes and leaves that its arguments came from, never to
Tensors, and what its rules will read is held as raw arrays. So a Tensor holds its history and
no history holds its Tensor: without cycles, all is freed as soon as the last Tensor is let go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from dynamic import versions
from shared.errors import GradientError
from shared.op import Op
from shared.pullback import Pullback
from shared.source import Line
from shared.spec import Spec, spec_of, str_shape
from shared.state import State


class Leaf:
    """Where gradients end: the node of a Tensor that was made to require them. A Parameter is a
    leaf of its own.

    outputs  the one Spec of what gradients arrive for
    grad     what backward() has added up so far, as a Tensor
    hooks    see `dynamic.gradient_hooks`; None where nothing hangs
    """

    __slots__ = ("outputs", "grad", "hooks", "__weakref__")
    is_leaf = True

    def __init__(self, spec: Spec) -> None:
        self.outputs = (spec,)
        self.grad: Any = None
        self.hooks: Any = None


class Node:
    """One application of an op.

    pullback  the op, and how to differentiate it by the arguments that have an edge; None for a
              node that is to `expand` first
    edges     for each argument where its cotangent goes, or None
    inputs    for each argument the raw array if a rule reads it, or the weak number, or a Spec;
              None where the edge leads to what knows the Spec; no list once it was freed
    outputs   for each output the raw array if a rule reads it, else its Spec
    order     when it was made, counted over the whole process
    hooks     see `dynamic.gradient_hooks`; None where nothing hangs
    """

    __slots__ = ("pullback", "settings", "edges", "inputs", "outputs", "order", "hooks", "__weakref__")
    is_leaf = False

    def __init__(
        self,
        pullback: Pullback | None,
        settings: dict[str, Any],
        edges: list[Edge | None],
        inputs: list[Any],
        outputs: Sequence[Any],
    ) -> None:
        self.pullback = pullback
        self.settings = settings
        self.edges = edges
        self.inputs: list[Any] | None = inputs
        self.outputs = outputs
        self.order = versions.next_order()
        self.hooks: Any = None

    @property
    def op(self) -> Op:
        assert self.pullback is not None
        return self.pullback.op

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
        if self.pullback is not None and self.pullback.keeps_outputs:
            self.outputs = [spec_of(y) for y in self.outputs]

    def residuals(self) -> tuple[list[Any], Sequence[Any]]:
        """What the rules may see: raw arrays, weak numbers and Specs."""
        inputs = self.inputs
        if inputs is None or self.pullback is None:
            raise GradientError(
                f"backward through {self.name} a second time: what it needs was freed by the "
                "first; pass retain_graph=True there, or compute the value again"
            )
        for i in self.pullback.unread_inputs:
            if inputs[i] is None:  # the Spec of the value that the edge leads to
                node, index = self.edges[i]  # type: ignore[misc]
                y = node.outputs[index]
                inputs[i] = y if type(y) is Spec else spec_of(y)
        if versions.changes:
            self.check_unchanged()
        return inputs, self.outputs

    def check_unchanged(self) -> None:
        """GradientError if an array that the node kept was changed after it was kept."""
        for value in (*(self.inputs or ()), *self.outputs):
            array = value if isinstance(value, versions.ARRAYS) else getattr(value, "data", None)
            if not isinstance(array, versions.ARRAYS):
                continue
            change = versions.change_after(array, self.order)
            if change is not None:
                raise GradientError(
                    f"backward through {self.name}: an array of shape {str_shape(array.shape)} that its "
                    f"gradient needs was changed in place since, at {change.line}; change a clone() "
                    "instead, or call backward before the change"
                )


Edge = tuple[Node | Leaf | State, int]
"""Where a cotangent goes: a node and which of its outputs, or a leaf and 0."""

lines: WeakKeyDictionary[Node, Line | None] = WeakKeyDictionary()


def release(edge: Edge | None) -> None:
    """Free all nodes behind an edge, and the edges themselves."""
    stack = [edge]
    while stack:
        edge = stack.pop()
        node = None if edge is None else edge[0]
        if isinstance(node, Node) and node.inputs is not None:
            stack.extend(node.edges)
            node.free()
            node.edges = [None] * len(node.edges)
