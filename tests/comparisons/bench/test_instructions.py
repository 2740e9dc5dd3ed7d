"""The gauge of instructions: what it reads, what it says, and that it is quiet without valgrind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comparisons.bench import instructions
from comparisons.bench.workloads import WORKLOADS


def test_the_count_is_read_from_what_callgrind_says() -> None:
    assert instructions.total("==7== Events    : Ir\n==7== Collected : 1234567\n") == 1_234_567
    with pytest.raises(RuntimeError, match="no count"):
        instructions.total("Killed")


def test_a_step_that_needs_more_than_the_baseline_allows_fails_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = {"mlp dynamic": 1000, "mlp static": 1050}
    monkeypatch.setattr(instructions.shutil, "which", lambda name: name)
    monkeypatch.setattr(instructions.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(instructions, "versions", lambda: {"python": "3.11"})
    monkeypatch.setattr(
        instructions, "counted", lambda workload, engine, folder: counts[f"{workload} {engine}"]
    )
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"versions": {"python": "3.11"}, "instructions": dict.fromkeys(counts, 1000)}))
    asked = ["mlp", "--baseline", str(kept)]
    assert instructions.main(asked) == 1
    rows = capsys.readouterr().out.splitlines()
    assert [row.endswith("more") for row in rows[1:]] == [False, True]
    assert instructions.main([*asked, "--write"]) == 0
    assert json.loads(kept.read_text())["instructions"] == counts
    assert instructions.main(asked) == 0


def test_without_valgrind_nothing_is_counted_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert instructions.main([]) == 0
    assert "that takes valgrind" in capsys.readouterr().out


def test_the_baseline_is_of_steps_that_there_are() -> None:
    kept: dict[str, Any] = json.loads(instructions.BASELINE.read_text("utf-8"))
    names = {f"{workload} {engine}" for workload in WORKLOADS for engine in instructions.ENGINES}
    assert {"mlp dynamic", "mlp static", "tiny dynamic", "tiny static"} <= set(kept["instructions"]) <= names
    assert set(instructions.STEPS) == set(WORKLOADS)
