"""index.html: one file that needs nothing else, from the numbers of one run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comparisons.report import figures, listing, on_code, on_run, on_task, quantities
from comparisons.report.shown import shown
from comparisons.results import write_whole

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
    """Write index.html into `folder`; gives its path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "index.html"
    write_whole(target, page(report))
    return target


def page(report: Mapping[str, Any]) -> str:
    """The whole page as text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"seconds": quantities.seconds, "number": quantities.number}
    return environment.get_template("index.html").render(
        report=report,
        on_run=on_run,
        on_task=on_task,
        on_code=on_code,
        figures=figures,
        shown=shown,
        compact=len(report["tasks"]) > MANY,
        graph=graph,
        rows=plain_rows,
        pointed=pointed_rows,
        cold_start=lambda cold: sum(cold.get(phase, 0.0) for phase in BEFORE),
        PHASES=PHASES,
        GLOSSARY=GLOSSARY,
        loops=[_loop(name, report["loops"][name], report["tasks"]) for name in _by_use(report)],
        style=(_TEMPLATES / "style.css").read_text(encoding="utf-8"),
    )


def _by_use(report: Mapping[str, Any]) -> list[str]:
    """The pairs of training scripts, that of most tasks first."""
    used = [task["loop"] for task in report["tasks"].values()]
    return sorted(report["loops"], key=lambda name: -used.count(name))


def _loop(name: str, sources: Mapping[str, str], tasks: Mapping[str, Any]) -> dict[str, Any]:
    """A pair of training scripts, and the tasks that they train, ready to be shown."""
    served = [task["short"] for task in tasks.values() if task["loop"] == name]
    if len(sources) < 2:
        rows = {engine: plain_rows(source) for engine, source in sources.items()}
        return {"name": name, "rows": rows, "counts": None, "serves": quantities.listed(served)}
    left, right = sources["dynamic"], sources["static"]
    rows = dict(zip(("dynamic", "static"), listing.side_by_side(left, right), strict=True))
    counts = listing.shared_lines(left, right)
    return {"name": name, "rows": rows, "counts": counts, "serves": quantities.listed(served)}


def plain_rows(source: str) -> list[listing.Row]:
    """A listing with nothing beside it."""
    return [listing.Row(html, "same") for html in listing.highlighted(source)]


def pointed_rows(attempt: Mapping[str, Any]) -> list[listing.Row]:
    """A snippet with the line at which Python stood, and the one that the message named."""
    error = attempt["error"] or {"stopped": None, "named": None}
    rows = []
    for number, html in enumerate(listing.highlighted(attempt["code"])):
        marks = [mark for mark in ("stopped", "named") if error[mark] == number]
        rows.append(listing.Row(html, " ".join(marks) or "same"))
    return rows


def graph(svg: str, name: str) -> str:
    """A drawn graph as an element of the page, its ids apart from those of other graphs."""
    svg = svg[svg.index("<svg") :]
    return svg.replace('id="', f'id="{name}-')
