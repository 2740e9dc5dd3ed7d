"""Which design to choose follows the rows of a run, and so does what is said of TensorFlow 2."""

from __future__ import annotations

import pytest

from comparisons.lab.dimensions import DIMENSIONS
from comparisons.lab.verdict import Verdict, counted, sized, timed
from comparisons.report.first_page.choice import choices, furthest
from comparisons.report.first_page.glance import Group, Row
from comparisons.report.first_page.reasons import REASONS
from comparisons.report.first_page.tensorflow_2 import HANDS, MACHINE, ON_HANDS, ON_MACHINE, why_tensorflow_2
from comparisons.statistics.quantities import OTHER, PAIR
from tests.comparisons.report.test_report import MS, doctored, said, spread


def group(name, *leaders):
    """A dimension with a row for each of these leaders."""
    verdicts = [Verdict(f"row {i}", f"d{i}", f"s{i}", leader) for i, leader in enumerate(leaders)]
    return Group(DIMENSIONS[name], [Row(verdict, f"{i}.html") for i, verdict in enumerate(verdicts)])


@pytest.mark.parametrize("engine", PAIR)
@pytest.mark.parametrize("name", REASONS)
def test_the_engine_that_is_ahead_in_more_rows_is_chosen_for_its_own_reason(name, engine):
    (choice,) = choices([group(name, engine, OTHER[engine], engine, None)])
    assert choice.leader == engine
    assert choice.because == REASONS[name][engine]
    assert f"{engine} " in choice.said.lower()
    assert choice.said.endswith("of 4 rows.")
    assert choice.best.title == "row 0"
    assert choice.other.title == "row 1"
    assert choice.other.figures == "dynamic: d1; static: s1"


def test_where_the_rows_do_not_decide_neither_is_chosen():
    even, nothing = choices([group("speed", "dynamic", "static"), group("memory", None)])
    assert even.leader is None
    assert even.said == "Dynamic is ahead in 1 and static in 1 of 2 rows."
    assert "do not decide it" in even.because
    assert (even.best.link, even.other.link) == ("0.html", "1.html")
    assert nothing.said == "Neither is ahead in any of 1 row."
    assert nothing.because.startswith("Nothing that was found here")
    assert nothing.best is nothing.other is None


def test_the_row_with_the_largest_factor_is_the_one_that_is_named():
    figures = (("a", 1, 3), ("b", 1, 9), ("c", 20, 1), ("d", 0, 5))
    found = [Group(DIMENSIONS["writing"], [Row(counted(title, d, s), "") for title, d, s in figures])]
    assert furthest(found, "dynamic").title == "b"
    assert furthest(found, "dynamic").figures == "dynamic: 1; static: 9; a factor of 9.0"
    assert furthest(found, "static").title == "c"


def test_what_only_one_side_does_says_more_than_a_factor_below_ten():
    does = Verdict("a while on a value", "runs", "is refused", "dynamic")
    for times, named in ((9, "a while on a value"), (11, "lines")):
        found = [Group(DIMENSIONS["writing"], [Row(counted("lines", 1, times), ""), Row(does, "")])]
        assert furthest(found, "dynamic").title == named


def test_a_figure_that_is_as_good_as_nothing_makes_no_factor():
    nothing, something = sized("gained", 3_000, 9_000_000), sized("held", 1_000_000, 3_000_000)
    found = [Group(DIMENSIONS["memory"], [Row(nothing, ""), Row(something, "")])]
    assert nothing.ahead == "dynamic"
    assert furthest(found, "dynamic").title == "held"
    assert furthest(found[:1], "dynamic").figures.endswith("a factor of 3.0")
    (alone,) = (furthest([Group(DIMENSIONS["memory"], [Row(nothing, "")])], "dynamic"),)
    assert alone.figures == "dynamic: 3.00 kB; static: 9.00 MB"
    near = {"median": 1e-6, "low": 0.2e-6, "high": 1.9e-6, "count": 9}
    assert timed("a wait", near, spread(1.0)).times is None
    assert timed("a step", spread(0.5), spread(1.0)).times == 2


def test_every_dimension_that_is_a_reason_to_choose_has_reasons_for_both():
    assert DIMENSIONS.keys() - REASONS.keys() == {"book"}
    assert {*HANDS, *MACHINE} <= REASONS.keys()
    for reasons in REASONS.values():
        assert reasons.keys() == {*PAIR}


@pytest.mark.parametrize("hands", [*PAIR, None])
@pytest.mark.parametrize("machine", [*PAIR, None])
def test_what_is_said_of_tensorflow_2_follows_both_halves(hands, machine):
    turn = why_tensorflow_2([group("writing", hands, hands), group("state", None), group("speed", machine)])
    assert ON_HANDS[hands] in turn.says[0]
    assert ON_MACHINE[machine] in turn.says[1]
    many = {engine: 2 * (engine == hands) for engine in PAIR}
    assert f"dynamic is ahead in {many['dynamic']} and static in {many['static']} of 3 rows" in turn.says[0]
    assert len(turn.rows) == (hands == "dynamic") + (machine == "static")


def test_where_a_half_is_missing_nothing_is_claimed_of_tensorflow_2():
    assert why_tensorflow_2([group("writing", "dynamic")]) is None
    assert why_tensorflow_2([group("speed", "static")]) is None


def test_the_first_page_chooses_by_the_figures_of_its_run(report):
    text = said(doctored(report), "index.html")
    assert "Speed : static" in text
    assert "The first result : dynamic" in text
    assert "CNN: a step (dynamic: 4.00 ms; static: 3.00 ms)" in text
    assert REASONS["speed"]["static"] in text
    doctored(report, step=(2 * MS, 5 * MS), start=(20 * MS, 6 * MS), peak=(3e6, 2e6))
    text = said(report, "index.html")
    assert "Speed : dynamic" in text
    assert "The first result : static" in text
    assert "Memory : static" in text
    assert REASONS["speed"]["static"] not in text
    assert "(dynamic: 2.00 ms; static: 5.00 ms; a factor of 2.5)" in text
    assert "Speed : either" in said(doctored(report, width=0.5), "index.html")
