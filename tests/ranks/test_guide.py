"""docs/ranks.md: what its programs print on two ranks stands below them."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.guides import HERE, snippets
from tests.ranks import launched

pytestmark = launched.needs_mpi
PROGRAMS = snippets((HERE / "ranks.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", [program.number for program in PROGRAMS])
def test_a_program_prints_what_stands_below_it(number: int, tmp_path: Path) -> None:
    program = PROGRAMS[number - 1]
    (tmp_path / f"part{number}.py").write_text(program.code, encoding="utf-8")
    outcome, _, printed = launched.run(str(tmp_path / f"part{number}.py"))
    assert outcome.status == 0 and printed == program.printed, printed
