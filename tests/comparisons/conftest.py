"""One short run for all tests that read a report."""

from __future__ import annotations

import copy
import os
import shutil

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


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright; a skip where one of them is missing."""
    driven = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed, so no page was tried in a browser"
    )
    names = "chromium", "chromium-browser", "google-chrome", "chrome"
    place = next(filter(None, map(shutil.which, names)), None)
    if place is None:
        pytest.skip("no Chromium on the PATH to try pages in")
    with driven.sync_playwright() as driver:
        # As root, which is who one is in a container, Chromium has no sandbox to offer.
        started = driver.chromium.launch(executable_path=place, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser, address):
    """Opens the page; afterwards nothing may have gone wrong in it, or been asked of a network."""
    opened, said, asked = [], [], []

    def go(size=(1280, 800), moment=None, **context):
        made = browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
        opened.append(made)
        page = made.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address + (f"#moment-{moment}" if moment else ""))
        return page

    yield go
    for context in opened:
        context.close()
    assert said == []
    assert {url.partition("#")[0] for url in asked} == {address}
