"""The page says what report.json says, whatever that is."""

from __future__ import annotations

import re
from html import unescape
from types import SimpleNamespace

import pytest

from comparisons.report import draw
from comparisons.report.first_page.further import FURTHER
from comparisons.report.first_page.glance import glance
from comparisons.report.first_page.opening import opening
from comparisons.report.pages import PREVIEW, pages
from comparisons.report.tasks import happened, lesson
from comparisons.running import results
from comparisons.running.run import engines_differ
from comparisons.statistics.quantities import seconds, size
from comparisons.statistics.spread import spread as summed_up
from comparisons.statistics.tally import tally

MS = 1e-3


@pytest.fixture
def drawn():
    """For tests that want the figures too."""


@pytest.fixture(autouse=True)
def _no_figures(request, monkeypatch):
    """Figures take most of the time to draw a page, and say nothing in words."""
    if "drawn" not in request.fixturenames:
        names = ("losses", "phases", "catching_up", "memory")
        stand_in = SimpleNamespace(**dict.fromkeys(names, lambda *_: "<svg></svg>"))
        monkeypatch.setattr("comparisons.report.tasks.page.figures", stand_in)


def spread(median, width=0.02, count=17):
    """Samples evenly around a median, whose quartiles are `width` apart from it."""
    return summed_up([median * (1 + 2 * width * (2 * i / (count - 1) - 1)) for i in range(count)])


def doctored(report, step=(4 * MS, 3 * MS), start=(6 * MS, 20 * MS), peak=(1e6, 2e6), width=0.02):
    """Both tasks with these figures for (dynamic, static)."""
    for task in report["tasks"].values():
        for engine, a_step, a_start, a_peak in zip(("dynamic", "static"), step, start, peak, strict=True):
            found = task["measure"]["engines"][engine]
            found["warm"]["step"] = spread(a_step, width)
            found["warm"]["start"] = spread(a_start)
            found["memory"] = {
                part: tally([round(share * a_peak)] * 3)
                for part, share in (("ready", 0.1), ("between", 0.5), ("peak", 1))
            }
    return report


def page(report):
    """The first page."""
    return pages(report)["index.html"]


def said(report, *names):
    """The text of some pages, or of all, without markup, in one line."""
    made = pages(report)
    return bare(" ".join(made[name] for name in names or made))


def bare(text):
    """The text of a page without markup, in one line."""
    text = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)))


# --- the words follow the numbers ----------------------------------------------------------


def test_where_static_steps_are_shorter_the_page_says_so(report):
    text = said(doctored(report))
    factor, longer = "1.3 times (1.3 to 1.4)", "1.3 times as long (1.3 to 1.4)"
    assert f"Once running, static is the faster one: the other takes {longer} on the CNN and {longer}" in text
    times = "4.00 ms (3.92 to 4.08 ms) on dynamic, 3.00 ms (2.94 to 3.06 ms) on static"
    assert f"static makes a step {factor} as fast: {times}" in text
    assert "Its shorter steps have made up for that after 15 steps (13 to 18)." in text
    assert "Static has made up for its later start after 15 steps (13 to 18) on the CNN" in text
    assert "what it saves besides stands around them" in text


def test_where_static_steps_are_longer_the_page_says_so(report):
    text = said(doctored(report, step=(2 * MS, 5 * MS)))
    assert (
        "Once running, dynamic is the faster one: the other takes 2.5 times as long (2.4 to 2.6)" in text
    )
    assert "dynamic makes a step 2.5 times (2.4 to 2.6) as fast: 2.00 ms (1.96 to 2.04 ms) on dynamic" in text
    assert "That is never made up for, since dynamic's later steps are the shorter ones." in text
    assert "static is the faster one" not in text
    assert "what it saves stands around them" not in text
    assert "have made up for" not in text


@pytest.mark.parametrize(
    ("step", "width", "count"),
    [
        ((4 * MS, 3 * MS), 0.5, 17),  # quartiles that overlap
        ((4 * MS, 4.01 * MS), 0.001, 17),  # medians that are close
        ((4 * MS, 3 * MS), 0.02, 14),  # too few samples
    ],
)
def test_what_is_not_resolved_is_said_to_be_that_and_nothing_else(report, step, width, count):
    doctored(report, step=step, width=width)
    if count < 15:
        for task in report["tasks"].values():
            for entry in task["measure"]["engines"].values():
                entry["warm"]["step"] = spread(entry["warm"]["step"]["median"], width, count)
    text = said(report)
    assert "Once running, it is not resolved which is the faster on the CNN and the MLP." in text
    assert "Once running, it is not resolved on which engine a step is shorter" in text
    assert "Whether that is ever made up for is not resolved" in text
    assert "The row that decides is not resolved in this run." in text
    assert "is the faster one: " not in text
    assert "won back" not in said(report, "index.html")
    assert "makes a step" not in text


