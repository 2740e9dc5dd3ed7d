"""The page on many ranks, where none can be started."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn")

from comparisons.experiments import many_ranks
from comparisons.lab.blocks import Pair, Timeline
from comparisons.lab.context import Context


def test_without_mpi_the_page_shows_a_recorded_run_and_says_what_to_install(monkeypatch):
    monkeypatch.setattr(many_ranks, "missing", lambda: "mpi4py is not installed")
    reading = many_ranks.read(many_ranks.run(Context()))
    first, *others = reading.evidence
    assert isinstance(first, Pair)
    assert "recorded in November 2026, for here mpi4py is not installed: pip install" in first.says
    (drawn,) = [block for block in others if isinstance(block, Timeline)]
    assert [len(lane.ready) for lane in drawn.lanes] == [18, 18, 18]
    refused = next(block for block in others if isinstance(block, Pair))
    for rank, call in ((0, "total = ops.all_reduce(x)"), (1, 'x = ops.all_reduce(x, op="max")')):
        assert f"rank {rank} calls all_reduce" in refused.dynamic["error"]["message"]
        assert call in refused.dynamic["error"]["message"]  # the line of each
