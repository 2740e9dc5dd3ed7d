"""Trees: the syntax of functions of Python's standard library."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from shared.data.library import modules
from shared.errors import SettingError
from shared.usage.door import methods

_CONTEXTS = (ast.expr_context,)  # Load, Store, Del: leaves below every name, which say little
NODE_TYPES = tuple(
    sorted(
        name
        for name, kind in vars(ast).items()
        if isinstance(kind, type) and issubclass(kind, ast.AST) and not issubclass(kind, _CONTEXTS)
    )
)
"""The kinds of node that this Python's syntax has; a node's label is its place in here."""
_LABELS = {name: label for label, name in enumerate(NODE_TYPES)}


@dataclass(frozen=True)
class Tree:
    """A tree with a label at each node. Children stand before their parents, the root is last.

    name     of the function, with its module
    labels   int64 (n,), places in `NODE_TYPES`
    parents  int64 (n,), the place of each node's parent; -1 for the root
    """

    name: str
    labels: Any
    parents: Any

    def __len__(self) -> int:
        return len(self.labels)

    def children(self) -> list[list[int]]:
        """The places of each node's children, from left to right."""
        found: list[list[int]] = [[] for _ in range(len(self))]
        for place, parent in enumerate(self.parents.tolist()):
            if parent >= 0:
                found[parent].append(place)
        return found

    def heights(self) -> Any:
        """How far each node is above its deepest leaf, int64 (n,): nodes of one height can be
        computed at once, from the leaves, 0, to the root."""
        heights = [0] * len(self)
        for place, parent in enumerate(self.parents.tolist()):
            if parent >= 0:
                heights[parent] = max(heights[parent], heights[place] + 1)
        return np.array(heights, np.int64)


methods(Tree, "children", "heights")


class Trees(NamedTuple):
    """Trees to train on and trees held back."""

    train: list[Tree]
    test: list[Tree]


def load_library_trees(count: int = 1000, held_out: float = 0.1, max_nodes: int = 200) -> Trees:
    """The syntax trees of `count` functions of Python's own standard library.

    They come module after module, in a shuffled order that is always the same; functions of more
    than max_nodes nodes are left out. A share of held_out, from the end, makes the test set.
    Which functions there are depends on the version of Python.
    """
    if count < 2 or not 0 < held_out < 1:
        raise SettingError(
            f"load_library_trees: count must be 2 or more and held_out between 0 and 1, not {count!r} and "
            f"{held_out!r}"
        )
    found: list[Tree] = []
    for tree in _functions():
        if len(tree) <= max_nodes:
            found.append(tree)
            if len(found) == count:
                break
    cut = len(found) - max(1, int(len(found) * held_out))
    return Trees(found[:cut], found[cut:])


def _functions() -> Iterator[Tree]:
    for module, source in modules():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the library's own, such as invalid escapes
                parsed = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(parsed):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield _tree(f"{module}.{node.name}", node)


def _tree(name: str, root: ast.AST) -> Tree:
    """Down from the root, rightmost child first: read backwards, children precede parents."""
    labels: list[int] = []
    parents: list[int] = []
    stack = [(root, -1)]
    while stack:
        node, parent = stack.pop()
        place = len(labels)
        labels.append(_LABELS[type(node).__name__])
        parents.append(parent)
        stack.extend((c, place) for c in ast.iter_child_nodes(node) if not isinstance(c, _CONTEXTS))
    size = len(labels)
    turned = [size - 1 - parent if parent >= 0 else -1 for parent in parents]
    return Tree(name, np.array(labels[::-1], np.int64), np.array(turned[::-1], np.int64))