def test_where_the_tasks_disagree_the_verdict_names_them(report):
    doctored(report)
    warm = [report["tasks"]["mlp_digits"]["measure"]["engines"][e]["warm"] for e in ("dynamic", "static")]
    warm[0]["step"], warm[1]["step"] = warm[1]["step"], warm[0]["step"]
    text = said(report)
    assert (
        "Once running, dynamic is the faster one: the other takes 1.3 times as long (1.3 to 1.4)" in text
    )
    assert "Once running, static is the faster one: the other takes 1.3 times as long (1.3 to 1.4)" in text


def test_where_static_starts_sooner_the_page_says_so(report):
    text = said(doctored(report, start=(20 * MS, 6 * MS)))
    assert "To the first result static is ahead: the other takes 3.3 times as long (3.2 to 3.5)" in text
    assert "to describe the model first costs nothing, and nothing was seen to overtake it" in text


def test_where_static_holds_less_memory_the_page_says_so(report):
    text = said(doctored(report, peak=(3e6, 2e6)))
    assert "Static holds less memory at its peak: the other's is 1.5 times as high on the CNN" in text
    assert "At the highest point of a step static holds less: 3.00 MB on dynamic, 2.00 MB on static." in text
    assert "Between steps dynamic keeps 500 kB more." in text
    text = said(doctored(report, peak=(2e6, 2e6)))
    assert "Both hold about the same at their peak on the CNN and the MLP." in text


def test_the_gilded_dot_stands_on_the_side_that_is_ahead(report):
    def gilded(report):
        rows = re.findall(
            r"<tr[^>]*><th scope=\"row\">(.*?)</th>\s*(.*?)</tr>", page(report), flags=re.DOTALL
        )
        steps = [cells for title, cells in rows if ": a step" in title]
        return [re.findall(r"<td( class=\"ahead\")?>", cells) for cells in steps]

    mark = ' class="ahead"'
    assert gilded(doctored(report)) == [["", mark]] * 2
    assert gilded(doctored(report, step=(3 * MS, 4 * MS))) == [[mark, ""]] * 2
    assert gilded(doctored(report, width=0.5)) == [["", ""]] * 2


def test_where_the_losses_part_the_page_says_where_and_by_how_much(report):
    task = report["tasks"]["cnn_digits"]
    task["verify"] |= {
        "equal": False, "unequal_steps": 2, "unequal_arrays": ["model/0.weight"], "unequal_guesses": 3,
        "first_difference": {"step": 2, "dynamic": 1.5, "static": 1.25},
    }  # fmt: skip
    task["engines"]["static"]["accuracy"] = 0.5
    text = said(report)
    assert "The engines did not compute the same numbers on the CNN." in text
    assert "The losses part at step 2 (1.5 on dynamic, 1.25 on static), and 2 of 3 differ." in text
    assert "the first of them model/0.weight" in text
    assert "3 test examples got another answer" in text
    assert "two computations that are not the same" in text
    assert "1 of 3, bit for bit" in text


def test_an_accuracy_below_the_aim_is_called_so(report):
    for entry in report["tasks"]["cnn_digits"]["engines"].values():
        entry["accuracy"] = 0.5
    assert "Both engines read 50.0 % of the 360 test examples correctly, short of the 97.0 %" in said(report)
    for entry in report["tasks"]["cnn_digits"]["engines"].values():
        entry["accuracy"] = 0.99
    assert "correctly; the aim was 97.0 %" in said(report)


def test_a_busy_machine_and_late_thread_settings_are_named_as_threats(report):
    report["host"] |= {"load": 1.9, "cores": 2, "settled_first": False}
    text = said(report)
    assert "The machine was busy with other work when this began: 1.9 processes on 2 cores." in text
    assert "NumPy had been imported before the thread settings" in text
    report["host"] |= {"load": 0.1, "settled_first": True}
    text = said(report)
    assert "The machine was busy" not in text
    assert "NumPy had been imported before" not in text


def test_the_mistakes_show_the_captured_messages_and_where_they_lead(report):
    text = said(report, "mistakes.html")
    assert "label 7 (at position 1) is out of range for 5 classes" in text
    assert "Static stands at the line that runs the graph, which is not the one that breaks" in text
    assert "What is plain Python on dynamic is an error on static." in text
    case = report["experiments"]["mistakes"]["found"]["cases"][0]
    case["static"]["error"] = None
    text = said(report, "mistakes.html")
    assert "On static this is no mistake: the code runs to its end." in text


