"""Answers of models in files, timed on both engines and in onnxruntime."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import static
from comparisons.bench import given_model, inference
from shared import nn

pytest.importorskip("onnx", reason="the extra 'onnx' brings it")
pytest.importorskip("onnxruntime", reason="the extra 'onnx' brings it")


def test_a_file_is_raced_on_all_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "AT_LEAST", 0)
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N", 3), name="x")
        graph.export_onnx(tmp_path / "tiny.onnx", {"y": nn.Linear(3, 2)(x)})
    ((file, feeds),) = inference.given([tmp_path / "tiny.onnx"], 4, {})
    assert feeds["x"].shape == (4, 3)
    row = inference.row(file, feeds, rounds=3, threads=1)
    assert row.startswith("tiny ")
    *ours, theirs = (float(text) for text in re.findall(r"([\d.]+) \(", row))
    shares = [float(text) for text in re.findall(r"\)\s+([\d.]+)", row)]
    assert len(ours) == len(shares) == 2 and min(*ours, theirs) > 0


def test_our_own_models_are_exported_for_any_batch(tmp_path: Path) -> None:
    file, feeds = inference.exported("gpt", 3, tmp_path)
    assert feeds["x"].shape == (3, 64)
    call = given_model.on_static(file, feeds)[0]
    wanted = given_model.on_onnxruntime(file, feeds, threads=1)()[0]
    np.testing.assert_allclose(call(), wanted, rtol=2e-4, atol=2e-5)


def test_turns_are_told_in_a_row_of_quick_calls() -> None:
    taken = inference.seconds({"one": lambda: None, "other": lambda: None}, 4, clock=iter(range(99)).__next__)
    assert {side: len(times) for side, times in taken.items()} == {"one": 4, "other": 4}
