"""Brings the README's picture of the report and the rows under it up to date with a run:

    python -m docs.report_picture [FOLDER]

in the project's root, where FOLDER ("reports", if none is said) holds a run's report.json. The picture
needs Playwright and a Chromium on the PATH.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comparisons.report.first_page.glance import Row, glance
from comparisons.report.pages import draw, pages_found
from comparisons.running import results
from comparisons.statistics.quantities import PAIR, count, number

README = Path(__file__).parents[1] / "README.md"
PICTURE = Path(__file__).with_name("report.png")
BEGIN, END = "<!-- rows of the report, by docs/report_picture.py -->", "<!-- as far as here -->"

WIDTH, LAST = 1200, "answers"
"""How wide the picture is, and the section at the end of which it stops."""

ROWS = (
    ("concepts", "lines of code to train and test", ""),
    ("python_if_tree", "a Python while on a computed value", ""),
    ("late_shape_error", "", ""),
    ("ops_in_loop", "graph nodes after", ""),
    ("amortisation", "time to the first step: an LSTM", ""),
    ("cnn_digits", "CNN: a step", "a training step of the "),
    ("lstm_text", "character LSTM: a step", "a training step of the "),
    ("mlp_spiral", "spiral: a step", "a training step of the network on the "),
    ("higher_order", "derivative", ""),
    ("stability", "of ", ""),
    ("deployment", "a saved model, where its Python code", ""),
)
"""Rows of the table that the README shows, where the run has them: the page, how the row begins, and what
to say before it where it stands alone."""


def rows(report: Mapping[str, Any]) -> str:
    """The rows as Markdown, with a sentence on the run that they are of."""
    kind = "full" if report["full"] else "quick"
    cores = count(report["host"]["cores"], "core")
    said = (
        "Some rows of its table, each of which leads to a page with both codes, the evidence, what it\n"
        f"means, and where the other side is right; all of one {kind} run on {cores}:\n"
    )
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in [("---",) * 3, *_cells(report)])
    return f"{said}\n| | {' | '.join(PAIR)} |\n{table}\n"


def _cells(report: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    compared = [task["verify"] for task in report["tasks"].values() if task["verify"]]
    exact = [found for found in compared if found["tolerance"] is None]
    if exact:
        steps = sum(found["steps"] for found in exact)
        equal = f"{number(steps - sum(found['unequal_steps'] for found in exact))} of {number(steps)}"
        yield 'losses equal bit for bit, at `optimize="exact"`', equal, equal
    there = [row for group in glance(report, pages_found(report)) for row in group.rows]
    for page, begins, before in ROWS:
        found = next((row for row in there if _is(row, page, begins)), None)
        if found is None:
            print(f"this run has no row of {page} that begins with {begins!r}", file=sys.stderr)
            continue
        verdict = found.verdict
        marked = (f"**{text}**" if engine == verdict.ahead else text
                  for engine, text in zip(PAIR, verdict.figures(), strict=True))  # fmt: skip
        yield f"{before}{verdict.title.removesuffix(': a step') if before else verdict.title}", *marked


def _is(row: Row, page: str, begins: str) -> bool:
    return row.link == f"{page}.html" and row.verdict.title.startswith(begins) and not row.verdict.together


def picture(index: Path) -> bytes:
    """The top of the first page, as PNG."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(index.resolve().as_uri())
        bottom = page.evaluate(f"document.getElementById('{LAST}')?.getBoundingClientRect().bottom ?? 1400")
        shot = page.screenshot(
            full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": bottom + 24}
        )  # fmt: skip
        browser.close()
    made = io.BytesIO()
    few = (
        Image.open(io.BytesIO(shot))
        .convert("RGB")
        .quantize(255, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    )
    few.save(made, "PNG", optimize=True)
    return made.getvalue()


def main() -> None:
    """Writes both."""
    report = results.load(Path(sys.argv[1] if len(sys.argv) > 1 else "reports"))
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    README.write_text(f"{before}{BEGIN}\n{rows(report)}\n{END}{after}", encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_bytes(picture(draw(report, Path(folder))))
    print(f"{README.name} and {PICTURE.name} are of the run of {report['made']}")


if __name__ == "__main__":
    main()
