"""What stands in a box of a picture, and in which colours."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from shared.dims import same_shape
from shared.picture.collapse import Box
from shared.picture.inline import ARGUMENT
from shared.picture.listing import (
    CONSTANT,
    INPUT,
    LEAVES,
    PARAMETER,
    VARIABLE,
    printable,
    setting_text,
    value_text,
)
from shared.picture.tidy import UPDATES, side
from shared.spec import dtype_name

TIMES = "\N{MULTIPLICATION SIGN}"
_WIDEST = 34  # characters of a line
_SETTINGS = 3  # lines of settings; the tooltip has them all
_MOST = 7  # lines of a box that stands for many nodes


@dataclass(frozen=True, slots=True)
class Colours:
    """Of a box, readable on white: as `#rrggbb`."""

    fill: str
    border: str
    text: str = "#1d2433"


GREY = "#5b6475"
BACK_EDGE = "#c2410c"
_EDGE, _PALE_EDGE = "#77829a", "#b3bac8"
_GRADIENT_EDGE, _SAVED_EDGE, _UPDATE_EDGE = "#9a75c7", "#cdb8e8", "#e9a3b6"
COLOURS = {
    "op": Colours("#e6effb", "#3f6fb5"),
    "gradient": Colours("#f1e8fb", "#8250b8"),
    PARAMETER: Colours("#fdebcf", "#c27803"),
    VARIABLE: Colours("#fdf6d5", "#a68a00"),
    INPUT: Colours("#dcf3e2", "#2e8b57"),
    ARGUMENT: Colours("#dcf3e2", "#2e8b57"),
    CONSTANT: Colours("#f1f2f4", "#8a92a0"),
    "assign": Colours("#fce4ea", "#c2446a"),
    "update": Colours("#fdf0f4", "#c2446a"),
    "block": Colours("#f3f6fb", "#46526b"),
}
OTHER = Colours("#eceff4", "#46526b")
MEANING = {
    "op": "op",
    "block": "several ops",
    "gradient": "of the gradients",
    "assign": "assignment",
    "update": "for an assignment",
    PARAMETER: "parameter",
    VARIABLE: "other state",
    INPUT: "input",
    CONSTANT: "constant",
}
"""What a box's colours say, in a legend. What a body is given looks like any input."""
_SCOPE = Colours("#f8fafd", "#c5d2e8", "#3f6fb5")
_UPDATE_SCOPE = Colours("#fef8fa", "#f0c6d2", "#b23a5e")
_GRADIENT_SCOPE = Colours("#fcf9ff", "#d9c6f0", "#8250b8")


@dataclass(slots=True)
class Label:
    """The text of a box: a title, and lines with a style ("type", "detail", "leaf")."""

    title: str
    lines: list[tuple[str, str]]
    tooltip: str
    colours: Colours
    result: bool
    copy: bool


def label_of(graph: Any, box: Box) -> Label:
    """What to write for a box of this networkx graph."""
    inner = [node for node in box.members if graph.nodes[node]["kind"] not in LEAVES] or box.members
    data = graph.nodes[inner[0]]
    equal = len({graph.nodes[node]["op"] for node in inner}) == 1
    if data["kind"] in LEAVES:
        title, lines = _leaves(graph, inner, box.times)
    elif box.title or not equal or len(inner) not in (1, box.times):
        title, lines = _block(graph, box, inner)
    else:
        title, lines = _call(graph, inner)
        lines += _absorbed(graph, box)
    if box.times > 1:
        title = f"{title} {TIMES}{box.times}"
    kind, part = box.kind, box.side
    if part and kind in ("op", "block"):
        kind = "update" if part == UPDATES else "gradient"
    asked = {node for node, _ in graph.graph["results"]}
    return Label(
        printable(title),
        [(style, _cut(printable(text))) for style, text in lines if text],
        printable(_tooltip(graph, inner)),
        COLOURS.get(kind, OTHER),
        any(node in asked for node in box.members),
        all(graph.nodes[node]["copy"] for node in box.members),
    )


def scope_colours(scope: str) -> Colours:
    """Of the frame around a scope."""
    part = side(scope)
    return _UPDATE_SCOPE if part == UPDATES else _GRADIENT_SCOPE if part else _SCOPE


def edge_colour(source: Box, target: Box, gradient: bool) -> str:
    """Of an edge between two boxes. What leads from one side of the picture to another (a
    value that a gradient reads, a gradient that an update reads) is paler than what stays."""
    if target.side == UPDATES and source.side != UPDATES:
        return _UPDATE_EDGE
    if target.side not in ("", UPDATES):
        return _SAVED_EDGE if source.side == "" else _GRADIENT_EDGE
    return _EDGE if gradient else _PALE_EDGE


def output_name(graph: Any, node: int, output: int) -> str:
    """What to write on an edge: nothing for the first output, else its name."""
    names = graph.nodes[node]["names"]
    if output == 0:
        return ""
    return names[output] if names else str(output)


