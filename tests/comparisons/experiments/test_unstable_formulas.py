"""The list of formulas that floating point spoils: its right values are right, its points float32's."""

from __future__ import annotations

import json

import numpy as np
import pytest

import static
from comparisons.experiments.stability import LIST, NOT_SEEN
from shared import ops

mpmath = pytest.importorskip("mpmath", reason="the right values are computed anew with many digits")

GIVEN = json.loads(LIST.read_text(encoding="utf-8"))
FUNCTIONS = {
    name: getattr(mpmath, name) for name in ("sqrt", "sin", "cos", "tan", "exp", "log", "log1p", "sign")
}
FUNCTIONS |= {"pow": mpmath.power, "abs": abs}


def test_there_are_enough_of_them_each_from_a_source_that_is_told():
    formulas = GIVEN["formulas"]
    assert len({one["formula"] for one in formulas}) == len(formulas) >= 50
    for one in formulas:
        assert one["source"].partition(",")[0] in GIVEN["sources"]
    assert all("MIT" in told for told in GIVEN["sources"].values())


@pytest.mark.parametrize("one", GIVEN["formulas"], ids=lambda one: f"{one['source']} {one['name']}")
def test_a_right_value_is_right_to_the_last_digit_of_float64(one):
    text = one["formula"].replace("1 / 3", "mpf(1) / 3").replace("1 / n", "mpf(1) / n")
    assert one["x"] == [float(np.float32(x)) for x in one["x"]]
    with mpmath.workdps(80):
        given = {name: mpmath.mpf(value) for name, value in one["given"].items()}
        for x, right in zip(one["x"], one["right"], strict=True):
            assert eval(one["where"], {"x": x})
            found = eval(text, {**FUNCTIONS, **given, "mpf": mpmath.mpf, "x": mpmath.mpf(x)})
            assert float(found) == right


@pytest.mark.parametrize("text", NOT_SEEN)
def test_what_is_said_to_be_left_as_it_is_overflows(text):
    x = static.placeholder("float32", ())
    y = eval(text, vars(ops) | {"x": x})
    with static.Session(optimize="fast") as session, np.errstate(over="ignore"):
        assert session.run(y, {x: 200.0}) == np.inf
