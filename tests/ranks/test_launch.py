"""What starting ranks leaves behind: nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from shared.ranks import launch
from tests.ranks.launched import needs_mpi

pytestmark = needs_mpi


def test_a_run_whose_time_is_over_leaves_no_file_of_mpirun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sleeps.py").write_text("import time\ntime.sleep(60)\n")
    (place := tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    outcome, _ = launch.launch(2, [str(tmp_path / "sleeps.py")], limit=1.5)
    assert outcome.status == 124
    assert not list(place.iterdir())
