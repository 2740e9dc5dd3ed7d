"""Which design to choose follows the rows that decide, and so does what is said of TensorFlow 2."""

from __future__ import annotations

import pytest

from comparisons.experiments import EXPERIMENTS
from comparisons.lab.dimensions import DIMENSIONS
from comparisons.lab.verdict import Verdict, by_design, counted, sized, timed, weighed
from comparisons.report.first_page.choice import choices
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


def test_a_figure_that_is_as_good_as_nothing_makes_no_factor():
    nothing, something = (
        sized(title, tally([small]), tally([large]))
        for title, small, large in (("gained", 3_000, 9_000_000), ("held", 1_000_000, 3_000_000))
    )
    assert (nothing.ahead, nothing.times, nothing.said) == ("dynamic", None, "counted once")
    assert (something.times, something.said) == (3, "counted once, 3.0 times")
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
    assert "static is ahead in speed" in text
    assert "dynamic is ahead in the first result and memory" in text
    assert "4.00 ms 3.92 to 4.08 ms 3.00 ms 2.94 to 3.06 ms" in text
    assert REASONS["speed"]["static"] in text
    doctored(report, step=(2 * MS, 5 * MS), start=(20 * MS, 6 * MS), peak=(3e6, 2e6))
    text = said(report, "index.html")
    assert "dynamic is ahead in speed" in text
    assert "static is ahead in the first result and memory" in text
    assert REASONS["speed"]["static"] not in text
    assert "n = 17, 2.5 times (2.4 to 2.6)" in text
    assert "speed is not decided" in said(doctored(report, width=0.5), "index.html")
