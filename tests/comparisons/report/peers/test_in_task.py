"""What a task's page says of other systems follows what was measured of its next of kin there."""

from __future__ import annotations

import re

import pytest

from comparisons.bench.workloads import WORKLOADS
from comparisons.report.look.prose import prose
from comparisons.report.pages import pages
from comparisons.report.peers.in_task import in_other_systems
from comparisons.running.plan import RACES, Plan
from comparisons.tasks import TASKS
from tests.comparisons.report.peers.test_page import bench, side
from tests.comparisons.report.test_report import MS, bare, doctored, said


def entry(**sides):
    """The report's entry on a race in which ours are as `bench` says."""
    return {"status": "done", "asked": ["torch"], "pythons": {}, "found": bench(**sides)}


def torch(step, first):
    """PyTorch's two designs with these seconds of a step and to the first loss, (at once, compiled)."""
    names = ("torch_eager", "torch_compile")
    return dict(zip(names, map(side, step, first), strict=True))


def words(report, name="mlp_digits"):
    return said(report, f"{name}.html")


COLD = r"\b[Cc]old\b"
HERE = {"step": (4 * MS, 3 * MS), "start": (6 * MS, 20 * MS)}


@pytest.fixture
def raced(report):
    """The short run's report with figures like the bench's, and nothing at the level "fast"."""
    doctored(report, **HERE)
    for task in report["tasks"].values():
        task["measure"]["fast"] = None
        for engine, first in (("dynamic", 0.01), ("static", 0.05)):
            task["measure"]["engines"][engine]["cold"] |= {"build": 0.0, "compile": 0.0, "first_step": first}
    return report


def test_where_the_trade_off_is_found_elsewhere_the_page_says_that_it_holds(raced):
    raced["peers"] = entry(**torch((2 * MS, MS), (0.02, 9.0)))
    text = words(raced)
    assert "workload comes out as the task does" in text
    assert "Once running, the graph is ahead in Diptych, so it is in PyTorch." in text
    assert "To the first loss, cold, running ops at once is ahead in Diptych, so it is in PyTorch." in text
    assert "So the trade-off that this workload shows here holds in PyTorch." in text
    assert "2.0 times as fast, by the medians made up for after 8,981 steps" in text
    assert "450 times as slow" in text
    assert "python -m comparisons run mlp_digits --steps 3 --peers torch " in text
    assert "1.3 times as fast, by the medians made up for after 41 steps" in text  # ours, and the task's own


def test_a_cold_start_leaves_imports_out_wherever_it_is_told(raced):
    for task in raced["tasks"].values():
        for found in task["measure"]["engines"].values():
            found["cold"] |= {"import_numpy": 3.0, "import_engine": 2.0}
    raced["peers"] = entry(**torch((2 * MS, MS), (0.02, 9.0)))
    told = {name: text for name, page in pages(raced).items() if re.search(COLD, text := bare(page))}
    text = told["mlp_digits.html"]
    assert "first loss, cold 10.0 ms 50.0 ms in a fresh process, once, imports apart" in text
    assert "Diptych, this task: first loss, cold 10.0 ms 50.0 ms" in text
    assert {"index.html", "mlp_digits.html"} <= {*told}
    assert [name for name, text in told.items() if not re.search("imports (apart|done)", text)] == []


def test_the_first_page_says_whether_it_holds_elsewhere(raced):
    assert "Does it hold elsewhere? Recorded on" in said(raced, "index.html")
    raced["peers"] = entry(**torch((2 * MS, MS), (0.02, 9.0)))
    text = said(raced, "index.html")
    assert "Does it hold elsewhere? In PyTorch, the design that is ahead once running is the one" in text
    assert "ahead here in 1 of 1 case; to the first loss, in 1." in text


def test_where_it_is_not_the_page_says_so(raced):
    raced["peers"] = entry(**torch((MS, 2 * MS), (9.0, 0.02)))
    text = words(raced)
    assert "the graph is ahead in Diptych, running ops at once is ahead in PyTorch." in text
    assert "So the trade-off that this workload shows here does not hold in PyTorch." in text
    raced["peers"] = entry(**torch((MS, 2 * MS), (0.02, 9.0)))
    text = words(raced)
    assert "this workload shows here holds in part in PyTorch." in text
    assert "2.0 times as slow, not seen to win its start back" in text


