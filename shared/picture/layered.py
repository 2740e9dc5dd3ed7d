"""A picture without Graphviz: boxes in layers, as SVG text.

The method of Sugiyama, Tagawa and Toda (1981), plainly: layers by the longest path, each layer
ordered by the middle of its neighbours, then positions as near to their neighbours as the
boxes' widths allow.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from html import escape

from shared.picture.collapse import Boxes
from shared.picture.dot import FONT, edges_between
from shared.picture.label import BACK_EDGE, GREY, Label, edge_colour

_GAP, _LAYER_GAP, _MARGIN, _LINE = 22.0, 34.0, 16.0, 13.0
_SWEEPS = 12
_SIZES = {"title": 11, "op": 11, "type": 9, "detail": 8, "leaf": 9}


@dataclass(eq=False, slots=True)
class _Cell:
    """A box, or (index None) a place where a long edge passes through a layer."""

    index: int | None
    layer: int
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    above: list[_Cell] = field(default_factory=list)
    below: list[_Cell] = field(default_factory=list)


def layered_svg(boxes: Boxes, labels: list[Label]) -> str:
    """The SVG text of boxes; scopes are not drawn, gradients are told by their colour."""
    edges = edges_between(boxes)
    cells = [
        _Cell(index, layer, _width(label), _height(label))
        for index, (layer, label) in enumerate(zip(_layers(boxes), labels, strict=True))
    ]
    paths = {pair: _path(cells, *pair) for pair in edges if pair[0] < pair[1]}
    layers: list[list[_Cell]] = [[] for _ in range(1 + max(cell.layer for cell in cells))]
    for cell in dict.fromkeys([*cells, *(cell for path in paths.values() for cell in path)]):
        layers[cell.layer].append(cell)
    _order(layers)
    _place(layers)
    left = min(cell.x - cell.width / 2 for cell in cells) - _MARGIN
    right = max(cell.x + cell.width / 2 for layer in layers for cell in layer) + _MARGIN
    if len(paths) < len(edges):
        right += 2 * _MARGIN  # for the way back around a box
    bottom = max(cell.y + cell.height / 2 for cell in cells) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.1f} 0 {right - left:.1f} {bottom:.1f}" '
        f'width="{right - left:.0f}" height="{bottom:.0f}" font-family="{FONT}">',
        f'<rect x="{left:.1f}" y="0" width="100%" height="100%" fill="white"/>',
    ]
    for (a, b), (text, gradient) in edges.items():
        colour = edge_colour(boxes.boxes[a], boxes.boxes[b], gradient)
        parts += _edge(paths.get((a, b)), cells[a], cells[b], text, gradient, colour)
    parts += [line for cell in cells for line in _box(cell, labels[cell.index or 0])]
    return "\n".join([*parts, "</svg>", ""])


# --- layout --------------------------------------------------------------------------------


def _layers(boxes: Boxes) -> list[int]:
    """For each box its layer: below all that it reads; what reads nothing right above its use."""
    layer, before, after = [0] * len(boxes), *boxes.neighbours()
    for index in range(len(boxes)):
        layer[index] = 1 + max((layer[source] for source in before[index] if source < index), default=-1)
    for index in range(len(boxes)):
        users = [layer[user] for user in after[index] if user > index]
        if users and not any(source < index for source in before[index]):
            layer[index] = max(min(users) - 1, 0)
    return layer


def _path(cells: list[_Cell], a: int, b: int) -> list[_Cell]:
    """The cells of an edge, one for each layer that it passes; they become neighbours."""
    between = [_Cell(None, layer, 8.0, 0.0) for layer in range(cells[a].layer + 1, cells[b].layer)]
    path = [cells[a], *between, cells[b]]
    for upper, lower in itertools.pairwise(path):
        upper.below.append(lower)
        lower.above.append(upper)
    return path


def _order(layers: list[list[_Cell]]) -> None:
    """Sort each layer by the middle of its neighbours, downwards and upwards in turn."""
    for layer in layers:
        for at, cell in enumerate(layer):
            cell.x = float(at)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            middle = {}
            for cell in layer:
                near = cell.above if sweep % 2 == 0 else cell.below
                middle[cell] = sum(other.x for other in near) / len(near) if near else cell.x
            layer.sort(key=middle.__getitem__)
            for at, cell in enumerate(layer):
                cell.x = float(at)


def _place(layers: list[list[_Cell]]) -> None:
    """Set x near to the neighbours without overlap, and y by the layers' heights."""
    top = _MARGIN
    for layer in layers:
        height = max((cell.height for cell in layer), default=0.0)
        for cell in layer:
            cell.y = top + height / 2
        top += height + _LAYER_GAP
        _spread(layer, [0.0] * len(layer))
    for sweep in range(2 * _SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wishes = []
            for cell in layer:
                near = (cell.above if sweep % 2 == 0 else cell.below) or [cell]
                wishes.append(sum(other.x for other in near) / len(near))
            _spread(layer, wishes)


def _spread(layer: list[_Cell], wishes: list[float]) -> None:
    """The places nearest to the wishes (least squares) that keep order and distance: what is
    left of the widths before each cell is monotone, so neighbours that clash are pooled."""
    offsets, pools = [0.0], []
    for left, right in itertools.pairwise(layer):
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + _GAP)
    for wish, offset in zip(wishes, offsets, strict=False):
        pools.append((wish - offset, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m), (b, n) = pools[-2:]
            pools[-2:] = [((a * m + b * n) / (m + n), m + n)]
    places = [place for place, count in pools for _ in range(count)]
    for cell, place, offset in zip(layer, places, offsets, strict=False):
        cell.x = place + offset


# --- SVG -----------------------------------------------------------------------------------


def _width(label: Label) -> float:
    texts = [("title", label.title), *label.lines]
    return 18 + max(_SIZES[style] * (0.62 if style == "title" else 0.54) * len(text) for style, text in texts)


def _height(label: Label) -> float:
    return 10 + _LINE * (1 + len(label.lines))


def _box(cell: _Cell, label: Label) -> list[str]:
    x, y, thick = cell.x - cell.width / 2, cell.y - cell.height / 2, 2.6 if label.result else 1.1
    colours, dashed = label.colours, ' stroke-dasharray="4 2"' if label.copy else ""
    parts = [
        f"<g><title>{escape(label.tooltip)}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell.width:.1f}" height="{cell.height:.1f}" rx="6" '
        f'fill="{colours.fill}" stroke="{colours.border}" stroke-width="{thick}"{dashed}/>'
    ]
    for at, (style, text) in enumerate([("title", label.title), *label.lines]):
        bold = ' font-weight="bold"' if style == "title" else ""
        colour = colours.text if style in ("title", "op") else GREY
        parts.append(
            f'<text x="{cell.x:.1f}" y="{y + 5 + _LINE * (at + 0.75):.1f}" text-anchor="middle" '
            f'font-size="{_SIZES[style]}" fill="{colour}"{bold}>{escape(text)}</text>'
        )
    return [*parts, "</g>"]


def _edge(path: list[_Cell] | None, a: _Cell, b: _Cell, text: str, gradient: bool, colour: str) -> list[str]:
    if path is None:  # against the order of the program: around the right side
        right, colour, dash = max(a.x + a.width / 2, b.x + b.width / 2), BACK_EDGE, ""
        side = right + 2 * _MARGIN
        line = (
            f"M{a.x + a.width / 2:.1f},{a.y:.1f} C{side:.1f},{a.y + 12:.1f} {side:.1f},{b.y - 12:.1f} "
            f"{b.x + b.width / 2 + 5:.1f},{b.y:.1f}"
        )
        head, middle = (b.x + b.width / 2, b.y, 6, 0), (side, (a.y + b.y) / 2)
    else:
        dash = "" if gradient else ' stroke-dasharray="4 3"'
        points = [(a.x, a.y + a.height / 2), *((c.x, c.y) for c in path[1:-1]), (b.x, b.y - b.height / 2)]
        line = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
        for (x, y), (u, v) in itertools.pairwise(points):
            half = (v - y) / 2
            line += f" C{x:.1f},{y + half:.1f} {u:.1f},{v - half:.1f} {u:.1f},{v:.1f}"
        head, middle = (*points[-1], 0, -6), points[len(points) // 2]
    x, y, across, along = head
    tip = f"{x:.1f},{y:.1f} {x + across + along / 2:.1f},{y + along + across / 2:.1f} "
    tip += f"{x + across - along / 2:.1f},{y + along - across / 2:.1f}"
    parts = [
        f'<path d="{line}" fill="none" stroke="{colour}"{dash}/>',
        f'<polygon points="{tip}" fill="{colour}"/>',
    ]
    if text:
        parts.append(
            f'<text x="{middle[0] + 4:.1f}" y="{middle[1]:.1f}" font-size="8" fill="{GREY}">'
            f"{escape(text)}</text>"
        )
    return parts
