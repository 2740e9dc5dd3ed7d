"""Laws of the experiments: each is quick, its evidence is JSON, its page is whole, and what the page
says follows the evidence."""

from __future__ import annotations

import copy
import json
import os
import re
from functools import cache
from html import unescape

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from comparisons.experiments import EXPERIMENTS
from comparisons.lab.blocks import Block, Pair
from comparisons.lab.context import Context
from comparisons.lab.experiment import LEVELS, leveled, swapped
from comparisons.lab.reading import Reading
from comparisons.report.first_page.reasons import REASONS
from comparisons.report.page import EVERYWHERE, spreads
from comparisons.report.pages import pages
from comparisons.statistics.quantities import OTHER, PAIR
from shared import nn

QUICK = 30.0
"""Seconds of the processor's time, of this process and those it starts, that a quick run may take:
a few on a quiet machine, which become ten times as many where other work has the caches."""

each = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda experiment: experiment.name)
alike = pytest.mark.parametrize(
    "experiment",
    [experiment for experiment in EXPERIMENTS.values() if experiment.doctor is swapped],
    ids=lambda experiment: experiment.name,
)


@cache
def ran(name: str) -> tuple[str, float]:
    """The evidence of a quick run as JSON text, and what it took."""
    nn.manual_seed(0)
    before = sum(os.times()[:4])
    found = EXPERIMENTS[name].run(Context())
    return json.dumps(found, allow_nan=False), sum(os.times()[:4]) - before


def evidence(experiment):
    return json.loads(ran(experiment.name)[0])


def slowed(found, engine, below=False):
    """The evidence with all times of one engine ten times as long, so that noise decides nothing."""
    if isinstance(found, list):
        return [slowed(part, engine, below) for part in found]
    if not isinstance(found, dict):
        return found
    if below and {"median", "low", "high", "count"} == found.keys():
        return {key: value if key == "count" else 10 * value for key, value in found.items()}
    return {key: slowed(part, engine, below or key == engine) for key, part in found.items()}


def report_of(experiment, found):
    """A report of this experiment alone."""
    entry = {
        "title": experiment.title, "question": experiment.question, "dimension": experiment.dimension,
        "level": experiment.level, "status": "done", "found": found,
    }  # fmt: skip
    host = {
        "processor": "p", "cores": 2, "memory": None, "system": "s", "python": "3", "packages": {},
        "blas": {"name": "b", "version": ""}, "threads": {}, "settled_first": True, "load": 0.0,
    }  # fmt: skip
    return {
        "status": "complete", "made": "2026-01-01T00:00:00+00:00", "command": "c", "engines": [*PAIR],
        "seed": 0, "full": False, "seconds": 1.0, "host": host, "planned": [experiment.name],
        "loops": {}, "tasks": {}, "experiments": {experiment.name: entry},
    }  # fmt: skip


@each
def test_an_experiment_runs_quickly_and_its_evidence_is_json(experiment):
    text, took = ran(experiment.name)
    assert json.dumps(json.loads(text)) == text
    assert took < QUICK


@each
def test_a_reading_says_something_under_every_heading(experiment):
    reading = experiment.read(evidence(experiment))
    assert experiment.question.endswith("?")
    assert 1 <= len(reading.verdicts) <= 3
    for verdict in reading.verdicts:
        assert verdict.ahead in (None, *PAIR)
        assert all(0 < len(cell) <= 60 for cell in (verdict.title, verdict.dynamic, verdict.static))
    assert any(isinstance(block, Pair) for block in reading.evidence)
    assert all(isinstance(block, Block) and block.title for block in reading.evidence)
    for part in (reading.happened, reading.means, reading.otherwise, reading.threats):
        assert part
        assert not isinstance(part, str)
    for sentence in (reading.answer, *reading.happened, *reading.means, *reading.otherwise, *reading.threats):
        assert re.search(r"^[^a-z].*[.?]$", sentence, flags=re.DOTALL), sentence


@each
def test_a_reading_changes_no_evidence_and_is_the_same_every_time(experiment):
    found = evidence(experiment)
    before = copy.deepcopy(found)
    assert experiment.read(found) == experiment.read(found)
    experiment.doctor(found)
    assert found == before


