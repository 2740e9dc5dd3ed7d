"""What other systems gave, as kept in `tests/kinks/recorded`: asked for, written and read."""

from __future__ import annotations

import json
import subprocess
import zlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from tests.kinks.row import Row, same_slopes, same_value
from tests.kinks.rows import ROWS

HERE = Path(__file__).parent
KEPT = HERE / "recorded"

NAMES = {
    "torch": "PyTorch", "jax": "JAX", "tensorflow": "TensorFlow", "paddle": "Paddle", "mxnet": "MXNet",
    "pytensor": "PyTensor", "tinygrad": "tinygrad", "autograd": "autograd", "mindspore": "MindSpore",
}  # fmt: skip
"""The systems, in the order of the page's columns."""


def ask(system: str, python: str) -> dict[str, Any]:
    """What a system gives at every row, from an interpreter that has it; RuntimeError, with what it said, if
    that fails."""
    asked = json.dumps({name: row.asked() for name, row in ROWS.items()})
    script = HERE / "systems" / f"on_{system}.py"
    done = subprocess.run([python, "-W", "ignore", str(script)], input=asked, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{script.name} fails:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def mark(row: Row) -> str:
    """Changes with what is asked at a row."""
    return f"{zlib.crc32(json.dumps(row.asked()).encode()):08x}"


def keep(system: str, answers: dict[str, Any]) -> None:
    """Writes what a system gave, a line for each row, under today's date, with the mark of what was asked."""
    head = {"version": answers["version"], "date": date.today().isoformat()}
    present = {name: found for name, found in answers["rows"].items() if "absent" not in found}
    lines = [f"{json.dumps(name)}: {json.dumps({'asked': mark(ROWS[name]), **found})}"
             for name, found in present.items()]  # fmt: skip
    text = f'{{"head": {json.dumps(head)},\n"rows": {{\n' + ",\n".join(lines) + "\n}}\n"
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{system}.json").write_text(text, encoding="utf-8")


@cache
def kept(system: str) -> dict[str, Any] | None:
    """`{"head": {version, date}, "rows": {name: outcome}}` as it was kept, or None."""
    path = KEPT / f"{system}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def agreeing(row: Row) -> tuple[list[str], list[str]]:
    """The systems that give what we chose at a row, value and slopes, and those that do not."""
    chosen, with_us, others = row.chosen(), list[str](), list[str]()
    for system in NAMES:
        found = (kept(system) or {"rows": {}})["rows"].get(row.name)
        if found is not None:
            same = same_value(found, chosen, row) and same_slopes(found, chosen, row)
            (with_us if same else others).append(system)
    return with_us, others
