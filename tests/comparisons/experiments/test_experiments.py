"""Laws of the experiments: each is quick, its evidence is JSON, its page is whole, and what the page
says follows the evidence."""

from __future__ import annotations

import copy
import json
import os
import re
import sys
import threading
from _lsprof import Profiler
from contextlib import contextmanager
from functools import cache, partial
from html import unescape
from types import CodeType
from typing import Any

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from comparisons.experiments import EXPERIMENTS
from comparisons.lab.blocks import Block, Pair
from comparisons.lab.context import Context
from comparisons.lab.dimensions import DIMENSIONS
from comparisons.lab.experiment import LEVELS, blurred, leveled, swapped
from comparisons.lab.reading import Reading
from comparisons.report.first_page.reasons import REASONS
from comparisons.report.look.prose import prose
from comparisons.report.page import by_size
from comparisons.report.pages import pages
from comparisons.statistics import effect as effects
from comparisons.statistics.effect import CLOSE
from comparisons.statistics.quantities import OTHER, PAIR, factor
from comparisons.statistics.spread import is_spread, resampled, spreads
from comparisons.statistics.tally import tally
from shared import nn
from tests.comparisons.evidence import kept

QUICK = 30.0
"""Seconds of the processor's time, of this process and those it starts, that a quick run may take:
a few on a quiet machine, which become ten times as many where other work has the caches."""

each = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda experiment: experiment.name)
alike = pytest.mark.parametrize(
    "experiment",
    [experiment for experiment in EXPERIMENTS.values() if experiment.doctor is swapped],
    ids=lambda experiment: experiment.name,
)


class Watched(Context):
    """A context that tells when something is timed; few rounds are, since times decide nothing here."""

    rounds = 3

    def __init__(self, listings: Listings) -> None:
        super().__init__()
        self.listings = listings

    def time(self, calls, rounds=None, at_least=0):
        with self.listings.timing():
            return super().time(calls, rounds, at_least=0)


@cache
def ran(name: str) -> tuple[str, float, Listings]:
    """The evidence of a quick run as JSON text, what it took, and what of its listings ran."""
    nn.manual_seed(0)
    run = EXPERIMENTS[name].run
    listings = Listings()
    context = Watched(listings)
    with pytest.MonkeyPatch.context() as patch, listings.recorded(run.__module__, patch), context.alone():
        before = sum(os.times()[:4])
        found = run(context)
        took = sum(os.times()[:4]) - before
    return json.dumps(found, allow_nan=False), took, listings


class Listings:
    """The functions that an experiment shows, and the code that ran, while it was timed or not: what a
    profiler in C has seen of this thread, and a trace function, which takes longer, of others."""

    def __init__(self) -> None:
        self.shown: list[Any] = []
        self._untimed, self._timed = (Profiler(subcalls=False, builtins=False) for _ in range(2))
        self._in_threads: set[CodeType] = set()

    @contextmanager
    def recorded(self, module, patch):
        for name in ("source_of", "attempt"):
            if (original := getattr(sys.modules[module], name, None)) is not None:
                patch.setattr(sys.modules[module], name, partial(self._shown, original))
        threading.settrace(self._trace)
        self._untimed.enable()
        try:
            yield
        finally:
            self._untimed.disable()
            threading.settrace(None)

    @contextmanager
    def timing(self):
        """What runs within is timed."""
        self._untimed.disable()
        self._timed.enable()
        try:
            yield
        finally:
            self._timed.disable()
            self._untimed.enable()

    @property
    def any_timed(self):
        return bool(self._timed.getstats())

    def _shown(self, original, function, *more):
        self.shown.append(function)
        return original(function, *more)

    def _trace(self, frame, event, arg):
        self._in_threads.add(frame.f_code)

    def ran(self, function, while_timed=False):
        """Whether a function, or one that is defined in it, has run."""
        codes = {entry.code for entry in self._timed.getstats()}
        if not while_timed:
            codes |= {entry.code for entry in self._untimed.getstats()} | self._in_threads
        return any(code in codes for code in _codes(function.__code__))


def _codes(code):
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def evidence(experiment):
    return kept(experiment.name, lambda: json.loads(ran(experiment.name)[0]))


def steadied(found):
    """A spread around the same median that is narrow, so that what it tells is resolved."""
    middle = found["median"]
    return {**found, "samples": [middle * (1 + 1e-4 * (i - 8)) for i in range(17)]}


def slowed(found, engine, below=False):
    """The evidence with all times of one engine ten times as long, so that noise decides nothing."""
    if isinstance(found, list):
        return [slowed(part, engine, below) for part in found]
    if not isinstance(found, dict):
        return found
    if is_spread(found):
        return resampled(steadied(found), lambda sample: 10 * sample if below else sample)
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
    text, took, _ = ran(experiment.name)
    assert json.dumps(json.loads(text)) == text
    assert took < QUICK


