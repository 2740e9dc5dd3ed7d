"""Gradients as graph: the shared rules, run on static Tensors, add nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.dims import UNKNOWN_RANK, Dim, same_shape
from shared.errors import GradientError, ShapeError, UnknownSizeError
from shared.op import Op
from shared.ops import cast, conj, ones, real, zeros
from shared.pullback import pullback_of
from shared.reverse import Edge, ReverseVisitor, reverse
from shared.spec import sizes_match, str_shape
from shared.state import State
from static.graph.graph import (
    Call,
    Graph,
    Node,
    Tensor,
    building,
    current_call,
    edge_of,
    innermost,
    name_scope,
)
from static.graph.operands import as_operand, as_tensor
from static.graph.variables import Variable


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    stop_gradients: Sequence[Tensor] | None = None,
    unconnected: str = "none",
) -> list[Any]:
    """Tensors for the derivative of `ys` (their sum, if several) by each of `xs`.

    xs may be Tensors, Variables and Parameters; None stands for one that ys do not depend on, and for
    one that is no float. Where nothing flows further back, as behind stop_gradient, one may still ask.
    The result is graph like any other, so gradients of gradients need nothing more.
    grad_ys        the cotangents to start from (ones where None)
    stop_gradients Tensors taken as constants: nothing flows through them
    unconnected    what stands for an x that ys do not depend on: "none" or "zero"
    """
    many_y = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    many_x = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    cotangents = list(grad_ys) if isinstance(grad_ys, (list, tuple)) else [grad_ys] * len(many_y)
    if len(cotangents) != len(many_y):
        raise GradientError(
            f"gradients: {len(many_y)} ys and {len(cotangents)} cotangents in grad_ys; give one for each, "
            "or None (a cotangent that is a list must be an array)"
        )
    graph: Graph = next((t.graph for t in many_y if isinstance(t, (Tensor, Variable))), None)  # type: ignore[assignment]
    if graph is None:
        raise GradientError(f"gradients: ys {ys!r} must be static Tensors")
    graph = innermost(graph)
    with building(graph), name_scope("gradients") as scope:
        many_y = [as_tensor(y) for y in many_y]
        targets = [_target(graph, x) for x in many_x]
        wanted = [_place_of(t) for t in targets]
        seeds = [(_seed_edge(y), conj(_seed(y, g))) for y, g in zip(many_y, cotangents, strict=True)]
        ends = {t: edge for t in (*targets, *many_y) if edge_of(t) is None and (edge := _place_of(t))}
        visitor = _AddingToGraph({edge_of(t) for t in stop_gradients or ()}, ends, scope)
        found = reverse(seeds, {edge for edge in wanted if edge is not None}, visitor)
        result = [conj(found[edge]) if edge in found else None for edge in wanted]
        if unconnected == "zero":
            zero = [zeros(x.shape, x.dtype, like=many_y[0]) for x in many_x]
            result = [z if g is None else g for z, g in zip(zero, result, strict=True)]
    return result


def jacobian(y: Any, x: Any) -> Tensor:
    """All derivatives of `y` by `x`: y's shape, which must be known, followed by x's.

    One gradient for each element of y.
    """
    y = as_tensor(y)
    if any(isinstance(size, Dim) for size in y.shape):
        raise UnknownSizeError(
            f"jacobian: {y.name!r} has shape {str_shape(y.shape)}, and it takes one gradient for each "
            "element, so all sizes must be known"
        )
    if y.dtype.kind == "c":
        raise GradientError(f"jacobian: {y.name!r} is {y.dtype}; take that of its real and its imag, apart")
    with building(y.graph):
        flat = ops.reshape(y, -1)
        rows = [gradients(flat[i], [x], unconnected="zero")[0] for i in range(flat.shape[0])]
        return ops.reshape(ops.stack(rows), (*y.shape, *x.shape))


def hessian_vector_product(y: Any, x: Any, vector: Any) -> Tensor:
    """The second derivatives of the scalar `y` by `x`, times `vector` (of x's shape)."""
    with building(y.graph):
        (slope,) = gradients(y, [x], unconnected="zero")
        return gradients(ops.sum(real(conj(slope) * vector)), [x], unconnected="zero")[0]


def _target(graph: Graph, x: Any) -> Tensor:
    """x as a Tensor; inside a loop or branch, what stands there for an x from around it."""
    if not isinstance(x, (State, Variable, Tensor)):
        raise GradientError(f"gradients: x {x!r} must be a static Tensor, Variable or Parameter")
    return as_operand(x, graph)


def _place_of(x: Tensor) -> Edge | None:
    """Where a cotangent of x would arrive, be it that none goes on from there."""
    return edge_of(x) or ((x.node, x.index) if isinstance(x.node.op, Op) and x.dtype.kind in "fc" else None)


def _seed_edge(y: Tensor) -> Edge:
    edge = _place_of(y)
    if edge is None:
        raise GradientError(f"gradients: {y.name!r} ({y.spec}) carries no gradient; use a float")
    return edge


def _seed(y: Tensor, given: Any) -> Tensor:
    if y.shape is UNKNOWN_RANK:
        raise UnknownSizeError(
            f"gradients: how many axes {y.name!r} has is not known, so no cotangent of it can be made; say "
            "its shape with tensor.set_shape(...) or, of a py_func, with shapes=..."
        )
    if given is None:
        if y.dtype.kind == "c":
            raise GradientError(
                f"gradients: {y.name!r} is {y.dtype}, and only a real number goes up or down; take its real "
                "part, its imag or its abs, or pass the cotangent to start from as grad_ys"
            )
        return ones(y.shape, y.dtype, like=y)
    seed = as_tensor(cast(np.asarray(given), y.dtype) if not isinstance(given, Tensor) else given)
    if seed.dtype.kind == "c" and y.dtype.kind != "c":
        raise GradientError(f"gradients: the cotangent of {y.name!r}, which is real, is {seed.dtype}")
    if len(seed.shape) != len(y.shape) or not all(map(sizes_match, seed.shape, y.shape)):
        raise ShapeError(
            f"gradients: the cotangent of {y.name!r} has shape {str_shape(seed.shape)}, the Tensor "
            f"{str_shape(y.shape)}; they must be the same"
        )
    return shaped_like(seed, y)


def shaped_like(g: Tensor, y: Tensor) -> Tensor:
    """A cotangent, whose sizes may be unknown in another way, with those of the value that it is of."""
    return g if same_shape(g.shape, y.shape) else ops.reshape(g, y.shape)


class _AddingToGraph(ReverseVisitor):
    """Back over a graph, adding to it. ends: the edges of Tensors that are asked for although nothing
    flows through what made them."""

    def __init__(self, stopped: set[Any], ends: dict[Tensor, Edge], scope: Call) -> None:
        self.stopped, self.ends, self.scope = {*stopped, *ends.values()}, ends, scope
        self.mirrored: dict[str, Call] = {"": scope}

    def edges(self, node: Node) -> tuple[Edge | None, ...]:
        if not self.ends:
            return node.edges
        ends = [self.ends.get(x) if isinstance(x, Tensor) else None for x in node.inputs]
        return tuple([edge or end for edge, end in zip(node.edges, ends, strict=True)])

    def enter(self, node: Node, gs: list[Any]) -> None:
        """What a node's rules add stands in a scope that mirrors the node's own."""
        name = node.call.name if node.call is not None else ""
        if name not in self.mirrored:
            self.mirrored[name] = Call(name, self.scope)
        current_call.set(self.mirrored[name])

    def residuals(self, node: Node) -> tuple[list[Any], list[Any]]:
        """The Tensors that some rule reads, Specs for the others."""
        assert isinstance(node.op, Op), node
        pullback = pullback_of(node.op, tuple([edge is not None for edge in self.edges(node)]))
        inputs = [
            x if read or not isinstance(x, Tensor) else x.spec
            for x, read in zip(node.inputs, pullback.reads_inputs, strict=True)
        ]
        kept = pullback.reads_outputs or (False,) * len(node.outputs)
        outputs = [y if keep else y.spec for y, keep in zip(node.outputs, kept, strict=True)]
        return inputs, outputs
