"""The table of mutations is fresh, and what runs it tells a caught one from one that survives."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation import MUTATIONS
from tests.mutation.__main__ import ROOT, copied, is_caught
from tests.mutation.mutation import TESTS, Mutation


def test_every_mutation_can_be_planted_and_changes_something() -> None:
    """What it replaces stands where the table says. Where this fails a line has been written anew: the
    mutation follows it, or another of its kind takes its place."""
    for one in MUTATIONS:
        text = one.read(ROOT)
        assert one.planted(text) != text, one


def test_there_are_enough_of_every_kind() -> None:
    assert len(set(MUTATIONS)) == len(MUTATIONS) >= 200
    assert Counter(one.kind for one in MUTATIONS).keys() == TESTS.keys()


def test_the_tests_of_each_kind_are_there() -> None:
    for tests in TESTS.values():
        for test in tests:
            file, _, name = test.partition("::")
            assert name in (ROOT / file).read_text(encoding="utf-8"), test


SIMPLIFY = "static/compile/passes/simplify.py"
HARMLESS = Mutation("pattern", SIMPLIFY, "", '"one is neutral"', '"one does nothing"')
FEW = "replaces and (sqrt or reciprocal) and not log"


@pytest.mark.parametrize("one", [MUTATIONS[0], HARMLESS], ids=["root of a square", "harmless"])
def test_wrong_lines_are_caught_and_harmless_ones_are_not(one: Mutation, tmp_path: Path) -> None:
    assert is_caught(replace(one, only=FEW), copied(tmp_path)) == (one is not HARMLESS)
