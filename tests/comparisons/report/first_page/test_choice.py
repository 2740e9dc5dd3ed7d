"""Which design to choose follows the rows that decide, and so does what is said of TensorFlow 2."""

from __future__ import annotations

import pytest

from comparisons.experiments import EXPERIMENTS
from comparisons.lab.dimensions import DIMENSIONS
from comparisons.lab.verdict import Verdict, by_design, counted, sized, timed, weighed
from comparisons.report.first_page.choice import choices, furthest
from comparisons.report.first_page.glance import Group, Row
from comparisons.report.first_page.reasons import REASONS
from comparisons.report.first_page.tensorflow_2 import HANDS, MACHINE, ON_HANDS, ON_MACHINE, why_tensorflow_2
from comparisons.statistics.quantities import OTHER, PAIR
from comparisons.statistics.tally import tally
from comparisons.tasks import TASKS
from tests.comparisons.report.test_report import MS, doctored, said, spread

DECIDED = [name for name in REASONS if DIMENSIONS[name].decider]


def group(name, decided, *others):
    """A dimension whose deciding row is led by `decided`, and rows of other pages for `others`."""
    dimension = DIMENSIONS[name]
    rows = [Row(Verdict("the row", "d", "s", decided), f"{dimension.decider}.html")]
    return Group(dimension, [
        *(Row(Verdict(f"row {i}", f"d{i}", f"s{i}", leader), f"{i}.html") for i, leader in enumerate(others)),
        *rows,
    ])  # fmt: skip


@pytest.mark.parametrize("engine", PAIR)
@pytest.mark.parametrize("name", DECIDED)
def test_the_engine_that_is_ahead_in_the_row_that_decides_is_chosen_whatever_the_others_say(name, engine):
    (choice,) = choices([group(name, engine, OTHER[engine], OTHER[engine], None)])
    assert choice.leader == engine
    assert choice.because == REASONS[name][engine]
    (decided, row), (other, against) = choice.rows
    assert (decided, row.title, row.link) == ("Decided by", "the row", f"{DIMENSIONS[name].decider}.html")
    assert (other, against.title) == ("For the other", "row 0")


def test_where_that_row_does_not_decide_the_answer_is_either():
    same = group("writing", None, "dynamic", "static")
    noisy = Group(
        DIMENSIONS["speed"], [Row(timed("t", spread(1.0, 0.5), spread(1.2, 0.5)), "cnn_digits.html")]
    )
    gone = Group(DIMENSIONS["memory"], [Row(weighed("m", 1_000_000, 2_000_000), "memory_limit.html")])
    none = Group(DIMENSIONS["construction"], [Row(counted("n", 1, 2), "ops_in_loop.html")])
    found = choices([same, none, noisy, gone])
    assert [choice.leader for choice in found] == [None] * 4
    for choice, words in zip(
        found,
        ("comes out the same", "No row of this is a race", "not resolved", "not in this run"),
        strict=True,
    ):
        assert words in choice.because
    assert [called for called, _ in found[0].rows] == ["Decided by", "For dynamic", "For static"]


def test_every_dimension_has_a_row_that_decides_and_that_either_side_could_win_or_none():
    for dimension in DIMENSIONS.values():
        assert dimension.decider in ("", *TASKS, *EXPERIMENTS), dimension.name
        if dimension.decider in EXPERIMENTS:
            assert EXPERIMENTS[dimension.decider].dimension == dimension.name


def test_what_one_side_has_by_design_is_no_race():
    row = by_design(Verdict("a while on a value", "runs", "is refused", "dynamic"))
    assert (row.ahead, row.by_design) == (None, "dynamic")
    with pytest.raises(ValueError, match="is no race"):
        Verdict("t", "a", "b", "static", by_design="static")


