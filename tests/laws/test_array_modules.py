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

from shared.device.cuda import CudaArray, to_device
from shared.op import Op
from static.graph.graph import Tensor, symbols_of
from tests import standin
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import draws, on_static, outputs
from tests.laws.test_ops import op_outputs


@pytest.fixture(autouse=True)
def cupy() -> Iterator[Any]:
    with standin.installed() as module:
        yield module


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_compute_keeps_to_the_module_of_its_arguments(case: Case, cupy: Any) -> None:
    """And gives what it gives on NumPy's arrays."""
    arrays = case.arrays(np.float32)
    cs, us, _ = draws(case, arrays)
    built = on_static(case, arrays, cs, us, known=True)
    tensors = [*built.feeds, *op_outputs(built)]
    values = dict(zip(tensors, built.run(tensors), strict=True))
    for node in built.graph.nodes:
        if not isinstance(node.op, Op) or not node.inputs or symbols_of(node):
            continue
        inputs = [np.asarray(values[x]) if isinstance(x, Tensor) else x for x in node.inputs]
        foreign = [to_device(x, "cuda") if isinstance(x, np.ndarray) else x for x in inputs]
        expected = outputs(node.op(*inputs, **node.settings))
        for y, want in zip(outputs(node.op(*foreign, **node.settings)), expected, strict=True):
            assert isinstance(y, CudaArray), f"{node.op} gave {type(y)}"
            assert y.dtype == want.dtype, node.op
            np.testing.assert_array_equal(y.get(), want, err_msg=str(node.op))
