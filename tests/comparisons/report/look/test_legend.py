"""A legend names what is in the drawings, and no more; by reading the SVG as XML."""

from __future__ import annotations

import xml.etree.ElementTree as xml

import pytest

import dynamic
import static
from comparisons.lab.context import Context
from comparisons.report.look.legend import legend
from shared import ops, optim
from shared.picture import dot
from shared.picture.label import COLOURS, MEANING
from tests.programs.examples import summed, training_graph, unrolled


def branched():
    """Of a constant, with a branch and a loop on a value."""
    a = static.placeholder("float32", (), name="a")
    y = static.cond(a > 0, lambda: ops.exp(a), lambda: a * static.constant([2.0, 3.0])[0])
    (z,) = static.while_loop(lambda v: ops.less(v, 5), lambda v: (v + 1,), (y,))
    return z


def programs():
    yield dynamic.tensor([1.0], requires_grad=True) * 2.0
    yield dynamic.tensor([1.0], requires_grad=True) * dynamic.tensor([2.0])
    yield unrolled(60)
    yield [*training_graph(optim.Adam)]
    yield [*summed()]
    yield branched()


def shown(svg):
    """Of a drawing: the fills of its boxes, whether some box has a dashed or a thick border, whether
    some line is dashed, and the colours of its lines."""
    fills, looks, lines = set(), set(), set()
    for element in xml.fromstring(svg[svg.index("<svg") :].encode()).iter():
        tag, have = element.tag.rpartition("}")[2], element.attrib
        if tag not in ("path", "rect", "polygon") or "stroke" not in have:
            continue
        dashed = "stroke-dasharray" in have
        if have["fill"] in ("none", "white"):
            lines.add(have["stroke"])
            looks |= {"no gradient"} if dashed else set()
        elif have["fill"] != have["stroke"]:  # no arrow's head
            fills.add(have["fill"])
            looks |= {"drawn once more"} if dashed else set()
            looks |= {"the result"} if have.get("stroke-width") == "2.6" else set()
    return fills, looks, lines


@pytest.mark.parametrize("graphviz", [True, False])
def test_the_legend_is_of_what_is_drawn(monkeypatch, graphviz):
    if not graphviz:
        monkeypatch.setattr(dot, "by_dot", lambda source, form: None)
        monkeypatch.setattr(dot, "by_pygraphviz", lambda source, form: None)
    seen = set()
    for program in programs():
        svg = Context().drawing(program)
        fills, looks, lines = shown(svg)
        said = {meaning for _, meaning in legend([svg])}
        boxes = {MEANING[kind] for kind in MEANING if COLOURS[kind].fill in fills}
        assert said & set(MEANING.values()) == boxes
        marks = looks | ({"back to an earlier box"} if "#c2410c" in lines else set())
        assert {one for one in said - boxes if "alike" not in one} == marks
        often = "\N{MULTIPLICATION SIGN}60" in svg or "&#215;60" in svg
        assert often == any("alike" in one for one in said)
        seen |= said
    assert len(seen) >= 12, seen


def test_every_colour_of_a_box_has_a_meaning_of_its_own():
    fills = {kind: COLOURS[kind].fill for kind in MEANING}
    assert set(fills.values()) == {colours.fill for colours in COLOURS.values()}
    assert len(set(fills.values())) == len(set(MEANING.values())) == len(MEANING)
