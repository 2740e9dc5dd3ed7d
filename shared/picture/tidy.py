"""What a picture leaves out, and where it puts what stands in no scope."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from shared.picture.listing import INPUT, LEAVES

UPDATES = "updates"
"""The scope, in pictures, of what only serves assignments: an optimiser's arithmetic."""


def tidied(graph: Any) -> Any:
    """A copy of a program's networkx graph, as it is to be drawn, numbered anew.

    Groups, which compute nothing, are left out, and what they run counts as a result; of a
    whole graph (no results) the variables' initialisers too. Optimisers' arithmetic stands in
    the scope `updates`. Leaves, but for inputs, stand in the scope that uses them; one that is
    used on several sides (forward, gradients, updates) stands on each, as a `copy`. `number`
    is a node's number in the program.
    """
    left_out = {node for node, kind in graph.nodes(data="kind") if kind == "group"}
    if not graph.graph["results"]:
        starts = {node for node, kind in graph.nodes(data="kind") if kind == "initial"}
        left_out |= starts.union(*(graph.successors(node) for node in starts))
    results = []
    for node, output in graph.graph["results"]:
        inside = [(source, data["output"]) for source, _, data in graph.in_edges(node, data=True)]
        results += inside if graph.nodes[node]["kind"] == "group" else [(node, output)]
    drawn = graph.subgraph(node for node in graph if node not in left_out).copy()
    drawn.graph["results"] = results
    _set_update_scopes(drawn)
    return _with_leaves_on_each_side(drawn)


def _set_update_scopes(graph: Any) -> None:
    """Nodes outside all scopes from which nothing but assignments is reached. Those of one
    variable and its slots (`w`, `w/momentum`) have a scope of their own inside."""
    names = {data["name"] for _, data in graph.nodes(data=True) if data["kind"] == "assign"}
    targets: dict[int, set[str]] = {}
    for node in sorted(graph, reverse=True):
        data = graph.nodes[node]
        if data["scope"] or data["kind"] in LEAVES:
            continue
        if data["kind"] == "assign":
            owners = [name for name in _paths_above(data["name"]) if name in names]
            targets[node] = {min(owners, key=len)}
        elif graph.out_degree(node) and all(after in targets for after in graph.successors(node)):
            targets[node] = set().union(*(targets[after] for after in graph.successors(node)))
    for node, served in targets.items():
        own = f"/{min(served).replace('/', '.')}" if len(served) == 1 else ""
        graph.nodes[node]["scope"] = UPDATES + own


def _paths_above(name: str) -> list[str]:
    """`a/b/c` and what contains it: `a/b`, `a`."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _with_leaves_on_each_side(graph: Any) -> Any:
    """The graph numbered anew in program order, each copy of a leaf before its first user."""
    import networkx

    sources: dict[tuple[int, str], tuple[float, int, str]] = {}  # leaf and side: place, leaf, scope
    placed: list[tuple[float, int, str]] = []
    for node in sorted(graph):
        data = graph.nodes[node]
        if data["kind"] not in LEAVES or graph.in_degree(node):
            placed.append((node, node, data["scope"]))
            continue
        sides: dict[str, list[int]] = {}
        for user in sorted(graph.successors(node)):
            sides.setdefault(side(graph.nodes[user]["scope"]), []).append(user)
        for at, (name, users) in enumerate(sides.items() or [("", [])]):
            scopes = [graph.nodes[user]["scope"] for user in users]
            scope = common_scope(scopes) or (scopes[0] if scopes else "")
            first = (node, node, "" if data["kind"] == INPUT and name == "" else scope)
            copy = (users[0] - 0.5, node, scope) if at else first
            sources[node, name] = copy
            placed.append(copy)
    placed.sort()
    number = {place: at for at, place in enumerate(placed)}
    made = networkx.MultiDiGraph(**graph.graph)
    for (place, node, scope), at in number.items():
        made.add_node(at, **graph.nodes[node] | {"scope": scope, "number": node, "copy": place != node})
    own = {node: at for (place, node, _), at in number.items() if place == node}
    for source, target, data in graph.edges(data=True):
        leaf = sources.get((source, side(graph.nodes[target]["scope"])))
        made.add_edge(own[source] if leaf is None else number[leaf], own[target], **data)
    made.graph["results"] = [(own[node], output) for node, output in graph.graph["results"]]
    return made


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
