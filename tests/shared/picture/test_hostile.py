"""Names and lines of any kind, in everything that is written of a program."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import ArchiveError
from shared.picture import dot
from shared.source import Line
from shared.watch import hooks, profiler

HOSTILE = {
    "backslash": "y = x + \\", "quote": 'say "hi" \\"', "tags": "<b>&amp;</title></svg> ]]> -->",
    "whole tag": "<i>x</i>", "record": "{a|b} \\N \\G \\l", "lines": "one\ntwo\r\x0b\x0c three",
    "controls": "a\x00b\x07c\x1bd", "surrogate": "\ud800 alone", "unassigned": "\ufffe \uffff",
    "direction": "\u202eabc", "script": "</script><script>alert(1)//", "letters": "é 中 𝄞",
    "dot": "digraph { } ; ->",
}  # fmt: skip
STRING = re.compile(r'"(?:[^"\\]|\\.)*"|<<table.*?</table>>|[^"<]+', re.S)
"""What DOT text that we write consists of."""


def parsed(source: str) -> None:
    """That this is DOT, by Graphviz where it is installed, and that its strings end where they should."""
    assert "".join(STRING.findall(source)) == source
    for table in re.findall(r"<(<table.*?</table>)>", source, re.S):
        xml.fromstring(table)
    try:
        import pygraphviz
    except ImportError:
        return
    pygraphviz.AGraph(string=source)


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def text(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A line of the user's, in whose place it comes wherever a line is asked for."""
    monkeypatch.setattr(Line, "code", property(lambda self: request.param))
    return request.param


def described(text: str) -> static.Graph:
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", (None, 3), name=f"x{text}")
        v = static.Variable(np.ones(3, np.float32), name=f"v{text}")
        with static.name_scope(f"s{text}"), static.name_scope("in"):
            y = static.identity(ops.tanh(x) * v, name=f"y{text}")
            parts = ops.split(y, [1, 2], axis=1)
        last, _ = ops.scan(lambda c, e: (c + e, c), parts[1][0], parts[1])
        v.assign(v + ops.sum(last))
    return graph


@pytest.mark.parametrize("by", ["Graphviz", "our own layout"])
def test_pictures_are_whole(text: str, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "our own layout":
        monkeypatch.setattr(dot, "by_dot", lambda source, form: None)
        monkeypatch.setattr(dot, "by_pygraphviz", lambda source, form: None)
    static.draw(described(text), str(tmp_path / "static.svg"))
    y = ops.exp(dynamic.tensor(np.ones((2, 3)), requires_grad=True)) * 2
    dynamic.draw(y, str(tmp_path / "dynamic.svg"))
    for name in ("static", "dynamic"):
        xml.fromstring((tmp_path / f"{name}.svg").read_bytes())
        parsed((tmp_path / f"{name}.dot").read_text("utf-8"))


def test_listings_programs_and_summaries_have_a_line_for_each_thing(text: str) -> None:
    graph = described(text)
    shown = static.show(graph)
    assert all(c == "\n" or c.isprintable() for c in shown)
    assert len(shown.split("\n")) == len(static.show(described("a")).split("\n"))
    with static.Session(graph=graph) as session:
        session.run([v.initializer for v in graph.variables])
        fetch = graph.nodes[-1].outputs[0]
        feed: dict[Any, Any] = {graph.nodes[0].outputs[0]: np.ones((2, 3))}
        want = session.run(fetch, feed)
        source = session.program(fetch)
        compile(source, "<program>", "exec")
        assert all(c == "\n" or c.isprintable() for c in source)
        session.explain(fetch).encode("utf-8", "backslashreplace")
    assert want.shape == (3,)
    line = dynamic.show(ops.exp(dynamic.tensor([1.0], requires_grad=True)))
    assert all(c == "\n" or c.isprintable() for c in line)


def test_archives_and_traces_are_json(text: str, tmp_path: Path) -> None:
    graph = described(text)
    y = graph.nodes[3].outputs[0]
    if text.isprintable():
        graph.save(tmp_path / "kept", {"y": y})
        static.load(tmp_path / "kept")
    else:  # names that show nothing are refused, and not written
        with pytest.raises(ArchiveError, match="printable"):
            graph.save(tmp_path / "kept", {"y": y})
    profile = profiler.Profiler()
    with hooks.watching(profile):
        ops.exp(dynamic.tensor([1.0], requires_grad=True))
    profile.save_trace(tmp_path / "trace.json")
    json.loads((tmp_path / "trace.json").read_text("utf-8"))
