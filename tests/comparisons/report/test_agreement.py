"""Pages that speak of one figure agree: it comes from one record, and is rounded in one way."""

from __future__ import annotations

import re

import pytest

from comparisons.report.first_page.glance import glance
from comparisons.report.pages import pages_found
from comparisons.statistics.quantities import PAIR, seconds, size, within
from comparisons.statistics.spread import spread
from comparisons.statistics.tally import tally
from tests.comparisons.report.test_report import said


def told(verdict):
    return verdict.figures(), verdict.said, verdict.ahead, verdict.together


def test_a_row_of_the_first_page_has_the_figures_of_the_page_that_it_leads_to(report):
    """That of an experiment is the page's own (`test_experiments.py`); that of a task is made anew."""
    found = pages_found(report)
    rows = {page.file: page.reading.verdicts for page in found if page.reading and page.reading.verdicts}
    seen = set()
    for group in glance(report, found):
        for row in group.rows:
            assert told(row.verdict) in map(told, rows[row.link]), row.verdict.title
            seen.add(row.link)
    assert seen == rows.keys()


def a_time(record):
    return within(record["low"], record["high"], seconds)


def a_size(record):
    return size(record["bytes"])


FIGURES = {
    "a step": (("warm", "step"), a_time, spread([0.0123 + 0.0001 * i for i in range(17)])),
    "the first result": (("warm", "start"), a_time, spread([0.0456 + 0.0001 * i for i in range(17)])),
    "memory at its highest": (("memory", "peak"), a_size, tally([77_700_000] * 3)),
    "memory between steps": (("memory", "between"), a_size, tally([66_600_000] * 3)),
}
"""What is told of a task: where its record stands, how it is said, and another record."""


@pytest.mark.parametrize("engine", PAIR)
@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_of_a_task_comes_from_its_record_on_every_page(report, figure, engine):
    """Put another record in its place, and the old figure gives way to the new one wherever it stood."""
    (part, name), how, other = FIGURES[figure]
    records = report["tasks"]["cnn_digits"]["measure"]["engines"][engine][part]
    before = how(records[name])
    made = {page.file: said(report, page.file) for page in pages_found(report)}
    made["index.html"] = said(report, "index.html")
    records[name] = other
    for page in [page for page, text in made.items() if _stands(before, text)]:
        text = said(report, page)
        assert _stands(how(other), text) >= _stands(before, made[page]) - _stands(before, text) > 0, page


def _stands(figure, text):
    return len(re.findall(rf"(?<![\d.,]){re.escape(figure)}", text))
