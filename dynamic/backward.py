"""Gradients on the tape.

The rules run on raw arrays: no Tensors are made and nothing is recorded. With `create_graph`
the same rules run on Tensors, so that the gradients have a history of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic import watch
from dynamic.modes import changed, mode
from dynamic.tape import Node
from dynamic.tensors import Leaf, Tensor
from shared import hooks
from shared.errors import GradientError, ShapeError
from shared.op import array_module
from shared.reverse import Walk, reverse
from shared.spec import Spec, str_shape
from shared.state import State


def backward(
    y: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Any] | None = None,
) -> None:
    """See `Tensor.backward`."""
    wanted = None if inputs is None else {_leaf_edge(i, x) for i, x in enumerate(inputs)}
    found = _derivatives("backward", [y], [gradient], wanted, retain_graph, create_graph)
    for leaf, g in found.items():
        if leaf.grad is None:
            leaf.grad = g
        else:
            with changed(recording=create_graph):
                leaf.grad = leaf.grad + g


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
    many_y: list[Any] = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    many_x: list[Any] = list(xs) if isinstance(xs, (list, tuple)) else [xs]
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


def _leaf_edge(position: int, x: Any) -> Any:
    edge = _edge("backward", x)
    if type(edge) is tuple:
        raise GradientError(
            f"backward: inputs[{position}] (shape {str_shape(x.shape)}) was made by {edge[0].name}, and "
            "`inputs` must be leaves; dynamic.grad(y, [x]) gives the gradient of any Tensor"
        )
    return edge


def _edge(call: str, x: Any) -> Any:
    """Where the cotangent of `x` arrives."""
    if not isinstance(x, (Tensor, State)):
        raise GradientError(
            f"{call}: {x!r} is not a dynamic Tensor or a Parameter; make one with dynamic.tensor(...)"
        )
    if x.edge is None:
        raise GradientError(
            f"{call}: a Tensor of shape {str_shape(x.shape)} has no history and does not require a "
            "gradient; make what it comes from with tensor(..., requires_grad=True), and not under "
            "no_grad, nor by way of detach(), .numpy() or .item()"
        )
    return x.edge


def _derivatives(
    call: str, ys: Sequence[Tensor], gradients: Sequence[Any], wanted: set[Any] | None,
    retain_graph: bool | None, create_graph: bool,
) -> dict[Any, Tensor]:  # fmt: skip
    if len(ys) != len(gradients):
        raise GradientError(
            f"{call}: {len(ys)} ys and {len(gradients)} cotangents; give one for each, or None"
        )
    seeds = [(_edge(call, y), _seed(call, y, g)) for y, g in zip(ys, gradients, strict=True)]
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


def _seed(call: str, y: Tensor, gradient: Any) -> Tensor:
    """The cotangent to start from, of y's shape and dtype."""
    if gradient is None:
        if y.data.size != 1:
            raise GradientError(
                f"{call}: y has shape {str_shape(y.shape)}, so it has no single derivative; "
                "reduce it to one number (y.sum(), y.mean()), or pass the cotangent to start from"
            )
        return Tensor(array_module(y.data).ones(y.shape, y.dtype))
    try:
        seed = gradient if isinstance(gradient, Tensor) else Tensor(np.asarray(gradient, y.dtype))
    except (ValueError, TypeError):
        raise GradientError(
            f"{call}: the cotangent {gradient!r} is no array of numbers; pass one of y's shape, "
            f"{str_shape(y.shape)}"
        ) from None
    if seed.shape != y.shape:
        raise ShapeError(
            f"{call}: the cotangent has shape {str_shape(seed.shape)}, y has "
            f"{str_shape(y.shape)}; they must be the same"
        )
    return seed


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