def test_the_row_with_the_largest_factor_is_the_one_that_is_named():
    figures = (("a", 1, 3), ("b", 1, 9), ("c", 20, 1), ("d", 0, 5))
    found = [Group(DIMENSIONS["writing"], [Row(counted(title, d, s), "") for title, d, s in figures])]
    assert furthest(found, "dynamic").title == "b"
    assert furthest(found, "dynamic").figures == "dynamic: 1; static: 9"
    assert furthest(found, "static").title == "c"


def test_what_only_one_side_does_says_more_than_a_factor_below_ten():
    does = by_design(Verdict("a while on a value", "runs", "is refused", "dynamic"))
    for times, named in ((9, "a while on a value"), (11, "lines")):
        found = [Group(DIMENSIONS["writing"], [Row(counted("lines", 1, times), ""), Row(does, "")])]
        assert furthest(found, "dynamic").title == named


def test_a_figure_that_is_as_good_as_nothing_makes_no_factor():
    nothing, something = (
        sized(title, tally([small]), tally([large]))
        for title, small, large in (("gained", 3_000, 9_000_000), ("held", 1_000_000, 3_000_000))
    )
    found = [Group(DIMENSIONS["memory"], [Row(nothing, ""), Row(something, "")])]
    assert nothing.ahead == "dynamic"
    assert furthest(found, "dynamic").title == "held"
    assert furthest(found, "dynamic").figures.endswith("counted once, 3.0 times")
    alone = furthest([Group(DIMENSIONS["memory"], [Row(nothing, "")])], "dynamic")
    assert alone.figures == "dynamic: 3.00 kB; static: 9.00 MB; counted once"
    assert timed("a wait", spread(1e-6, 0.9), spread(1.0)).times is None
    assert timed("a step", spread(0.5), spread(1.0)).times == 2


def test_every_dimension_that_is_a_reason_to_choose_has_reasons_for_both():
    assert DIMENSIONS.keys() - REASONS.keys() == {"book", "bridge"}
    assert {*HANDS, *MACHINE} <= REASONS.keys()
    for reasons in REASONS.values():
        assert reasons.keys() == {*PAIR}


@pytest.mark.parametrize("hands", [*PAIR, None])
@pytest.mark.parametrize("machine", [*PAIR, None])
def test_what_is_said_of_tensorflow_2_follows_the_rows_that_decide_both_halves(hands, machine):
    first, second, _ = why_tensorflow_2(
        [group("writing", hands, "dynamic"), group("state", hands), group("speed", machine, "static")]
    )
    assert ON_HANDS[hands] in first
    assert ON_MACHINE[machine] in second
    assert (f"{hands} is ahead in writing a model and state" in first) == (hands is not None)
    undecided = Group(DIMENSIONS["construction"], [])
    first, *_ = why_tensorflow_2([undecided, group("state", hands), group("speed", machine)])
    assert "building the graph" not in first
    split, *_ = why_tensorflow_2(
        [group("writing", "dynamic"), group("state", "static"), group("speed", None)]
    )
    assert ON_HANDS[None] in split


def test_where_a_half_is_missing_nothing_is_claimed_of_tensorflow_2():
    assert why_tensorflow_2([group("writing", "dynamic")]) == []
    assert why_tensorflow_2([group("speed", "static")]) == []


def test_the_first_page_chooses_by_the_figures_of_its_run(report):
    text = said(doctored(report), "index.html")
    assert "Speed : static" in text
    assert "The first result : dynamic" in text
    assert (
        "CNN: a step (dynamic: 4.00 ms (3.92 to 4.08 ms); static: 3.00 ms (2.94 to 3.06 ms); n = 17" in text
    )
    assert REASONS["speed"]["static"] in text
    doctored(report, step=(2 * MS, 5 * MS), start=(20 * MS, 6 * MS), peak=(3e6, 2e6))
    text = said(report, "index.html")
    assert "Speed : dynamic" in text
    assert "The first result : static" in text
    assert "Memory : static" in text
    assert REASONS["speed"]["static"] not in text
    assert "n = 17, 2.5 times (2.4 to 2.6)" in text
    assert "Speed : either" in said(doctored(report, width=0.5), "index.html")
