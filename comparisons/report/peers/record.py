"""Keeps a race as the one that a report shows where none was run:

    python -m comparisons.report.peers.record FILE...

in the project's root, where each FILE is what `python -m comparisons bench WORKLOAD --json FILE` wrote.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from comparisons.report.peers.page import BOTH_DESIGNS, RECORDED

KEPT = ("version", "build", "compile", "first", "step", "memory", "agrees", "ratios", "error")
"""What of a variant is kept; the seconds of each step are in its spread."""


def main(files: list[str]) -> None:
    """Writes the record."""
    first, *more = (json.loads(Path(file).read_text(encoding="utf-8")) for file in files)
    shown = {name for _, *pair in BOTH_DESIGNS for name in pair}
    for other in more:
        first["workloads"] |= other["workloads"]
    for entry in first["workloads"].values():
        entry["found"] = {name: _kept(side) for name, side in entry["found"].items() if name in shown}
    RECORDED.write_text(json.dumps(first, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _kept(side: dict[str, Any]) -> dict[str, Any]:
    kept = {name: side[name] for name in KEPT if name in side}
    kept["ratios"] = {engine: kept["ratios"][engine] for engine in kept.get("ratios", {})}
    return kept


if __name__ == "__main__":
    main(sys.argv[1:])
