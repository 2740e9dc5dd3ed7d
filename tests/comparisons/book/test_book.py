"""Laws of the book: each step runs, both engines print the same, and its graph is what its lines made."""

from __future__ import annotations

import copy
import io
import json
import re
from collections import Counter
from contextlib import redirect_stdout
from functools import cache

import pytest

import dynamic
import static
from comparisons.book import STAGES, recording
from comparisons.book.recorder import whole
from comparisons.book.recording import all_stages, record_step
from comparisons.book.step import Step
from comparisons.report.book.page import draw_book
from comparisons.report.look import figures
from comparisons.report.pages import pages
from shared import nn, ops
from shared.watch import hooks

ENGINES = ("dynamic", "static")
STEPS = [(stage.first + i, step) for stage in all_stages() for i, step in enumerate(stage.steps)]
QUICK = [(n, step) for n, step in STEPS if step.turns > 1 or n == 42]
"""All but trainings, which take a second each; one of them stands for the others."""
each = pytest.mark.parametrize(("number", "step"), STEPS, ids=[f"{n} {s.title}" for n, s in STEPS])


@cache
def recorded(number):
    return record_step(dict(STEPS)[number], number)


def takes(number):
    """Of a step, with whole moments and with edges as pairs."""
    return [opened(take) for take in recorded(number)["takes"]]


def opened(take):
    sides = {engine: take[engine] for engine in ENGINES}
    return take | {
        engine: side | {
            "moments": whole(side["moments"]),
            "edges": [[int(end) for end in edge.split()] for edge in side["edges"]],
        }
        for engine, side in sides.items()
    }  # fmt: skip


class Names(hooks.Hook):
    """Counts the ops that run forward."""

    def __init__(self):
        self.seen = Counter()

    def after(self, event):
        self.seen[event.op.name] += event.phase == "forward"


def alone(step, engine, choice):
    """What the lines print when nobody records them, the ops that they ran, and their graph."""
    nn.manual_seed(0)
    namespace = step.namespace() | {"plot": lambda *_, **__: None}
    out, names, graph = io.StringIO(), Names(), static.Graph()
    with graph.as_default(), redirect_stdout(out), hooks.watching(names):
        exec(step.code(engine, choice), namespace)
    return out.getvalue(), names.seen, graph


def titles(side):
    return Counter(box["title"] for box in side["boxes"] if box["kind"] != "leaf")


def nodes_of(graph):
    """What `to_networkx` has of a graph, by what the book calls it, without what is not drawn."""
    found = static.to_networkx(graph)
    data = dict(found.nodes(data=True))
    first = {n for n, d in data.items() if d["kind"] == "assign"
             and any(data[a]["kind"] == "initial" for a in found.predecessors(n))}  # fmt: skip
    drawn = {n: d for n, d in data.items() if d["kind"] not in ("initial", "group") and n not in first}
    return Counter(
        f"{d['name']} \N{LEFTWARDS ARROW}" if d["kind"] == "assign" else d["op"]
        for d in drawn.values() if d["kind"] in ("op", "assign")
    )  # fmt: skip


@each
def test_a_step_prints_the_same_on_both_engines(number, step):
    for take in takes(number):
        assert take["dynamic"]["printed"] == take["static"]["printed"] != ""
        assert take["dynamic"]["pictures"] == take["static"]["pictures"]


@pytest.mark.parametrize(("number", "step"), QUICK, ids=[f"{n} {s.title}" for n, s in QUICK])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_graph_has_what_the_lines_make_when_nobody_records_them(number, step, engine):
    for take in takes(number):
        printed, ran, graph = alone(step, engine, take["choice"])
        side = take[engine]
        assert side["printed"] == printed
        assert side["code"] == step.code(engine, take["choice"])
        made = ran if engine == "dynamic" else nodes_of(graph)
        unseen = side["moments"][-1]["unseen"]
        assert titles(side) <= made
        if not unseen:
            assert titles(side) == made
        elif engine == "dynamic":
            assert titles(side).total() + unseen == made.total()


@each
def test_moments_of_a_step_are_about_what_stands(number, step):
    for take in takes(number):
        for engine in ENGINES:
            side = take[engine]
            stands = [moment["stands"] for moment in side["moments"]]
            assert stands == sorted(stands)
            assert stands[-1] == len(side["boxes"])
            for moment in side["moments"]:
                about = [b for b, _ in moment["values"] + moment["grads"]] + moment["gone"]
                assert all(0 <= box < moment["stands"] for box in about)
                assert 1 <= moment["line"] <= side["code"].count("\n")
            assert side["moments"][-1]["printed"] == len(side["printed"])
            assert all(0 <= a < b for a, b in side["edges"] if side["boxes"][b]["kind"] != "leaf")


