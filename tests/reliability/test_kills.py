"""Twenty of the kills of which `python -m tests.reliability.kills 500` makes as many as one likes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform knows no fork")
def test_kills_lose_nothing_and_leave_nothing_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.reliability.kills", "20"], cwd=HOME, capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "20 kills" in done.stdout