def _call(graph: Any, inner: list[int]) -> tuple[str, list[tuple[str, str]]]:
    """An op: what weak numbers stand in it, what comes out, what is set."""
    data = graph.nodes[inner[0]]
    title = data["op"]
    if data["kind"] != "op":
        name = _pattern([graph.nodes[node]["name"] for node in inner])
        title = name if data["kind"] == ARGUMENT else f"{data['kind']} {name}".rstrip()
    if data["numbers"]:
        count = graph.in_degree(inner[0]) + len(data["numbers"])
        parts = [_number(data["numbers"][i]) if i in data["numbers"] else "·" for i in range(count)]
        title += f"({', '.join(parts)})"
    shown = [
        f"{name}={setting_text(value)}"
        for name, value in data["settings"].items()
        if not _says_nothing_new(name, value, data)
        and all(repr(graph.nodes[node]["settings"].get(name)) == repr(value) for node in inner)
    ]
    return title, [("type", _types(graph, inner)), *(("detail", text) for text in _packed(shown)[:_SETTINGS])]


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else setting_text(value)


def _says_nothing_new(name: str, value: Any, data: Any) -> bool:
    """Settings that repeat the shape and dtype of what comes out."""
    if name == "shape" and isinstance(value, tuple) and data["shape"] is not None:
        return same_shape(value, data["shape"])
    return name == "dtype" and value == data["dtype"]


def _packed(words: list[str]) -> list[str]:
    """Words on as few lines as they fit on."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 2 + len(word) <= _WIDEST:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines


def _block(graph: Any, box: Box, inner: list[int]) -> tuple[str, list[tuple[str, str]]]:
    """Many nodes: their ops in order if they are few, else how many of each."""
    ops = _of_one_turn([graph.nodes[node]["op"] for node in inner], box.times)
    if len(ops) <= _MOST and not box.title:
        return ops[0], [("op", op) for op in ops[1:]] + [("type", _types(graph, inner[-1:]))]
    counts = Counter(ops).most_common()
    lines = [("detail", f"{count} {op}") for op, count in counts[:_MOST]]
    if len(counts) > _MOST:
        lines.append(("detail", f"{sum(count for _, count in counts[_MOST:])} more"))
    return box.title or f"{len(ops)} nodes", lines


def _of_one_turn(ops: list[str], times: int) -> list[str]:
    """Of ops that stand for so many turns those of one; turn by turn, or each op's turns together."""
    counts, each = Counter(ops), len(ops) // times
    if any(count % times for count in counts.values()):
        return ops
    turn = {op: count // times for op, count in counts.items()}
    return ops[:each] if Counter(ops[:each]) == turn else [op for op in turn for _ in range(turn[op])]


def _leaves(graph: Any, leaves: list[int], times: int) -> tuple[str, list[tuple[str, str]]]:
    """A leaf, or several: of one shape where they are used alike, else of any."""
    title = _leaf_title(graph, leaves)
    kind = graph.nodes[leaves[0]]["kind"]
    if len(leaves) == 1 or times > 1:
        return title, [("type", _types(graph, leaves))]
    names = [f"{_leaf_title(graph, [leaf])} {_types(graph, [leaf])}" for leaf in leaves]
    return f"{len(leaves)} {kind}s", [("detail", name) for name in names[:_MOST]]


def _leaf_title(graph: Any, leaves: list[int]) -> str:
    """The name of a leaf; of several, what is the same in their names."""
    data = graph.nodes[leaves[0]]
    if len(leaves) == 1:
        return value_text(data["value"]) or data["name"] or data["kind"]
    return _pattern([graph.nodes[leaf]["name"] for leaf in leaves]) or data["kind"]


def _pattern(names: list[str]) -> str:
    """Names that differ in numbers alone, with `*` for those: `layer1.*.weight`; else ""."""
    split = [re.split(r"(\d+)", name) for name in names]
    if len({tuple(parts[::2]) for parts in split}) != 1:
        return ""
    return "".join(parts[0] if len(set(parts)) == 1 else "*" for parts in zip(*split, strict=True))


def _absorbed(graph: Any, box: Box) -> list[tuple[str, str]]:
    """The leaves that the box of their only user has taken in, each kind and shape once."""
    groups: dict[tuple[str, str], list[int]] = {}
    for node in box.members:
        data = graph.nodes[node]
        if data["kind"] in LEAVES:
            alike = re.sub(r"\d+", "*", data["name"]), _types(graph, [node])
            groups.setdefault(alike, []).append(node)
    if len(groups) > _MOST:
        kinds = Counter(graph.nodes[leaf]["kind"] for leaves in groups.values() for leaf in leaves)
        return [("leaf", f"{count} {kind}s") for kind, count in kinds.items()]
    return [
        ("leaf", f"{_leaf_title(graph, leaves)} {types}") for (_, types), leaves in groups.items()
    ]


def _types(graph: Any, nodes: list[int]) -> str:
    """The type of the first output: `f32[4,3]`, and `f32[...]` where the nodes differ in shape."""
    specs = [spec for node in nodes for spec in graph.nodes[node]["outputs"][:1]]
    if not specs:
        return ""
    kinds = {dtype_name(spec.dtype) for spec in specs}
    if len({spec.shape for spec in specs}) > 1:
        return f"{kinds.pop()}[...]" if len(kinds) == 1 else ""
    return str(specs[0]) if specs[0].shape else dtype_name(specs[0].dtype)


def _tooltip(graph: Any, inner: list[int]) -> str:
    data = graph.nodes[inner[0]]
    settings = " ".join(f"{name}={setting_text(value)}" for name, value in data["settings"].items())
    outputs = ", ".join(str(spec) for spec in data["outputs"])
    where = f"  {data['line']}" if data["line"] else ""
    more = f"  and {len(inner) - 1} more" if len(inner) > 1 else ""
    text = f"%{data['number']}: {outputs} = {data['op']} {data['name']} {settings}"
    return " ".join(text.split()) + more + where


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
