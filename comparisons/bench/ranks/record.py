"""Keeps what was measured on many ranks as what a report shows, where nothing of it is measured:

    python -m comparisons.bench.ranks.record FILE...

in the project's root, where each FILE is what `python -m comparisons bench WORKLOAD --json FILE` wrote.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from comparisons.bench.peers import ON_RANKS

RECORDED = Path(__file__).with_name("recorded.json")
"""Measured once, with its date, its host and the versions of all that ran."""
LEFT_OUT = ("losses", "echo", "add", "copy")
"""What of an entry is not kept."""


def main(files: list[str]) -> None:
    """Writes the record."""
    first, *more = (json.loads(Path(file).read_text(encoding="utf-8")) for file in files)
    for other in more:
        first["workloads"] |= other["workloads"]
    kept = {name: first["workloads"][name] for name in ON_RANKS if name in first["workloads"]}
    for entry in kept.values():
        entry["found"] = {name: _kept(part) for name, part in entry["found"].items() if name not in LEFT_OUT}
    first["workloads"] = kept
    RECORDED.write_text(json.dumps(first, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _kept(found: Any) -> Any:
    if not isinstance(found, dict):
        return found
    return {key: part for key, part in found.items() if key not in LEFT_OUT}


if __name__ == "__main__":
    main(sys.argv[1:])
