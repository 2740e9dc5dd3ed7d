"""Starts a script of `tests/ranks/scripts` on some ranks, and gives what each rank said."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from shared.errors import NoTransportError
from shared.ranks import launch
from tests import HOME

SCRIPTS = Path(__file__).parent / "scripts"


def missing() -> str | None:
    """Why no ranks can be started here; None if they can."""
    if find_spec("mpi4py") is None:
        return "mpi4py is not installed: pip install -e '.[mpi]'"
    try:
        launch.mpirun()
    except NoTransportError as error:
        return error.message
    return None


needs_mpi = pytest.mark.skipif(missing() is not None, reason=missing() or "")


def run(
    script: str, *arguments: str, ranks: int = 2, limit: float = 60, ulfm: bool = False, least: int | None =
    None
) -> tuple[launch.Outcome, list[dict[str, Any]], str]:  # fmt: skip
    """How it ended; by rank what `say` said, put together; and all that was printed."""
    before = dict(os.environ)
    os.environ.update(PYTHONPATH=str(HOME), OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    try:
        outcome, printed = launch.launch(
            ranks, [str(SCRIPTS / script), *arguments], limit=limit, ulfm=ulfm, least=least,
            output=subprocess.PIPE,
        )  # fmt: skip
    finally:
        os.environ.clear()
        os.environ.update(before)
    said: list[dict[str, Any]] = [{} for _ in range(ranks)]
    for line in printed.splitlines():
        if line.startswith("SAID "):
            rank, found = json.loads(line.removeprefix("SAID "))
            said[rank].update(found)
    return outcome, said, printed


def say(rank: int, **found: Any) -> None:
    """Tell the test something, in one piece: several ranks print into one pipe."""
    os.write(1, f"SAID {json.dumps([rank, found])}\n".encode())
