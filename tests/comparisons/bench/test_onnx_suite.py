"""The table of ONNX's own tests says what they give: some are run, and all that do not come out right."""

from __future__ import annotations

import json
from typing import Any

import onnx
import pytest

from comparisons.bench import onnx_suite as suite
from docs.onnx_page import PAGE, page

KEPT: dict[str, Any] = json.loads(suite.TABLE.read_text())
NODE = KEPT["kinds"]["node"]
APART = 45
"""Every so manieth test is run."""


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    if onnx.__version__ != KEPT["onnx"]:
        pytest.skip(f"the table is of onnx {KEPT['onnx']}, and this is {onnx.__version__}")
    return {case.name: case for case in suite.cases()}


def test_as_many_come_out_right_as_are_promised() -> None:
    right = {way: NODE["tests"] - len(NODE[way]) for way in suite.WAYS}
    assert right["dynamic"] >= 1600 and right["known"] >= 1600 and right["unknown"] >= 1500
    for kind in ("pytorch-operator", "pytorch-converted", "real"):
        assert not any(KEPT["kinds"][kind][way] for way in suite.WAYS)


@pytest.mark.parametrize("way", suite.WAYS)
def test_the_rest_come_out_right(cases: dict[str, Any], way: str) -> None:
    right = [name for name in cases if name not in NODE[way]]
    assert len(cases) == NODE["tests"]
    amiss = {name: said for name in right[::APART] if (said := suite.check(cases[name], way))}
    assert amiss == {}


@pytest.mark.parametrize("way", suite.WAYS)
def test_what_does_not_is_named_with_its_reason(cases: dict[str, Any], way: str) -> None:
    """All of them on dynamic, some on static."""
    named = list(NODE[way])[:: 1 if way == "dynamic" else 8]
    found = {name: suite.reason(name, suite.check(cases[name], way)) for name in named}
    assert found == {name: NODE[way][name] for name in named}


def test_the_page_says_it() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "write it anew: python -m docs.onnx_page"
