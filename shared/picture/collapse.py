"""Making a large graph small enough to look at.

A picture of thousands of boxes shows nothing. So boxes are put together, step by step, until
few enough are left: first what repeats (the time steps of a recurrent net, a stack of equal
layers), then leaves into the only node that uses them, then scopes, then chains, and as the
last resort plain stretches of the program. Each step is a partition of the boxes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.picture.listing import LEAVES
from shared.picture.tidy import UPDATES, common_scope, side
from shared.spec import dtype_name

_LONGEST_PERIOD = 400  # nodes of one time step or layer
_LEAST = 4  # nodes that a repetition must save


@dataclass(slots=True)
class Box:
    """What is drawn as one box.

    members  the graph's nodes in it, in program order
    kind     that of all members, or "block"
    scope    the scope that it is drawn in
    place    where in the program it stands: its first node that is not an absorbed leaf
    times    how often what it stands for is repeated
    title    set where the members do not say it themselves: the scope that the box replaces
    """

    members: list[int]
    kind: str
    scope: str
    place: int
    times: int = 1
    title: str = ""

    @property
    def side(self) -> str:
        """The part of the picture that the box is in: see `tidy.side`."""
        return side(self.scope or self.title)


class Boxes:
    """A networkx graph put into boxes; at first each node has its own."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.boxes = [Box([n], data["kind"], data["scope"], n) for n, data in graph.nodes(data=True)]

    def __len__(self) -> int:
        return len(self.boxes)

    def owner(self) -> dict[int, int]:
        """For each node of the graph the index of its box."""
        return {node: index for index, box in enumerate(self.boxes) for node in box.members}

    def neighbours(self) -> tuple[list[dict[int, None]], list[dict[int, None]]]:
        """For each box the boxes that it reads, and those that read it, without itself."""
        owner = self.owner()
        before: list[dict[int, None]] = [{} for _ in self.boxes]
        after: list[dict[int, None]] = [{} for _ in self.boxes]
        for source, target in self.graph.edges():
            a, b = owner[source], owner[target]
            if a != b:
                before[b][a] = after[a][b] = None
        return before, after

    def merge(self, key: Callable[[int], Hashable], made: Callable[[list[Box]], Box]) -> None:
        """Put the boxes of one key together; None leaves a box alone."""
        groups: dict[Hashable, list[Box]] = {}
        for index, box in enumerate(self.boxes):
            group = key(index)
            groups.setdefault(("alone", index) if group is None else ("group", group), []).append(box)
        self.boxes = [boxes[0] if len(boxes) == 1 else made(boxes) for boxes in groups.values()]
        self.boxes.sort(key=lambda box: box.place)

    def is_leaf(self, index: int) -> bool:
        return self.boxes[index].kind in LEAVES


def _together(boxes: list[Box], kind: str = "", scope: str | None = None, **changes: Any) -> Box:
    kinds, times = {box.kind for box in boxes}, {box.times for box in boxes}
    return Box(
        sorted(node for box in boxes for node in box.members),
        kind or (kinds.pop() if len(kinds) == 1 else "block"),
        boxes[0].scope if scope is None else scope,
        min(box.place for box in [box for box in boxes if box.kind not in LEAVES] or boxes),
        changes.get("times", times.pop() if len(times) == 1 else 1),
        changes.get("title", ""),
    )


def _shared_scope(boxes: list[Box]) -> str:
    return common_scope((box.scope for box in boxes), numbered=False)


def put_into_boxes(graph: Any, limit: int) -> Boxes:
    """The graph in about `limit` boxes or fewer."""
    boxes = Boxes(graph)
    for step in (roll, absorb_leaves, fold_inner_scopes, join_chains, fold_outer_scopes, cut_into_stretches):
        if len(boxes) <= limit:
            break
        step(boxes, limit)
    return boxes


# --- what repeats --------------------------------------------------------------------------


def roll(boxes: Boxes, limit: int) -> None:
    """Show the repetitions of a block of nodes as one block: an unrolled loop rolled again."""
    nodes = boxes.graph.nodes
    inner = [index for index in range(len(boxes)) if not boxes.is_leaf(index)]
    ids: dict[Hashable, int] = {}
    tokens = []
    for index in inner:
        node = boxes.boxes[index].place
        what = nodes[node]["op"], _alike(boxes, index), boxes.graph.in_degree(node)
        tokens.append(ids.setdefault(what, len(ids)))
    key: dict[int, Hashable] = {}
    for number, (start, period, times) in enumerate(_repeats(np.array(tokens, np.int64))):
        for offset in range(period * times):
            key[inner[start + offset]] = (number, offset % period)
    boxes.merge(key.get, lambda group: _together(group, times=len(group), scope=_shared_scope(group)))
    _roll_leaves(boxes)


def _alike(boxes: Boxes, index: int) -> tuple[str, ...]:
    """What must be the same of two nodes' outputs if one is to repeat the other: an optimiser
    does the same for parameters of any shape."""
    outputs = boxes.graph.nodes[boxes.boxes[index].place]["outputs"]
    anything = boxes.boxes[index].side == UPDATES
    return tuple(dtype_name(spec.dtype) if anything else str(spec) for spec in outputs)


