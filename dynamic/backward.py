"""Gradients on the tape.

The rules run on raw arrays: no Tensors are made and nothing is recorded. With `create_graph`
the same rules run on Tensors, so that the gradients have a history of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic.modes import changed
from dynamic.tape import Node
from dynamic.tensors import Tensor
from shared.errors import GradientError, ShapeError
from shared.reverse import reverse
from shared.spec import Spec, str_shape
from shared.state import State


def backward(
    y: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """See `Tensor.backward`."""
    found = _derivatives("backward", [y], [gradient], None, retain_graph, create_graph)
    for leaf, g in found.items():
        leaf.grad = g if leaf.grad is None else _sum(leaf.grad, g, create_graph)


def grad(
    ys: Tensor | Sequence[Tensor],
    xs: Tensor | State | Sequence[Tensor | State],
    grad_ys: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> Any:
    """The derivatives of `ys` (their sum, if several) by each of `xs`; no `.grad` is touched.

    `xs` may be leaves or Tensors from the middle. Gives one Tensor for one x, a list for a
    sequence. An x that ys do not depend on is a GradientError, or None with `allow_unused`.
    """
    many_y = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    many_x = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    seeds = list(grad_ys) if isinstance(grad_ys, (list, tuple)) else [grad_ys] * len(many_y)
    edges = [_edge("grad", x) for x in many_x]
    found = _derivatives("grad", many_y, seeds, set(edges), retain_graph, create_graph)
    result = [found.get(edge) for edge in edges]
    if not allow_unused and any(g is None for g in result):
        at = next(i for i, g in enumerate(result) if g is None)
        raise GradientError(
            f"grad: ys do not depend on xs[{at}] (shape {str_shape(many_x[at].shape)}); take it "
            "out, or pass allow_unused=True to get None for it"
        )
    return result if isinstance(xs, (list, tuple)) else result[0]


def _edge(call: str, x: Any) -> Any:
    """Where the cotangent of `x` arrives."""
    if not isinstance(x, (Tensor, State)):
        raise GradientError(f"{call}: {x!r} is not a dynamic Tensor or a Parameter")
    if x.edge is None:
        raise GradientError(
            f"{call}: a Tensor of shape {str_shape(x.shape)} has no history and does not require "
            "a gradient; make it with tensor(..., requires_grad=True), and not under no_grad"
        )
    return x.edge


def _derivatives(
    call: str, ys: Sequence[Tensor], gradients: Sequence[Any], wanted: set[Any] | None,
    retain_graph: bool | None, create_graph: bool,
) -> dict[Any, Tensor]:  # fmt: skip
    seeds = [(_edge(call, y), _seed(call, y, g)) for y, g in zip(ys, gradients, strict=True)]
    keep = create_graph if retain_graph is None else retain_graph
    done = None if keep else Node.free
    if create_graph:
        with changed(recording=True):
            found = reverse(seeds, wanted, _as_tensors, done)
        return {edge: g if isinstance(g, Tensor) else Tensor(g) for edge, g in found.items()}
    raw_seeds = [(edge, g.data) for edge, g in seeds]
    found = reverse(raw_seeds, wanted, Node.kept, done)
    taken = {id(g) for _, g in raw_seeds}
    return {edge: Tensor(_own(g, taken)) for edge, g in found.items()}


def _seed(call: str, y: Tensor, gradient: Any) -> Tensor:
    """The cotangent to start from, of y's shape and dtype."""
    if gradient is None:
        if y.data.size != 1:
            raise GradientError(
                f"{call}: y has shape {str_shape(y.shape)}, so it has no single derivative; "
                "reduce it to one number (y.sum(), y.mean()), or pass the cotangent to start from"
            )
        return Tensor(np.ones(y.shape, y.dtype))
    seed = gradient if isinstance(gradient, Tensor) else Tensor(np.asarray(gradient, y.dtype))
    if seed.shape != y.shape:
        raise ShapeError(
            f"{call}: the cotangent has shape {str_shape(seed.shape)}, y has "
            f"{str_shape(y.shape)}; they must be the same"
        )
    return seed


def _as_tensors(node: Node) -> tuple[list[Any], list[Any]]:
    """What the rules may see, as Tensors with their history, so that rules are recorded."""
    inputs, outputs = node.kept()
    lifted = [
        x if edge is None or isinstance(x, Spec) else Tensor(x, edge)
        for x, edge in zip(inputs, node.edges, strict=True)
    ]
    made = [
        y if isinstance(y, Spec) or not node.op.carries_gradient(i, y.dtype) else Tensor(y, (node, i))
        for i, y in enumerate(outputs)
    ]
    return lifted, made


def _own(g: Any, taken: set[int]) -> Any:
    """A gradient that is the caller's alone: writable, and sharing memory with nothing."""
    if not isinstance(g, np.ndarray):
        g = np.asarray(g)
    if g.base is not None or not g.flags.c_contiguous or id(g) in taken:
        g = np.array(g, order="C")
    taken.add(id(g))
    return g


def _sum(before: Tensor, g: Tensor, create_graph: bool) -> Tensor:
    with changed(recording=create_graph):
        return before + g
