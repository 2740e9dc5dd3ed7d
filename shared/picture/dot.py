"""Boxes as DOT text, and DOT text as a picture by Graphviz."""

from __future__ import annotations

import html
import shutil
from collections import Counter
from collections.abc import Iterable
from typing import Any

from shared.picture.collapse import Boxes
from shared.picture.label import BACK_EDGE, GREY, Label, edge_colour, output_name, scope_colours
from shared.picture.listing import LEAVES, printable
from shared.picture.tidy import UPDATES

FONT = "Helvetica,Arial,sans-serif"
_MANY = 80  # boxes from which dot's exact placement can take seconds, and edges have no names
_QUICK = {"nslimit": "1", "nslimit1": "1", "mclimit": "0.2"}
_STYLES = {  # of a label's lines: point size, colour
    "op": (11, "#1d2433"),
    "type": (9, GREY),
    "detail": (8, GREY),
    "leaf": (9, "#8a5800"),
}


def dot_source(boxes: Boxes, labels: list[Label]) -> str:
    """The DOT text of boxes, with scopes as clusters; the same text for the same graph."""
    import graphviz

    dot = graphviz.Digraph(
        graph_attr={"rankdir": "TB", "bgcolor": "white", "nodesep": "0.22", "ranksep": "0.34",
                    "fontname": FONT, "fontsize": "11", "newrank": "true",
                    **(_QUICK if len(boxes) > _MANY else {})},
        node_attr={"shape": "box", "style": "rounded,filled", "fontname": FONT, "fontsize": "11",
                   "margin": "0.12,0.05", "height": "0.3", "penwidth": "1.1"},
        edge_attr={"arrowsize": "0.6", "penwidth": "1.0", "fontname": FONT,
                   "fontsize": "8", "fontcolor": GREY},
    )  # fmt: skip
    _scope(dot, boxes, labels, _tree(boxes), "")
    edges = edges_between(boxes)
    users = Counter(a for a, _ in edges)
    for (a, b), (text, gradient) in edges.items():
        source, target = boxes.boxes[a], boxes.boxes[b]
        attributes = {"color": edge_colour(source, target, gradient), "weight": "3"}
        if source.side != target.side:
            attributes["weight"] = "0"  # may be long, so that what is on one side stays together
        elif boxes.is_leaf(a) and users[a] > 1:
            attributes["weight"] = "1"
        if text:
            said = {"edgetooltip": text} if len(boxes) > _MANY else {"label": f" {text} "}
            attributes |= {key: _literal(text) for key, text in said.items()}
        if a >= b:
            attributes |= {"color": BACK_EDGE, "constraint": "false", "style": "bold"}
        elif not gradient:
            attributes |= {"style": "dashed"}
        dot.edge(f"b{a}", f"b{b}", **attributes)
    _updates_below(dot, boxes, edges)
    return dot.source


def _updates_below(dot: Any, boxes: Boxes, edges: Iterable[tuple[int, int]]) -> None:
    """Keep the updates together under the last gradient: what they read from nowhere else (the
    learning rate, the step count) would float to the top."""
    gradients = [index for index, box in enumerate(boxes.boxes) if box.side not in ("", UPDATES)]
    fed = {b for _, b in edges}
    for index, box in enumerate(boxes.boxes):
        if gradients and box.side == UPDATES and index not in fed:
            dot.edge(f"b{gradients[-1]}", f"b{index}", style="invis", weight="1")


def edges_between(boxes: Boxes) -> dict[tuple[int, int], tuple[str, bool]]:
    """For each pair of boxes with edges: the names of outputs, and whether a gradient flows."""
    owner, graph = boxes.owner(), boxes.graph
    found: dict[tuple[int, int], tuple[dict[str, None], bool]] = {}
    for source, target, data in graph.edges(data=True):
        a, b = owner[source], owner[target]
        if a == b and (boxes.boxes[a].times == 1 or graph.nodes[source]["kind"] in LEAVES):
            continue  # inside the box; a node that is repeated may read itself, of the step before
        names, gradient = found.get((a, b), ({}, False))
        names[output_name(graph, source, data["output"])] = None
        found[a, b] = names, gradient or data["gradient"]
    return {
        pair: (printable(", ".join(name for name in names if name)), gradient)
        for pair, (names, gradient) in sorted(found.items())
    }


def _tree(boxes: Boxes) -> dict[str, dict[str, None]]:
    """The scopes directly inside each scope."""
    inside: dict[str, dict[str, None]] = {"": {}}
    for box in boxes.boxes:
        parts = box.scope.split("/") if box.scope else []
        for depth in range(len(parts)):
            inner = "/".join(parts[: depth + 1])
            inside.setdefault("/".join(parts[:depth]), {})[inner] = None
            inside.setdefault(inner, {})
    return inside


def _scope(
    dot: Any, boxes: Boxes, labels: list[Label], inside: dict[str, dict[str, None]], scope: str
) -> None:
    """The boxes of a scope, and the frames of those inside it."""
    for index, (box, label) in enumerate(zip(boxes.boxes, labels, strict=True)):
        if box.scope == scope:
            dot.node(
                f"b{index}", _html(label), fillcolor=label.colours.fill, color=label.colours.border,
                tooltip=_literal(label.tooltip), **({"penwidth": "2.6"} if label.result else {}),
                **({"style": "rounded,filled,dashed"} if label.copy else {}),
            )  # fmt: skip
    for inner in inside[scope]:
        colours = scope_colours(inner)
        with dot.subgraph(name=_literal(f"cluster_{inner}")) as cluster:
            cluster.attr(
                label=_literal(inner.rpartition("/")[2]), labeljust="l", style="rounded,filled", margin="10",
                fillcolor=colours.fill, color=colours.border, fontcolor=colours.text, tooltip=_literal(inner),
            )  # fmt: skip
            _scope(cluster, boxes, labels, inside, inner)


def _literal(text: str) -> str:
    """Text as DOT takes it for itself: no backslash, `\\N` or `<tag>` in it means anything."""
    import graphviz

    return graphviz.escape(printable(text))


def _html(label: Label) -> str:
    rows = [f"<b>{html.escape(label.title)}</b>"]
    for style, text in label.lines:
        size, colour = _STYLES[style]
        rows.append(f'<font point-size="{size}" color="{colour}">{html.escape(text)}</font>')
    table = "".join(f"<tr><td>{row}</td></tr>" for row in rows)
    return f'<<table border="0" cellspacing="0" cellpadding="1">{table}</table>>'


# --- Graphviz ------------------------------------------------------------------------------


def by_dot(source: str, form: str) -> bytes | None:
    """The picture made by the `dot` program; None where there is none that can."""
    if shutil.which("dot") is None:
        return None
    import graphviz

    try:
        return graphviz.Source(_for(source, form)).pipe(format=form)
    except graphviz.CalledProcessError:
        return None


def by_pygraphviz(source: str, form: str) -> bytes | None:
    """The picture made by the Graphviz inside pygraphviz; None where that is not installed."""
    try:
        import pygraphviz
    except ImportError:
        return None
    return pygraphviz.AGraph(string=_for(source, form)).draw(format=form, prog="dot")


def _for(source: str, form: str) -> str:
    """Pixels fine enough to read; the other formats have none."""
    return source.replace("{", "{\n\tdpi=144", 1) if form == "png" else source