def _repeats(tokens: Any) -> list[tuple[int, int, int]]:
    """Blocks that follow each other at once, as (start, period, times); they do not overlap, and
    those that save most nodes are taken first."""
    candidates: list[tuple[int, int, int, int]] = []
    for period in range(1, min(len(tokens) // 2, _LONGEST_PERIOD) + 1):
        same = np.concatenate(([0], tokens[period:] == tokens[:-period], [0])).astype(np.int8)
        steps = np.diff(same)
        starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        saved = (ends - starts) // period * period
        for at in np.flatnonzero(saved >= _LEAST):
            candidates.append((-int(saved[at]), period, int(starts[at]), int(ends[at]) + period))
    found: list[tuple[int, int, int]] = []
    free = np.ones(len(tokens), bool)
    for _, period, start, end in sorted(candidates):
        taken = np.flatnonzero(~free[start:end])
        if len(taken):  # what an earlier find has left of this one, if it is the front or the end
            front, back = int(taken[0]), end - start - 1 - int(taken[-1])
            start, end = (start, start + front) if front >= back else (end - back, end)
        times = (end - start) // period
        if (times - 1) * period >= _LEAST:
            found.append((start, period, times))
            free[start : start + period * times] = False
    return found


def _roll_leaves(boxes: Boxes) -> None:
    """Put the leaves together that the repetitions use in the same way."""
    owner, graph = boxes.owner(), boxes.graph

    def use(index: int) -> Hashable:
        if not boxes.is_leaf(index):
            return None
        leaf = boxes.boxes[index].place
        uses = sorted((owner[node], data["argument"]) for _, node, data in graph.out_edges(leaf, data=True))
        if not any(boxes.boxes[user].times > 1 for user, _ in uses):
            return None
        return graph.nodes[leaf]["kind"], _alike(boxes, index), tuple(dict.fromkeys(uses))

    boxes.merge(use, lambda group: _together(group, times=len(group), scope=_shared_scope(group)))


# --- leaves, scopes, chains, stretches -----------------------------------------------------


def absorb_leaves(boxes: Boxes, limit: int) -> None:
    """Put each leaf into the box of its only user."""
    _, after = boxes.neighbours()

    def key(index: int) -> int | None:
        if boxes.is_leaf(index):
            return next(iter(after[index])) if len(after[index]) == 1 else None
        return index

    def made(group: list[Box]) -> Box:
        (user,) = [box for box in group if box.kind not in LEAVES]
        return _together(group, user.kind, scope=user.scope, times=user.times, title=user.title)

    boxes.merge(key, made)


def fold_inner_scopes(boxes: Boxes, limit: int) -> None:
    """Put the deepest scopes into one box each, but for the outermost: always those inside that
    outermost scope which has most boxes."""
    level: dict[str, int] = {}  # of each outermost scope, the depth to fold at next
    for box in boxes.boxes:
        top = box.scope.split("/")[0]
        level[top] = max(level.get(top, 0), box.scope.count("/") + 1)
    while len(boxes) > limit and any(depth > 1 for depth in level.values()):
        sizes = Counter(box.scope.split("/")[0] for box in boxes.boxes)
        top = max((top for top in level if level[top] > 1), key=sizes.__getitem__)
        depth = level[top]
        level[top] -= 1
        _fold(
            boxes,
            lambda parts, top=top, depth=depth: (
                parts[:depth] if parts[0] == top and len(parts) >= depth else None
            ),
        )


def fold_outer_scopes(boxes: Boxes, limit: int) -> None:
    """Put the outermost scopes into one box each, the largest first."""
    for top, _ in Counter(box.scope.split("/")[0] for box in boxes.boxes if box.scope).most_common():
        if len(boxes) <= limit:
            return
        _fold(boxes, lambda parts, top=top: [top] if parts[0] == top else None)


def _fold(boxes: Boxes, shown_as: Any) -> None:
    """Merge by scope: `shown_as` gives the parts of the path to fold at, from a scope's parts."""

    def key(index: int) -> Hashable:
        scope = boxes.boxes[index].scope
        folded = shown_as(scope.split("/")) if scope else None
        return folded and tuple(folded)

    def made(group: list[Box]) -> Box:
        *parents, name = shown_as(group[0].scope.split("/"))
        return _together(group, "block", scope="/".join(parents), title=name)

    boxes.merge(key, made)


def join_chains(boxes: Boxes, limit: int) -> None:
    """Put nodes into one box that follow each other without a branch."""
    before, after = boxes.neighbours()
    head: dict[int, int] = {}

    def follows(index: int) -> int | None:
        """The box that this one continues."""
        if boxes.is_leaf(index) or len(before[index]) != 1:
            return None
        (source,) = before[index]
        a, b = boxes.boxes[source], boxes.boxes[index]
        same = (a.scope, a.times) == (b.scope, b.times)
        return source if same and len(after[source]) == 1 and not boxes.is_leaf(source) else None

    for index in range(len(boxes)):
        source = follows(index)
        head[index] = index if source is None else head.get(source, index)
    boxes.merge(head.get, lambda group: _together(group, "block"))


def cut_into_stretches(boxes: Boxes, limit: int) -> None:
    """Cut the program into equal stretches; leaves of one kind and stretch are one box."""
    _, after = boxes.neighbours()
    inner = [index for index in range(len(boxes)) if not boxes.is_leaf(index)]

    def cut(size: int) -> list[Hashable]:
        stretch = {index: at // size for at, index in enumerate(inner)}
        return [
            stretch[index] if index in stretch
            else (boxes.boxes[index].kind, min((stretch.get(user, 0) for user in after[index]), default=0))
            for index in range(len(boxes))
        ]  # fmt: skip

    size = 2
    while len(set(keys := cut(size))) > max(limit, 2 * len(LEAVES)):
        size += max(size // 4, 1)

    def made(group: list[Box]) -> Box:
        return _together(group, group[0].kind if group[0].kind in LEAVES else "block", _shared_scope(group))

    boxes.merge(keys.__getitem__, made)
