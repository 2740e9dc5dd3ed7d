"""Gradients on the tape.

The rules run on raw arrays: no Tensors are made and nothing is recorded. With `create_graph`
the same rules run on Tensors, so that the gradients have a history of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic import gradient_hooks, instrument
from dynamic.averaging import Averaging, averaging
from dynamic.endpoints import edge_of, leaf_edge_of, seed_of
from dynamic.modes import in_mode, mode
from dynamic.node import Edge, Leaf, Node
from dynamic.tensors import Tensor
from shared.errors import GradientError
from shared.ops.complexes import conjugated
from shared.reverse import ReverseVisitor, reverse
from shared.spec import Spec
from shared.state import State
from shared.trace import Way
from shared.usage.door import door
from shared.watch import hooks


def backward(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Any] | None = None,
) -> None:
    """See `Tensor.backward`."""
    call = mode.get().call
    if call is not None:
        inputs = None if inputs is None else list(inputs)
        keeps = create_graph if retain_graph is None else retain_graph
        way = Way(True, inputs is not None, keeps, create_graph)
        if call.differentiated(self, gradient, way, inputs) is not None:
            return
    add_gradients(self, gradient, retain_graph, create_graph, inputs)


def add_gradients(
    y: Tensor, gradient: Any, retain_graph: bool | None, create_graph: bool, inputs: Sequence[Any] | None
) -> list[Any]:
    """The same; gives the leaves that were reached."""
    wanted = None if inputs is None else {leaf_edge_of(i, x) for i, x in enumerate(inputs)}
    rounds = averaging([edge_of("backward", y)], wanted)
    found = derivatives("backward", [y], [gradient], wanted, retain_graph, create_graph, rounds)
    for (leaf, _), g in found.items():
        assert not isinstance(leaf, Node)
        if leaf.grad is None:
            leaf.grad = g
        else:
            with in_mode(recording=create_graph):
                leaf.grad = leaf.grad + g
    return [leaf for leaf, _ in found]


backward.__doc__ = Tensor.backward.__doc__
Tensor.backward = door(backward)  # type: ignore[method-assign]


def derivatives(
    call: str, ys: Sequence[Tensor], gradients: Sequence[Any], wanted: set[Edge] | None,
    retain_graph: bool | None, create_graph: bool, rounds: Averaging | None = None,
) -> dict[Edge, Tensor]:  # fmt: skip
    """The derivatives of the ys, each times its cotangent and summed up, by edge: of the wanted
    ones, of every leaf if None. rounds: what is to be averaged over ranks meanwhile."""
    if len(ys) != len(gradients):
        raise GradientError(
            f"{call}: {len(ys)} ys and {len(gradients)} cotangents; give one for each, or None"
        )
    seeds = [(edge_of(call, y), seed_of(call, y, g)) for y, g in zip(ys, gradients, strict=True)]
    keep = create_graph if retain_graph is None else retain_graph
    if create_graph:
        with in_mode(recording=True):
            conjugate = [(edge, conjugated(g)) for edge, g in seeds]
            found = {edge: conjugated(g) for edge, g in reverse(conjugate, wanted, _OnTensors(keep)).items()}
            if rounds is not None:
                found = rounds.recorded(found)
        tensors = {edge: g if isinstance(g, Tensor) else Tensor(g) for edge, g in found.items()}
    else:
        raw_seeds = [(edge, conjugated(g.array)) for edge, g in seeds]
        visitor = _OnArrays(keep)
        if rounds is not None:
            visitor.arrived = rounds.arrived
        found = reverse(raw_seeds, wanted, visitor)
        if rounds is not None:
            found = rounds.finish(found)
        taken = {id(g) for _, g in raw_seeds}
        tensors = {edge: Tensor(_own(conjugated(g), taken)) for edge, g in found.items()}
    if gradient_hooks.hooked:
        for edge, g in tensors.items():
            if isinstance(edge[0], Leaf):
                tensors[edge] = gradient_hooks.through_hooks(*edge, g)
    return tensors


def derivatives_by(
    call: str, ys: Sequence[Tensor], gradients: Sequence[Any], xs: Sequence[Tensor | State],
    retain_graph: bool | None, create_graph: bool,
) -> list[Tensor | None]:  # fmt: skip
    """The same by each of the xs; None where the ys do not depend on it."""
    edges = [edge_of(call, x) for x in xs]
    found = derivatives(call, ys, gradients, {*edges}, retain_graph, create_graph)
    return [found.get(edge) for edge in edges]


class _OnArrays(ReverseVisitor):
    """Back over the tape on raw arrays."""

    in_place = True

    def __init__(self, keep: bool) -> None:
        if not keep:
            self.leave = Node.free
        if gradient_hooks.hooked:
            self.enter = _through_hooks
        if hooks.active or mode.get().tracing:
            self.vjp = instrument.vjp

    residuals = staticmethod(Node.residuals)  # type: ignore[assignment]


class _OnTensors(_OnArrays):
    """Back over the tape on Tensors, so that the rules are recorded."""

    in_place = False

    def residuals(self, node: Node) -> tuple[list[Any], list[Any]]:
        inputs, outputs = node.residuals()
        lifted = [
            x if edge is None or isinstance(x, Spec) else Tensor(x, edge)
            for x, edge in zip(inputs, node.edges, strict=True)
        ]
        made = [
            y if isinstance(y, Spec)
            else Tensor(y, (node, i) if node.op.carries_gradient(i, y.dtype) else None)
            for i, y in enumerate(outputs)
        ]  # fmt: skip
        return lifted, made


def _through_hooks(node: Node, gs: list[Any]) -> None:
    """Hooks of single Tensors see, and may change, the cotangents of a node's outputs."""
    for i, g in enumerate(gs):
        if g is not None:
            gradient = conjugated(g if isinstance(g, Tensor) else Tensor(g))
            given = gradient_hooks.through_hooks(node, i, gradient)
            gs[i] = conjugated(given if isinstance(g, Tensor) else given.array)


def _own(g: Any, taken: set[int]) -> Any:
    """A gradient that is the caller's alone: writable, and sharing memory with nothing."""
    if isinstance(g, np.generic):
        g = np.asarray(g)
    if getattr(g, "base", None) is not None or not g.flags.c_contiguous or id(g) in taken:
        g = g.copy()
    taken.add(id(g))
    return g
