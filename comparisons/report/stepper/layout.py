"""Where the boxes of the two graphs stand: Graphviz decides, by a plan of ours.

The forward pass runs down the left side. Gradients climb back up beside it, each in the row of
what it belongs to, and updates stand to the right of the gradients that they read. So on both
sides the picture has the shape of the step: down, back up, out.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.picture.dot import by_dot, by_pygraphviz
from shared.picture.listing import LEAVES

Json = Mapping[str, Any]
Point = tuple[float, float]

_SIDES = ("forward", "backward", "update")  # from left to right
_INCH = 72.0
_LETTER = 6.6  # width of a letter of a box's title, in the picture's units (CSS pixels)
_SMALL = 6.0  # of its type below
_HEIGHT = 30.0


@dataclass(frozen=True)
class Box:
    """A node of the picture: its centre, its size, and what stands in it."""

    id: str
    x: float
    y: float
    width: float
    height: float
    title: str
    spec: str
    side: str
    leaf: bool


@dataclass(frozen=True)
class Edge:
    """An arrow from one box to another: the control points of its Bezier curve.

    across  whether it leads from one side of the picture (forward, gradients, updates) to another
    """

    start: str
    end: str
    points: tuple[Point, ...]
    across: bool


@dataclass(frozen=True)
class Layout:
    """A picture: everything lies between (0, 0) and (width, height), y growing downwards."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float


def lay_out(graph: Json, sides: Mapping[str, str]) -> Layout:
    """The boxes of a graph as `boxes_of` gives it.

    sides: of each box "forward", "backward" or "update"; "forward" where it says nothing

    Raises RuntimeError where there is no Graphviz.
    """
    side = {node["id"]: sides.get(node["id"], "forward") for node in graph["nodes"]}
    leaf = {node["id"]: node["kind"] in LEAVES for node in graph["nodes"]}
    across = {(a, b): side[a] != side[b] for a, b, _ in graph["edges"]}
    source = _dot(graph, side, across)
    text = by_dot(source, "plain") or by_pygraphviz(source, "plain")
    if text is None:
        raise RuntimeError(
            "the stepper's graphs are placed by Graphviz, and there is neither a `dot` program nor the "
            "pygraphviz package, whose wheel brings it: pip install pygraphviz"
        )
    lines = [shlex.split(line) for line in text.decode().replace("\\\n", "").splitlines()]
    width, height = (float(number) * _INCH for number in lines[0][2:4])

    def point(x: str, y: str) -> Point:
        return round(float(x) * _INCH, 1), round(height - float(y) * _INCH, 1)

    nodes = {node["id"]: node for node in graph["nodes"]}
    boxes, curves = [], {}
    for kind, *words in lines[1:]:
        if kind == "node":
            (x, y), name = point(*words[1:3]), words[0]
            size = [round(float(number) * _INCH, 1) for number in words[3:5]]
            title, spec = _text(nodes[name])
            boxes.append(Box(name, x, y, size[0], size[1], title, spec, side[name], leaf[name]))
        elif kind == "edge":
            count = int(words[2])
            points = [point(*words[i : i + 2]) for i in range(3, 3 + 2 * count, 2)]
            curves[words[0], words[1]] = points
    placed = {box.id: box for box in boxes}
    edges = []
    for a, b in across:
        points = curves.get((a, b)) or curves.get((b, a), [])[::-1] or _sideways(placed[a], placed[b])
        edges.append(Edge(a, b, tuple(points), across[a, b]))
    return Layout(tuple(boxes), tuple(edges), round(width, 1), round(height, 1))


def _text(node: Json) -> tuple[str, str]:
    """A box's title, and its type below: sizes as one says them, and what is not float32."""
    title = f"{node['name']} \N{LEFTWARDS ARROW}" if node["kind"] == "assign" else node["op"]
    title = node.get("title") or (node["id"] if node["kind"] in LEAVES else title)
    kind, _, sizes = node["spec"].rstrip("]").partition("[")
    said = sizes.replace(",", "\N{MULTIPLICATION SIGN}")
    return title, (said or "scalar") if kind == "f32" else f"{kind} {said}".rstrip()


def _sideways(a: Box, b: Box) -> list[Point]:
    """A curve from the side of one box to the facing side of another."""
    way = 1 if b.x > a.x else -1
    start, end = a.x + way * a.width / 2, b.x - way * (b.width / 2 + 6)
    bend = way * max(18.0, abs(end - start) / 2.5)
    return [(start, a.y), (start + bend, a.y), (end - bend, b.y), (end, b.y)]


def _dot(graph: Json, side: Mapping[str, str], across: Iterable[tuple[str, str]]) -> str:
    lines = [
        'digraph { rankdir=TB; nodesep=0.1; ranksep=0.16; newrank=true; margin=0; splines=true;',
        'node [shape=box, fixedsize=true, label=""]; edge [arrowsize=0.5];',
    ]
    for node in sorted(graph["nodes"], key=lambda node: _SIDES.index(side[node["id"]])):
        title, spec = _text(node)
        width = max(len(title) * _LETTER, len(spec) * _SMALL) + 10
        lines.append(f'"{node["id"]}" [width={width / _INCH:.3f}, height={_HEIGHT / _INCH:.3f}];')
    for a, b in across:
        if side[a] != side[b]:
            continue  # they would only push the boxes about, and are drawn by `_sideways`
        elif side[a] == "backward":
            lines.append(f'"{b}" -> "{a}" [dir=back];')  # gradients climb
        else:
            lines.append(f'"{a}" -> "{b}";')
    return "\n".join([*lines, "}"])
