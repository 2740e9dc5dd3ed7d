"""Looking inside both engines: what `show`, `to_networkx` and `draw` promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import EngineError, SettingError
from shared.picture import LIMIT, collapse, dot, render, tidy

ROOT = Path(__file__).parent.parent


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def unrolled(steps: int) -> dynamic.Tensor:
    """The loss of a recurrent net, unrolled by Python."""
    cell, out = nn.RNNCell(3, 4), nn.Linear(4, 2)
    state, losses = None, []
    for _ in range(steps):
        state = cell(dynamic.tensor(np.ones((5, 3), np.float32)), state)
        losses.append(ops.cross_entropy(out(state), np.zeros(5, np.int64)))
    return sum(losses[1:], losses[0])


def training_graph(optimizer: Any = optim.SGD) -> tuple[Any, Any]:
    """A loss and the operation of one step, in the default graph."""
    x = static.placeholder("float32", ("N", 3), name="x")
    labels = static.placeholder("int64", ("N",), name="labels")
    model = mlp()
    loss = ops.cross_entropy(model(x), labels)
    return loss, optimizer(model.parameters(), lr=0.1).minimize(loss)


# --- show ----------------------------------------------------------------------------------


def test_dynamic_show_prints_the_leaves_and_then_one_line_for_each_node() -> None:
    w = nn.Parameter(np.ones((2, 3), np.float32), "w")
    x = dynamic.tensor(np.ones((3, 2), np.float32))
    y = ops.sum(1 - (w @ x) * 2, axis=0)
    assert dynamic.show(y).splitlines() == [
        "%0: f32[2,3] = parameter w",
        "%1: f32[3,2] = constant",
        "%2: f32[2,2] = matmul %0 %1",
        "%3: f32[2,2] = mul %2 2",
        "%4: f32[2,2] = sub 1 %3",
        "%5: f32[2] = sum %4 axis=(0,) keepdims=False",
        "return %5",
    ]


def test_static_show_prints_the_users_line_behind_each_node() -> None:
    x = static.placeholder("float32", (None, 3), name="x")
    y = ops.exp(x) * static.constant(2.0)
    lines = [line.split("  # ") for line in static.show(y).splitlines()]
    size = x.shape[0]
    assert [line[0].rstrip() for line in lines] == [
        f"%0: f32[{size},3] = input x",
        "%1: f32[] = constant constant 2.0",
        f"%2: f32[{size},3] = exp %0",
        f"%3: f32[{size},3] = mul %2 %1",
        "return %3",
    ]
    assert lines[3][1].startswith("test_views.py:") and "y = ops.exp(x)" in lines[3][1]


def test_under_anomaly_dynamic_show_prints_the_users_line_too() -> None:
    x = dynamic.tensor([1.0], requires_grad=True)
    with dynamic.anomaly():
        y = ops.exp(x)
    assert "test_views.py:" in dynamic.show(y).splitlines()[1]


def test_an_output_among_several_is_named_by_its_place() -> None:
    x = dynamic.tensor(np.ones((1, 1, 4, 4), np.float32), requires_grad=True)
    text = dynamic.show(ops.max_pool2d(x, 2) * 2)
    assert "%1: (f32[1,1,2,2], i64[1,1,2,2]) = max_pool2d %0 kernel=(2, 2)" in text
    assert "%2: f32[1,1,2,2] = mul %1.0 2" in text


def test_a_mask_is_traced_to_the_node_that_made_it_though_no_gradient_flows_there() -> None:
    x = dynamic.tensor(np.ones(8, np.float32), requires_grad=True)
    y, _ = ops.dropout(x, ops.generator_state(0), 0.5)
    (g,) = dynamic.grad(ops.sum(y * y), [x], create_graph=True)
    graph = dynamic.to_networkx(g)
    ((maker, reader, data),) = [edge for edge in graph.edges(data=True) if edge[2]["output"] == 1]
    assert (graph.nodes[maker]["op"], graph.nodes[reader]["op"]) == ("dropout", "mul")
    assert not data["gradient"]


def test_what_backward_has_freed_is_shown_as_unknown() -> None:
    x = dynamic.tensor([1.0, 2.0], requires_grad=True)
    y = ops.sum(x * np.array([3.0, 4.0], np.float32))
    assert "= constant [3.0, 4.0]" in dynamic.show(y)
    y.backward()
    assert "mul %0 _" in dynamic.show(y)


def test_a_checkpoint_is_one_node_named_by_its_function() -> None:
    def block(a: Any) -> Any:
        return ops.tanh(a) * a

    x = dynamic.tensor([1.0], requires_grad=True)
    assert "%1: f32[1] = checkpoint block %0" in dynamic.show(dynamic.checkpoint(block, x))


def test_a_leaf_alone_is_a_program_of_one_line() -> None:
    assert dynamic.show(dynamic.tensor([1.0, 2.0], requires_grad=True)) == "%0: f32[2] = input\nreturn %0"
    assert dynamic.show(dynamic.tensor([1.0, 2.0])) == "%0: f32[2] = constant [1.0, 2.0]\nreturn %0"


def test_static_shows_of_a_graph_what_a_run_would_need_and_leaves_it_as_it_was() -> None:
    loss, train = training_graph()
    graph = loss.graph
    before = len(graph.nodes)
    assert "assign" not in static.show(loss)
    assert "assign" in static.show(train)
    whole = static.show(graph)
    assert static.show() == whole
    assert whole.count("\n") > static.show([loss, train]).count("\n") - 2
    assert len(graph.nodes) == before


def test_all_reads_of_a_variable_are_one_leaf_until_a_layer_assigns_it() -> None:
    x = static.placeholder("float32", (4,), name="x")
    dropout = nn.Dropout(0.5)
    dropout.generator.name = "generator"
    y = dropout(dropout(x))
    text = static.show(y)
    assert len(re.findall(r"(?m)^%\d+: u64\[2\] = variable", text)) == 2
    first = re.search(r"%(\d+): \(.*\) = dropout", text)
    assert first is not None
    assert re.search(rf"= variable \S+ %{first[1]}\.2", text)


def test_what_is_not_of_the_engine_is_refused_with_a_way_out() -> None:
    x = static.placeholder("float32", (4,))
    with static.Graph().as_default():
        other = static.placeholder("float32", (4,))
    for call in (dynamic.show, dynamic.to_networkx):
        with pytest.raises(EngineError, match="not a dynamic Tensor"):
            call(x)
    for wrong in (dynamic.tensor([1.0]), [x, None], [x, other], []):
        with pytest.raises(EngineError, match="pass"):
            static.show(wrong)


# --- the networkx graph --------------------------------------------------------------------

OPS = {
    1: [ops.exp, ops.tanh, lambda a: ops.sum(a, 0, keepdims=True), lambda a: 2 - a],
    2: [lambda a, b: a * b, lambda a, b: a - b, lambda a, b: ops.maximum(a, b)],
}
programs = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 3), st.integers(1, 6), st.integers(1, 6)),
    min_size=1,
    max_size=40,
)


def written(program: Any, x: Any) -> Any:
    values = [x, ops.exp(x)]
    for count, which, *back in program:
        op = OPS[count][which % len(OPS[count])]
        values.append(op(*(values[-min(at, len(values))] for at in back[:count])))
    return values[-1]


@given(programs)
def test_the_text_and_the_graph_say_the_same(program: Any) -> None:
    x = dynamic.tensor(np.ones((2, 3)), requires_grad=True)
    with static.Graph().as_default():
        views = [
            (dynamic.show, dynamic.to_networkx, written(program, x)),
            (static.show, static.to_networkx, written(program, static.placeholder("float64", (2, 3)))),
        ]
        for show, to_networkx, y in views:
            graph, lines = to_networkx(y), show(y).splitlines()
            assert len(lines) == len(graph) + 1
            for number, line in enumerate(lines[:-1]):
                left, _, right = line.split("  # ")[0].partition(" = ")
                data = graph.nodes[number]
                assert left == f"%{number}: {data['outputs'][0]}"
                assert right.split()[0] == data["op"]
                sources = {
                    edge["argument"]: source for source, _, edge in graph.in_edges(number, data=True)
                }
                named = [int(n) for n in re.findall(r"%(\d+)", right)]
                assert named == [sources[position] for position in sorted(sources)]


def test_both_engines_describe_nodes_and_edges_in_the_same_words() -> None:
    loss, _ = training_graph()
    model = mlp()
    x, labels = dynamic.tensor(np.ones((5, 3), np.float32)), np.zeros(5, np.int64)
    tape = dynamic.to_networkx(ops.cross_entropy(model(x), labels))
    graph = static.to_networkx(loss)

    def words(view: Any) -> Any:
        nodes = {frozenset(data) for _, data in view.nodes(data=True)}
        return nodes, {frozenset(data) for *_, data in view.edges(data=True)}, set(view.graph)

    assert words(tape) == words(graph)
    assert isinstance(tape, networkx.MultiDiGraph) and isinstance(graph, networkx.MultiDiGraph)


def test_static_nodes_know_the_module_that_made_them() -> None:
    loss, train = training_graph()
    graph = static.to_networkx([loss, train])
    scopes = {data["op"]: data["scope"] for _, data in graph.nodes(data=True)}
    assert scopes["relu"] == "Sequential/1"
    assert scopes["matmul"].startswith("gradients")


# --- loops and branches --------------------------------------------------------------------


def summed() -> tuple[Any, Any]:
    """A recurrent sum as a loop of the graph, and its derivative by the weight."""
    xs = static.placeholder("float32", ("T", 4), name="xs")
    w = static.Variable(np.float32(0.5), name="w")

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        h = ops.tanh(h * w) + x
        return h, h

    last, _ = static.scan(step, ops.zeros(4, like=xs), xs)
    loss = ops.sum(last)
    return loss, static.gradients(loss, [w])[0]


def test_show_prints_the_body_of_a_loop_below_it_with_what_it_is_given() -> None:
    loss, _ = summed()
    lines = [line.split("  # ")[0].rstrip() for line in static.show(loss).splitlines()]
    (at,) = (i for i, line in enumerate(lines) if " = scan " in line)
    given = re.search(r"scan (%\d+) (%\d+) (%\d+) length=T", lines[at])
    assert given is not None
    assert lines[at + 1 : at + 9] == [
        "    body:",
        f"        %0: f32[4] = input carry <- {given[1]}",
        f"        %1: f32[4] = input x <- {given[2]}",
        f"        %2: f32[] = input w/read <- {given[3]}",
        "        %3: f32[4] = mul %0 %2",
        "        %4: f32[4] = tanh %3",
        "        %5: f32[4] = add %4 %1",
        "        return %5 %5",
    ]


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


# --- draw ----------------------------------------------------------------------------------


@pytest.fixture
def no_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "by_dot", lambda source, form: None)
    monkeypatch.setattr(render, "by_pygraphviz", lambda source, form: None)


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
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed})
    assert (tmp_path / "1.svg").read_bytes() == (tmp_path / "2.svg").read_bytes()


def test_networkx_and_graphviz_load_when_they_are_used() -> None:
    code = "import sys, dynamic, static; print(*{'networkx', 'graphviz', 'pygraphviz'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == ""


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