def test_the_steps_are_numbered_through_and_say_little():
    assert [number for number, _ in STEPS] == [*range(1, len(STEPS) + 1)]
    assert [stage.name for stage in all_stages()] == [*STAGES]
    said = [step.title for _, step in STEPS]
    assert len(set(said)) == len(said)
    assert all(len(step.says.split()) <= 25 for _, step in STEPS)


def test_what_the_lines_use_is_shown():
    """But for imports and `plot`, a step's lines find nothing that its page does not show."""
    for _, step in STEPS:
        for name, value in step.namespace().items():
            ours = getattr(value, "__module__", "") == step.dynamic.__module__
            used = name in step.dynamic.__code__.co_names + step.static.__code__.co_names
            if used and ours:
                assert re.search(rf"^(def|class) {name}\b", step.common, re.MULTILINE), (step.title, name)


def chain_dynamic() -> None:
    x = dynamic.tensor(0.5, requires_grad=True)
    a = ops.exp(x) * x
    kept = a + a
    kept.backward()
    print(x.grad.item())


def chain_static() -> None:
    x = static.placeholder("float32", (), name="x")
    a = ops.exp(x) * x
    y = a + a
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print(session.run(slope, {x: 0.5}).item())


def test_arrows_and_gradients_are_the_programs():
    (take,) = map(opened, record_step(Step("", chain_dynamic, chain_static), 0)["takes"])
    for engine in ENGINES:
        boxes = take[engine]["boxes"]
        arrows = [(boxes[a], boxes[b]) for a, b in take[engine]["edges"]]
        pairs = {(a["title"], b["title"]) for a, b in arrows if b["kind"] == "op"}
        assert pairs == {("x", "exp"), ("exp", "mul"), ("x", "mul"), ("mul", "add")}
    moments = take["dynamic"]["moments"]
    back = [take["dynamic"]["boxes"][m["box"]]["title"] for m in moments if m["back"]]
    assert back == ["add", "mul", "exp"]
    before, after = moments[4], moments[-1]
    assert (before["gone"], after["gone"]) == ([], [1, 2, 3])
    assert take["static"]["moments"][-1]["gone"] == []


# --- the pages ---


@pytest.fixture(scope="module")
def book():
    """All of it, as `record()` gives it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "record_step", lambda step, number: recorded(number))
        return recording.record()


@pytest.fixture(scope="module")
def found(book):
    """The first stage alone."""
    return {"stage_1": book["stage_1"]}


def test_the_book_is_small(book):
    assert sum(map(len, draw_book(book).values())) < 1.2e6


def test_a_page_needs_nothing_else_and_is_the_same_for_the_same_recording(found):
    made = draw_book(found)
    assert made == draw_book(json.loads(json.dumps(found, allow_nan=False)))
    for page in made.values():
        assert not re.search(r'(src|href)="(?!#|(index|stage_\d)\.html")', page)
        assert "http" not in re.sub(r'xmlns="[^"]*"', "", page)


def test_other_outcomes_give_other_sentences(found):
    alarm = "the two sides printed different things"
    assert alarm not in draw_book(found)["stage_1.html"]
    other = copy.deepcopy(found)
    other["stage_1"]["steps"][0]["takes"][0]["static"]["printed"] = "<b>7</b>"
    page = draw_book(other)["stage_1.html"]
    assert alarm in page
    assert "9 of 10 steps printed the same" in page
    assert "<b>7</b>" not in page


def test_the_report_leads_to_the_book_and_back_or_says_why_it_is_missing(report, book, monkeypatch):
    for name in ("losses", "phases", "catching_up", "memory"):
        monkeypatch.setattr(figures, name, lambda *_: "<svg></svg>")
    report["book"] = {"status": "done", "found": book}
    made = pages(report)
    for name, title in STAGES.items():
        assert f'<a href="{name}.html">{title}</a>' in made["index.html"]
        assert 'href="index.html"' in made[f"{name}.html"]
    report["book"] = {"status": "failed", "error": {"type": "OSError", "message": "no digits"}}
    made = pages(report)
    assert "The book is missing. It could not be recorded. OSError: no digits" in made["index.html"]
    assert not {f"{name}.html" for name in STAGES} & made.keys()
