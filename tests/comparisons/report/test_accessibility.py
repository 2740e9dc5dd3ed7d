"""Pages in a real browser, as axe-core sees them: at a desk, on a phone and on a wide screen, in light and in
dark. Every page is looked at with DIPTYCH_EVERY_PAGE=1; else those of each kind, and some of the others."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

AXE = importlib.util.find_spec("axe_playwright_python")
pytestmark = pytest.mark.skipif(
    AXE is None, reason="axe-playwright-python, which brings axe-core, is not installed"
)

ALWAYS = ("index.html", "peers.html", "stepper.html", "cnn_digits.html", "stage_1.html", "pitfalls.html")
APART = 1 if os.environ.get("DIPTYCH_EVERY_PAGE") == "1" else 6
"""Of the others every so manieth is looked at."""
DESK, OTHERS = 1280, (390, 1920)
RULES = {
    ("light", DESK): None,  # all of them
    ("dark", DESK): ["color-contrast"],
    **{("dark", width): ["scrollable-region-focusable", "target-size"] for width in OTHERS},
}
"""What is looked at, by scheme and width: contrast hangs on the scheme alone, what scrolls and what can be
touched on the width."""

SHORTENED = """() => {
    const most = {".code .line": 5, "tbody tr": 4, ".matrix details": 2, ".strip li": 1};
    for (const rows in most) {
        const seen = new Map();
        for (const row of document.querySelectorAll(rows)) {
            const many = (seen.get(row.parentNode) || 0) + 1;
            seen.set(row.parentNode, many);
            if (many > most[rows] && !/stopped|named/.test(row.className)) row.remove();
        }
    }
    document.querySelectorAll("svg > *").forEach(part => part.remove());
}"""
"""Listings and tables are cut after their first rows; of drawings only the frame is looked at."""

LOOK = """rules => axe.run(document, {
    resultTypes: ["violations"], ...(rules && {runOnly: {type: "rule", values: rules}}),
}).then(found => found.violations.map(one => one.id + ": " + one.nodes[0].html.slice(0, 200) + " "
    + one.nodes[0].failureSummary))"""


def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(every_page, browser, tmp_path):
    axe = (Path(AXE.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")
    page = browser.new_page(reduced_motion="reduce")
    for name, text in every_page.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in dict.fromkeys([*ALWAYS, *sorted(every_page)[::APART]]):
        for scheme, width in RULES:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            if (scheme, width) == ("light", DESK):
                page.goto((tmp_path / name).as_uri())
                page.evaluate(axe)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            if width == DESK and scheme == "light":
                page.evaluate(SHORTENED)
            assert page.evaluate(LOOK, RULES[scheme, width]) == [], (name, scheme, width)