@pytest.fixture
def recoded(report):
    """A report in which one of two tasks is compared within a tolerance."""
    task = report["tasks"]["mlp_digits"]
    task["verify"] |= {"tolerance": 1e-3, "apart": 2e-6}
    for engine, median in (("dynamic", 50 * MS), ("static", 2 * MS)):
        task["measure"]["engines"][engine]["warm"]["step"] = spread(median)
    return report


def test_a_task_says_what_it_was_trained_on_and_asked_about_as_far_as_that_can_be_said(report):
    first, second = report["tasks"].values()
    first |= {"examples": {"train": 9, "test": 4, "shape": [1, 8]}, "batch_size": 3, "counted": "test lines"}
    trees = {"examples": {"train": 9, "test": 384, "shape": []}, "batch_size": 2, "counted": None}
    second |= trees
    text = said(report)
    assert "on 9 examples of 1x8 in batches of 3, and asked about 4 test lines." in text
    assert "on 9 examples in batches of 2." in text
    first["examples"]["shape"] = [40]
    assert "on 9 examples of 40 numbers in batches of 3" in said(report, "cnn_digits.html")
    first["verify"] |= {"tolerance": 1e-3, "apart": 2e-6}  # padded on one engine alone
    assert "on 9 examples of up to 40 numbers in batches of 3" in said(report, "cnn_digits.html")
    second["loop"] = "text"
    assert "on 9 characters in batches of 2 windows." in said(report)
    second["batch_size"] = 0
    assert f"It was trained for {second['steps']} steps." in said(report)


def test_kernels_are_called_the_same_only_where_static_has_put_none_together(report):
    doctored(report)
    report["tasks"]["cnn_digits"]["inside"] = {}
    merged = "    f_1 = fused_a(x, out=y)\n    b_1 = asarray(fused_b_2(y))\n    c = mul(f_1, 2)  # fused_"
    for program, said_of_it in (
        (merged, "The ops are the same; static runs several in one kernel 2 times"),
        ("    c = mul(a, b)\n", "The kernels are the same; what it saves stands around them"),
    ):
        report["tasks"]["mlp_digits"]["inside"]["static"]["program"] = program
        assert said_of_it in said(report, "mlp_digits.html")
    assert "what is not saved by running some together" in said(report, "cnn_digits.html")


def test_costs_of_two_encodings_are_not_put_down_to_the_engines(recoded):
    said = " ".join(opening(recoded))
    assert "3 losses on the CNN, equal bit for bit; 3 losses on the MLP, where their encodings differ" in said
    assert "A step takes 2.00 ms (1.96 to 2.04 ms) on static and 50.0 ms (49.0 to 51.0 ms) on dynamic" in said
    assert "on the MLP and" not in said
    task = recoded["tasks"]["mlp_digits"]
    assert "That is not the engines' doing alone" in happened.step_time(task)
    assert "stands around them" not in happened.step_time(task)
    assert "made up for" not in happened.start_time(task)
    assert "these times do not tell" in (means := " ".join(lesson.means(task)))
    assert "design to choose" not in means and "done sooner" not in means
    assert "they differ by at most 2e-06" in happened.parity(task)
    task["verify"] |= {"equal": False, "unequal_steps": 2, "first_difference": {"step": 2}}
    assert "do not agree within 0.001 of their size from step 2 on: 2 of 3" in happened.parity(task)


# --- what is there, and what is not ---------------------------------------------------------


def test_a_page_needs_nothing_but_itself_and_links_to_what_is_there(report, drawn):
    made = pages(report)
    for text in made.values():
        links = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", text)
        away = {"w3.org", *(address for _, address in FURTHER)}
        links = [link for link in links if not any(known in link for known in away)]
        outside = [link for link in links if not link.startswith("#")]
        assert {link.partition("#")[0] for link in outside} <= set(made)
        for page_name, _, place in (link.partition("#") for link in links):
            assert not place or f'id="{place}"' in (made[page_name] if page_name else text)
        assert "<script" not in text
        assert "<link" not in text
        assert "@import" not in text


def test_the_page_holds_the_scripts_that_ran_both_graphs_and_the_program(report):
    made = pages(report)["cnn_digits.html"]
    text = unescape(re.sub(r"<[^>]*>", "", made))
    for engine in ("dynamic", "static"):
        for line in report["loops"]["supervised"][engine].splitlines():
            assert line.strip() in text
    assert "def program(feeds, state, arrays):" in text
    assert made.count("<title>b0</title>") == 2  # on two engines, drawn


