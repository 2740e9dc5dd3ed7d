"""The first screen: the finding, its chart and the three answers follow the rows of a run."""

from __future__ import annotations

import pytest

from comparisons.lab.dimensions import DIMENSIONS
from comparisons.lab.verdict import Verdict, by_design, counted
from comparisons.report.first_page.answers import READERS, answers
from comparisons.report.first_page.balance import balance
from comparisons.report.first_page.finding import headline, led
from comparisons.report.first_page.glance import Group, Row
from comparisons.report.look.panels import EDGE, FURTHEST, RIM, TICKS, place
from comparisons.statistics.quantities import OTHER, PAIR
from tests.comparisons.report.first_page.test_choice import group
from tests.comparisons.report.test_report import page


def test_a_row_stands_on_the_side_that_is_ahead_the_further_out_the_larger_its_factor():
    assert place(None, 3.0) == place("static", 1.0) == 50
    out = [place("static", times) for times in (1.1, *TICKS)]
    assert out == sorted(out) and len({*out}) == len(out)
    assert place("static", FURTHEST) == place("static", 50 * FURTHEST) == 50 + EDGE
    assert place("dynamic", 10.0) == 100 - place("static", 10.0)
    assert place("dynamic", None) == 50 - RIM


@pytest.mark.parametrize("engine", PAIR)
def test_the_chart_has_a_line_for_each_dimension_with_a_row_that_decides(engine):
    name = DIMENSIONS["speed"].decider
    twice = counted("the row", *((1, 2) if engine == "dynamic" else (2, 1)))
    other = by_design(Verdict("another", "runs", "is refused", OTHER[engine]))
    speed = Group(DIMENSIONS["speed"], [Row(other, "a.html"), Row(twice, f"{name}.html")])
    (line,) = balance([speed, Group(DIMENSIONS["construction"], [Row(other, "a.html")])])
    assert line.says == f"{engine}, 2.0 times"
    assert [(dot.side, dot.counts) for dot in line.dots] == [(OTHER[engine], False), (engine, True)]
    assert line.dots[1].x == place(engine, 2.0)
    assert "the row. dynamic: " in line.dots[1].says


def test_dots_in_one_place_stand_above_and_below_each_other():
    rows = [Row(Verdict(str(i), "runs", "is refused", "dynamic"), "parallel.html") for i in range(4)]
    (line,) = balance([Group(DIMENSIONS["concurrency"], rows)])
    assert sorted(dot.lift for dot in line.dots) == [-2, -1, 0, 1]


def test_the_finding_names_every_dimension_that_a_row_decides():
    groups = [group("writing", "dynamic"), group("speed", "static"), group("memory", None)]
    assert led(groups) == (
        "The design decides the rest: dynamic is ahead in writing a model; static is ahead in speed; memory "
        "is not decided."
    )
    assert led([group("speed", None)]) == "In no row that decides is either seen to be ahead."
    assert led([]) == ""


def test_the_title_says_that_the_bits_are_the_same_only_where_they_are(report):
    assert headline(report) == "Two designs, the same bits. So what differs?"
    assert f"<h1>{headline(report)}</h1>" in page(report)
    found = [task["verify"] for task in report["tasks"].values()]
    found[0]["tolerance"] = 1e-3
    assert headline(report) == "Two designs, the same numbers. So what differs?"
    found[1]["equal"] = False
    assert headline(report) == "Two designs, and not the same numbers."
    for task in report["tasks"].values():
        task["verify"] = None
    assert headline(report) == "Two designs, one set of ops. What differs?"


@pytest.mark.parametrize("engine", PAIR)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.dimensions[0])
def test_a_reader_is_told_what_more_of_three_rows_say_with_a_link_to_each(reader, engine):
    first, second, third = reader.dimensions

    def told(*leaders):
        groups = [group(name, leader) for name, leader in zip(reader.dimensions, leaders, strict=True)]
        (answer,) = answers(groups)
        deciders = [DIMENSIONS[name].decider for name in reader.dimensions]
        assert [row.link for row in answer.rows] == [f"{decider}.html" for decider in deciders]
        return answer.leader, answer.says

    assert told(engine, engine, engine) == (engine, reader.says[engine])
    leader, says = told(engine, OTHER[engine], engine)
    assert leader == engine and f"against it: {DIMENSIONS[second].title.lower()}" in says
    leader, says = told(None, None, engine)
    assert leader == engine and f"open: {DIMENSIONS[first].title.lower()} and " in says
    assert told(engine, OTHER[engine], None) == (None, reader.says[None])
    assert answers([group(first, engine), group(third, engine)]) == []
