"""A rank is killed and the others go on.

`python -m tests.ranks.kills --count 100` tries it at random moments.
"""

from __future__ import annotations

import pytest

from tests.ranks.kills import NONE, Trial
from tests.ranks.launched import needs_mpi

pytestmark = needs_mpi
TRIES = 5
"""How often a kill may come when all is over, as on a busy machine it does."""


@pytest.mark.parametrize(("kind", "victim"), [("sharded", 0), ("static", 2)])
def test_a_killed_rank_ends_no_training(kind: str, victim: int) -> None:
    tries = (Trial(kind, victim, 3, 0.5, epochs=2).wrong() for _ in range(TRIES))
    assert next((wrong for wrong in tries if wrong not in NONE), "no kill came in time") is None