def test_the_same_report_gives_the_same_page_byte_for_byte(report, drawn):
    assert pages(report) == pages(report)


def test_names_in_the_report_can_not_break_the_page(report):
    report["tasks"]["cnn_digits"]["title"] = "<script>alert(1)</script>"
    assert not any("<script>" in text for text in pages(report).values())


def test_a_report_of_one_engine_compares_nothing(report, drawn):
    report |= {"engines": ["static"], "experiments": {}}
    for task in report["tasks"].values():
        task["verify"] = None
        for part in (task["engines"], task["inside"], task["measure"]["engines"]):
            del part["dynamic"]
    del report["loops"]["supervised"]["dynamic"]
    text = said(report)
    assert "This run has not compared the engines, so there is no verdict." in text
    assert "Only static ran, so there is nothing to compare its numbers with." in text
    assert "Only static was run." in text


def test_an_interrupted_report_says_what_is_missing(report):
    report["status"] = "interrupted"
    task = report["tasks"]["mlp_digits"]
    task |= {"status": "interrupted", "verify": None, "measure": None, "inside": {}}
    for entry in task["engines"].values():
        del entry["accuracy"]
        entry["losses"] = entry["losses"][:1]
    task["engines"]["static"]["losses"] = []
    report["experiments"] = {}
    text = said(report)
    assert "This run was interrupted." in text
    assert "mlp_digits and mistakes did not finish" in text
    assert "This task was interrupted before it was finished." in text


def test_a_report_interrupted_before_anything_was_done_is_still_a_page(report):
    report |= {"status": "interrupted", "tasks": {}, "experiments": {}, "loops": {}}
    assert "This run was interrupted." in said(report)


def test_a_failed_piece_is_shown_with_its_message(report):
    report["tasks"]["cnn_digits"] |= {
        "status": "failed", "error": {"type": "ShapeError", "message": "it does not fit"},
        "engines": {}, "verify": None, "measure": None, "inside": {},
    }  # fmt: skip
    report["experiments"]["mistakes"] = {
        "title": "t", "question": "q", "dimension": "debugging", "level": "", "status": "failed",
        "error": {"type": "OSError", "message": "no disk"},
    }  # fmt: skip
    text = said(report)
    assert text.count("This task failed. ShapeError: it does not fit") == 2  # on its page, and on the first
    assert "This experiment failed. OSError: no disk" in text
    assert "This experiment failed. OSError: no disk" in said(report, "mistakes.html")


def test_losses_that_are_no_numbers_leave_a_gap(report, drawn):
    for entry in report["tasks"]["cnn_digits"]["engines"].values():
        entry["losses"] = [2.0, None, None]
    assert "<svg" in pages(report)["cnn_digits.html"]


def test_a_task_has_a_page_in_the_shape_of_an_experiments(report, drawn):
    made = pages(doctored(report))["cnn_digits.html"]
    parts = dict(re.findall(r'id="(\w+)">(.*?)</section>', made, flags=re.DOTALL))
    for name in ("answer", "happened", "evidence", "means", "otherwise", "threats", "method"):
        assert len(re.sub(r"<[^>]*>|\s", "", parts[name])) > 30, name
    assert made.count("<figure>") == 4  # losses, phases, catching up, memory
    assert "python -m comparisons run cnn_digits" in made
    assert "<code>exact</code>" in parts["threats"]
    assert "<code>exact</code>" in parts["method"]
    assert "widest middle half" in parts["method"]


def test_a_task_has_a_row_for_its_speed_and_one_for_its_numbers(report):
    both = r"(<table class=.glance.*?</table>).*(<section[^>]* id=.contents.*?</section>)"
    table, contents = re.search(both, page(doctored(report)), flags=re.DOTALL).groups()
    assert table.count('<a href="cnn_digits.html">') == 4  # its start, its speed, its memory, its numbers
    assert contents.count('<a href="cnn_digits.html">') == 1
    groups = {group.dimension.name: group for group in glance(report, [])}
    assert [row.verdict.title for row in groups["speed"].rows] == ["CNN: a step", "MLP: a step"]
    assert [row.verdict.ahead for row in groups["start"].rows] == ["dynamic", "dynamic"]
    assert groups["speed"].decider.verdict.title == "CNN: a step"
    assert groups["speed"].leader == "static"
    assert groups["memory"].leader == "dynamic"
    del report["tasks"]["cnn_digits"]
    groups = {group.dimension.name: group for group in glance(report, [])}
    assert groups["memory"].rows[0].verdict.ahead == "dynamic"
    assert groups["memory"].decider is groups["memory"].leader is None


