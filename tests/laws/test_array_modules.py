"""Law: `compute` never mixes array modules.

Every op that the cases reach, those of first and second derivatives included, is computed on a
stand-in for another module's arrays: they dispatch NumPy's ufuncs and hand out their own
namespace, as CuPy's do, and neither become NumPy arrays by themselves nor meet any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from shared.op import Op
from static.graph import Tensor, symbols_of
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import draws, on_static, outputs
from tests.laws.test_ops import op_outputs

CONVERTERS = {"array", "asarray", "ascontiguousarray"}
"""Functions whose purpose is to bring an array over from another module."""


class Foreign(NDArrayOperatorsMixin):
    """An array of a module that is not NumPy."""

    def __init__(self, array: Any) -> None:
        self._array = np.asarray(array)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return NAMESPACE

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("an array of another module was to become a NumPy array unasked")

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise TypeError(f"NumPy's own {function.__name__} was called on an array of another module")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        return forward(getattr(ufunc, method), inputs, settings)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._array, name)
        if callable(value):
            return lambda *args, **settings: forward(value, args, settings)
        return wrapped(value)

    def __getitem__(self, index: Any) -> Any:
        return wrapped(self._array[unwrapped(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[unwrapped(index)] = unwrapped(value)

    def __len__(self) -> int:
        return len(self._array)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __index__(self) -> int:
        return self._array.__index__()


class Namespace:
    """The functions of NumPy, for Foreign arrays alone."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(np, name)
        if isinstance(value, (np.ufunc, type)) or not callable(value):
            return value
        if name in CONVERTERS:
            return lambda *args, **settings: wrapped(value(*[bare(arg) for arg in args], **settings))
        return lambda *args, **settings: forward(value, args, settings)


NAMESPACE = Namespace()


def forward(function: Callable[..., Any], args: Any, settings: Any) -> Any:
    """NumPy's function on what Foreign arrays hold."""
    return wrapped(function(*unwrapped(args), **{key: unwrapped(value) for key, value in settings.items()}))


def unwrapped(value: Any) -> Any:
    """What a Foreign array holds; a NumPy array in its place is what the law forbids."""
    if isinstance(value, np.ndarray):
        raise TypeError("a NumPy array was mixed with arrays of another module")
    if isinstance(value, (tuple, list)):
        return type(value)(unwrapped(part) for part in value)
    return bare(value)


def bare(value: Any) -> Any:
    return value._array if isinstance(value, Foreign) else value


def wrapped(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return Foreign(value)
    if isinstance(value, (tuple, list)):
        return type(value)(wrapped(part) for part in value)
    return value


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_compute_keeps_to_the_module_of_its_arguments(case: Case) -> None:
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
        foreign = [Foreign(x) if isinstance(x, np.ndarray) else x for x in inputs]
        expected = outputs(node.op(*inputs, **node.settings))
        for y, want in zip(outputs(node.op(*foreign, **node.settings)), expected, strict=True):
            assert isinstance(y, Foreign), f"{node.op} gave {type(y)}"
            assert y.dtype == want.dtype, node.op
            np.testing.assert_array_equal(bare(y), want, err_msg=str(node.op))
