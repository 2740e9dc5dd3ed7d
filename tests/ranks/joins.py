"""Trainings of which ranks are killed, and that go on with all of them: what one printed, held against what
one process computes without a message."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.ranks import launch
from tests import HOME
from tests.ranks import schedule
from tests.ranks.launched import SCRIPTS

EPOCH = 4
"""Steps."""


def wrong(
    kind: str, epochs: int, *kills: str, ranks: int = 3, asked: str | None = None, limit: float = 60
) -> tuple[str | None, list[int]]:  # fmt: skip
    """What went wrong with one, None if nothing did; and how many ranks made each step."""
    engine, shared = kind.split()
    environment = {"PYTHONPATH": str(HOME), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    before = dict(os.environ)
    with TemporaryDirectory() as folder:
        os.environ.update(environment)
        try:
            script = [str(SCRIPTS / "joining.py"), engine, shared, str(epochs), folder, *kills]
            outcome, printed = launch.launch(
                ranks, script, ulfm=True, least=1, limit=limit, join=True, asked=asked,
                output=subprocess.PIPE,
            )  # fmt: skip
        finally:
            os.environ.clear()
            os.environ.update(before)
        torn = [path.name for path in Path(folder).glob("*.partial")]
    said = [json.loads(line[5:])[1] for line in printed.splitlines() if line.startswith("SAID ")]
    if outcome.status or torn or not said:
        return f"status {outcome.status}: {outcome.told()}\n{printed[-2000:]}", []
    found, sizes = said[0], list[int]()
    steps = [found["made"].get(f"step {step}", ["0x0p0", 0]) for step in range(epochs * EPOCH)]
    sizes = [size for _, size in steps]
    if [one["steps"] for one in said] != [epochs * EPOCH] * len(said) or found["counted"] != epochs * EPOCH:
        return f"other steps: {said}", sizes
    if not all(sizes) or [float.fromhex(loss) for loss, _ in steps] != schedule.losses(sizes):
        return f"other losses, of {sizes} ranks", sizes
    return None, sizes
