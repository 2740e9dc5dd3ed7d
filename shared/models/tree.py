"""Tree-LSTM: a network whose shape is its input's. Tai, Socher and Manning 2015, child-sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError
from shared.nn import Embedding, Linear, Module


class ChildSumCell(Module):
    """One step up a tree, for several nodes at once: equations 2 to 8 of the paper.

    x       (M, input_size): the M nodes' inputs
    h, c    (K, hidden_size): the states of all their children
    parent  (K,) integers: which of the M nodes each child belongs to
    Gives the M nodes' h and c. A node without children has zeros in the place of their sum.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        self.hidden_size = hidden_size
        self.of_input = Linear(input_size, 4 * hidden_size)
        self.of_children = Linear(hidden_size, 3 * hidden_size, bias=False)
        self.of_child = Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Any, h: Any, c: Any, parent: Any) -> tuple[Any, Any]:
        size, count = self.hidden_size, x.shape[0]
        wide, for_forget = ops.split(self.of_input(x), [3 * size, size], -1)
        i, o, u = ops.split(wide + self.of_children(_sum_by(h, parent, count)), 3, -1)
        f = ops.sigmoid(ops.take(for_forget, parent, 0) + self.of_child(h))
        c = ops.sigmoid(i) * ops.tanh(u) + _sum_by(f * c, parent, count)
        return ops.sigmoid(o) * ops.tanh(c), c


def _sum_by(values: Any, parent: Any, count: Any) -> Any:
    """The sum of the rows of each parent: (K, size) to (count, size)."""
    index = ops.broadcast_to(ops.expand_dims(parent, 1), values.shape)
    return ops.scatter_sum(values, index, 0, count)


class TreeLSTM(Module):
    """Reads a tree from the leaves up.

    `model(tree)` follows one tree (`shared.data.Tree`: `labels` and `parents`, children before
    their parents, the root last) node by node. `model(labels, parents)` takes whole levels of many
    trees at once, as `levels` lays them out, so that a graph which knows nothing of the trees can
    do it. Both give the roots' h and c, (trees, width) each, and the same up to rounding.
    """

    def __init__(self, vocabulary: int, width: int = 64) -> None:
        self.width = width
        self.embedding = Embedding(vocabulary, width)
        self.cell = ChildSumCell(width, width)

    def forward(self, tree: Any, parents: Sequence[Any] | None = None) -> tuple[Any, Any]:
        if parents is None:
            return self._node_by_node(tree.labels, tree.parents)
        return self._level_by_level(tree, parents)

    def _node_by_node(self, labels: Any, parents: Any) -> tuple[Any, Any]:
        rows = ops.split(self.embedding(labels), len(labels))
        below: list[list[Any]] = [[] for _ in rows]
        for x, parent, children in zip(rows, parents.tolist(), below, strict=True):
            h, c = self._nothing(x)
            if children:
                h, c = (ops.concatenate(part) for part in zip(*children, strict=True))
            state = self.cell(x, h, c, np.zeros(len(children), np.int64))
            if parent >= 0:
                below[parent].append(state)
        return state

    def _level_by_level(self, labels: Sequence[Any], parents: Sequence[Any]) -> tuple[Any, Any]:
        x = self.embedding(labels[-1])
        h, c = self.cell(x, *self._nothing(x), np.zeros(0, np.int64))
        for label, parent in zip(reversed(labels[:-1]), reversed(parents), strict=True):
            h, c = self.cell(self.embedding(label), h, c, parent)
        return h, c

    def _nothing(self, x: Any) -> tuple[Any, Any]:
        """The states of no children."""
        empty = ops.zeros((0, self.width), x.dtype, like=x)
        return empty, empty


def levels(trees: Iterable[Any], depth: int | None = None) -> tuple[list[Any], list[Any]]:
    """Trees as levels: what `TreeLSTM` takes in the place of a tree.

    Level d holds all nodes that stand d steps below a root. Gives the labels of each level
    (int64), and for each level but the first the place of each node's parent in the level above
    it. `depth` asks for that many levels, empty ones if need be, as a graph laid out for it takes.
    """
    labels: list[list[int]] = [[] for _ in range(depth or 1)]
    parents: list[list[int]] = [[] for _ in range(depth or 1)]
    for tree in trees:
        size = len(tree.labels)
        level, place = [0] * size, [0] * size
        for node in reversed(range(size)):  # so that parents come before their children
            parent = int(tree.parents[node])
            if parent >= 0:
                level[node] = level[parent] + 1
            if level[node] == len(labels):
                if depth is not None:
                    raise SettingError(f"levels: a tree has more than depth={depth} levels; ask for more")
                labels.append([])
                parents.append([])
            place[node] = len(labels[level[node]])
            labels[level[node]].append(int(tree.labels[node]))
            parents[level[node]].append(place[parent] if parent >= 0 else -1)
    return [np.array(row, np.int64) for row in labels], [np.array(row, np.int64) for row in parents[1:]]
