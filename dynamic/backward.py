"""Gradients on the tape.

The rules run on raw arrays: no Tensors are made and nothing is recorded. With `create_graph`
the same rules run on Tensors, so that the gradients have a history of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic import watch
from dynamic.ends import edge_of, leaf_edge, seed_of
from dynamic.modes import changed, mode
from dynamic.tape import Node
from dynamic.tensors import Leaf, Tensor
from shared.errors import GradientError
from shared.reverse import Walk, reverse
from shared.spec import Spec
from shared.watch import hooks


def backward(
    y: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Any] | None = None,
) -> None:
    """See `Tensor.backward`."""
    wanted = None if inputs is None else {leaf_edge(i, x) for i, x in enumerate(inputs)}
    found = derivatives("backward", [y], [gradient], wanted, retain_graph, create_graph)
    for leaf, g in found.items():
        if leaf.grad is None:
            leaf.grad = g
        else:
            with changed(recording=create_graph):
                leaf.grad = leaf.grad + g


def derivatives(
    call: str, ys: Sequence[Tensor], gradients: Sequence[Any], wanted: set[Any] | None,
    retain_graph: bool | None, create_graph: bool,
) -> dict[Any, Tensor]:  # fmt: skip
    """The derivatives of the ys, each times its cotangent and summed up, by edge: of the wanted
    ones, of every leaf if None."""
    if len(ys) != len(gradients):
        raise GradientError(
            f"{call}: {len(ys)} ys and {len(gradients)} cotangents; give one for each, or None"
        )
    seeds = [(edge_of(call, y), seed_of(call, y, g)) for y, g in zip(ys, gradients, strict=True)]
    keep = create_graph if retain_graph is None else retain_graph
    if create_graph:
        with changed(recording=True):
            found = reverse(seeds, wanted, _OnTensors(keep))
        tensors = {edge: g if isinstance(g, Tensor) else Tensor(g) for edge, g in found.items()}
    else:
        raw_seeds = [(edge, g.data) for edge, g in seeds]
        found = reverse(raw_seeds, wanted, _OnArrays(keep))
        taken = {id(g) for _, g in raw_seeds}
        tensors = {edge: Tensor(_own(g, taken)) for edge, g in found.items()}
    if watch.anything():
        return {
            edge: watch.seen(edge, 0, g) if isinstance(edge, Leaf) else g for edge, g in tensors.items()
        }
    return tensors


class _OnArrays(Walk):
    """Back over the tape on raw arrays."""

    in_place = True

    def __init__(self, keep: bool) -> None:
        if not keep:
            self.done = Node.free
        if watch.anything():
            self.visit = watch.show
        if hooks.active or mode.get().tracing:
            self.pull = watch.pull

    values = staticmethod(Node.kept)  # type: ignore[assignment]


class _OnTensors(_OnArrays):
    """Back over the tape on Tensors, so that the rules are recorded."""

    in_place = False

    def values(self, node: Node) -> tuple[list[Any], list[Any]]:
        inputs, outputs = node.kept()
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


def _own(g: Any, taken: set[int]) -> Any:
    """A gradient that is the caller's alone: writable, and sharing memory with nothing."""
    if isinstance(g, np.generic):
        g = np.asarray(g)
    if getattr(g, "base", None) is not None or not g.flags.c_contiguous or id(g) in taken:
        g = g.copy()
    taken.add(id(g))
    return g
