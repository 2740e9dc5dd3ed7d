"""Other systems' answers: by running them where they are installed, else as they were recorded."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from comparisons.lab.snippet import source_of
from comparisons.machine import host
from comparisons.pitfalls import PITFALLS, Pitfall
from comparisons.pitfalls.pitfall import Json, Snippet, outcome
from comparisons.pitfalls.systems import SYSTEMS

RECORDED = Path(__file__).with_name("recorded.json")
HOME = str(Path(__file__).resolve().parents[2])
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
LONGEST = 300
"""Seconds that a system is waited for."""


class PeerError(RuntimeError):
    """A system's process ended before it had answered."""


def code(pitfall: Pitfall, system: str) -> str:
    """The text that runs in a system."""
    return _source(pitfall.text(system))


@cache
def _source(snippet: Snippet) -> str:
    return source_of(snippet)


def digest(pitfall: Pitfall, system: str) -> str:
    """What tells one text from another."""
    text = code(pitfall, system) + json.dumps(pitfall.right)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_all(name: str) -> Json:
    """What comes of every pitfall in a system that is installed here."""
    system = SYSTEMS[name]
    found = {}
    for pitfall in PITFALLS.values():
        text = pitfall.text(name)
        plain = outcome(text, system.plain())
        found[pitfall.name] = outcome(text, system.words()) | {
            "plain": plain["error"] is None and plain["value"] == pitfall.right,
            "text": digest(pitfall, name),
        }
    machine = host.describe()
    return {
        "made": date.today().isoformat(), "python": machine["python"], "processor": machine["processor"],
        "version": getattr(import_module(system.package), "__version__", ""), "found": found,
    }  # fmt: skip


def ask(name: str, python: str = sys.executable) -> Json:
    """The same in a process of its own, in this Python or another."""
    done = subprocess.run(
        [python, "-m", "comparisons.pitfalls", name], capture_output=True, encoding="utf-8",
        timeout=LONGEST, check=False,
        env=os.environ | QUIET | {"PYTHONPATH": HOME, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    if done.returncode:
        raise PeerError(f"{name} in {python}: {(done.stderr.strip().splitlines() or ['it ended'])[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def live(name: str) -> Json | None:
    """The same of a system that is installed in this Python, and works; else None."""
    if importlib.util.find_spec(SYSTEMS[name].package) is None:
        return None
    try:
        return ask(name)
    except (PeerError, subprocess.TimeoutExpired):
        return None


def keep(kept: dict[str, Any]) -> None:
    """Write down what was found, a pitfall to a line."""
    systems = []
    for name, one in kept.items():
        head = json.dumps({key: value for key, value in one.items() if key != "found"})
        rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(cell)}" for key, cell in one["found"].items())
        systems.append(f'{json.dumps(name)}: {head[:-1]}, "found": {{\n{rows}\n}}}}')
    RECORDED.write_text("{\n" + ",\n".join(systems) + "\n}\n", encoding="utf-8")


def recorded() -> dict[str, Any]:
    """By system, what came of every pitfall when it was last run, and when and where that was."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))