def test_first_losses_that_are_near_each_other_decide_nothing(raced):
    raced["peers"] = entry(**torch((2 * MS, MS), (0.100, 0.115)))
    text = words(raced)
    assert "running ops at once is ahead in Diptych, neither is resolved to be ahead in PyTorch." in text
    assert "this workload shows here holds in PyTorch." in text


def test_systems_that_disagree_are_told_apart(raced):
    paddle = {"paddle_dynamic": side(MS, 9.0), "paddle_static": side(2 * MS, 0.02)}
    raced["peers"] = entry(**torch((2 * MS, MS), (0.02, 9.0)), **paddle)
    text = words(raced)
    assert "the graph is ahead in Diptych, so it is in PyTorch, running ops at once is ahead in Pa" in text
    assert "shows here holds in PyTorch, does not hold in Paddle." in text


def test_where_no_other_system_has_both_designs_nothing_is_claimed(raced):
    raced["peers"] = entry(dezero=side(9 * MS, 0.1))
    text = words(raced)
    assert "No other system that was raced has both designs, so only speeds stand side by side." in text
    assert "trade-off" not in text


def test_a_workload_that_comes_out_unlike_the_task_is_called_so(raced):
    doctored(raced, step=(3 * MS, 4 * MS))
    raced["peers"] = entry(**torch((2 * MS, MS), (0.02, 9.0)))
    assert (
        "does not come out as the task does: once running, running ops at once is ahead on the task and the "
        "graph is ahead on the workload." in words(raced)
    )


def test_the_two_designs_of_a_system_stand_next_to_each_other_and_failures_are_shown():
    raced = entry(
        torch_eager=side(2 * MS, 0.02, dynamic=0.25), torch_fused={"error": "out of memory"},
        torch_compile=side(MS, 9.0), dynamic_loop=side(9 * MS, 0.1),
    )  # fmt: skip
    task = {"kin": "mlp", "unlike": "", "measure": None}
    *_, table = in_other_systems("mlp_digits", task, raced)
    assert [row[0].split()[0] for row in table.rows] == [
        "dynamic", "static", "torch-eager", "torch-compile", "torch-fused", "dynamic-loop",
    ]  # fmt: skip
    rows = {row[0].split()[0]: row for row in table.rows}
    assert rows["torch-fused"][1] == "out of memory"
    assert rows["torch-eager"][3:] == ("4.0 times as slow", "2.0 times as slow")


def test_a_task_without_kin_says_so_and_one_that_was_not_raced_how_to(report):
    assert "python -m comparisons run mlp_digits --peers torch races it beside this task." in words(report)
    report["peers"] = entry()
    assert "The workload cnn , this task's next of kin, was not raced" in words(report, "cnn_digits")
    report["tasks"]["cnn_digits"]["kin"] = ""
    page = pages(report)["cnn_digits.html"]
    assert "None of the bench's workloads is like this task" in page
    assert '<a href="peers.html">the page on other systems</a>' in page


def test_a_race_that_was_cut_short_shows_what_it_had(raced):
    raced["peers"] = entry(**torch((2 * MS, MS), (0.02, 9.0))) | {"status": "interrupted"}
    assert "The race did not come to its end; this is what it had found." in words(raced)
    del raced["peers"]["found"]
    assert "was not raced to an end" in words(raced)


def test_every_kin_is_a_workload_that_is_raced_and_says_in_what_it_is_unlike():
    assert set(RACES) <= WORKLOADS.keys()
    for task in TASKS.values():
        assert (task.kin in RACES and task.unlike.endswith(".")) or not (task.kin or task.unlike), task.name
    assert {task.kin for task in TASKS.values()} - {""} == set(RACES)


def test_a_run_races_in_what_is_kin_to_its_tasks():
    assert Plan([TASKS["rnn_text"], TASKS["newton"]], []).races == ("rnn",)
    assert Plan([TASKS["newton"]], []).races == RACES
    assert Plan([], []).races == RACES


def test_only_a_page_of_the_report_becomes_a_link():
    assert prose("see [a page](peers.html).") == 'see <a href="peers.html">a page</a>.'
    for text in ("x[0](y)", "[a](http://b.c/d.html)", "[a](../b.html)"):
        assert prose(text) == text
    assert prose("`x[0](y.html)`") == "<code>x[0](y.html)</code>"
