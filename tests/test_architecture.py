"""Promise: `docs/architecture.md` is true: its rooms are the rooms, in their order, and every file and name
that it sends a reader to is there."""

from __future__ import annotations

import re

import pytest

from tests import HOME
from tests.rooms import ROOMS

PAGE = (HOME / "docs" / "architecture.md").read_text()
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", PAGE, flags=re.S | re.M))
FILES = sorted(set(re.findall(r"`((?:shared|dynamic|static|comparisons|tests)/[\w/]+(?:\.py|/))`", PAGE)))


def rooms_told(section: str) -> list[str]:
    """What stands in backticks in the first column of a table, else in the first sentence."""
    rows = re.findall(r"^\| (`.*?) \|", section, flags=re.M)
    return re.findall(r"`(\w+)`", " ".join(rows) if rows else section.strip().partition(".")[0])


@pytest.mark.parametrize("package", ROOMS)
def test_the_rooms_are_told_in_their_order(package: str) -> None:
    assert rooms_told(SECTIONS[package]) == list(ROOMS[package])


@pytest.mark.parametrize("file", FILES)
def test_every_file_that_the_page_names_is_there(file: str) -> None:
    assert (HOME / file).exists()


def test_the_stops_of_the_two_calls_are_there() -> None:
    """A name in backticks beside a file is defined in that file."""
    stops = re.findall(r"^\|[^|]*\| `([\w/]+\.py)` \| ([^|]*) \|$", PAGE, flags=re.M)
    named = [(file, name) for file, told in stops for name in re.findall(r"^`(\w+)`", told)]
    assert len(named) >= 8
    for file, name in named:
        assert re.search(rf"^(?:def|class) {name}\b", (HOME / file).read_text(), flags=re.M), (file, name)


def test_the_index_has_twenty_questions() -> None:
    index = PAGE.partition("## Where is it decided that ...")[2].partition("## Words")[0]
    assert len(re.findall(r"^\| [^|]+ \| `[\w/]+\.py` \|$", index, flags=re.M)) >= 20
