"""What an experiment is given: snippets that are shown and run, fair meters, every kind of evidence."""

from __future__ import annotations

import re
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

import dynamic
import static
from comparisons.experiments import EXPERIMENTS
from comparisons.lab.blocks import Bars, Curves, Drawing, Output, Pair, Prose, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment, leveled, swapped
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, source_of
from comparisons.lab.verdict import counted, sized, timed, weighed
from comparisons.report.experiment_page import pages_of_experiments
from comparisons.report.look import charts
from comparisons.report.look.pairs import sides
from comparisons.report.look.prose import prose
from comparisons.report.pages import _environment
from comparisons.statistics.effect import LEAST
from comparisons.statistics.quantities import PAIR, seconds, size
from comparisons.statistics.tally import apart, tally
from tests.comparisons.report.test_report import spread


def with_docstring(reached):
    """What it is for."""
    # A comment.
    reached("the start")
    print("hello")

    return [1, 2]


def without_docstring():
    # A comment above the first line.
    x = dynamic.tensor([1.0, 2.0])
    return x @ dynamic.tensor([1.0, 2.0, 3.0])


def stopped_by_a_session():
    x = static.placeholder("float32", (None,), name="x")
    y = static.placeholder("float32", (None,), name="y")
    z = x + y
    with static.Session() as session:
        session.run(z, {x: np.zeros(2), y: np.zeros(3)})


def stopped_in_a_class_of_its_own():
    class Model:
        def forward(self, x):
            return x @ dynamic.tensor([1.0, 2.0, 3.0])

    Model().forward(dynamic.tensor([1.0, 2.0]))


def with_a_slip():
    return undefined  # noqa: F821


# --- snippets ------------------------------------------------------------------------------


def test_a_snippet_is_shown_as_it_was_written():
    assert source_of(with_docstring).splitlines()[0] == "# A comment."
    assert source_of(with_docstring).endswith('print("hello")\n\nreturn [1, 2]\n')
    assert source_of(without_docstring).startswith("# A comment above the first line.\nx = dynamic")


def test_an_attempt_keeps_what_was_reached_printed_and_returned():
    found = attempt(with_docstring)
    assert found["reached"] == ["the start"]
    assert found["out"] == "hello\n"
    assert found["value"] == [1, 2]
    assert found["error"] is None


def test_an_attempt_points_at_the_lines_of_an_error():
    found = attempt(without_docstring)
    lines = found["code"].splitlines()
    assert "@" in lines[found["error"]["stopped"]]
    assert found["error"]["named"] == found["error"]["stopped"]
    found = attempt(stopped_by_a_session)
    lines = found["code"].splitlines()
    assert "session.run" in lines[found["error"]["stopped"]]
    assert lines[found["error"]["named"]] == "z = x + y"


def test_an_attempt_points_into_what_a_snippet_defines():
    found = attempt(stopped_in_a_class_of_its_own)
    assert "return x @" in found["code"].splitlines()[found["error"]["stopped"]]
    assert found["error"]["named"] == found["error"]["stopped"]


def test_a_slip_in_a_snippet_is_no_evidence():
    with pytest.raises(NameError):
        attempt(with_a_slip)
    assert attempt(with_a_slip, (NameError,))["error"]["type"] == "NameError"


def test_snippets_leave_nothing_on_the_default_graph():
    attempt(stopped_by_a_session)
    assert len(static.get_default_graph().nodes) == 0


# --- meters --------------------------------------------------------------------------------


def test_what_is_timed_takes_turns_and_both_count_as_often():
    order = []
    found = Context().time(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=4, at_least=0
    )
    assert "".join(order) == "aabb" + "ab" + "ba" + "ab" + "ba"
    assert [found[name]["count"] for name in "ab"] == [4, 4]
    assert Context(full=True).pick(1, 2) == 2
    assert LEAST <= Context().rounds < Context(full=True).rounds


