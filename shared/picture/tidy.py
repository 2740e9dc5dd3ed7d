"""What a picture leaves out, and where it puts what stands in no scope."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from shared.picture.inline import laid_open
from shared.picture.listing import INPUT, LEAVES

UPDATES = "updates"
"""The scope, in pictures, of what only serves assignments: an optimiser's arithmetic."""


def tidied(graph: Any) -> Any:
    """A copy of a program's networkx graph, as it is to be drawn, numbered anew.

    Groups, which compute nothing, are left out, and what they run counts as a result; of a
    whole graph (no results) the variables' initialisers too. Optimisers' arithmetic stands in
    the scope `updates`. Leaves, but for inputs, stand in the scope that uses them; one that is
    used on several sides (forward, gradients, updates) stands on each, as a `copy`. Loops and
    branches are laid open. `number` is a node's number in the program.
    """
    graph = laid_open(graph)
    left_out = {node for node, kind in graph.nodes(data="kind") if kind == "group"}
    if not graph.graph["results"]:
        starts = {node for node, kind in graph.nodes(data="kind") if kind == "initial"}
        left_out |= starts.union(*(graph.successors(node) for node in starts))
    results = []
    for node, output in graph.graph["results"]:
        inside = [(source, data["output"]) for source, _, data in graph.in_edges(node, data=True)]
        results += inside if graph.nodes[node]["kind"] == "group" else [(node, output)]
    scopes = dict(graph.nodes(data="scope")) | _update_scopes(graph, left_out)
    drawn, number = _with_leaves_on_each_side(graph, left_out, scopes)
    drawn.graph["results"] = [(number[node], output) for node, output in results]
    return drawn


def _update_scopes(graph: Any, left_out: set[int]) -> dict[int, str]:
    """The scopes of nodes outside all others from which nothing but assignments is reached.
    Those of one variable and its slots (`w`, `w/momentum`) have a scope of their own inside."""
    names = {data["name"] for _, data in graph.nodes(data=True) if data["kind"] == "assign"}
    targets: dict[int, set[str]] = {}
    for node in sorted(graph, reverse=True):
        data = graph.nodes[node]
        if data["scope"] or data["kind"] in LEAVES:
            continue
        users = [user for user in graph.successors(node) if user not in left_out]
        if data["kind"] == "assign":
            targets[node] = {min((name for name in _paths_above(data["name"]) if name in names), key=len)}
        elif users and all(user in targets for user in users):
            targets[node] = set().union(*(targets[user] for user in users))
    return {
        node: f"{UPDATES}/{min(served).replace('/', '.')}" if len(served) == 1 else UPDATES
        for node, served in targets.items()
    }


def _paths_above(name: str) -> list[str]:
    """`a/b/c` and what contains it: `a/b`, `a`."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _with_leaves_on_each_side(
    graph: Any, left_out: set[int], scopes: dict[int, str]
) -> tuple[Any, dict[int, int]]:
    """The graph numbered anew in program order, each copy of a leaf before its first user; and
    the new number of each node."""
    import networkx

    sources: dict[tuple[int, str], tuple[float, int, str]] = {}  # leaf and side: place, leaf, scope
    placed: list[tuple[float, int, str]] = []
    for node, kind in graph.nodes(data="kind"):
        if node in left_out:
            continue
        if kind not in LEAVES or graph.in_degree(node):
            placed.append((node, node, scopes[node]))
            continue
        sides: dict[str, list[int]] = {}
        for user in sorted(user for user in graph.successors(node) if user not in left_out):
            sides.setdefault(side(scopes[user]), []).append(user)
        for at, (name, users) in enumerate(sides.items() or [("", [])]):
            inside = [scopes[user] for user in users]
            scope = common_scope(inside) or (inside[0] if inside else "")
            first = (node, node, "" if kind == INPUT and name == "" else scope)
            copy = (users[0] - 0.5, node, scope) if at else first
            sources[node, name] = copy
            placed.append(copy)
    made = networkx.MultiDiGraph(**graph.graph)
    number: dict[tuple[float, int, str], int] = {}
    own: dict[int, int] = {}
    for at, leaf in enumerate(sorted(placed)):
        place, node, scope = leaf
        number[leaf] = at
        if place == node:
            own[node] = at
        made.add_node(at, **graph.nodes[node] | {"scope": scope, "copy": place != node})
        made.nodes[at].setdefault("number", node)
    for source, target, data in graph.edges(data=True):
        if source in own and target in own:
            origin = sources.get((source, side(scopes[target])))
            made.add_edge(own[source] if origin is None else number[origin], own[target], **data)
    return made, own


def side(scope: str) -> str:
    """The part of a picture that a scope is in: gradients, updates, or "" for the rest."""
    top = scope.partition("/")[0]
    return top if top == UPDATES or re.fullmatch(r"gradients(_\d+)?", top) else ""


def common_scope(scopes: Iterable[str], numbered: bool = True) -> str:
    """The scope that all are in; unless `numbered`, `cell`, `cell_1` and `cell_2` are the same."""
    common = []
    for parts in zip(*(scope.split("/") for scope in scopes), strict=False):
        if len(set(parts) if numbered else {re.sub(r"_?\d+$", "", part) for part in parts}) != 1:
            break
        common.append(parts[0])
    return "/".join(common)
