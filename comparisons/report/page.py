"""The pages of one run, from its numbers: index.html, and one for each experiment. Each is a file that
needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparisons import quantities
from comparisons.report import charts, figures, listing, on_code, on_experiment, on_run, on_task
from comparisons.report.shown import shown
from comparisons.results import write_whole

if TYPE_CHECKING:
    from jinja2 import Environment

INDEX = "index.html"
STEPPER = "stepper.html"

MANY = 4
"""A page of more tasks than this shows their graphs and programs only when asked to."""

BEFORE = ("import_engine", "build", "compile", "first_step")

PHASES = (
    ("build", "build", "making the model; on static also describing the computation and its gradients"),
    ("compile", "compile", "static turns the part of the graph that a step needs into a Python program"),
    ("first_step", "first step", "the first step, which also fills caches"),
    ("step", "later steps", "every step after that"),
)

GLOSSARY = (
    ("bit for bit", "The same floating-point numbers down to the last bit, not merely close."),
    ("define-by-run", "The computation is whatever the program does; the graph is recorded on the way."),
    ("define-and-run", "The graph is described first, as data; running it is a second, separate act."),
    ("tape", "Dynamic's record of the ops behind a value, which backward() walks from its end."),
    ("placeholder", "In static, an input without a value: each run is fed one."),
    ("session", "What runs a static graph, and holds the values of its variables between runs."),
    ("fetch, feed", "What a run is asked for, and the arrays that it is given."),
    ("kernel", "The function on raw arrays that does an op's arithmetic; both engines call the same ones."),
    ("quartiles", "A quarter of the measured values lies below the lower, a quarter above the upper."),
)

_TEMPLATES = Path(__file__).with_name("templates")


def draw(report: Mapping[str, Any], folder: Path) -> Path:
    """Write index.html, a page for each experiment and the stepper's into `folder`; gives the path of
    the first.

    Pages that an earlier run left there, and that are not of this one, are removed.
    """
    from comparisons.experiments import EXPERIMENTS

    folder.mkdir(parents=True, exist_ok=True)
    made = pages(report)
    for name, text in made.items():
        write_whole(folder / name, text)
    for name in (STEPPER, *(f"{name}.html" for name in EXPERIMENTS)):
        if name not in made:
            (folder / name).unlink(missing_ok=True)
    return folder / INDEX


def pages(report: Mapping[str, Any]) -> dict[str, str]:
    """All pages as text, by file name."""
    from comparisons.experiments import EXPERIMENTS

    found = on_experiment.pages_of(report, EXPERIMENTS)
    stepper, trouble = _stepper(report)
    made = {INDEX: _index(report, found, stepper is not None, trouble)}
    if stepper is not None:
        made[STEPPER] = stepper
    template = _environment().get_template("experiment.html")
    neighbours = zip([None, *found], found, [*found[1:], None], strict=False)
    for before, page, after in neighbours:
        made[page.file] = template.render(page=page, before=before, after=after)
    return made


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "seconds": quantities.seconds, "number": quantities.number, "prose": on_experiment.prose,
    }  # fmt: skip
    made.globals |= {
        "style": (_TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "charts": charts,
        "graph": graph,
        "rows": on_experiment.plain_rows,
        "sides": on_experiment.sides,
    }
    return made


def _stepper(report: Mapping[str, Any]) -> tuple[str | None, str]:
    """The stepper's page, if its step was recorded; else why not, where it was asked for."""
    from comparisons.stepper import draw_stepper

    entry = report.get("stepper")
    if entry is None:
        return None, ""
    if entry["status"] == "failed":
        return None, f"It could not be recorded. {entry['error']['type']}: {entry['error']['message']}"
    if entry["status"] != "done":
        return None, "It was interrupted before it was recorded."
    try:
        return draw_stepper(entry["found"]), ""
    except RuntimeError as error:  # there is no Graphviz
        return None, f"It was recorded, and can not be drawn: {error}."
    except (LookupError, TypeError, ValueError) as error:  # the evidence of another version
        return None, f"Its recording can not be read. {type(error).__name__}: {error}"


def _index(
    report: Mapping[str, Any], experiments: list[on_experiment.Page], stepper: bool, trouble: str
) -> str:
    return _environment().get_template("index.html").render(
        report=report,
        stepper=STEPPER if stepper else None,
        stepper_trouble=trouble,
        pages=experiments,
        glance=on_run.glance(report, experiments),
        on_run=on_run,
        on_task=on_task,
        on_code=on_code,
        figures=figures,
        shown=shown,
        compact=len(report["tasks"]) > MANY,
        cold_start=lambda cold: sum(cold.get(phase, 0.0) for phase in BEFORE),
        PHASES=PHASES,
        GLOSSARY=GLOSSARY,
        loops=[_loop(name, report["loops"][name], report["tasks"]) for name in _by_use(report)],
    )


def _by_use(report: Mapping[str, Any]) -> list[str]:
    """The pairs of training scripts, that of most tasks first."""
    used = [task["loop"] for task in report["tasks"].values()]
    return sorted(report["loops"], key=lambda name: -used.count(name))


def _loop(name: str, sources: Mapping[str, str], tasks: Mapping[str, Any]) -> dict[str, Any]:
    """A pair of training scripts, and the tasks that they train, ready to be shown."""
    served = [task["short"] for task in tasks.values() if task["loop"] == name]
    if len(sources) < 2:
        rows = {engine: on_experiment.plain_rows(source) for engine, source in sources.items()}
        return {"name": name, "rows": rows, "counts": None, "serves": quantities.listed(served)}
    left, right = sources["dynamic"], sources["static"]
    rows = dict(zip(("dynamic", "static"), listing.side_by_side(left, right), strict=True))
    counts = listing.shared_lines(left, right)
    return {"name": name, "rows": rows, "counts": counts, "serves": quantities.listed(served)}


def graph(svg: str, name: str) -> str:
    """A drawn graph as an element of the page, its ids apart from those of other graphs."""
    svg = svg[svg.index("<svg") :]
    return svg.replace('id="', f'id="{name}-')
