"""Two ranks: gradients averaged where ranks take other branches, add up, compute again, or are copied."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ranks.launched import needs_mpi, run

pytestmark = needs_mpi


@pytest.fixture(scope="module")
def said() -> list[dict[str, Any]]:
    _, said, printed = run("gradients.py")
    assert "decorated" in said[0] and "decorated" in said[1], printed
    return said


@pytest.mark.parametrize(
    "case",
    ["other branch on each rank", "with a graph of its own", "checkpointed", "twice", "graph", "decorated"],
)
def test_gradients_are_averages_by_rows(said: list[dict[str, Any]], case: str) -> None:
    """A Parameter that one rank uses has the others' zeros in it; one that none uses has no gradient."""
    assert [rank[case] for rank in said] == [[], []]


def test_no_sync_adds_up_without_a_message(said: list[dict[str, Any]]) -> None:
    assert [rank["accumulated"] for rank in said] == [[0, []], [0, []]]


def test_inputs_are_the_only_ones_that_are_averaged(said: list[dict[str, Any]]) -> None:
    assert [rank["inputs"] for rank in said] == [[["left.weight"], True]] * 2


def test_copies_of_a_model_train_by_themselves(said: list[dict[str, Any]]) -> None:
    assert [rank["copies"] for rank in said] == [[0, True, f"<world: rank {r} of 2>"] for r in range(2)]
