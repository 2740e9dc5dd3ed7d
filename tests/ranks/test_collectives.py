"""Two ranks: what collectives give, and what they say where the ranks do not do the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ranks.launched import needs_mpi, run

NAMES = ("sum", "mean", "weighted", "max", "min", "broadcast", "reduce", "all_gather", "reduce_scatter")
pytestmark = needs_mpi


@pytest.fixture(scope="module")
def said() -> list[dict[str, Any]]:
    _, said, printed = run("collectives.py")
    assert "later" in said[0] and "later" in said[1], printed
    return said


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_are_those_of_all_ranks_arrays(said: list[dict[str, Any]], name: str) -> None:
    """On both engines, whose bits are the same; sums to the bit as NumPy gives them, rank 0 first."""
    assert [rank[name] for rank in said] == [[], []]


@pytest.mark.parametrize(
    ("case", "calls", "lines"),
    [
        ("other_call", ("all_reduce(f32[2,3], op='sum')", "broadcast(f32[2,3], root=0)"), 1),
        ("other_shape", ("all_gather(f32[2,3])", "all_gather(f32[2,4])"), 2),
        ("other_dtype", ("all_reduce(f64[2], op='sum')", "all_reduce(f32[2], op='sum')"), 1),
    ],
)
def test_ranks_that_disagree_are_told_of_both_lines(
    said: list[dict[str, Any]], case: str, calls: tuple[str, str], lines: int
) -> None:
    for rank in said:
        kind, message = rank[case]
        assert kind == "CollectiveError"
        assert f"rank 0 calls {calls[0]} at collectives.py:" in message
        assert f"rank 1 calls {calls[1]} at collectives.py:" in message


def test_the_first_ten_steps_are_checked(said: list[dict[str, Any]]) -> None:
    assert [rank["steps"] for rank in said] == [[True, 0], [True, 0]]
    assert [rank["later"] for rank in said] == [False, False]


def test_without_checks_both_lines_are_told_when_the_time_is_over(said: list[dict[str, Any]]) -> None:
    messages = [rank["unchecked"][1] for rank in said]
    assert any("waits in" in m and "all_reduce" in m and "reduce_scatter" in m for m in messages), messages


@pytest.mark.parametrize(
    ("how", "kind", "words", "seconds"),
    [
        (
            "late",
            "CollectiveTimeoutError",
            "rank 1 did not come within 2 s to all_gather(f32[3]) at absent.py:",
            4.5,
        ),
        ("ended", "LostRankError", "rank 1 has ended, after 1 collectives", 25),
        ("raised", "LostRankError", "rank 1 raised ZeroDivisionError: division by zero", 25),
    ],
)
def test_nobody_waits_for_a_rank_that_does_not_come(how: str, kind: str, words: str, seconds: float) -> None:
    outcome, said, printed = run("absent.py", how)
    assert said[0]["error"][0] == kind, printed
    assert words in said[0]["error"][1] and "absent.py:" in said[0]["error"][1]
    assert said[0]["seconds"] < seconds
    assert outcome.status == (1 if how == "raised" else 0), outcome
    if how == "raised":
        assert "rank 1: raised ZeroDivisionError: division by zero" in outcome.told()
