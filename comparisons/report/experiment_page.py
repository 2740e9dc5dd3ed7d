"""An experiment's page: its reading, and what is true of how it was measured."""

from __future__ import annotations

from collections.abc import Mapping

from comparisons.lab.dimensions import DIMENSIONS
from comparisons.lab.experiment import LEVELS, Experiment
from comparisons.report.page import Page, command, recounted, scatter
from comparisons.statistics.quantities import Json


def pages_of_experiments(report: Json, experiments: Mapping[str, Experiment]) -> list[Page]:
    """The experiments of a report in the order of their dimensions."""
    made = [_page(name, entry, report, experiments) for name, entry in report["experiments"].items()]
    return sorted(made, key=lambda page: [*DIMENSIONS].index(page.dimension.name))


def _page(name: str, entry: Json, report: Json, experiments: Mapping[str, Experiment]) -> Page:
    reading, trouble, sizes = None, "", ""
    if entry["status"] == "failed":
        trouble = f"This experiment failed. {entry['error']['type']}: {entry['error']['message']}"
    elif entry["status"] != "done":
        trouble = "This experiment was interrupted before it was finished."
    elif name not in experiments:
        trouble = "This version has no experiment of this name, so its evidence can not be read."
    else:
        try:
            reading = experiments[name].read(entry["found"])
            sizes = experiments[name].sizes(entry["found"])
        except (LookupError, TypeError, ValueError) as error:  # the evidence of another version
            trouble = f"Its evidence can not be read. {type(error).__name__}: {error}"
    return Page(
        name, entry["title"], entry["question"], DIMENSIONS[entry["dimension"]], reading, trouble,
        method=_method(entry, sizes), command=command(name, report),
    )  # fmt: skip


def _method(entry: Json, sizes: str) -> list[str]:
    """The level, how far what was timed scatters, and how often bytes were counted."""
    found = scatter(entry.get("found"))
    said = [sizes, LEVELS[entry["level"]], *found, *recounted(entry.get("found"))]
    return [sentence for sentence in said if sentence]
