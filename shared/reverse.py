"""The one reverse loop: reverse-mode differentiation over the nodes of either engine.

Cotangents are summed in one order, later nodes first and arguments from left to right. That
the two engines give the same bits rests on this order, so it is written down only here.

Within the loop a complex cotangent is what a change of its value is multiplied by: c of dL = Re(c dz). So
the rules for complex numbers are those of calculus, without conjugates. The gradient is the conjugate
of c: whoever starts the loop conjugates what goes in and what comes out, which for real numbers is
nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any, Protocol

from shared import ops
from shared.dims import same_shape
from shared.pullback import Cotangents, Pullback, pullback_of


class ReverseNode(Protocol):
    """What the loop asks of a node: one application of an op, or a leaf, where cotangents end.

    is_leaf   whether no op made it; of a leaf the loop asks no more
    order     its place in the order of creation
    edges     for each argument where its cotangent goes, or None
    outputs   one entry for each output
    pullback  how to differentiate the op by all arguments that have an edge; None if the node
              stands for a part of the graph that was not kept. When its turn comes it makes that
              part again: `expand(cotangents)` gives the edges at which to go on, with theirs
    settings  the op's settings
    """

    @property
    def is_leaf(self) -> bool: ...


Edge = tuple[Any, int]
"""Where a cotangent goes: a `ReverseNode`, and which of its outputs it is the cotangent of; 0 for a leaf."""

WORTH_KEEPING = 1 << 12
"""The number of elements from which on adding to a sum in its own memory is quicker than a new array:
for few NumPy takes three times as long where the sum is an operand too."""


class ReverseVisitor:
    """What an engine says of its nodes while the loop walks back over them."""

    stopped: Container[Edge] = ()
    """Edges that cotangents reach and do not pass."""

    in_place: bool = False
    """Whether sums are raw arrays, which can be added to where they are."""

    def residuals(self, node: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        """A node's inputs and outputs in the form that the rules shall see: arrays or Tensors,
        weak numbers, and Specs for what no rule reads."""
        raise NotImplementedError

    edges: Callable[[Any], Sequence[Edge | None]] | None = None
    """If not None, asked for a node's edges; `node.edges` are what it says where it is None."""

    arrived: Callable[[Any, dict[Any, list[Any]]], None] | None = None
    """If not None, called with each node once the cotangents of its arguments have been added up, and with
    all that wait, by node or leaf."""

    enter: Callable[[Any, list[Any]], None] | None = None
    """If not None, called with a node and its cotangents, all arrived, before its rules run."""

    vjp: Callable[[Any, Pullback, Any, Any, Sequence[Any]], Cotangents] | None = None
    """If not None, called in place of `pullback.vjp`, with the node in front."""

    leave: Callable[[Any], None] | None = None
    """If not None, called with each node once its rules have run."""


def reverse(
    seeds: Iterable[tuple[Edge, Any]], wanted: set[Edge] | None, visitor: ReverseVisitor
) -> dict[Edge, Any]:
    """Cotangents, by edge, of the wanted edges; of every leaf where `wanted` is None.

    seeds: the edges to start from and their cotangents.
    """
    arriving = list(seeds)
    edges_of = visitor.edges
    useful = None if wanted is None else leading_to(wanted, (edge for edge, _ in arriving), edges_of)
    found: dict[Edge, Any] = {}
    pending: dict[Any, list[Any]] = {}  # by node, the cotangents of its outputs; leaves stay to the end
    waiting: list[tuple[int, Any]] = []  # a heap of the nodes among them, the latest first
    owned: set[Any] = set()  # the leaves whose sum is an array that the loop made, and nobody else has
    residuals, enter, vjp, leave = visitor.residuals, visitor.enter, visitor.vjp, visitor.leave
    in_place, arrived = visitor.in_place, visitor.arrived
    last: Any = None

    while True:
        for edge, g in arriving:
            node, index = edge
            gs = pending.get(node)
            if gs is None:
                if node.is_leaf:
                    pending[node] = [g]
                else:
                    gs = pending[node] = [None] * len(node.outputs)
                    gs[index] = g
                    heappush(waiting, (-node.order, node))
            elif gs[index] is None:
                gs[index] = g
            elif owned and node in owned:
                gs[index] += g
            else:
                gs[index] = total = gs[index] + g
                if in_place and node.is_leaf and total.size >= WORTH_KEEPING:
                    owned.add(node)
        if arrived is not None and last is not None:
            arrived(last, pending)
        if not waiting:
            break
        arriving = []
        last = node = heappop(waiting)[1]
        gs = pending.pop(node)
        if enter is not None:
            enter(node, gs)
        edges, pullback = node.edges if edges_of is None else edges_of(node), node.pullback
        if useful is not None and wanted is not None:
            for index, g in enumerate(gs):
                if g is not None and (node, index) in wanted:
                    found[node, index] = g
                if (node, index) in visitor.stopped:
                    gs[index] = None
            asked = tuple([edge in useful for edge in edges])
            if pullback is not None:
                if True not in asked or all([g is None for g in gs]):
                    continue
                pullback = pullback_of(pullback.op, asked)
        if pullback is None:
            arriving = node.expand(gs)
            if useful is not None and wanted is not None:
                useful |= leading_to(wanted, [edge for edge, _ in arriving], edges_of)
        else:
            inputs, outputs = residuals(node)
            g, y = (gs[0], outputs[0]) if pullback.op.single else (tuple(gs), outputs)
            if vjp is None:
                cotangents = pullback.vjp(g, y, inputs, node.settings)
            else:
                cotangents = vjp(node, pullback, g, y, inputs)
            for position, cotangent in cotangents:
                like = inputs[position]
                fits = cotangent.shape == like.shape if in_place else same_shape(cotangent.shape, like.shape)
                if not fits or cotangent.dtype is not like.dtype:
                    cotangent = fit(cotangent, like)
                arriving.append((edges[position], cotangent))
        if leave is not None:
            leave(node)
    for leaf, (g,) in pending.items():
        if wanted is None or (leaf, 0) in wanted:
            found[leaf, 0] = g
    return found


def fit(g: Any, like: Any) -> Any:
    """A cotangent in the shape and dtype of its argument: undoes broadcasting and promotion. Of a real
    argument beside complex ones it is the real part."""
    if not same_shape(g.shape, like.shape):
        g = ops.sum_to(g, like.shape)
    if g.dtype is not like.dtype and g.dtype != like.dtype:
        g = ops.cast(g if like.dtype.kind == "c" else ops.real(g), like.dtype)
    return g


def leading_to(
    wanted: set[Edge], starts: Iterable[Edge], edges_of: Callable[[Any], Sequence[Edge | None]] | None = None
) -> set[Edge]:
    """The edges, among those met on the way back from `starts`, from which a wanted one is
    reached; the wanted ones that are met count too."""
    edges_of = edges_of or attrgetter("edges")
    nodes: dict[int, Any] = {}
    useful: set[Edge] = set()
    stack = list(starts)
    while stack:
        edge = stack.pop()
        if edge in wanted:
            useful.add(edge)
        node = edge[0]
        if not node.is_leaf and node.order not in nodes:
            nodes[node.order] = node
            stack.extend(before for before in edges_of(node) if before is not None)
    for order in sorted(nodes):
        node = nodes[order]
        if node.pullback is None or any(edge in useful for edge in edges_of(node)):
            useful.update((node, index) for index in range(len(node.outputs)))
    return useful
