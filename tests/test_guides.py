"""What the guides show is what happens: each program runs, and prints what stands below it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from docs.guides import GUIDES, HERE, WALKS, Snippet, run, snippets

pytest.importorskip("sklearn")

PAGES = sorted(HERE.glob("*.md"))


@cache
def programs(guide: str) -> list[Snippet]:
    return snippets((HERE / guide).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("guide", "number"), [(guide, snippet.number) for guide in GUIDES for snippet in programs(guide)]
)
def test_a_program_prints_what_stands_below_it(guide: str, number: int) -> None:
    """`python -m docs.guides` writes the outputs anew."""
    assert run(programs(guide), number) == programs(guide)[number - 1].printed


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_runs_from_its_first_snippet_to_its_last(walk: str) -> None:
    parts = programs(walk)
    assert (HERE / walk).read_text(encoding="utf-8").count("```python") == len(parts) > 1
    assert run([Snippet(1, "\n".join([part.code for part in parts]), "")], 1)


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_leaves_no_program_out(guide: str) -> None:
    """Every fenced block of Python is one of the programs that are run, and each prints something."""
    text = (HERE / guide).read_text(encoding="utf-8")
    assert text.count("```python") == len(programs(guide)) > 0
    assert text.count("```text") == len(programs(guide))
    assert all(snippet.printed for snippet in programs(guide))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).is_file(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_source_file_that_a_page_names_is_there(page: Path) -> None:
    for target in re.findall(r"`((?:shared|dynamic|static|tests|docs)/[\w/]+\.py)`", page.read_text("utf-8")):
        assert (HERE.parent / target).is_file(), target
