"""The script for a machine with a GPU, tried where there is none, on a stand-in for CuPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from comparisons.bench.workloads import WORKLOADS
from shared.device.cuda import to_device
from tests import HOME, standin
from tests.gpu import laws, racing, training
from tests.gpu.__main__ import SECONDS, asked


@pytest.fixture(autouse=True)
def cupy() -> Iterator[Any]:
    with standin.installed() as module:
        yield module


def test_each_part_says_what_it_found() -> None:
    found = laws.main(1.0)
    assert 0 < found["tried"] <= found["of"] and found["failed"] == {}
    assert training.main(60, "mlp_digits")["failed"] == []


@pytest.mark.parametrize("peer", ["dynamic", "static", "static-captured"])
def test_our_engines_race_with_the_same_losses(peer: str) -> None:
    step = racing.PEERS[peer](WORKLOADS["tiny"])
    expected = racing.of_dynamic(WORKLOADS["tiny"])
    for _ in range(4):
        np.testing.assert_allclose(step(), expected(), rtol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [[1.0, 2.001], [1.0, np.nan], [[1.0], [2.0]], np.float64([1.0, 2.0])],
    ids=["far", "nan", "shape", "dtype"],
)
def test_a_wrong_result_is_told(wrong: Any) -> None:
    want = np.array([1.0, 2.0], "float32")
    y = wrong if isinstance(wrong, np.ndarray) else np.array(wrong, "float32")
    assert laws.distance(to_device(y, "cuda"), want) > laws.APART
    assert laws.distance(to_device(want, "cuda"), want) == 0
    assert laws.distance(want, want) == np.inf  # it has left the GPU


def test_what_is_asked_for_is_there() -> None:
    parts = {part for part, _ in asked()}
    assert parts == set(SECONDS) and (HOME / "tests" / "gpu" / "run").stat().st_mode & 0o111