def test_memory_is_all_that_a_side_holds_since_it_was_made_and_not_what_stood_before():
    kept = np.ones(1_000_000)
    arrays: list[np.ndarray] = []

    def made():
        own = np.ones(50_000)  # retained, so it counts
        return lambda: [(np.ones(100_000) + own.sum()).sum() for _ in range(3)]

    found = Context().held(made)
    assert 1_200_000 < found["peak"]["bytes"] < 2_100_000 < kept.nbytes
    assert 400_000 <= found["between"]["least"] <= found["between"]["most"] < 500_000
    grown = Context().held(lambda: lambda: arrays.append(np.ones(100_000)), calls=2)
    assert 1_600_000 <= grown["between"]["bytes"] < 1_700_000
    assert {one["count"] for one in (*found.values(), *grown.values())} == {Context().counts} == {3}


def test_the_working_memory_of_a_call_is_what_it_takes_beside_what_stood_before():
    own = np.ones(50_000)
    found = Context().working(lambda: lambda: (np.ones(100_000) + own.sum()).sum())
    assert 800_000 < found["least"] <= found["bytes"] <= found["most"] < 1_700_000


def test_kernels_are_counted_by_name_on_either_engine():
    x = static.placeholder("float32", (2,))
    y = x * x + x
    with static.Session(optimize="exact") as session:
        on_static = Context().kernels(lambda: session.run(y, {x: np.ones(2, np.float32)}))
    static.reset_default_graph()
    z = dynamic.tensor([1.0, 1.0])
    assert Context().kernels(lambda: z * z + z) == on_static == {"total": 2, "ops": {"add": 1, "mul": 1}}


def test_a_fresh_interpreter_shares_nothing_but_the_packages(tmp_path):
    code = "import sys, dynamic\nprint(sys.argv[1], 'static' in sys.modules)\nraise SystemExit(3)\n"
    found = Context().fresh(code, "word")
    assert (found["out"], found["status"]) == ("word False\n", 3)
    assert found["seconds"] > 0
    failed = Context().fresh("1 / 0\n", folder=tmp_path)
    assert 'File "script.py", line 1' in failed["err"].replace(f"{tmp_path}", "")
    assert str(tmp_path) not in failed["err"]
    deep = Context().fresh("import dynamic\ndynamic.tensor([1.0]) @ dynamic.tensor([1.0, 2.0])\n")
    assert 'File "dynamic/' in deep["err"]


def test_either_engines_graph_is_drawn():
    x = static.placeholder("float32", (2,))
    z = dynamic.tensor([1.0], requires_grad=True)
    for what in (x * x, [x * x, x + x], z * z):
        assert "<svg" in Context().drawing(what)
    static.reset_default_graph()


# --- evidence ------------------------------------------------------------------------------


def test_a_verdict_is_led_by_the_better_figure_beyond_the_spread():
    row = timed("t", spread(1.0), spread(2.0))
    assert (row.ahead, row.basis, row.said) == ("dynamic", "this machine", "n = 17, 2.0 times (1.9 to 2.1)")
    assert row.figures() == ("1.00 s (980 ms to 1.02 s)", "2.00 s (1.96 to 2.04 s)")
    assert timed("t", spread(1.0, 0.9), spread(2.0, 0.9)).ahead is None
    row = sized("t", tally([3_000_000]), tally([1_000_000]))
    assert (row.ahead, row.basis, row.said) == ("static", "this machine", "counted once, 3.0 times")
    row = sized("t", tally([1_000_000] * 3), tally([999_000, 1_001_000, 1_000_312]))
    assert (row.ahead, row.said) == (None, "counted 3 times, 2.00 kB apart at most, close")
    assert weighed("t", 3, 3).said == "close" and weighed("t", 9000, 9000).basis == "exact"
    same = apart([tally([5, 5, 5]), tally([7, 7, 7])])
    assert same == "counted 3 times, each time the same to the byte"
    assert counted("t", 3, 4).ahead == counted("t", 4, 3, more=True).ahead == "dynamic"
    assert counted("t", 3, 3).ahead is None
    assert counted("t", 1234, 1, "nodes").dynamic == "1,234 nodes"


def test_evidence_is_swapped_and_leveled_wherever_both_engines_have_some():
    found = {"cases": [{"dynamic": {"n": 1}, "static": {"n": 2}, "at": 3}], "dynamic": 4}
    assert swapped(found) == {"cases": [{"dynamic": {"n": 2}, "static": {"n": 1}, "at": 3}], "dynamic": 4}
    assert leveled(found) == {"cases": [{"dynamic": {"n": 1}, "static": {"n": 1}, "at": 3}], "dynamic": 4}


