"""index.html: one file that needs nothing else, from the numbers of one run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comparisons.report import figures, listing, words
from comparisons.results import write_whole

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
    environment.filters |= {"seconds": words.seconds, "size": words.size, "number": words.number}
    return environment.get_template("index.html").render(
        report=report,
        words=words,
        figures=figures,
        listing=listing,
        graph=graph,
        loops=[_loop(name, sources) for name, sources in report["loops"].items()],
        style=(_TEMPLATES / "style.css").read_text(encoding="utf-8"),
    )


def _loop(name: str, sources: Mapping[str, str]) -> dict[str, Any]:
    """A pair of training scripts, ready to be shown."""
    if len(sources) < 2:
        rows = {e: [listing.Row(h, "same") for h in listing.highlighted(s)] for e, s in sources.items()}
        return {"name": name, "rows": rows, "counts": None}
    left, right = sources["dynamic"], sources["static"]
    rows = dict(zip(("dynamic", "static"), listing.side_by_side(left, right), strict=True))
    return {"name": name, "rows": rows, "counts": listing.shared_lines(left, right)}


def graph(svg: str, name: str) -> str:
    """A drawn graph as an element of the page, its ids apart from those of other graphs."""
    svg = svg[svg.index("<svg") :]
    return svg.replace('id="', f'id="{name}-')
