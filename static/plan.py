"""When the values of a run are needed, and when they can be let go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from shared.dims import Dim, Symbol
from static.graph import ASSIGN, Node, Tensor
from static.prune import Selection


def last_uses(
    selection: Selection,
    fed: Sequence[Tensor] = (),
    fetched: Sequence[Any] = (),
    measured: Iterable[Symbol] = (),
) -> dict[Tensor, Node | None]:
    """The node after which each Tensor is needed no more; None if it leaves the program.

    A Tensor that nothing uses is not there. A read that sees an assignment is another name for
    the assigned Tensor, and so is an assignment's own output: their uses are uses of that Tensor.

    measured: unknown sizes that a run must read off the first Tensor that has them.
    """
    uses: dict[Tensor, Node | None] = {}
    same: dict[Tensor, Tensor] = {}

    def root(tensor: Tensor) -> Tensor:
        while tensor in same:
            tensor = same[tensor]
        return tensor

    for node in selection.nodes:
        if node.op is ASSIGN:
            same[node.outputs[0]] = node.inputs[0]
        elif node in selection.seen:
            same[node.outputs[0]] = selection.seen[node]
        for value in node.inputs:
            if isinstance(value, Tensor):
                uses[root(value)] = node
    open_sizes = set(measured)
    for tensor in (*fed, *(t for node in selection.nodes for t in node.outputs)):
        sizes = {size.symbol() for size in tensor.sizes if isinstance(size, Dim)}
        if found := open_sizes & sizes:
            uses.setdefault(tensor, None)
            open_sizes -= found
    leaving: Iterable[Any] = (*fetched, *selection.stores.values(), *selection.seen.values(), *same)
    for value in leaving:
        if isinstance(value, Tensor):
            uses[root(value)] = None
    return uses