def test_a_sentence_keeps_its_code_and_escapes_the_rest():
    assert prose("`a < b` & <c>") == "<code>a &lt; b</code> &amp; &lt;c&gt;"
    nbsp = "\N{NO-BREAK SPACE}"
    assert prose("98.6 % in 3 steps, 4.10 ms") == f"98.6{nbsp}% in 3 steps, 4.10{nbsp}ms"


def test_the_lines_of_a_pair_that_differ_and_those_of_an_error_are_marked():
    error = {"type": "T", "message": "m", "stopped": 1, "named": 0, "depth": 1}
    both = sides(Pair("p", {"code": "a\nb\n", "error": error}, {"code": "a\n"}))
    assert [row.mark for row in both["dynamic"]["rows"]] == ["same named", "own stopped"]
    assert both["dynamic"]["ended"]
    assert not both["static"]["ended"]
    assert [row.html for row in both["static"]["rows"]] == ["a", None]


def test_every_kind_of_evidence_is_laid_out():
    svg = Context().drawing(dynamic.tensor([1.0], requires_grad=True) * 2.0)
    blocks = [
        Pair("the pair", {"code": "one()\n"}, {"code": "two()\n"}, says="says the pair"),
        Table("the table", ("way", "dynamic", "static"), [("row", "1", "2")], ahead=["static"]),
        Curves("the curves", "x", "y", [
            Series("left", [1, 2], [1e-3, 2e-3], "dynamic", low=[1e-4, 1e-3], high=[1e-2, 2e-2]),
            Series("neither", [1, 2], [1e-3, 2e-3]),
        ], unit="seconds", log_x=True, mark=(1.5, "here"), says="says the curves"),
        Bars("the bars", ("first", "second"), {"dynamic": [1e6, 2e6], "other": [3e6, 4e6]}, unit="bytes"),
        Drawing("the drawing", {"dynamic": svg}),
        Output("the output", {"static": "printed <so>\n"}),
        Prose("the prose", ["First.", "Second."]),
    ]  # fmt: skip
    reading = Reading("Answer.", [counted("t", 1, 2)], blocks, ["H."], ["M."], ["O."], ["T."])
    page = SimpleNamespace(
        name="n", title="Title", question="Q?", file="n.html", trouble="", method=[], command="c",
        dimension=SimpleNamespace(name="speed", title="Speed"), reading=reading,
    )  # fmt: skip
    template = _environment().get_template("experiment.html")
    html = template.render(page=page, before=None, after=None, place="1 of 1")
    text = unescape(re.sub(r"<[^>]*>", "", html))
    kinds = ("pair", "table", "curves", "bars", "drawing", "output", "prose")
    for words in (*(f"the {kind}" for kind in kinds), "says the pair", "says the curves", "printed <so>",
                  "First. Second.", "here", "neither", "4.00 MB"):  # fmt: skip
        assert words in text, words
    assert '<td class="ahead">2</td>' in html
    assert html.count("<svg") == 3


def test_units_are_said_alike_on_an_axis_and_beside_a_bar():
    assert charts.AXIS.keys() == charts.FIGURE.keys()
    assert charts.FIGURE["seconds"] is seconds
    assert charts.FIGURE["bytes"] is size


def test_an_experiment_of_no_known_dimension_or_level_is_refused():
    settings = {"name": "n", "title": "t", "question": "q", "run": None, "read": None, "sizes": None}
    with pytest.raises(ValueError, match="'beauty' is none of writing, "):
        Experiment(**settings, dimension="beauty")
    with pytest.raises(ValueError, match="level 'fastest' is none of 'exact', "):
        Experiment(**settings, dimension="speed", level="fastest")


def test_evidence_that_can_not_be_read_is_said_to_be_so():
    entry = {"title": "t", "question": "q", "dimension": "speed", "level": "", "status": "done", "found": {}}
    report = {
        "seed": 1, "full": True, "engines": [*PAIR], "experiments": {"overhead": entry, "gone": entry},
    }  # fmt: skip
    found = {page.name: page for page in pages_of_experiments(report, EXPERIMENTS)}
    assert found["overhead"].trouble == "Its evidence can not be read. KeyError: 'lengths'"
    assert "no experiment of this name" in found["gone"].trouble
    assert found["gone"].command == "python -m comparisons run gone --full --seed 1"
