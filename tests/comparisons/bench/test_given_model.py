"""`run --onnx FILE`: a model that somebody gave, compared and written up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("onnxruntime", reason="the extra 'onnx' brings it")
from comparisons.__main__ import main
from comparisons.bench import given_model
from comparisons.experiments import EXPERIMENTS
from comparisons.lab.context import Context
from comparisons.lab.verdict import RECORDED
from shared.onnx.reading import package
from tests.shared.onnx.made import mlp


def call(*arguments: Any) -> Any:
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_a_given_model_is_compared_and_gets_a_page(tmp_path: Path) -> None:
    file, out = tmp_path / "mlp.onnx", tmp_path / "out"
    package().save(mlp()[0], file)
    result = call("run", "--onnx", file, "--size", "N=5", "--out", out)
    assert result.exit_code == 0, result.output
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert [*report["experiments"]] == ["given_model"] and not report["tasks"]
    found = report["experiments"]["given_model"]["found"]
    assert found["inputs"] == ["x: float32 (5, 4)"] and found["nodes"] == 6
    assert found["outputs"][0]["shape"] == [5, 3]
    assert max(found["outputs"][0]["apart"].values()) < 1e-6
    assert set(found["first"]) == set(found["steady"]) == {"dynamic", "static", "onnxruntime"}
    assert found["lines"] > 3
    assert all(found["memory"][engine]["bytes"] > 0 for engine in ("dynamic", "static"))
    page = (out / "given_model.html").read_text(encoding="utf-8")
    for words in ("mlp.onnx", "onnxruntime", "each further answer"):
        assert words in page
    (out / "given_model.html").unlink()
    assert call("report", "--out", out).exit_code == 0
    assert (out / "given_model.html").read_text(encoding="utf-8") == page


def test_a_run_takes_a_model_that_an_installed_package_has_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(given_model, "PACKAGED", (("no_such_package", "m.onnx"), ("brings_one", "a/m.onnx")))
    (tmp_path / "brings_one" / "a").mkdir(parents=True)
    assert given_model.packaged() is None  # no file there
    package().save(mlp()[0], tmp_path / "brings_one" / "a" / "m.onnx")
    assert given_model.packaged() == ("brings_one/a/m.onnx", tmp_path / "brings_one" / "a" / "m.onnx")
    found = EXPERIMENTS["given_model"].run(Context())
    assert found["file"] == "brings_one/a/m.onnx" and found["nodes"] == 6 and not found["why"]
    assert len(EXPERIMENTS["given_model"].read(found).verdicts) == 3


def test_without_one_what_was_recorded_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_model, "PACKAGED", ())
    found = EXPERIMENTS["given_model"].run(Context())
    reading = EXPERIMENTS["given_model"].read(found)
    assert {row.basis for row in reading.verdicts} == {RECORDED}
    assert "Recorded in December 2026" in str(reading.evidence[0])


def test_what_can_not_be_compared_is_said(tmp_path: Path) -> None:
    file = tmp_path / "no.onnx"
    file.write_bytes(b"no model")
    result = call("run", "--onnx", file, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "this is no ONNX file" in result.output
    assert "NAME=N" in call("run", "--onnx", file, "--size", "N", "--out", tmp_path / "out").output


def test_numbers_that_differ_are_told_apart() -> None:
    from comparisons.experiments.given_model import _apart

    right = np.array([0.0, 2.0])
    assert _apart(right, right) == 0
    assert _apart(right + 0.5, right) == 0.25
    assert _apart(np.zeros(0), np.zeros(0)) == 0
