"""One short run for all tests that read a report."""

from __future__ import annotations

import copy
import os

import pytest

from tests.comparisons import evidence

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")


@pytest.fixture(scope="session")
def _short_run(tmp_path_factory):
    from comparisons.experiments import EXPERIMENTS
    from comparisons.running.plan import Plan
    from comparisons.running.run import run
    from comparisons.running.watch import Watch
    from comparisons.tasks import TASKS

    plan = Plan([TASKS["cnn_digits"], TASKS["mlp_digits"]], [EXPERIMENTS["mistakes"]], steps=3)
    return run(plan, tmp_path_factory.mktemp("reports"), Watch())


@pytest.fixture(scope="session", autouse=True)
def _folder_of_evidence(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "evidence"
    folder.mkdir(exist_ok=True)
    evidence.FOLDER[:] = [folder]


@pytest.fixture(scope="session")
def _every_page(_short_run):
    """The pages of a run of all experiments, without their figures, which take long to draw."""
    from comparisons.book.recording import record as record_book
    from comparisons.experiments import EXPERIMENTS
    from comparisons.report.look import charts
    from comparisons.report.pages import pages
    from comparisons.report.tasks import page
    from comparisons.stepper.recording import record
    from tests.comparisons.experiments import test_experiments as experiments

    whole = copy.deepcopy(_short_run)
    for experiment in EXPERIMENTS.values():
        found = experiments.evidence(experiment)
        whole["experiments"] |= experiments.report_of(experiment, found)["experiments"]
    whole["stepper"] = {"status": "done", "found": evidence.kept("stepper", record)}
    whole["book"] = {"status": "done", "found": evidence.kept("book", record_book)}
    drawn = {"losses", "phases", "catching_up", "memory"}
    with pytest.MonkeyPatch.context() as patch:
        for module, names in ((page.figures, drawn), (charts, ("curves", "bars"))):
            for name in names:
                patch.setattr(module, name, lambda *_: '<svg viewBox="0 0 4 3"></svg>')
        return pages(whole)


@pytest.fixture
def every_page(_every_page):
    """By file name, as `make compare` makes them."""
    return dict(_every_page)


@pytest.fixture
def report(_short_run):
    """The report of three steps of two tasks on both engines: a copy to doctor."""
    return copy.deepcopy(_short_run)
