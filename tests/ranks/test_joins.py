"""A rank that was killed is there again in the next epoch, and others join."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ranks.joins import EPOCH, wrong
from tests.ranks.launched import needs_mpi

pytestmark = needs_mpi


@pytest.mark.parametrize(
    ("kind", "kills"),
    [
        ("dynamic sharded", ["1:0:now", "write:1", "begin:1"]),
        ("static plain", ["2:2:now"]),
    ],
)
def test_a_killed_rank_is_back_in_the_next_epoch(kind: str, kills: list[str]) -> None:
    """With the losses, to the bit, of as many ranks as made each step; also where another is killed while the
    file is written, or before a start has begun."""
    failed, sizes = wrong(kind, 3, *kills)
    assert failed is None
    step = int(kills[0][0])
    assert sizes[: EPOCH + 1] == [3] * step + [2] * (EPOCH - step) + [3] and sizes[-1] == 3


def test_a_new_rank_joins(tmp_path: Path) -> None:
    (tmp_path / "wanted").write_text("2")
    failed, sizes = wrong("dynamic plain", 2, ranks=1, asked=str(tmp_path / "wanted"))
    assert failed is None and sizes == [1] * 4 + [2] * 4
