"""What things show of themselves in a notebook: pictures and text as HTML."""

from __future__ import annotations

from html import escape
from typing import Any

from shared.picture.render import svg

NODES = 400
"""From so many nodes on a graph is told as text: its picture would be of boxes alone."""


def as_text(value: Any) -> str:
    """Text as it is printed."""
    return f"<pre>{escape(str(value))}</pre>"


def as_picture(graph: Any, caption: str) -> str:
    """A program's networkx graph, drawn."""
    if not graph or len(graph) > NODES:
        return as_text(caption)
    told = f"<figcaption>{escape(caption)}</figcaption>"
    return f'<figure style="margin:0;overflow-x:auto">{svg(graph)}{told}</figure>'
