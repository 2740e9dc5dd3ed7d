"""One short run for all tests that read a report."""

from __future__ import annotations

import copy

import pytest

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


@pytest.fixture
def report(_short_run):
    """The report of three steps of two tasks on both engines: a copy to doctor."""
    return copy.deepcopy(_short_run)
