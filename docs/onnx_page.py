"""Writes docs/onnx-suite.md from what ONNX's own tests gave and the table of rows:
`python -m docs.onnx_page`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from comparisons.bench.onnx_suite import TABLE, WAYS
from shared.onnx.table import ROWS, find

PAGE = Path(__file__).with_name("onnx-suite.md")

INTRODUCTION = """\
# ONNX's own tests, on models that come in

The package onnx ({version}) carries tests: models of one or a few nodes, with inputs and what comes of them,
and nine light networks. `python -m comparisons onnx-suite` reads each with `shared.onnx.load` and runs it
three ways: on `dynamic`; on `static` with the sizes *known* that the inputs have; on `static` with all sizes
*unknown*, but for how long a vector of whole numbers is, which the file says. It comes out right if every
output has the right dtype and shape, and numbers within the test's own tolerance.

Inputs that are shapes, axes, pads or counts (`model.known`), and strings, are given as arrays when a graph is
built; the last column says how many tests have such.
"""

REST = """\
## What does not come out right

Each reason with how many tests it keeps from being right, each way.
"""

OPS = """\
## Ops that have words

Each is a row of the table in `shared/onnx/table.py`, with the opset versions from which its rows hold. Other
ops are written out where ONNX's schema says of what they are made.
"""


def page() -> str:
    """The text of docs/onnx-suite.md."""
    kept = json.loads(TABLE.read_text(encoding="utf-8"))
    parts = [
        INTRODUCTION.format(version=kept["onnx"]),
        _counts(kept["kinds"]),
        REST,
        _reasons(kept["kinds"]),
        OPS,
    ]
    return "\n".join([*parts, *_ops(), "This page is written by `python -m docs.onnx_page`.\n"])


def _counts(kinds: dict[str, Any]) -> str:
    lines = ["| | tests | dynamic | known | unknown | given |", "| --- | --- | --- | --- | --- | --- |"]
    for kind, row in kinds.items():
        right = [f"{row['tests'] - len(row[way]):,}" for way in WAYS]
        lines.append("| " + " | ".join([kind, f"{row['tests']:,}", *right, f"{row['given']:,}"]) + " |")
    return "\n".join(lines) + "\n"


def _reasons(kinds: dict[str, Any]) -> str:
    names: dict[str, dict[str, list[str]]] = {}
    for row in kinds.values():
        for way in WAYS:
            for name, words in row[way].items():
                names.setdefault(words, {w: [] for w in WAYS})[way].append(name)
    lines = ["| reason | dynamic | known | unknown | such as |", "| --- | --- | --- | --- | --- |"]
    for words, found in sorted(names.items(), key=lambda item: -max(map(len, item[1].values()))):
        first = next(name for way in WAYS for name in found[way])
        counts = [str(len(found[way]) or "") for way in WAYS]
        lines.append("| " + " | ".join([words.replace("|", "\\|"), *counts, f"`{first}`"]) + " |")
    return "\n".join(lines) + "\n"


def _ops() -> list[str]:
    find("", "Add", 7)  # fills the table
    lines = []
    for domain in sorted({domain for domain, _ in ROWS}):
        rows = sorted((op, rows) for (found, op), rows in ROWS.items() if found == domain)
        listed = ", ".join(f"{op} {'/'.join(str(row.since) for row in versions)}" for op, versions in rows)
        lines.append(f"**{domain or 'ai.onnx'}** ({len(rows)}): {listed}.\n")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