ELSEWHERE = {
    "where_tf2_went": "what is timed is the same step without its print",
    "ten_programs": "what is timed are the programs, each of which is shown as its whole file",
    "pruning": "the snippets build their model anew; what is timed is the call in them",
    "introspection": "an estimate is timed, and not the step that it is of",
}
"""Experiments whose times are of more, or less, than the listings beside them, and why."""
BY_TEXT = {
    "concepts": "the training loops of tasks are counted, and not shown",
    "late_shape_error": "what is shown runs as a script in an interpreter of its own",
    "errors_ahead": "what is shown runs as text, with one mistake put into it at a time",
    "swap_one": "what is shown runs as text, with one part swapped at a time",
}
"""Experiments of whose functions the text is run, or counted, and why."""


@each
def test_the_code_that_a_page_shows_is_the_code_that_ran_and_was_timed(experiment):
    """Each listing is of a function that ran in this run; and where calls are timed, of each engine some
    listing ran while they were."""
    _, _, listings = ran(experiment.name)
    for function in listings.shown if experiment.name not in BY_TEXT else ():
        assert listings.ran(function), f"{function.__name__} is shown, and did not run"
    if listings.any_timed and experiment.name not in ELSEWHERE:
        for engine in PAIR:
            ours = [function for function in listings.shown if engine in function.__name__]
            assert any(listings.ran(function, while_timed=True) for function in ours), engine


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
    for part in (reading.means, reading.otherwise, reading.threats):
        assert part
        assert not isinstance(part, str)
    for sentence in (reading.answer, *reading.means, *reading.otherwise, *reading.threats):
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
    for name in ("answer", "evidence", "means", "otherwise", "threats", "method"):
        assert len(re.sub(r"<[^>]*>|\s", "", parts[name])) > 30, name
    reading = experiment.read(evidence(experiment))
    text = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page)))
    for sentence in (reading.answer, *reading.means, *reading.otherwise, *reading.threats):
        assert re.sub(r"\s+", " ", sentence.replace("`", "")) in text
    assert f"python -m comparisons run {experiment.name}" in text
    assert experiment.sizes(evidence(experiment)) in text
    assert LEVELS[experiment.level].replace("`", "") in text
    timed = [spread for spread in spreads(evidence(experiment)) if spread["median"] > 0]
    assert ("widest middle half" in text) == bool(timed)
    charts = ("curves", "bars", "timeline")
    assert page.count("<figure>") == sum(block.kind in charts for block in reading.evidence)
    table, contents = re.search(
        r"(<table class=.glance.*?</table>).*(<section[^>]* id=.contents.*?</section>)", index, re.DOTALL
    ).groups()
    link = f'<a href="{experiment.name}.html">'
    assert (table.count(link), contents.count(link)) == (len(reading.verdicts), 1)


def rows_of(page):
    """The rows of a page's verdict table as text: title, dynamic, static, whether each is gilded."""
    table = re.search(r'<table class="glance.*?</table>', page, flags=re.DOTALL).group()
    found = {}
    for title, cells in re.findall(r'<th scope="row">(.*?)</th>\s*(.*?)</tr>', table, flags=re.DOTALL):
        title = re.sub(r"; this row decides", "", re.sub(r"<[^>]*>", "", title))
        texts = re.findall(r"<td( class=.ahead.)?>(.*?)</td>", cells)
        found[title] = [(gilded, re.sub(r"<[^>]*>", "", text)) for gilded, text in texts]
    return found


@each
def test_the_first_page_says_of_a_row_what_its_own_page_says(experiment):
    made = pages(report_of(experiment, evidence(experiment)))
    first, own = rows_of(made["index.html"]), rows_of(made[f"{experiment.name}.html"])
    assert own
    assert own.items() <= first.items()


def answers_of(index):
    """What the first page's table says to who chooses for each dimension: an engine or "either", and why."""
    found = {}
    for name, head in re.findall(r'<tbody id="(\w+)">\s*<tr class="group">(.*?)</tr>', index, re.DOTALL):
        _, *cells = re.findall(r"<t[hd].*?</t[hd]>", head, flags=re.DOTALL)
        ahead = [engine for engine, cell in zip(PAIR, cells, strict=False) if "ahead" in cell]
        found[name] = ahead[0] if ahead else "either", unescape(re.sub(r"<[^>]*>", "", head))
    return found


