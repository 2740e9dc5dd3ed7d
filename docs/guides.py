"""The guides' snippets, run: what each prints stands below it, and a test checks that it does.

    python -m docs.guides        writes the outputs anew

In a guide each fenced block of `python` is a program of its own, and a block of `text` that
follows it is what it prints. Every one is run in an interpreter of its own, in a folder where
they all lie as `part1.py`, `part2.py`, ...: these are the names in the errors that they show.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

HERE = Path(__file__).parent
GUIDES = ("dynamic.md", "static.md", "own-op.md", "archive.md")
WALKS = ("bridge.md",)
"""Pages whose snippets are one program, each going on where the one before it ended."""

_SNIPPET = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


class Snippet(NamedTuple):
    """One program of a guide: its place (from 1), its text, and what it is said to print."""

    number: int
    code: str
    printed: str


def snippets(page: str) -> list[Snippet]:
    """The programs of a guide, given its text."""
    found = _SNIPPET.findall(page)
    return [Snippet(number, code, printed) for number, (code, printed) in enumerate(found, 1)]


def run(programs: list[Snippet], number: int) -> str:
    """What a program of a guide prints, beside the files of the others; RuntimeError, with what it
    said, if it fails or warns."""
    name = f"part{number}.py"
    with TemporaryDirectory() as folder:
        for snippet in programs:
            (Path(folder) / f"part{snippet.number}.py").write_text(snippet.code, encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-W", "error", name], cwd=folder, env=environment, capture_output=True, text=True
        )
    if done.returncode:
        raise RuntimeError(f"{name} fails:\n{done.stdout}{done.stderr}")
    return done.stdout


def written_anew(page: str) -> str:
    """A guide's text with the outputs that its programs have now."""
    programs = snippets(page)
    following = iter(programs)

    def fill(match: re.Match[str]) -> str:
        printed = run(programs, next(following).number)
        return f"```python\n{match[1]}```\n\n```text\n{printed}```\n"

    return _SNIPPET.sub(fill, page)


if __name__ == "__main__":
    for guide in GUIDES:
        path = HERE / guide
        path.write_text(written_anew(path.read_text(encoding="utf-8")), encoding="utf-8")
        print("wrote", path)
