"""The calls of ops that a case makes, one by one, and the same calls on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from shared.device.cuda import to_device
from shared.op import Op
from static.graph.graph import Tensor, symbols_of
from tests.cases.case import Case
from tests.laws.harness import draws, on_static


def calls(case: Case) -> Iterator[tuple[Op, list[Any], dict[str, Any]]]:
    """The calls of ops that a case and its derivatives make, with NumPy's arrays."""
    arrays = case.arrays(np.float32)
    cs, us, _ = draws(case, arrays)
    built = on_static(case, arrays, cs, us, known=True)
    values = built.every_value()
    for node in built.graph.nodes:
        if isinstance(node.op, Op) and node.inputs and not symbols_of(node):
            inputs = [np.asarray(values[x]) if isinstance(x, Tensor) else x for x in node.inputs]
            yield node.op, inputs, dict(node.settings)


def moved(inputs: list[Any]) -> list[Any]:
    """The same arguments with their arrays on the GPU."""
    return [to_device(x, "cuda") if isinstance(x, np.ndarray) else x for x in inputs]