@pytest.mark.parametrize("name", [d.decider for d in DIMENSIONS.values() if d.decider in EXPERIMENTS])
def test_doctored_evidence_moves_the_first_page_too(name):
    """Turned round, the dimension is the other engine's; made equal, and blurred, it is either's."""
    experiment = EXPERIMENTS[name]
    found = slowed(evidence(experiment), "static")

    def chosen(found):
        return answers_of(pages(report_of(experiment, found))["index.html"])[experiment.dimension][0]

    before = chosen(found)
    assert before in PAIR
    assert chosen(swapped(found)) == OTHER[before]
    assert chosen(leveled(found)) == "either"
    row = experiment.read(found).verdicts[0]
    assert row.by_design is None  # either side could win it
    assert chosen(blurred(found)) == ("either" if row.said.startswith("n = ") else chosen(found))


BOTH = re.compile(
    r"([\d.,]+) (s|ms|µs|kB|MB|bytes)[^;:.]*? on dynamic(?: and|,) ([\d.,]+) (s|ms|µs|kB|MB|bytes)"
)
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "MB": 1e6, "kB": 1e3, "bytes": 1.0}
LEADS = re.compile(
    r"\b(dynamic|static) (?:is ahead|holds less|needs less|is the faster)|shorter on (dynamic|static)"
)


@each
def test_a_sentence_that_sets_two_figures_beside_each_other_names_the_smaller(experiment):
    reading = experiment.read(slowed(evidence(experiment), "static"))
    for sentence in (reading.answer, *reading.means):
        for part in re.split(r"[.;] ", sentence):
            pairs, leads = BOTH.findall(part), LEADS.findall(part)
            if len(pairs) == len(leads) == 1:
                (d, of_d, s, of_s), named = pairs[0], "".join(leads[0])
                on_dynamic, on_static = (
                    float(n.replace(",", "")) * UNITS[u] for n, u in ((d, of_d), (s, of_s))
                )
                assert named == ("dynamic" if on_dynamic < on_static else "static"), part


def test_two_pages_on_one_network_agree_on_its_memory():
    """Both look at the same deep network, in as many parts."""
    limit, plan = (evidence(EXPERIMENTS[name]) for name in ("memory_limit", "memory_plan"))
    plan = {at["parts"]: at["peak"]["bytes"] for at in plan["deep"]["parts"]}
    for at in limit["dynamic"]:
        assert at["peak"]["bytes"] == pytest.approx(plan[at["asked"]], rel=CLOSE)


def test_memory_is_said_to_be_less_for_the_plan_only_where_it_would_be_more_without():
    found = evidence(EXPERIMENTS["memory_plan"])
    one = found["models"][0]
    title, reason = one["title"], "Static writes over values"
    one["static"] = tally([0.8 * one["dynamic"]["bytes"]] * 3)
    for unplanned, by_plan in ((1.2, True), (1.0, True), (0.8, False)):
        one["unplanned"] = tally([unplanned * one["dynamic"]["bytes"]] * 3)
        means = EXPERIMENTS["memory_plan"].read(found).means
        said = [sentence for sentence in means if "static needs less" in sentence and title in sentence]
        assert [sentence.startswith(reason) for sentence in said] == [by_plan], unplanned


def test_what_the_first_page_says_of_sizes_is_what_one_page_found():
    overhead = EXPERIMENTS["overhead"]
    report = report_of(overhead, evidence(overhead))
    (sentence,) = by_size(report)
    assert prose(sentence) in pages(report)["index.html"]
    for at in evidence(overhead)["sizes"]:
        assert factor(at["dynamic"]["median"] / at["static"]["median"]) in sentence
    del report["experiments"]["overhead"]
    assert by_size(report) == []


def test_a_report_makes_no_more_comparisons_than_its_intervals_are_corrected_for(monkeypatch):
    compared = set()
    effect = effects.effect

    def counted(dynamic, static):
        compared.add((tuple(dynamic["samples"]), tuple(static["samples"])))
        return effect(dynamic, static)

    for module in [m for name, m in sys.modules.items() if name.startswith("comparisons.")]:
        if getattr(module, "effect", None) is effect:
            monkeypatch.setattr(module, "effect", counted)
    timing = [name for name, experiment in EXPERIMENTS.items() if any(spreads(evidence(experiment)))]
    for name in timing:
        EXPERIMENTS[name].read(evidence(EXPERIMENTS[name]))
    assert len(compared) <= effects.AT_ONCE - 10  # the tasks make some, too


ASKED = ("control_flow", "debugging", "speed", "memory", "deployment", "state", "gradients")


