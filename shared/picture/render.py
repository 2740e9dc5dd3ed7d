"""draw: a picture of a program, by Graphviz where there is one, else by our own layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.durable import files
from shared.errors import SettingError

LIMIT = 150
"""Boxes above which a picture is no longer read, and takes long to lay out."""
FORMS = (".svg", ".png", ".pdf", ".dot")


def draw(graph: Any, path: str, limit: int = LIMIT) -> str:
    """Write a picture of a program's networkx graph to `path`; gives the path.

    Ops are blue, gradients' ops purple, parameters amber, other variables yellow, inputs green,
    constants grey, assignments red; what is asked for has a thick border. A dashed edge carries
    no gradient. Groups and initialisers are left out.

    path   ends in .svg, .png, .pdf or .dot; the DOT text is always written, beside the picture
    limit  a graph of more nodes is put together into about this many boxes: repeated blocks
           into one, marked with how many times, its way back in orange; then leaves into the
           node that uses them, scopes, chains, stretches of the program

    The `dot` program on the PATH makes the picture, or else pygraphviz; without either an .svg
    is laid out plainly here. The same graph gives the same file. Raises SettingError for another
    ending, and for .png and .pdf where there is no Graphviz.
    """
    target = Path(files.as_path(path, "draw"))
    form = target.suffix.lower()
    if form not in FORMS:
        raise SettingError(f"draw: {str(path)!r} ends in {form!r}; use one of {', '.join(FORMS)}")
    if not graph:
        raise SettingError("draw: there is nothing in the graph yet; build it first")
    source, picture = _drawn(graph, form[1:], limit)
    files.write(target.with_suffix(".dot"), source, "draw")
    if form == ".dot":
        return str(target)
    if picture is None:
        raise SettingError(
            f"draw: {form} needs Graphviz, and there is neither a `dot` program nor the pygraphviz "
            f"package (its wheel brings Graphviz: pip install pygraphviz); or draw to .svg. The DOT "
            f"text is in {str(target.with_suffix('.dot'))!r}"
        )
    files.write(target, picture, "draw")
    return str(target)


def svg(graph: Any, limit: int = LIMIT) -> str:
    """The picture that `draw` writes to an .svg, as text."""
    picture = _drawn(graph, "svg", limit)[1]
    assert picture is not None
    text = picture.decode()
    return text[text.index("<svg") :]


def _drawn(graph: Any, form: str, limit: int) -> tuple[str, bytes | None]:
    """The DOT text of a program's graph, and its picture: None for "dot", and where nothing makes one."""
    # What only pictures need is loaded by the first one: an engine is imported sooner.
    from shared.picture.collapse import put_into_boxes
    from shared.picture.dot import by_dot, by_pygraphviz, dot_source
    from shared.picture.label import label_of
    from shared.picture.layered import layered_svg
    from shared.picture.tidy import tidied

    boxes = put_into_boxes(tidied(graph), limit)
    labels = [label_of(boxes.graph, box) for box in boxes.boxes]
    source = dot_source(boxes, labels)
    if form == "dot":
        return source, None
    picture = by_dot(source, form)
    if picture is None:
        picture = by_pygraphviz(source, form)
    if picture is None and form == "svg":
        picture = layered_svg(boxes, labels).encode()
    return source, picture
