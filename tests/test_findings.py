"""Law: what stands in `findings/` has one form, names what of ours it bears on, and runs without us.

The scripts install other libraries, so they are not run here.
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests import HOME
from tests.test_house import imported

FINDINGS = HOME / "findings"
SCRIPTS = sorted(FINDINGS.glob("*.sh"))
PARTS = ("One would guess", "What happens", "Who is hurt", "Bears on", "Guessed before the run")
OURS = {"shared", "dynamic", "static", "comparisons", "tests"}
each_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)


def words(path: Path) -> str:
    """The comment at the top, on one line."""
    top = path.read_text("utf-8").partition("\nset -eu\n")[0]
    return " ".join(line.removeprefix("#").strip() for line in top.splitlines()[1:])


def program(path: Path) -> str:
    """The Python that the script runs."""
    found = re.search(r"<<'END'\n(.*)\nEND\n\Z", path.read_text("utf-8"), re.DOTALL)
    assert found, path
    return found[1]


@each_script
def test_a_finding_has_its_parts_in_order_and_is_short(path: Path) -> None:
    places = [words(path).find(part) for part in PARTS]
    assert -1 not in places and places == sorted(places)
    assert len(path.read_text("utf-8").splitlines()) <= 80
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0


@each_script
def test_at_least_two_of_three_guesses_were_wrong_the_first_among_them(path: Path) -> None:
    guessed = words(path).partition("Guessed before the run")[2]
    verdicts = re.findall(r'(reflex|manual|build) ".+?", (right|wrong)', guessed)
    assert [who for who, _ in verdicts] == ["reflex", "manual", "build"]
    assert verdicts[0][1] == "wrong" and [verdict for _, verdict in verdicts].count("wrong") >= 2
    numbers = re.findall(r"\d+", guessed.partition("(guesses.md, ")[2].partition(")")[0])
    table = (FINDINGS / "guesses.md").read_text("utf-8")
    assert numbers and all(f"\n| {number} |" in table for number in numbers)


@each_script
def test_a_finding_runs_pinned_packages_in_a_folder_of_its_own_without_us(path: Path) -> None:
    text, tree = path.read_text("utf-8"), ast.parse(program(path))
    (packages,) = re.findall(r"^venv/bin/pip install --quiet (.+)$", text, re.MULTILINE)
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+", package) for package in packages.split())
    assert "work=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\ncd \"$work\"\n" in text
    assert not {name for name, _ in imported(tree)} & OURS and not re.search(r"https?:|\.org\b", text)


@each_script
def test_what_a_finding_bears_on_is_there(path: Path) -> None:
    bears = words(path).partition("Bears on: ")[2].partition("Guessed before the run")[0].replace(":: ", "::")
    named = re.findall(r"((?:shared|dynamic|static|tests|docs)/[\w./]+\.(?:py|md))(?:::(\w+))?", bears)
    assert named
    for file, test in named:
        assert (HOME / file).is_file(), file
        assert not test or f"def {test}(" in (HOME / file).read_text("utf-8"), f"{file}::{test}"


def test_the_list_has_every_finding_once() -> None:
    page = (FINDINGS / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[([\w-]+)\]\(\1\.sh\) \|", page, re.MULTILINE)
    assert sorted(listed) == [path.stem for path in SCRIPTS] and len(listed) >= 25
