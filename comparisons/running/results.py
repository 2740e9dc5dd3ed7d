"""report.json: everything that a run found out, and all that the pages are made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.durable import files

FORMAT = 5
NAME = "report.json"
_AGAIN = "make one with `python -m comparisons run`"


class ResultsError(ValueError):
    """A report.json that is missing, broken, or of a format that this version can not read."""


def save(report: dict[str, Any], folder: Path) -> Path:
    """Write the report, all of it or nothing: a reader never meets half a file."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / NAME
    files.write(target, json.dumps(report, separators=(",", ":"), allow_nan=False) + "\n", "report")
    return target


def load(folder: Path) -> dict[str, Any]:
    """The report in a folder, or ResultsError with the way out."""
    source = folder / NAME
    try:
        with files.opened(source, "report") as file:
            report = json.loads(file.read())
    except FileNotFoundError:
        raise ResultsError(f"there is no {NAME} in {folder}; {_AGAIN}, or say where with --out") from None
    except ValueError as error:
        raise ResultsError(f"{source} is not whole ({error}); {_AGAIN}") from None
    found = report.get("format") if isinstance(report, dict) else None
    if found != FORMAT:
        raise ResultsError(f"{source} has format {found!r}, this version reads {FORMAT}; {_AGAIN}")
    return report
