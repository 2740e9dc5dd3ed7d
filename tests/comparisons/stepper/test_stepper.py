"""The stepper's recording adds up, and its page says what was recorded."""

from __future__ import annotations

import copy
import json
import re
import tracemalloc
from itertools import pairwise

import networkx
import pytest

import dynamic
import static
from comparisons.report.look import figures
from comparisons.report.pages import pages
from comparisons.report.stepper import layout, words
from comparisons.report.stepper.frames import frames, told
from comparisons.report.stepper.layout import lay_out
from comparisons.report.stepper.page import draw_stepper
from comparisons.running import results
from comparisons.running.plan import Plan
from comparisons.running.run import failures, run
from comparisons.running.watch import Watch
from comparisons.stepper.recording import SCRIPTS, record
from shared import ops
from shared.picture.listing import LEAVES

ENGINES = ("dynamic", "static")


def test_sizes_are_not_said_as_a_value():
    moment = {"gave": ["f32[32,10]", "f32[10]", "f32[]", "i64[32]"]}
    said = re.sub("</?code>", "", words._gave(moment))
    assert said == "32\N{MULTIPLICATION SIGN}10, 10 numbers, a single number and i64 32 numbers"


@pytest.fixture(scope="module")
def found():
    return record()


@pytest.fixture
def doctored(found):
    """A copy to change."""
    return copy.deepcopy(found)


def moments(found, engine, **wanted):
    """The moments of an engine that have these entries."""
    return [m for m in found[engine]["moments"] if all(m[key] == value for key, value in wanted.items())]


def namespace(engine):
    """What the script leaves behind when nobody records it."""
    names: dict[str, object] = {}
    graph = static.Graph()
    with graph.as_default():
        exec((SCRIPTS / f"step_{engine}.py").read_text(encoding="utf-8"), names)
    return names, graph


def drawn(graph):
    """A recorded graph as networkx has it."""
    made = networkx.MultiDiGraph()
    made.add_nodes_from((node["id"], {"what": (node["op"], node["spec"])}) for node in graph["nodes"])
    made.add_edges_from((a, b) for a, b, _ in graph["edges"])
    return made


