"""The ten programs give the same decorated as not: what each step gives and prints, and all that it "
"changes."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import dynamic
from comparisons.programs import PROGRAMS
from comparisons.training.verify import FIRST, levels_apart
from shared.nest import flatten

STEPS = 40
"""Enough for paths to be compiled and to change, and for some programs to be given up for a while."""

each = pytest.mark.parametrize("name", PROGRAMS)


@cache
def ran(name: str, level: str, steps: int = STEPS) -> tuple[list[Any], list[Any], Any]:
    """Of each step what it gave and printed, and what all States then held; and the step itself."""
    step, parts = PROGRAMS[name].make(0)
    if level:
        step = dynamic.function(step, optimize=level, at_once=True)
    told, held = [], []
    for _ in range(steps):
        with redirect_stdout(io.StringIO()) as out:
            given, _ = flatten(step())
        values = [x.numpy().copy() if isinstance(x, dynamic.Tensor) else x for x in given]
        told.append((out.getvalue(), values))
        held.append([state.numpy().copy() for part in parts for _, state in part.named_states()])
    return told, held, step


def bits(x: Any) -> Any:
    return (x.dtype, x.shape, x.tobytes()) if isinstance(x, np.ndarray) else (type(x), x)


@each
def test_every_bit_is_kept(name: str) -> None:
    """The losses, the prints, the updates, at every step."""
    (told, held, _), (plainly, before, _) = ran(name, "exact"), ran(name, "")
    for i in range(STEPS):
        assert told[i][0] == plainly[i][0], f"step {i} prints something else"
        assert list(map(bits, told[i][1])) == list(map(bits, plainly[i][1])), f"step {i} gives something else"
        assert list(map(bits, held[i])) == list(map(bits, before[i])), f"step {i} leaves something else"


@each
def test_fast_stays_within_the_tolerance_of_levels(name: str) -> None:
    """Of the first losses; training makes what differs larger, step by step."""
    fast, exact = ([loss for _, given in ran(name, *how)[0] for loss in numbers(given)]
                   for how in (("fast", FIRST), ("", STEPS)))  # fmt: skip
    assert levels_apart(exact[: len(fast)], fast)["within"]


def numbers(given: list[Any]) -> list[float]:
    return [float(x) for x in given if isinstance(x, np.ndarray) and x.dtype.kind == "f"]


@each
def test_it_learns_and_is_short(name: str) -> None:
    """It does something: its States change in most steps. It is short enough to be read."""
    _, held, _ = ran(name, "")
    changes = [list(map(bits, x)) != list(map(bits, y)) for x, y in pairwise(held)]
    assert sum(changes) > STEPS // 2
    assert PROGRAMS[name].code.count("\n") < 120
    assert PROGRAMS[name].does.endswith(".")
    assert PROGRAMS[name].beyond


@each
def test_stretches_of_it_are_compiled(name: str) -> None:
    *_, step = ran(name, "exact")
    assert step.tree.failure is None
    assert step.counts["compiled"], step.explain()