def test_the_first_page_says_which_to_choose_for_what_and_why():
    chosen = [next(e for e in EXPERIMENTS.values() if e.dimension == name) for name in ASKED]
    entries = [report_of(experiment, evidence(experiment))["experiments"] for experiment in chosen]
    report = report_of(chosen[0], {}) | {"experiments": {k: v for entry in entries for k, v in entry.items()}}
    made = pages(report)
    answers = answers_of(made["index.html"])
    assert answers.keys() >= {*ASKED}
    for name in ASKED:
        chosen, said = answers[name]
        either = ("No row of this is a race", "The row that decides")
        reasons = either if chosen == "either" else (REASONS[name][chosen],)
        assert any(why.replace("`", "") in said for why in reasons), name
    rows = re.findall(r'<tr class="decides">.*?</tr>', made["index.html"], flags=re.DOTALL)
    links = [re.search(r'href="(\w+)\.html"', row).group(1) for row in rows]
    assert {*links} == {DIMENSIONS[name].decider for name in ASKED} & report["experiments"].keys()


def leader(verdict):
    """The engine that has the better of a row, by what was measured or by design."""
    return verdict.ahead or verdict.by_design


def words(reading: Reading) -> dict[str, str]:
    return {
        "answer": reading.answer,
        "means": " ".join(reading.means),
        "otherwise": " ".join(reading.otherwise),
    }


@each
def test_doctored_evidence_makes_the_page_say_something_else(experiment):
    found = slowed(evidence(experiment), "static")
    before, after = experiment.read(found), experiment.read(experiment.doctor(found))
    assert list(after.verdicts) != list(before.verdicts)
    unmoved = [part for part, text in words(after).items() if text == words(before)[part]]
    leaders = [[leader(verdict) for verdict in reading.verdicts] for reading in (before, after)]
    assert unmoved == ([] if leaders[0] != leaders[1] else ["otherwise"] * ("otherwise" in unmoved))


@alike
@pytest.mark.parametrize("engine", PAIR)
def test_where_the_engines_change_places_so_do_those_ahead(experiment, engine):
    found = slowed(evidence(experiment), engine)
    leaders = [leader(verdict) for verdict in experiment.read(found).verdicts]
    assert any(leaders)
    changed = [leader(verdict) for verdict in experiment.read(swapped(found)).verdicts]
    assert changed == [each and OTHER[each] for each in leaders]


@alike
def test_where_the_engines_came_out_the_same_nobody_is_ahead(experiment):
    found = leveled(evidence(experiment))
    assert not any(leader(verdict) for verdict in experiment.read(found).verdicts)


CLAIMS = re.compile(
    r"\b(faster|slower|sooner|quicker|as fast|as slow|less time|more time|wins? it back|won it back|is ahead|"
    r"made up for|costs? more time|is shorter|are shorter)\b"
)
MUTED = re.compile(r"not resolved|not seen|whether|Whether|which of|unless|would|can |may ")


@pytest.mark.parametrize("experiment", [e for e in EXPERIMENTS.values() if e.level], ids=lambda e: e.name)
def test_where_nothing_that_was_timed_is_resolved_no_sentence_claims_a_time(experiment):
    """Medians as they were, their quartiles overlapping: every sentence on times is muted."""
    found = evidence(experiment)
    if not any(spreads(found)):
        pytest.skip("it times nothing")
    before, after = experiment.read(slowed(found, "static")), experiment.read(blurred(found))
    timed = [row for row in after.verdicts if row.said.startswith("n = ")]
    assert all(row.ahead is None and "not resolved" in row.said for row in timed)
    told = {*words(before)["answer"].split(". "), *before.means, *before.otherwise}
    exact = [row for row in after.verdicts if row.ahead and not row.said.startswith("n = ")]
    for sentence in (after.answer, *after.means, *after.otherwise):
        for part in re.split(r"[.;:] ", sentence):
            claimed = CLAIMS.search(part) and not MUTED.search(part)
            assert not claimed or (exact and part not in told), part


@each
def test_an_experiment_that_says_that_nothing_hangs_on_the_level_times_nothing(experiment):
    timed = any(spreads(evidence(experiment)))
    assert not timed or experiment.level


@each
def test_a_page_shows_no_session_of_another_level_than_it_says(experiment):
    """Where a page names one level, every session in its listings is of that level."""
    pairs = [block for block in experiment.read(evidence(experiment)).evidence if isinstance(block, Pair)]
    sessions = re.findall(r"Session\((.*?)\)", "".join(pair.static["code"] for pair in pairs))
    if experiment.level in ("exact", "fast"):
        assert {'optimize="exact"' in given for given in sessions} <= {experiment.level == "exact"}


def test_a_file_holds_the_experiment_of_its_name():
    for name, experiment in EXPERIMENTS.items():
        assert experiment.read.__module__ == f"comparisons.experiments.{name}"
    names = [experiment.name for experiment in EXPERIMENTS.values()]
    from comparisons.tasks import TASKS

    assert not {*names, "index"} & {*TASKS}
