"""Looking inside both engines: what `show` and `to_networkx` promise."""

from __future__ import annotations

import re
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given

import dynamic
import static
from shared import nn, ops
from shared.errors import EngineError
from tests.programs.examples import mlp, programs, summed, training_graph, written

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
    assert "%1: (f32[1,1,2,2], u8[1,1,2,2]) = max_pool2d %0 kernel=(2, 2)" in text
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
    assert scopes["linear_weight"].startswith("gradients")


# --- loops and branches --------------------------------------------------------------------


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
