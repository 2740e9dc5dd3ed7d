"""What `draw` promises of its pictures, on both engines."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import SettingError
from shared.picture import LIMIT, collapse, dot, tidy
from tests import HOME
from tests.programs.examples import programs, summed, training_graph, unrolled, written

# --- draw ----------------------------------------------------------------------------------


@pytest.fixture
def no_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dot, "by_dot", lambda source, form: None)
    monkeypatch.setattr(dot, "by_pygraphviz", lambda source, form: None)


def texts(path: Path) -> set[str]:
    """The words in an SVG picture; it must be well formed."""
    found = (element for element in xml.parse(path).iter() if element.tag.endswith("}text"))
    return {"".join(element.itertext()) for element in found}


@pytest.mark.parametrize(
    ("suffix", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph")]
)
def test_draw_writes_the_picture_and_its_dot_text_beside_it(
    tmp_path: Path, suffix: str, start: bytes
) -> None:
    path = tmp_path / f"y{suffix}"
    loss, train = training_graph()
    assert static.draw([loss, train], str(path)) == str(path)
    assert path.read_bytes().startswith(start)
    assert path.with_suffix(".dot").read_text().startswith("digraph")


def test_a_picture_names_ops_parameters_inputs_and_shapes(tmp_path: Path) -> None:
    loss, _ = training_graph()
    static.draw(loss, str(tmp_path / "y.svg"))
    words = texts(tmp_path / "y.svg")
    assert {"linear", "cross_entropy", "x", "labels", "0/weight", "f32[4,3]", "Sequential"} <= words


def test_scopes_gradients_and_updates_are_frames_of_their_own(tmp_path: Path) -> None:
    loss, train = training_graph(optim.Adam)
    static.draw([loss, train], str(tmp_path / "y.dot"))
    source = (tmp_path / "y.dot").read_text()
    for frame in ("cluster_Sequential", "cluster_Sequential/0", "cluster_gradients", "cluster_updates"):
        assert f'"{frame}"' in source or f"subgraph {frame} " in source


def test_without_graphviz_an_svg_is_laid_out_here(tmp_path: Path, no_graphviz: None) -> None:
    loss, train = training_graph()
    static.draw([loss, train], str(tmp_path / "y.svg"))
    assert {"linear", "cross_entropy", "x", "0/weight", "f32[4,3]"} <= texts(tmp_path / "y.svg")
    dynamic.draw(unrolled(60), str(tmp_path / "loop.svg"))
    assert any(text.endswith("\N{MULTIPLICATION SIGN}60") for text in texts(tmp_path / "loop.svg"))


def test_without_graphviz_other_forms_are_refused_and_the_dot_text_is_there(
    tmp_path: Path, no_graphviz: None
) -> None:
    y = ops.exp(dynamic.tensor([1.0], requires_grad=True))
    with pytest.raises(SettingError, match="pygraphviz"):
        dynamic.draw(y, str(tmp_path / "y.png"))
    assert (tmp_path / "y.dot").exists() and not (tmp_path / "y.png").exists()


def test_pygraphviz_draws_where_there_is_no_dot_program(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    assert dot.by_dot("digraph { a -> b }", "svg") is None
    assert b"<svg" in (dot.by_pygraphviz("digraph { a -> b }", "svg") or b"")


def test_an_unknown_ending_is_refused_and_so_is_an_empty_graph(tmp_path: Path) -> None:
    y = ops.exp(dynamic.tensor([1.0], requires_grad=True))
    with pytest.raises(SettingError, match=r"'\.bmp'; use one of \.svg"):
        dynamic.draw(y, str(tmp_path / "y.bmp"))
    with pytest.raises(SettingError, match="build it first"):
        static.draw(static.Graph(), str(tmp_path / "y.svg"))


SAME = """
import sys, static
from shared import nn, ops, optim
x, labels = static.placeholder("float32", ("N", 3), name="x"), static.placeholder("int64", ("N",))
model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
loss = ops.cross_entropy(model(x), labels)
train = optim.Adam(model.parameters(), 0.1).minimize(loss)
static.draw([loss, train], sys.argv[1], 40)
"""


def test_the_same_program_gives_the_same_file_in_every_process(tmp_path: Path) -> None:
    for seed in "12":
        command = [sys.executable, "-c", SAME, str(tmp_path / f"{seed}.svg")]
        subprocess.run(command, check=True, cwd=HOME, env=os.environ | {"PYTHONHASHSEED": seed})
    assert (tmp_path / "1.svg").read_bytes() == (tmp_path / "2.svg").read_bytes()


def test_networkx_and_graphviz_load_when_they_are_used() -> None:
    code = "import sys, dynamic, static; print(*{'networkx', 'graphviz', 'pygraphviz'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == ""


# --- loops and branches --------------------------------------------------------------------


def test_a_loop_is_drawn_open_with_its_way_back(tmp_path: Path) -> None:
    loss, gradient = summed()
    drawn = tidy.tidied(static.to_networkx([loss, gradient]))
    assert {"scan/body", "gradients/scan/body"} <= set(dict(drawn.nodes(data="scope")).values())
    back = [(drawn.nodes[a]["op"], drawn.nodes[b]["name"]) for a, b in drawn.edges() if a >= b]
    assert ("add", "carry") in back
    static.draw([loss, gradient], str(tmp_path / "loop.svg"))
    assert {"carry", "xs", "tanh", "scan", "body"} <= texts(tmp_path / "loop.svg")


def test_both_branches_and_the_condition_of_a_loop_are_drawn() -> None:
    a = static.placeholder("float32", (), name="a")
    y = static.cond(a > 0, lambda: ops.exp(a), lambda: a * 2)
    (z,) = static.while_loop(lambda v: ops.less(v, 5), lambda v: (v + 1,), (y,))
    drawn = tidy.tidied(static.to_networkx(z))
    ops_in = {(data["scope"], data["op"]) for _, data in drawn.nodes(data=True) if data["kind"] == "op"}
    assert {
        ("cond/true", "exp"), ("cond/false", "mul"), ("cond", "cond"),
        ("while_loop/cond", "less"), ("while_loop/body", "add"), ("while_loop", "while_loop"),
    } <= ops_in  # fmt: skip


# --- large graphs --------------------------------------------------------------------------


def boxed(y: Any, limit: int = LIMIT) -> collapse.Boxes:
    return collapse.put_into_boxes(tidy.tidied(dynamic.to_networkx(y)), limit)


@given(programs, st.integers(1, 30))
def test_boxes_hold_every_node_once_and_are_few_enough(program: Any, limit: int) -> None:
    y = written(program, dynamic.tensor(np.ones((2, 3)), requires_grad=True))
    boxes = boxed(y, limit)
    members = [node for box in boxes.boxes for node in box.members]
    assert sorted(members) == sorted(boxes.graph)
    assert len(boxes) <= max(limit, 8)


@pytest.mark.parametrize("limit", [1, 10, 40, 150])
def test_scopes_too_fold_into_boxes_that_hold_every_node_once(limit: int) -> None:
    x = static.placeholder("float32", ("N", 6))
    inner = [nn.Sequential(nn.Linear(6, 6), nn.Sequential(nn.Tanh(), nn.LayerNorm(6))) for _ in range(4)]
    model = nn.Sequential(*inner, nn.Linear(6, 1), nn.Sequential(nn.Sequential(nn.Sigmoid())))
    loss = ops.mean(model(x))
    train = optim.Adam(model.parameters(), 0.1).minimize(loss)
    boxes = collapse.put_into_boxes(tidy.tidied(static.to_networkx([loss, train])), limit)
    assert sorted(node for box in boxes.boxes for node in box.members) == sorted(boxes.graph)
    assert len(boxes) <= max(limit, 8)


def test_an_unrolled_loop_is_drawn_as_a_loop() -> None:
    boxes = boxed(unrolled(60))
    assert len(boxes) < 20
    repeated = {boxes.graph.nodes[box.place]["op"] for box in boxes.boxes if box.times == 60}
    assert {"constant", "linear", "rnn_cell", "cross_entropy"} <= repeated
    assert any(a >= b for a, b in dot.edges_between(boxes))


def test_a_small_graph_is_drawn_node_by_node() -> None:
    y = unrolled(3)
    assert len(boxed(y)) == len(dynamic.to_networkx(y))


def test_a_deep_model_with_its_gradients_and_updates_fits_in_a_picture(tmp_path: Path) -> None:
    x = static.placeholder("float32", (None, 8), name="x")
    model = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(30)), nn.Linear(8, 1))
    loss = ops.mean(model(x))
    train = optim.Adam(model.parameters(), 0.1).minimize(loss)
    graph = static.to_networkx([loss, train])
    boxes = collapse.put_into_boxes(tidy.tidied(graph), LIMIT)
    assert len(graph) > 5 * LIMIT and len(boxes) <= LIMIT
    static.draw([loss, train], str(tmp_path / "deep.svg"))
    assert "tanh \N{MULTIPLICATION SIGN}30" in texts(tmp_path / "deep.svg")


def test_a_graph_far_deeper_than_pythons_stack_is_listed_and_drawn(tmp_path: Path) -> None:
    def deep(x: Any) -> Any:
        y = x
        for _ in range(5_000):
            y = y * x + 1
        return y

    y = deep(dynamic.tensor([0.5], requires_grad=True))
    z = deep(static.placeholder("float32", (1,)))
    assert dynamic.show(y).count("\n") == static.show(z).count("\n") == 10_001
    for draw, what in ((dynamic.draw, y), (static.draw, z.graph)):
        draw(what, str(tmp_path / "deep.svg"))
        assert "mul \N{MULTIPLICATION SIGN}5000" in texts(tmp_path / "deep.svg")


def test_a_box_of_several_turns_says_what_one_of_them_does() -> None:
    """As its times sign says: twelve nodes in two turns are six, twice."""
    from shared.picture.label import _of_one_turn

    turn = ["linear", "add", "tanh", "add"]
    assert _of_one_turn(turn * 3, 3) == turn
    assert _of_one_turn(["linear", "linear", "add", "add"], 2) == ["linear", "add"]
    assert _of_one_turn(["linear", "add", "add"], 2) == ["linear", "add", "add"]  # no two alike
    assert _of_one_turn(turn, 1) == turn
