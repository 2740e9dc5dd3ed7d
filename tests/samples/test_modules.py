"""A short run of PyTorch's module samples: `python -m tests.samples.modules` tries all."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: the samples are its own")

from tests.samples.modules import Verdict, samples, table, try_sample

SHORT = ("Linear", "Bilinear", "LSTM", "TransformerDecoderLayer", "LayerNorm")
"""Of these the samples of one dtype in training."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SHORT)
def test_the_samples_of_a_module_are_right(name: str) -> None:
    chosen = [sample for sample in samples([name], ["float64"]) if sample.training]
    found = [try_sample(sample) for sample in chosen[:: max(len(chosen) // 8, 1)]]
    assert found
    assert not [verdict for verdict in found if verdict.verdict != "right"]


def test_the_table_counts_them() -> None:
    lines = list(table([Verdict("A", "0", "right"), Verdict("A", "1", "wrong", "off")], all_words=False))
    assert lines[0].split() == ["right", "wrong", "raises", "refuses", "missing"]
    assert lines[1].split() == ["A", "1", "1"]
    assert lines[2].strip() == "1: off"
    assert lines[-1].split() == ["all", "1", "1"]
