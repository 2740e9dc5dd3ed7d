"""The one reverse loop: reverse-mode differentiation over the nodes of either engine.

Both engines' nodes have `settings`, `outputs`, `order` (their place in the order of creation),
`edges`, for each argument where its cotangent goes, or None, and `plan`, how to differentiate
the op by all arguments that have an edge. An edge is `(node, output index)`, or a leaf: what
no node made.

Cotangents are summed in one order, later nodes first and arguments from left to right. That
the two engines give the same bits rests on this order, so it is written down only here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from heapq import heappop, heappush
from typing import Any

from shared import ops

Edge = Any
"""`(node, output index)`, or a leaf."""


def reverse(
    seeds: Iterable[tuple[Edge, Any]],
    wanted: set[Edge] | None,
    values: Callable[[Any], tuple[Any, Any]],
    done: Callable[[Any], None] | None = None,
    visit: Callable[[Any, list[Any]], None] | None = None,
    stopped: Container[Edge] = (),
) -> dict[Edge, Any]:
    """Cotangents, by edge, of the wanted edges; of every leaf where `wanted` is None.

    seeds    the edges to start from and their cotangents
    values   the inputs and outputs of a node in the form that the rules shall see: arrays, or
             an engine's Tensors; Specs for what no rule reads
    done     called with each node once its rules have run
    visit    called with each node and its list of cotangents, all arrived, before its rules run
    stopped  edges that cotangents reach and do not pass
    """
    seeds = list(seeds)
    useful = None if wanted is None else leading_to(wanted, (edge for edge, _ in seeds))
    found: dict[Edge, Any] = {}
    pending: dict[int, tuple[Any, list[Any]]] = {}
    heap: list[int] = []

    def arrive(edge: Edge, g: Any) -> None:
        if type(edge) is not tuple:
            before = found.get(edge)
            found[edge] = g if before is None else before + g
            return
        node, index = edge
        entry = pending.get(node.order)
        if entry is None:
            gs = [None] * len(node.outputs)
            gs[index] = g
            pending[node.order] = node, gs
            heappush(heap, -node.order)
        else:
            before = entry[1][index]
            entry[1][index] = g if before is None else before + g

    for edge, g in seeds:
        arrive(edge, g)
    while heap:
        node, gs = pending.pop(-heappop(heap))
        if visit is not None:
            visit(node, gs)
        edges, plan = node.edges, node.plan
        if useful is not None:
            for index, g in enumerate(gs):
                if g is not None and (node, index) in wanted:
                    found[node, index] = g
                if (node, index) in stopped:
                    gs[index] = None
            asked = tuple([edge in useful for edge in edges])
            if True not in asked or all([g is None for g in gs]):
                continue
            plan = plan.op.plan(asked)
        inputs, outputs = values(node)
        g, y = (gs[0], outputs[0]) if plan.op.single else (tuple(gs), outputs)
        for position, cotangent in plan.pull(g, y, inputs, node.settings):
            like = inputs[position]
            if cotangent.shape != like.shape or cotangent.dtype is not like.dtype:
                cotangent = fit(cotangent, like)
            arrive(edges[position], cotangent)
        if done is not None:
            done(node)
    return found if wanted is None else {edge: found[edge] for edge in wanted if edge in found}


def fit(g: Any, like: Any) -> Any:
    """A cotangent in the shape and dtype of its argument: undoes broadcasting and promotion."""
    if g.shape != like.shape:
        g = ops.sum_to(g, like.shape)
    if g.dtype is not like.dtype and g.dtype != like.dtype:
        g = ops.cast(g, like.dtype)
    return g


def leading_to(wanted: set[Edge], starts: Iterable[Edge]) -> set[Edge]:
    """The edges, among those met on the way back from `starts`, from which a wanted one is
    reached; the wanted ones that are met count too."""
    nodes: dict[int, Any] = {}
    useful: set[Edge] = set()
    stack = list(starts)
    while stack:
        edge = stack.pop()
        if edge in wanted:
            useful.add(edge)
        if type(edge) is tuple and edge[0].order not in nodes:
            nodes[edge[0].order] = edge[0]
            stack.extend(before for before in edge[0].edges if before is not None)
    for order in sorted(nodes):
        node = nodes[order]
        if any(edge in useful for edge in node.edges):
            useful.update((node, index) for index in range(len(node.outputs)))
    return useful
