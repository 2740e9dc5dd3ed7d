"""Loops and branches laid open: the programs inside a node drawn in its place."""

from __future__ import annotations

from typing import Any

ARGUMENT = "argument"
"""The kind, in pictures, of what a body is given."""


def laid_open(graph: Any) -> Any:
    """A program's networkx graph with the bodies of loops and branches in it.

    What a body is given comes straight from outside; its results lead to the node that holds it,
    and, in a loop, back to what the next step is given. A node's scope is then its own name, and
    its bodies' scopes are inside that. `number` is a node's number in its program.
    """
    if not any(data["bodies"] for _, data in graph.nodes(data=True)):
        return graph
    import networkx

    flat = networkx.MultiDiGraph(engine=graph.graph["engine"])
    number = _add(flat, graph, "", "", "")
    flat.graph["results"] = [(number[node], output) for node, output in graph.graph["results"]]
    return flat


def _add(flat: Any, graph: Any, prefix: str, outside: str, inside: str) -> dict[int, int]:
    """Add a program to the flat graph; gives the new number of each of its nodes.

    Its scopes, which begin with `outside` where they do, begin with `inside` in the picture.
    """
    number: dict[int, int] = {}
    given = {node for node, _ in graph.graph["inputs"]}
    for node in sorted(graph):
        data = graph.nodes[node]
        scope = _moved(data["scope"], outside, inside)
        bodies = {}
        if data["bodies"]:
            scope = "/".join(filter(None, (scope, data["name"].rpartition("/")[2])))
        for name, body in data["bodies"].items():
            bodies[name] = _add(flat, body, f"{prefix}{node}.{name}.", data["scope"], f"{scope}/{name}")
        number[node] = len(flat)
        flat.add_node(len(flat), **data | {"scope": scope, "number": f"{prefix}{node}"})
        if node in given:
            name = data["name"].removeprefix(data["scope"] + "/").removesuffix("/read")
            flat.nodes[number[node]].update(kind=ARGUMENT, name=name)
        _connect(flat, graph, node, number, bodies)
    return number


def _moved(scope: str, outside: str, inside: str) -> str:
    """A scope with its beginning `outside` replaced by `inside`."""
    if outside and (scope + "/").startswith(outside + "/"):
        scope = scope[len(outside) + 1 :]
    return "/".join(filter(None, (inside, scope)))


def _connect(
    flat: Any, graph: Any, node: int, number: dict[int, int], bodies: dict[str, dict[int, int]]
) -> None:
    """The edges to a node, or, of those that a body is given, into the body."""
    places: dict[int, list[int]] = {}
    for name, inner in bodies.items():
        body = graph.nodes[node]["bodies"][name].graph
        for entry, argument in body["inputs"]:
            places.setdefault(argument, []).append(inner[entry])
        for at, (entry, output) in enumerate(body["results"]):
            flat.add_edge(inner[entry], number[node], output=output, argument=at, gradient=True)
        again = zip(body["results"][: body["carried"]], body["inputs"], strict=False)
        for (entry, output), (start, _) in again:
            if entry != start:
                flat.add_edge(inner[entry], inner[start], output=output, argument=0, gradient=True)
    for source, _, data in graph.in_edges(node, data=True):
        for target in places.get(data["argument"], [number[node]]):
            flat.add_edge(number[source], target, **data)
