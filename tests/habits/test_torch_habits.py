"""A line of PyTorch that training code has works here as it stands, or is answered with the line to write."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.habits.torch_habits import LINES, outcome

NOT_HERE = {
    "mask.nonzero().shape": "`nonzero` gives places axis by axis, as NumPy's; dynamic.nonzero gives rows",
    "net[0].weight.data.fill_(0.5); net[0].weight": "`data` is the array itself, which has no such method",
    "net[0].weight.data.normal_(0, 0.02).shape": "`data` is the array itself; nn.init.normal_(p) draws anew",
    "net[0].weight.data.zero_(); net[0].weight": "`data` is the array itself, which has no such method",
    "net(x).data.max(1, keepdim=True)[1].shape": "`data` is the array itself; write x.argmax(1)",
    "torch.manual_seed(0) is not None": "it gives None: the generator is none of one's own",
    "torch.finfo(torch.float32).max": "it is NumPy's, whose numbers are float32",
}
"""Lines that fail without an answer, or give something else, each with what is so."""

GUIDE = Path(__file__).parents[2] / "docs" / "dynamic.md"

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


@needs_torch
@pytest.mark.parametrize("line", LINES)
def test_a_habitual_line_works_or_is_answered(line: str) -> None:
    kind, text = outcome(line)
    if line in NOT_HERE:
        assert kind in ("fails", "wrong"), f"{line} works: take it off the list"
    else:
        assert kind in ("right", "answered"), text


@needs_torch
def test_nine_in_ten_work_as_they_stand_and_the_guide_counts_them() -> None:
    kinds = [outcome(line)[0] for line in LINES]
    right, answered = kinds.count("right"), kinds.count("answered")
    assert right >= 0.9 * len(LINES) >= 270
    guide = " ".join(GUIDE.read_text(encoding="utf-8").split())
    assert f"of {len(LINES)} lines gathered from public programs {right} give what PyTorch gives" in guide
    assert f"{answered} say what to write, and {len(LINES) - right - answered} differ" in guide
