"""Law: a kernel for a GPU equals the ops that it stands for, one by one.

The bodies are compiled by g++ and called for each element, by the stand-in for CuPy: what their text
says is what is tried. CUDA's own functions and its compiler are not.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import static
from shared import ops
from shared.errors import DiptychError
from shared.kernels import machine, on_gpu
from shared.kernels.fused import FLOAT, Element, Input, Recipe
from shared.op import Op
from tests import standin
from tests.static.compile.test_fuse import (
    ELEMENTWISE,
    LEFT_TO_NUMPY,
    ROUNDED,
    SETTINGS,
    close,
    numbers,
    same_bits,
)

pytestmark = [
    pytest.mark.skipif(shutil.which("g++") is None, reason="the stand-in's kernels are compiled by g++"),
    pytest.mark.filterwarnings("ignore:.*:RuntimeWarning"),
]


@pytest.fixture(autouse=True)
def cupy() -> Iterator[Any]:
    on_gpu.kernel_of.cache_clear()
    with standin.installed() as module, static.Graph().as_default():
        module.compiled.clear()
        yield module
    on_gpu.kernel_of.cache_clear()


def both(fetches: Any, feeds: Any) -> tuple[Any, Any]:
    """The results with fusion and without, on the GPU."""
    results = []
    for without in ((), ("fuse",)):
        with static.Session(optimize="fast", without=without, device="cuda") as session:
            session.run(static.global_variables_initializer())
            results.append(session.run(fetches, feeds))
    return results[0], results[1]


@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_an_op_gives_the_same_alone_and_fused(op: Op, cupy: Any) -> None:
    """For every dtype, and every pair of awkward numbers."""
    count = max([int(i) for i in re.findall(r"{(\d)}", op.scalar or "")]) + 1
    for kind in ("float32", "float64", "int32", "int64", "uint8", "bool"):
        grids = np.meshgrid(*[numbers(kind, 12)] * min(count, 2))
        arrays = [np.ascontiguousarray(grid.reshape(-1)) for grid in grids]
        arrays = [np.resize(arrays[i % len(arrays)], arrays[0].size) for i in range(count)]
        if op.name in ("where", "gate"):
            arrays[0 if op.name == "where" else 1] = np.resize([True, False], arrays[0].size)
        try:
            op.on_arrays(arrays, SETTINGS.get(op.name, {}))
        except (DiptychError, TypeError):  # the op refuses this dtype
            continue
        xs = [static.placeholder(a.dtype, a.shape) for a in arrays]
        y = op(*xs, **SETTINGS.get(op.name, {}))
        found, wanted = both([y, ops.equal(y, y)], dict(zip(xs, arrays, strict=True)))
        check = close if ROUNDED.search(op.scalar or "") else same_bits
        for a, b in zip(found, wanted, strict=True):
            check(a, b, f"{op.name} of {kind}")
    assert cupy.compiled or op.name in LEFT_TO_NUMPY, "no dtype of it was fused"


def test_the_body_of_a_kernel() -> None:
    """One statement for each step, what is computed twice once, numbers handed in doubles."""
    given = (Input("float32", (True, True)), Input("float32", (True,)), Input("bool", (True, True)))
    elements = (
        Element("(a0 * a1)", (0, 1), "float32"),
        Element("exp(a0)", (3,), "float32"),
        Element("(a0 + a1)", (4, FLOAT), "float32"),
        Element("(a0 if a1 else 0)", (5, 2), "float32"),
    )
    inputs, outputs, body = on_gpu.source_of(Recipe(2, given, elements, ((5,), (6,))))
    assert inputs == "float32 x0, float32 x1, bool x2, float64 number0"
    assert outputs == "float32 y0, float32 y1"
    assert body == (
        "const float v0 = x0 * x1; const float v1 = expf(v0); const float v2 = (float)number0; "
        "const float v3 = v1 + v2; const float v4 = x2 ? v3 : (0.0f); y0 = v3; y1 = v4;"
    )


@pytest.mark.parametrize("number", [0.1, 1e30, 1e-42, -0.0, 3, np.inf, -np.inf, np.nan, 2**63 - 1, -(2**63)])
def test_a_number_in_the_code_is_the_one_that_was_meant(number: Any, cupy: Any) -> None:
    kinds = ("float32", "float64") if isinstance(number, float) else ("float64", "int64", "uint8")
    for kind in kinds:
        try:
            code = on_gpu.CudaCode()
            text = code.constant(number, np.dtype(kind)).ref
        except DiptychError:
            assert (kind == "uint8" and number > 255) or number < 0
            continue
        x = cupy.asarray(np.zeros(1, kind))
        y = cupy.asarray(np.zeros(1, kind))
        cupy.ElementwiseKernel(f"{kind} x", f"{kind} y", f"y = {text};")(x, y)
        same_bits(y.get(), np.array([number]).astype(kind))


def test_views_broadcasting_and_several_outputs(cupy: Any) -> None:
    a, b = (np.random.RandomState(i).standard_normal((5, 4)).astype(np.float32) for i in range(2))
    x, y = static.placeholder("float32", ("N", 4)), static.placeholder("float32", ("N", 4))
    s = ops.transpose(x) * 0.3 + ops.transpose(y[:, :1])
    fetches = [s, ops.abs(s) - x.shape[0], ops.maximum(x, y[0]) * 2]
    for found, wanted in zip(*both(fetches, {x: a, y: b}), strict=True):
        same_bits(found, wanted)
    assert cupy.compiled


def test_programs_that_differ_in_a_number_share_a_kernel(cupy: Any) -> None:
    x = static.placeholder("float32", (4,))
    for rate in (0.3, 0.7):
        found, wanted = both(ops.abs(x * rate) - 1.25 * rate, {x: np.float32([1, -2, 3, -4])})
        same_bits(found, wanted)
    assert len(cupy.compiled) == 1


def test_a_cell_is_one_kernel_over_gates_that_stand_side_by_side(cupy: Any) -> None:
    z, c = static.placeholder("float32", (3, 8)), static.placeholder("float32", (3, 2))
    h, c_next = ops.lstm_cell(z, c)[:2]
    fetches = [h, c_next, *static.gradients([h, c_next], [z, c])]
    drawn = np.random.RandomState(0).standard_normal(30).astype(np.float32)
    feeds = {z: drawn[:24].reshape(3, 8), c: drawn[24:].reshape(3, 2)}
    for found, wanted in zip(*both(fetches, feeds), strict=True):
        close(found, wanted)
    assert cupy.compiled


def test_sizes_that_do_not_fit_are_the_members_error() -> None:
    x, y = static.placeholder("float32", (None,)), static.placeholder("float32", (None,))
    z = ops.abs(x + y) * 2
    with static.Session(device="cuda") as session, pytest.raises(DiptychError, match="broadcast"):
        session.run(z, {x: np.zeros(2, np.float32), y: np.zeros(3, np.float32)})


def test_no_kernel_of_the_cpu_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "function", None)  # what would make one
    x = static.placeholder("float32", (4,))
    with static.Session(device="cuda") as session:
        session.run(ops.abs(x * 2) + 1, {x: np.zeros(4, np.float32)})
        assert "become one kernel" in session.explain(ops.abs(x * 2) + 1)