def test_json_keeps_all_of_it(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("engine", ENGINES)
def test_the_script_that_is_shown_is_the_one_that_ran(found, engine, capsys):
    assert found[engine]["script"] == (SCRIPTS / f"step_{engine}.py").read_text(encoding="utf-8")
    namespace(engine)
    assert capsys.readouterr().out == found[engine]["printed"] != ""


def test_both_scripts_print_the_same_number(found):
    assert found["dynamic"]["printed"] == found["static"]["printed"]


# --- memory ---


@pytest.mark.parametrize("engine", ENGINES)
def test_the_arrays_that_are_named_hold_what_numpy_says(found, engine):
    """But for gradients on the way in `backward` that no Tensor and no rule's result is: a seed, and
    biases' gradients, summed over the batch before they are anybody's `.grad`."""
    for moment in found[engine]["moments"]:
        on_the_way = moment["phase"] == "backward" and moment["what"] == "rule"
        assert 0 <= moment["unnamed"] <= (4 + 4 * 10 + 4 * 32 if on_the_way else 0), moment


def test_the_tape_is_empty_after_backward(found):
    over = moments(found, "dynamic", phase="backward", what="statement")
    assert [moment["standing"] for moment in over] == [[]]


def test_the_tape_grows_by_one_op_at_a_time_and_is_used_up_by_one_at_a_time(found):
    def ops_of(moment):
        return sum(box.startswith("op") for box in moment["standing"])

    forward = [ops_of(m) for m in moments(found, "dynamic", phase="forward", what="op")]
    backward = [ops_of(m) for m in moments(found, "dynamic", what="rule")]
    assert forward == [1, 2, 3, 4, 5, 6]
    assert backward == [6, 5, 4, 3, 2, 1]


def test_dynamic_comes_back_to_what_it_held_before_the_step(found):
    """Data and parameters, and the loss, which the script still has a name for."""
    before = moments(found, "dynamic", phase="prepare")[-1]
    after = found["dynamic"]["moments"][-1]
    names = {value["name"] for value in after["values"]}
    assert names - {value["name"] for value in before["values"]} == {"loss"}
    assert after["bytes"] == before["bytes"] + 4


def test_static_comes_back_to_what_it_held_before_the_run(found):
    before = moments(found, "static", phase="compile")[-1]
    after = found["static"]["moments"][-1]
    assert after["bytes"] == before["bytes"] + 4  # the loss that was fetched


def test_describing_holds_no_values(found):
    (held,) = {moment["bytes"] for moment in moments(found, "static", phase="describe")}
    assert held == moments(found, "static", phase="prepare")[-1]["bytes"]


# --- graphs ---


def test_the_tape_drawn_is_that_of_to_networkx(found):
    names, _ = namespace("dynamic")
    loss = ops.cross_entropy(names["model"](names["x"]), names["y"])
    tape = dynamic.to_networkx(loss)
    for _, data in tape.nodes(data=True):
        data["what"] = data["op"], str(data["outputs"][0])
    same = networkx.is_isomorphic(
        drawn(found["dynamic"]["graph"]), tape, node_match=lambda a, b: a["what"] == b["what"]
    )
    assert same
    assert moments(found, "dynamic", phase="forward")[-1]["count"] == len(tape)


def test_the_graph_drawn_is_that_of_to_networkx(found):
    names, graph = namespace("static")
    step = static.to_networkx([names["loss"], names["train"]])
    groups = [node for node, kind in step.nodes(data="kind") if kind == "group"]
    assert len(found["static"]["graph"]["nodes"]) == len(step) - len(groups)
    counts = [moment["count"] for moment in moments(found, "static", phase="describe")]
    assert counts == sorted(counts)
    assert counts[-1] == len(static.to_networkx(graph))


def test_static_describes_each_box_once_and_keeps_them_all(found):
    made = [moment["node"] for moment in moments(found, "static", what="node")]
    assert made == list(dict.fromkeys(made)) == found["static"]["moments"][-1]["standing"]
    assert set(made) == {node["id"] for node in found["static"]["graph"]["nodes"]}


def test_static_runs_each_op_of_the_graph_once_in_its_order(found):
    graph = found["static"]["graph"]["nodes"]
    assert [m["node"] for m in moments(found, "static", what="op")] == [
        node["id"] for node in graph if node["kind"] == "op"
    ]


def test_the_lines_of_the_program_are_the_ops_that_ran(found):
    """Each op ran at a line of its own that calls it, and every line that calls one ran."""
    lines = found["static"]["program"].splitlines()
    ran = {m["program"]: m["node"] for m in moments(found, "static", what="op")}
    titles = {node["id"]: node["op"] for node in found["static"]["graph"]["nodes"]}
    for number, node in ran.items():
        assert re.search(rf"\b{titles[node]}\w*\(", lines[number - 1])
    call = r"    \S.* = (?!asarray\(\w+\)$)\w+\("  # an array made of a NumPy scalar is no op
    called = [n for n, line in enumerate(lines, 1) if re.match(call, line)]
    assert list(ran) == called


def test_a_value_is_freed_where_the_program_deletes_it(found):
    lines = found["static"]["program"].splitlines()
    run = moments(found, "static", what="op")
    for before, after in pairwise(run):
        between = lines[before["program"] : after["program"] - 1]
        deleted = [name for line in between if "del " in line for name in line.split("del ")[1].split(", ")]
        held = {value["id"] for value in after["values"]}
        gone = [value for value in before["values"] if value["id"] not in held]
        assert len(gone) == len(deleted), after["node"]


def test_both_sides_give_the_same_bits_op_by_op(found):
    """Everything that dynamic computes, static computes too."""
    static_bits = {bits for moment in found["static"]["moments"] for bits in moment["bits"]}
    ran = [m for m in found["dynamic"]["moments"] if m["what"] in ("op", "rule")]
    assert len(ran) == 12
    assert all(bits in static_bits for moment in ran for bits in moment["bits"])


# --- side by side ---


def test_frames_show_every_moment_in_order(found):
    left, right = (told(found[engine]["moments"], found[engine].get("phases", {})) for engine in ENGINES)
    shown = frames(left, right)
    for side, many in (("dynamic", len(left)), ("static", len(right))):
        at = [getattr(frame, side) for frame in shown]
        assert all(b - a in (0, 1) for a, b in pairwise(at))
        assert (at[0], at[-1]) == (0, many - 1)


def test_ops_meet_the_ops_that_they_equal(found):
    left, right = (told(found[engine]["moments"], found[engine].get("phases", {})) for engine in ENGINES)
    met = [
        (found_op(found, "dynamic", left[f.dynamic]), found_op(found, "static", right[f.static]))
        for f in frames(left, right)
        if f.same and left[f.dynamic]["phase"] == "forward"
    ]
    assert met == [(op, op) for op in ("matmul", "add", "relu", "matmul", "add", "cross_entropy")]


def found_op(found, engine, moment):
    return next(n["op"] for n in found[engine]["graph"]["nodes"] if n["id"] == moment["node"])


# --- the page ---


def test_no_two_boxes_overlap(found):
    for engine in ENGINES:
        boxes = lay_out(found[engine]["graph"], found[engine].get("phases", {})).boxes
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                beside = abs(a.x - b.x) >= (a.width + b.width) / 2
                assert beside or abs(a.y - b.y) >= (a.height + b.height) / 2, (a.id, b.id)


def test_gradients_stand_right_of_the_forward_pass_and_updates_right_of_both(found):
    boxes = lay_out(found["static"]["graph"], found["static"]["phases"]).boxes
    forward, backward, update = (
        [box.x for box in boxes if box.side == side] for side in ("forward", "backward", "update")
    )
    assert max(forward) < min(backward)
    assert max(backward) < min(update)


def test_the_page_needs_nothing_else(found):
    page = draw_stepper(found)
    assert not re.search(r'(src|href)="(?!#|index\.html")', page)
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", page)


def test_the_page_is_the_same_for_the_same_recording(found):
    assert draw_stepper(found) == draw_stepper(json.loads(json.dumps(found)))


def test_the_page_shows_each_leaf_as_one(found):
    page = draw_stepper(found)
    leaves = [n for engine in ENGINES for n in found[engine]["graph"]["nodes"] if n["kind"] in LEAVES]
    assert page.count('class="box') == sum(len(found[engine]["graph"]["nodes"]) for engine in ENGINES)
    assert len(re.findall(r'class="box \w+ leaf"', page)) == len(leaves)


def test_other_numbers_give_other_sentences(doctored):
    assert "Both scripts print" in draw_stepper(doctored)
    doctored["static"]["printed"] = "7.5\n"
    assert "the two scripts print different numbers" in draw_stepper(doctored)


def test_bits_that_differ_are_not_called_the_same(doctored):
    assert "both sides gave the same bits" in draw_stepper(doctored)
    for moment in doctored["static"]["moments"]:
        moment["bits"] = [f"other {bits}" for bits in moment["bits"]]
    assert "the same bits" not in draw_stepper(doctored).partition('id="recording"')[2]


def test_a_tape_that_is_left_standing_is_not_called_used_up(doctored):
    assert "the tape is used up" in draw_stepper(doctored)
    (over,) = moments(doctored, "dynamic", phase="backward", what="statement")
    over["standing"] = ["w1", "op0"]
    assert "the tape is used up" not in draw_stepper(doctored)
    assert "2 nodes still stand" in draw_stepper(doctored)


def test_text_of_a_script_can_not_break_out_of_the_page(doctored):
    doctored["dynamic"]["script"] = "# </script><script>alert(1)</script>\n"
    assert "alert(1)</script>" not in draw_stepper(doctored)


# --- in the report ---


@pytest.fixture
def told_of(report):
    """What the report's pages are when its stepper went so."""

    def made(stepper):
        report["stepper"] = stepper
        return pages(report)

    return made


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch):
    """They take most of the time to draw a report, and nothing here is about them."""
    for name in ("losses", "phases", "catching_up", "memory"):
        monkeypatch.setattr(figures, name, lambda *_: "<svg></svg>")