@each
def test_a_page_holds_every_section_and_the_first_page_links_to_it(experiment):
    made = pages(report_of(experiment, evidence(experiment)))
    page, index = made[f"{experiment.name}.html"], made["index.html"]
    parts = dict(re.findall(r'id="(\w+)">(.*?)</section>', page, flags=re.DOTALL))
    for name in ("answer", "happened", "evidence", "means", "otherwise", "threats", "method"):
        assert len(re.sub(r"<[^>]*>|\s", "", parts[name])) > 30, name
    reading = experiment.read(evidence(experiment))
    text = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page)))
    for sentence in (reading.answer, *reading.happened, *reading.means, *reading.otherwise, *reading.threats):
        assert re.sub(r"\s+", " ", sentence.replace("`", "")) in text
    assert f"python -m comparisons run {experiment.name}" in text
    assert all(threat in text for threat in EVERYWHERE)
    assert LEVELS[experiment.level].replace("`", "") in text
    timed = [spread for spread in spreads(evidence(experiment)) if spread["median"] > 0]
    assert ("Between the quartiles" if timed else "Nothing is timed here.") in text
    assert page.count("<figure>") == sum(block.kind in ("curves", "bars") for block in reading.evidence)
    table, contents = re.search(
        r"(<table.*?</table>).*(<section[^>]* id=.contents.*?</section>)", index, flags=re.DOTALL
    ).groups()
    link = f'<a href="{experiment.name}.html">'
    assert (table.count(link), contents.count(link)) == (len(reading.verdicts), 1)


ASKED = ("control_flow", "debugging", "speed", "memory", "deployment", "state", "gradients")


def test_the_first_page_says_which_to_choose_for_what_and_why_with_a_figure_and_a_link():
    chosen = [next(e for e in EXPERIMENTS.values() if e.dimension == name) for name in ASKED]
    entries = [report_of(experiment, evidence(experiment))["experiments"] for experiment in chosen]
    report = report_of(chosen[0], {}) | {"experiments": {k: v for entry in entries for k, v in entry.items()}}
    made = pages(report)
    section = re.search(r'<section[^>]* id="choice">(.*?)</section>', made["index.html"], re.DOTALL).group(1)
    answers = dict(re.findall(r'<dt><a href="#(\w+)">(.*?)</dd>', section, flags=re.DOTALL))
    assert answers.keys() >= {*ASKED}
    for name in ASKED:
        said = unescape(re.sub(r"<[^>]*>", "", answers[name]))
        assert re.search(r": (dynamic|static|either)\s", said), name
        reasons = (*REASONS[name].values(), "do not decide it", "Nothing that was found here")
        assert any(why.replace("`", "") in said for why in reasons), name
        figures = re.findall(r'<a href="(\w+\.html)">[^<]+</a> \(dynamic: [^)]+; static: ', answers[name])
        assert figures, name
        assert {*figures} <= made.keys()


def words(reading: Reading) -> dict[str, str]:
    return {
        "answer": reading.answer,
        "happened": " ".join(reading.happened),
        "means": " ".join(reading.means),
        "otherwise": " ".join(reading.otherwise),
    }


@each
def test_doctored_evidence_makes_the_page_say_something_else(experiment):
    found = slowed(evidence(experiment), "static")
    before, after = experiment.read(found), experiment.read(experiment.doctor(found))
    assert list(after.verdicts) != list(before.verdicts)
    unmoved = [part for part, text in words(after).items() if text == words(before)[part]]
    leaders = [[verdict.ahead for verdict in reading.verdicts] for reading in (before, after)]
    assert unmoved == ([] if leaders[0] != leaders[1] else ["otherwise"] * ("otherwise" in unmoved))


@alike
@pytest.mark.parametrize("engine", PAIR)
def test_where_the_engines_change_places_so_do_those_ahead(experiment, engine):
    found = slowed(evidence(experiment), engine)
    leaders = [verdict.ahead for verdict in experiment.read(found).verdicts]
    assert any(leaders)
    changed = [verdict.ahead for verdict in experiment.read(swapped(found)).verdicts]
    assert changed == [leader and OTHER[leader] for leader in leaders]


@alike
def test_where_the_engines_came_out_the_same_nobody_is_ahead(experiment):
    found = leveled(evidence(experiment))
    assert not any(verdict.ahead for verdict in experiment.read(found).verdicts)


@each
def test_an_experiment_that_says_that_nothing_hangs_on_the_level_times_nothing(experiment):
    timed = any(spreads(evidence(experiment)))
    assert not timed or experiment.level


def test_a_file_holds_the_experiment_of_its_name():
    for name, experiment in EXPERIMENTS.items():
        assert experiment.read.__module__ == f"comparisons.experiments.{name}"
    names = [experiment.name for experiment in EXPERIMENTS.values()]
    from comparisons.tasks import TASKS

    assert not {*names, "index"} & {*TASKS}
