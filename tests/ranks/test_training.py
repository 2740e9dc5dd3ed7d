"""Two ranks train as one would: whole trainings, whose rows the ranks share unequally."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ranks.launched import needs_mpi, run

pytestmark = needs_mpi
WITHIN = 1e-11
"""Of the loss, in float64, at every step: sums are put together otherwise, and 12 steps of Adam follow."""


@pytest.fixture(scope="module")
def said() -> list[dict[str, Any]]:
    _, said, printed = run("training.py", limit=120)
    assert "transformer" in said[0] and "transformer" in said[1], printed
    return said


@pytest.mark.parametrize("task", ["cnn", "lstm", "transformer"])
def test_ranks_train_as_one_does_on_all_rows(said: list[dict[str, Any]], task: str) -> None:
    """Dropout's masks, batch norm's statistics and the rows' weights are those of one rank; both engines, and
    each run, give the same bits."""
    for rank in said:
        found = rank[task]
        assert found["engines"] and found["again"] and found["learns"]
        assert found["ranks"] == 0
        assert found["alone"] < WITHIN and found["fast"] < 1e-8
        assert "sums over ranks in a message of" in found["explained"]
