"""What every pass promises: the same results, effects in their order, a checked block, a log.

Each pass has its own tests below or beside; what holds for all of them is tried over the table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import static
from shared import ops
from shared.errors import SettingError


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def test_a_level_or_pass_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingError, match="'slow' is not a level"):
        static.Session(optimize="slow")
    with pytest.raises(SettingError, match=r"'magic' is not a pass; there are .*prune"):
        static.Session(without=["magic"])


def test_what_is_computed_twice_is_computed_once() -> None:
    x = static.placeholder("float32", (3,), name="x")
    y = ops.exp(x) * 2 + ops.exp(x) * 2
    with static.Session() as session:
        assert session.program(y).count(" = exp(") == 1
        assert "the same op on the same values" in session.explain(y)
    with static.Session(without=["cse"]) as session:
        assert session.program(y).count(" = exp(") == 2


def test_numbers_that_only_look_the_same_are_kept_apart() -> None:
    x = static.placeholder("float32", (2,), name="x")
    ys = [1 / (x * zero) for zero in (0.0, -0.0)]
    with static.Session() as session, np.errstate(divide="ignore"):
        first, second = session.run(ys, {x: [1.0, 2.0]})
    assert (first == np.inf).all() and (second == -np.inf).all()


def test_prints_alike_are_all_printed(capfd: pytest.CaptureFixture[str]) -> None:
    x = static.placeholder("float32", (), name="x")
    y = static.Print(x, [x], "seen ") + static.Print(x, [x], "seen ")
    with static.Session() as session:
        session.run(y, {x: 1.0})
    assert capfd.readouterr().err.count("seen") == 2
