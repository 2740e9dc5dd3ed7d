"""Which values a cotangent can come to on its way back: through loops and branches, output by output.

A value to which none comes has no gradient. Zeros in its place would be multiplied by the slopes further
back, and become NaN where one of these is infinite.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import heappop, heappush

from shared.reverse import Edge
from static.control.body import BodyOp, Part
from static.graph.graph import Node, Tensor, edge_of


def carried(
    carry: Sequence[Tensor], following: Sequence[Tensor], last: Collection[int], given: Iterable[Tensor]
) -> tuple[list[int], set[Edge]]:
    """Which of the values that a loop carries have a cotangent at some step, and all edges of its body that
    have one. `following`: what they are in the next step; `last`: which of them have a cotangent after the
    last one; `given`: what else of the body has one."""
    edges = {i: edge for i, t in enumerate(carry) if (edge := edge_of(t)) is not None}
    found, given = {i for i in edges if i in last}, list(given)
    while True:
        starts = [edge_of(t) for t in (*given, *(following[i] for i in found))]
        reached = _reached(edge for edge in starts if edge is not None)
        more = {i for i, edge in edges.items() if edge in reached} - found
        if not more:
            return sorted(found), reached
        found |= more


def _reached(starts: Iterable[Edge]) -> set[Edge]:
    """All edges on the way back from some."""
    found: set[Edge] = set()
    outputs: dict[Node, set[int]] = {}
    waiting: list[tuple[int, Node]] = []
    arriving = list(starts)
    while True:
        for node, index in arriving:
            found.add((node, index))
            if not node.is_leaf:
                if node not in outputs:
                    heappush(waiting, (-node.order, node))
                outputs.setdefault(node, set()).add(index)
        if not waiting:
            return found
        node = heappop(waiting)[1]
        edges = node.edges
        at = arguments(node.op.parts, outputs[node]) if isinstance(node.op, BodyOp) else range(len(edges))
        arriving = [edge for i in at if (edge := edges[i]) is not None]


def arguments(parts: Mapping[str, Part], outputs: Collection[int]) -> set[int]:
    """The places of a loop's or a branch's arguments to which cotangents of such outputs come."""
    found: set[int] = set()
    for part in parts.values():
        carry, following = part.inputs[: part.carried], part.results[: part.carried]
        results = [*part.results, *(part.hidden or carry)]  # of a while_loop what was carried is hidden
        given = [results[i] for i in outputs if part.carried <= i < len(results)]
        _, reached = carried(carry, following, outputs, given)
        found |= {i for t, i in zip(part.inputs, part.arguments, strict=True) if edge_of(t) in reached}
    return found