def test_the_report_leads_to_the_stepper_and_back(told_of, found):
    made = told_of({"status": "done", "found": found})
    assert 'href="stepper.html"' in made["index.html"]
    assert 'href="index.html"' in made["stepper.html"]


@pytest.mark.parametrize(
    ("stepper", "said"),
    [
        (None, None),
        ({"status": "interrupted"}, "It was interrupted before it was recorded."),
        ({"status": "failed", "error": {"type": "OSError", "message": "no digits"}}, "OSError: no digits"),
        ({"status": "done", "found": {"dynamic": {}}}, "Its recording can not be read. KeyError"),
    ],
)
def test_a_report_without_a_stepper_says_why_and_leads_nowhere(told_of, stepper, said):
    made = told_of(stepper)
    assert "stepper.html" not in made
    assert "stepper.html" not in made["index.html"]
    assert (said in made["index.html"]) if said else ("plays one training step" not in made["index.html"])


def test_without_graphviz_the_report_says_what_is_missing(told_of, found, monkeypatch):
    for way in ("by_dot", "by_pygraphviz"):
        monkeypatch.setattr(layout, way, lambda *_: None)
    made = told_of({"status": "done", "found": found})
    assert "pip install pygraphviz" in made["index.html"]


def test_a_run_records_the_stepper_and_keeps_it_in_the_report(tmp_path):
    given = run(Plan([], [], record=("stepper",)), tmp_path, Watch())
    assert given["stepper"]["status"] == "done"
    assert results.load(tmp_path)["stepper"] == given["stepper"]


def test_a_recording_that_fails_is_reported_and_the_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("comparisons.stepper.recording.record", lambda: 1 / 0)
    given = run(Plan([], [], record=("stepper",)), tmp_path, Watch())
    assert given["status"] == "complete"
    assert failures(given) == ["stepper"]


def test_memory_that_somebody_else_counts_is_left_to_them():
    tracemalloc.start()
    try:
        with pytest.raises(RuntimeError, match="counts for somebody else"):
            record()
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
