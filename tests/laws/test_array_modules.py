"""Law: `compute` never mixes array modules.

Every op that the cases reach, those of first and second derivatives included, is computed on a
stand-in for CuPy: its arrays neither become NumPy arrays by themselves nor meet any, and it has
no function, method or parameter that CuPy has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from shared.device.cuda import CudaArray
from tests import standin
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.calls import calls, moved
from tests.laws.harness import outputs


@pytest.fixture(autouse=True)
def cupy() -> Iterator[Any]:
    with standin.installed() as module:
        yield module


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_compute_keeps_to_the_module_of_its_arguments(case: Case, cupy: Any) -> None:
    """And gives what it gives on NumPy's arrays."""
    for op, inputs, settings in calls(case):
        expected = outputs(op(*inputs, **settings))
        for y, want in zip(outputs(op(*moved(inputs), **settings)), expected, strict=True):
            assert isinstance(y, CudaArray), f"{op} gave {type(y)}"
            assert y.dtype == want.dtype, op
            np.testing.assert_array_equal(y.get(), want, err_msg=str(op))
