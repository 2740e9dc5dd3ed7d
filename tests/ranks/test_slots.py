"""An optimiser whose slots ranks share steps as one that has them all."""

from __future__ import annotations

import pytest

from tests.ranks.launched import needs_mpi, run

pytestmark = needs_mpi


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_the_numbers_are_the_same_and_the_memory_is_two_parts_of_n(ranks: int) -> None:
    _, said, printed = run("slots.py", ranks=ranks)
    for rank in said:
        assert rank.get("same") and rank.get("graph") and rank.get("gathered") and rank.get("again"), printed
        assert rank["memory"] == pytest.approx(min(2 / ranks, 1), abs=0.02)
