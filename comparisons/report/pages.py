"""The pages of one run, from its numbers: index.html, and one for each task and experiment, the stepper's
and the book's. Each is a file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparisons.book import STAGES
from comparisons.report.book.page import draw_book
from comparisons.report.experiment_page import pages_of_experiments
from comparisons.report.first_page import caveats, host, opening
from comparisons.report.first_page.answers import answers
from comparisons.report.first_page.balance import balance
from comparisons.report.first_page.choice import choices
from comparisons.report.first_page.finding import headline, led
from comparisons.report.first_page.further import FURTHER
from comparisons.report.first_page.glance import glance
from comparisons.report.first_page.tensorflow_2 import why_tensorflow_2
from comparisons.report.glossary import GLOSSARY
from comparisons.report.look import charts
from comparisons.report.look.legend import legend
from comparisons.report.look.pairs import plain_rows, sides
from comparisons.report.look.panels import ticks
from comparisons.report.look.preview import preview
from comparisons.report.look.prose import prose
from comparisons.report.page import Page
from comparisons.report.peers.page import PEERS, page_of_peers
from comparisons.report.stepper.page import draw_stepper
from comparisons.report.tasks.page import pages_of_tasks
from comparisons.statistics import quantities
from comparisons.statistics.effect import AT_ONCE, ERROR, LEAST
from comparisons.statistics.quantities import percent
from shared.durable import files

if TYPE_CHECKING:
    from jinja2 import Environment

INDEX = "index.html"
CAPTION = "a gilded dot marks the side that is ahead, where that is resolved"
THE_TABLE = (
    "Exact rows are counted; the others are of this machine, or recorded on another. Below a time stand its "
    f"quartiles, the number of samples, and the factor with an interval: all of {AT_ONCE} hold together in "
    f"{percent(1 - ERROR)} of runs. A factor is not resolved if its interval holds 1, quartiles overlap, or "
    f"samples are fewer than {LEAST}. What one side has by design is no race."
)
"""How the table at a glance is to be read."""
BALANCE = (
    "Each dot is a row of the table below, the large one the row that decides. Further out: a larger "
    "factor; at the rim: what only one side does; on the hinge: equal, or not resolved."
)
"""How the chart that opens the first page is to be read."""
STEPPER = "stepper.html"
PREVIEW = "preview.png"

_TEMPLATES = Path(__file__).with_name("templates")


def draw(report: Mapping[str, Any], folder: Path) -> Path:
    """Write all pages into `folder`; gives the path of the first.

    Pages that an earlier run left there, and that are not of this one, are removed.
    """
    from comparisons.experiments import EXPERIMENTS
    from comparisons.tasks import TASKS

    folder.mkdir(parents=True, exist_ok=True)
    made = pages(report)
    for name, text in made.items():
        files.write(folder / name, text, "report")
    lines = balance(glance(report, pages_found(report)))
    files.write(folder / PREVIEW, preview(headline(report), lines), "report")
    known = (*TASKS, *EXPERIMENTS, *STAGES, "peers")
    for name in (STEPPER, *(f"{name}.html" for name in known)):
        if name not in made:
            (folder / name).unlink(missing_ok=True)
    return folder / INDEX


def pages(report: Mapping[str, Any]) -> dict[str, str]:
    """All pages as text, by file name."""
    found = pages_found(report)
    stepper, no_stepper = _played(report, "stepper", lambda found: {STEPPER: draw_stepper(found)})
    book, no_book = _played(report, "book", draw_book)
    troubles = {"The page that plays one training step": no_stepper, "The book": no_book}
    made = {INDEX: _index(report, found, {**stepper, **book}, troubles), **stepper, **book}
    template = _environment().get_template("experiment.html")
    for before, page, after in zip([None, *found], found, [*found[1:], None], strict=False):
        made[page.file] = template.render(page=page, before=before, after=after)
    return made


def pages_found(report: Mapping[str, Any]) -> list[Page]:
    """What there is a page for, beside the first one and the stepper's, in order."""
    from comparisons.experiments import EXPERIMENTS

    found = [*pages_of_tasks(report), *pages_of_experiments(report, EXPERIMENTS)]
    peers = page_of_peers(report)
    return found if peers is None else [*found, peers]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "seconds": quantities.seconds, "number": quantities.number, "prose": prose,
    }  # fmt: skip
    made.globals |= {
        "caption": CAPTION,
        "PREVIEW": PREVIEW,
        "style": (_TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "charts": charts,
        "graph": graph,
        "legend": legend,
        "ticks": ticks(),
        "rows": plain_rows,
        "sides": sides,
    }
    return made


def _played(
    report: Mapping[str, Any], name: str, draw: Callable[[Any], dict[str, str]]
) -> tuple[dict[str, str], str]:
    """The pages of a recording by file name, if it was made; else why not, where it was asked for."""
    entry = report.get(name)
    if entry is None:
        return {}, ""
    if entry["status"] == "failed":
        return {}, f"It could not be recorded. {entry['error']['type']}: {entry['error']['message']}"
    if entry["status"] != "done":
        return {}, "It was interrupted before it was recorded."
    try:
        return draw(entry["found"]), ""
    except RuntimeError as error:  # there is no Graphviz
        return {}, f"It was recorded, and can not be drawn: {error}."
    except (LookupError, TypeError, ValueError) as error:  # the evidence of another version
        return {}, f"Its recording can not be read. {type(error).__name__}: {error}"


def _index(
    report: Mapping[str, Any], found: list[Page], played: Container[str], troubles: Mapping[str, str]
) -> str:
    from comparisons.tasks import TASKS

    groups, said = glance(report, found), opening.opening(report)
    return _environment().get_template("index.html").render(
        report=report,
        stepper=STEPPER if STEPPER in played else None,
        book=[(f"{name}.html", title) for name, title in STAGES.items() if f"{name}.html" in played],
        troubles=troubles,
        contents=[(key, [*group]) for key, group in groupby(found, lambda page: page.dimension)],
        headline=headline(report),
        finding=said[0],
        led=led(groups),
        balance=balance(groups),
        BALANCE=BALANCE,
        answers=answers(groups),
        reading_the_table=THE_TABLE,
        choices=choices(groups),
        elsewhere=next((page for page in found if page.name == PEERS.name and page.reading), None),
        tensorflow_2=why_tensorflow_2(groups),
        size_of_run=opening.size_of_run(report, TASKS),
        interrupted=opening.interrupted(report),
        opening=said[1:],
        caveats=caveats.caveats(report),
        machine=host.facts(report["host"]),
        FURTHER=FURTHER,
        GLOSSARY=GLOSSARY,
    )


READABLE = 1.25
"""Pixels for each point of a drawing, in whose width Graphviz counts, below which its words are too small."""


def graph(svg: str, name: str) -> str:
    """A drawn graph as an element of the page, its ids apart from those of other graphs; one that is
    wider than its place shrinks, but no further than one can read."""
    svg = svg[svg.index("<svg") :]
    if width := re.match(r'<svg[^>]*? width="([\d.]+)pt"', svg):
        svg = f'<svg style="min-width: {READABLE * float(width[1]):.0f}px"{svg[4:]}'
    return svg.replace('id="', f'id="{name}-')
