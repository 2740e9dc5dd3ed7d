"""A Tree-LSTM that reads the syntax trees of functions."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from comparisons.training.task import Task
from shared import nn, optim
from shared.data import NODE_TYPES, Split, load_library_trees
from shared.models import TreeLSTM

NODES = 40
BRANCHES = (ast.If, ast.For, ast.While, ast.Try, ast.With)


class Judge(nn.Module):
    """A tree, or levels of trees, to logits (trees, 2)."""

    def __init__(self) -> None:
        self.reader = TreeLSTM(len(NODE_TYPES), width=32)
        self.head = nn.Linear(32, 2)

    def forward(self, *trees: Any) -> Any:
        h, _ = self.reader(*trees)
        return self.head(h)


def returns_early(tree: Any) -> bool:
    """Whether a return stands below a branch or a loop."""
    kinds = [getattr(ast, NODE_TYPES[label]) for label in tree.labels]
    below = [False] * len(kinds)
    for place in reversed(range(len(kinds) - 1)):  # parents come after their children
        parent = tree.parents[place]
        below[place] = below[parent] or issubclass(kinds[parent], BRANCHES)
    return any(b and kind is ast.Return for b, kind in zip(below, kinds, strict=True))


def functions() -> Split:
    """Trees, and whether each returns early; as many that do as that do not."""

    def even(trees: list[Any]) -> tuple[Any, Any]:
        early = [returns_early(tree) for tree in trees]
        each = min(sum(early), len(early) - sum(early))
        kept = [[t for t, e in zip(trees, early, strict=True) if e == kind][:each] for kind in (False, True)]
        rows = np.empty(2 * each, object)
        rows[:] = kept[0] + kept[1]
        return rows, np.repeat(np.arange(2), each)

    trees = load_library_trees(3000, held_out=0.2, max_nodes=NODES)
    return Split(*even(trees.train), *even(trees.test))


TASK = Task(
    name="tree_lstm",
    title="A Tree-LSTM on the syntax of functions",
    short="the Tree-LSTM",
    about="The syntax trees of functions of Python's library: is there a return below a branch or a loop? "
    "The network has the shape of its input. Dynamic follows each tree node by node, in Python; static is "
    "given the trees laid out as levels, so that one graph serves them all.",
    model=Judge,
    optimizer=lambda parameters: optim.Adam(parameters, lr=5e-3),
    data=functions,
    batch_size=4,
    steps=80,
    full_steps=200,
    counted="test functions",
    loop="trees",
    tolerance=1e-3,
)