def test_statics_levels_stand_next_to_each_other_with_how_far_they_are_apart(report):
    task = doctored(report)["tasks"]["cnn_digits"]
    fast = task["measure"]["fast"]
    fast["warm"]["step"] = spread(2 * MS)
    fast["losses"] |= {"first_apart": 0.0, "apart": 0.0, "within": True}
    text = lesson.levels(task)
    assert "shorter at fast , 1.5 times (1.4 to 1.6)" in said(report, "cnn_digits.html")
    assert "A step of static is shorter at `fast`, 1.5 times (1.4 to 1.6): 3.00 ms" in text
    assert "are the same at both levels" in text
    fast["warm"]["step"] = spread(6 * MS)
    fast["losses"] |= {"steps": 40, "first": 5, "first_apart": 3e-7, "apart": 2e-3}
    text = lesson.levels(task)
    assert "A step of static is shorter at `exact`, 2.0 times (1.9 to 2.1)" in text
    assert "at most 3e-07 of their size, within the 0.0001 that is stated; over all 40" in text
    assert not engines_differ(report)
    fast["losses"]["first_apart"] = 0.0
    assert "The first 5 losses are those at `exact`, bit for bit; over all 40" in lesson.levels(task)
    fast["losses"] |= {"first_apart": 2e-4, "within": False}
    assert "this level does not keep its promise here" in said(report, "cnn_digits.html")
    assert engines_differ(report)


def test_the_lesson_of_a_task_follows_its_figures(report):
    def drawn(**figures):
        task = doctored(report, **figures)["tasks"]["cnn_digits"]
        return lesson.answer(task), *lesson.means(task), *lesson.otherwise(task)

    usual = drawn()
    assert usual[0].endswith(
        "Dynamic has its first result sooner and holds less memory; static makes a step in less time."
    )
    assert usual[1].startswith("For a model like this that trains for long, static is the design")
    assert "For fewer than 15 steps (13 to 18), as while one tries and changes, dynamic is" in usual[2]
    assert len(usual) == 5  # both have lost something, and both are defended
    other = drawn(step=(2 * MS, 5 * MS))
    assert "trains for long, dynamic is the design" in other[1]
    assert other[2:] == (lesson.DEFENCE["static"],)
    even = drawn(step=(MS, MS), start=(MS, MS), peak=(1e6, 1e6))
    assert even[0].endswith("Neither is resolved to be ahead in time or in memory.")
    assert even[-1].startswith("Neither is resolved to have come off worse")


# --- the file -------------------------------------------------------------------------------


def test_a_saved_report_is_read_back_and_drawn(report, tmp_path):
    results.save(report, tmp_path)
    assert results.load(tmp_path) == report
    target = draw(results.load(tmp_path), tmp_path)
    assert target == tmp_path / "index.html"
    assert target.read_text(encoding="utf-8") == page(report)
    assert {path.name for path in tmp_path.iterdir()} == {*pages(report), PREVIEW, "report.json"}
    del report["experiments"]["mistakes"]
    draw(report, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*pages(report), PREVIEW, "report.json"}


def test_a_write_that_fails_leaves_the_old_report_whole(report, tmp_path):
    results.save(report, tmp_path)
    with pytest.raises(TypeError):
        results.save({"format": object()}, tmp_path)
    assert results.load(tmp_path) == report
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no report.json"),
        ('{"format": 1,', "is not whole"),
        ('{"format": 99}', "has format 99"),
    ],
)
def test_a_report_that_can_not_be_read_says_what_to_do(tmp_path, text, words):
    if text is not None:
        (tmp_path / "report.json").write_text(text, encoding="utf-8")
    with pytest.raises(results.ResultsError, match=f"(?s){words}.*python -m comparisons run"):
        results.load(tmp_path)


# --- quantities -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.000281, "281 µs"), (0.00406, "4.06 ms"), (0.0176, "17.6 ms"), (38.2, "38.2 s"), (1234.5, "1,234 s"),
     (0.0009997, "1.00 ms"), (0.9996, "1.00 s"), (9.996e-6, "10.0 µs"), (0.09996, "100 ms")],
)  # fmt: skip
def test_times_are_said_in_the_unit_that_suits(value, text):
    assert seconds(value) == text


def test_sizes_are_said_in_the_unit_that_suits():
    assert [size(n) for n in (0, 1, 432, 536_000, 1_304_850, 25_300_000_000)] == [
        "0 bytes",
        "1 byte",
        "432 bytes",
        "536 kB",
        "1.30 MB",
        "25.3 GB",
    ]
    assert [size(n) for n in (999.4, 999_700, 999_999_999)] == ["999 bytes", "1.00 MB", "1.00 GB"]
