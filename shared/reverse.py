"""The one reverse loop: reverse-mode differentiation over the nodes of either engine.

Both engines' nodes have `settings`, `outputs`, `order` (their place in the order of creation),
`edges`, for each argument where its cotangent goes, or None, and `plan`, how to differentiate
the op by all arguments that have an edge (None if the node is to `expand` first). An edge is
`(node, output index)`, or a leaf: what no node made.

Cotangents are summed in one order, later nodes first and arguments from left to right. That
the two engines give the same bits rests on this order, so it is written down only here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from shared import ops
from shared.rules import Plan

Edge = Any
"""`(node, output index)`, or a leaf."""

WORTH_KEEPING = 1 << 12
"""The number of elements from which on adding to a sum in its own memory is quicker than a new array:
for few NumPy takes three times as long where the sum is an operand too."""


class Walk:
    """What an engine says of its nodes while the loop walks back over them."""

    stopped: Container[Edge] = ()
    """Edges that cotangents reach and do not pass."""

    in_place: bool = False
    """Whether sums are raw arrays, which can be added to where they are."""

    def values(self, node: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        """A node's inputs and outputs in the form that the rules shall see: arrays or Tensors,
        weak numbers, and Specs for what no rule reads."""
        raise NotImplementedError

    visit: Callable[[Any, list[Any]], None] | None = None
    """If not None, called with a node and its cotangents, all arrived, before its rules run."""

    pull: Callable[[Any, Plan, Any, Any, Sequence[Any]], Sequence[tuple[int, Any]]] | None = None
    """If not None, called in place of `plan.pull`, with the node in front."""

    done: Callable[[Any], None] | None = None
    """If not None, called with each node once its rules have run."""


def reverse(seeds: Iterable[tuple[Edge, Any]], wanted: set[Edge] | None, walk: Walk) -> dict[Edge, Any]:
    """Cotangents, by edge, of the wanted edges; of every leaf where `wanted` is None.

    seeds: the edges to start from and their cotangents.

    A node that has `expand` stands for a part of the graph that was not kept: when its turn
    comes it makes that part again and gives the edges at which to go on, with their cotangents.
    """
    arriving = list(seeds)
    useful = None if wanted is None else leading_to(wanted, (edge for edge, _ in arriving))
    found: dict[Edge, Any] = {}
    summed: set[Edge] = set()  # whose sum is an array that the loop made, and nobody else has
    pending: dict[int, tuple[Any, list[Any]]] = {}
    heap: list[int] = []
    gs: list[Any]
    values, visit, pull, done = walk.values, walk.visit, walk.pull, walk.done
    in_place = walk.in_place

    while True:
        for edge, g in arriving:
            if type(edge) is not tuple:
                before = found.get(edge)
                if before is None:
                    found[edge] = g
                elif edge in summed:
                    before += g
                    found[edge] = before
                else:
                    found[edge] = total = before + g
                    if in_place and total.size >= WORTH_KEEPING:
                        summed.add(edge)
                continue
            node, index = edge
            order = node.order
            entry = pending.get(order)
            if entry is None:
                gs = [None] * len(node.outputs)
                gs[index] = g
                pending[order] = node, gs
                heappush(heap, -order)
            else:
                before = entry[1][index]
                entry[1][index] = g if before is None else before + g
        if not heap:
            break
        arriving = []
        node, gs = pending.pop(-heappop(heap))
        if visit is not None:
            visit(node, gs)
        edges, plan = node.edges, node.plan
        if useful is not None and wanted is not None:
            for index, g in enumerate(gs):
                if g is not None and (node, index) in wanted:
                    found[node, index] = g
                if (node, index) in walk.stopped:
                    gs[index] = None
            asked = tuple([edge in useful for edge in edges])
            if plan is not None:
                if True not in asked or all([g is None for g in gs]):
                    continue
                plan = plan.op.plan(asked)
        if plan is None:
            arriving = node.expand(gs)
            if useful is not None and wanted is not None:
                useful |= leading_to(wanted, [edge for edge, _ in arriving])
        else:
            inputs, outputs = values(node)
            g, y = (gs[0], outputs[0]) if plan.op.single else (tuple(gs), outputs)
            if pull is None:
                pulled = plan.pull(g, y, inputs, node.settings)
            else:
                pulled = pull(node, plan, g, y, inputs)
            for position, cotangent in pulled:
                like = inputs[position]
                if cotangent.shape != like.shape or cotangent.dtype is not like.dtype:
                    cotangent = fit(cotangent, like)
                arriving.append((edges[position], cotangent))
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
        if node.plan is None or any(edge in useful for edge in node.edges):
            useful.update((node, index) for index in range(len(node.outputs)))
    return useful
