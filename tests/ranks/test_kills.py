"""A rank is killed and the others go on.

`python -m tests.ranks.kills --count 100` tries it at random moments.
"""

from __future__ import annotations

import pytest

from tests.ranks.kills import Trial
from tests.ranks.launched import needs_mpi

pytestmark = needs_mpi


@pytest.mark.parametrize(("kind", "victim"), [("sharded", 0), ("static", 2)])
def test_a_killed_rank_ends_no_training(kind: str, victim: int) -> None:
    assert Trial(kind, victim, 3, 0.5, epochs=2).wrong() is None
