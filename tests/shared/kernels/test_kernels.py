"""Kernels against their twins: the same bits. And nobody pays for LLVM before it is worth it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from shared.kernels import WORTH_COMPILING
from shared.kernels.gating import LARGE, gate_positive, worth_gating
from shared.kernels.mapping import WORTH_MAPPING
from shared.kernels.pooling import unpool, unpool_twin, worth_pooling
from shared.kernels.recurrence import run_along, run_along_twin
from shared.kernels.scatter import along_twin, rows_twin, scatter_along, scatter_rows
from shared.op import TABLE
from shared.ops.windows import Window
from tests import HOME

rng = np.random.default_rng(3)
SHAPES = [((3, WORTH_COMPILING // 2, 1), 40), ((2, 300, 64), 7), ((1, WORTH_COMPILING, 1), 1000)]
each_shape = pytest.mark.parametrize(("shape", "size"), SHAPES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


@each_shape
@each_dtype
def test_scatter_along_gives_the_bits_of_its_twin(shape: Any, size: int, dtype: str) -> None:
    values, index = rng.standard_normal(shape).astype(dtype), rng.integers(-size, size, shape)
    assert_same_bits(scatter_along(values, index, size), along_twin(values, index, size))
    across = values.transpose(0, 2, 1).copy().transpose(0, 2, 1)  # another memory order
    assert_same_bits(scatter_along(across, index, size), along_twin(across, index, size))


@each_shape
@each_dtype
def test_scatter_rows_gives_the_bits_of_its_twin(shape: Any, size: int, dtype: str) -> None:
    values, index = rng.standard_normal(shape).astype(dtype), rng.integers(-size, size, shape[1])
    assert_same_bits(scatter_rows(values, index, size), rows_twin(values, index, size))
    backwards = index[::-1]
    assert_same_bits(scatter_rows(values, backwards, size), rows_twin(values, backwards, size))


@pytest.mark.parametrize("shape", [(1, WORTH_COMPILING, 1), (3, 120, 64), (WORTH_COMPILING, 1, 2)], ids=str)
@each_dtype
def test_a_recurrence_gives_the_bits_of_its_twin(shape: Any, dtype: str) -> None:
    """Each product is rounded before it is added, whatever the processor could do at once."""
    a, b = rng.standard_normal((2, *shape)).astype(dtype)
    for reverse in (False, True):
        for given in (a, np.asfortranarray(a)):
            ours, twins = b.copy(), b.copy()
            run_along(given, ours, reverse)
            run_along_twin(given, twins, reverse)
            assert_same_bits(ours, twins)


@pytest.mark.parametrize("kernel", [(2, 2), (3, 2), (1, 4), (5, 8)])
@each_dtype
def test_pool_gives_the_bits_of_its_twin(
    kernel: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of equals the first, and of NaN; what no window covers is left out."""
    x = rng.integers(-3, 4, (2, 9, 43, 51)).astype(dtype)
    x[0, 0, 3, 3:20:3] = np.nan
    x[1, 2, :10, :10] = -np.inf
    geometry = {"kernel": kernel, "stride": kernel, "padding": (0, 0), "dilation": (1, 1), "ceil": False}
    assert worth_pooling(x, Window(**geometry))
    y, argmax = TABLE["max_pool2d"].compute(x, **geometry)
    monkeypatch.setattr("shared.ops.pooling.worth_pooling", lambda *_: False)
    wanted, chosen = TABLE["max_pool2d"].compute(x, **geometry)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(argmax, chosen)
    assert argmax.dtype == chosen.dtype


@each_dtype
@pytest.mark.parametrize(("name", "settings"), [
    ("erf", {}), ("erfc", {}), ("normal_cdf", {}), ("gaussian", {"scale": 0.5}), ("gelu_tanh", {}),
], ids=str)  # fmt: skip
def test_a_large_array_goes_through_the_scalar_form(
    name: str, settings: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, into the memory that is given, and as near to the twin as both are to the function."""
    op, x = TABLE[name], (rng.standard_normal(WORTH_MAPPING) * 4).astype(dtype)
    x[:3] = np.nan, -0.0, 1e-30
    y, over = op(x, **settings), x.copy()
    assert op.compute(over, out=over, **settings) is over
    assert_same_bits(over, y)
    monkeypatch.setattr("shared.ops.gaussian.worth_mapping", lambda _: False)
    twin = op(x, **settings)
    assert np.isnan(y[0]) and np.isnan(twin[0])
    rest = 4 * np.finfo(dtype).eps * (name == "gelu_tanh")  # of which both lose digits in the tail
    np.testing.assert_array_less(np.abs(y - twin)[1:], 16 * np.spacing(np.abs(twin[1:])) + rest)


@each_dtype
def test_a_large_gelu_and_its_gradient_are_one_pass_each(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As near to the twin as both are to the function, of terms up to the size of g; in given memory too."""
    g, x = (rng.standard_normal((2, WORTH_MAPPING)) * 4).astype(dtype)
    out = np.empty_like(x), np.empty_like(x)
    y, cdf = TABLE["gelu"].compute(x, out=out)
    assert y is out[0] and cdf is out[1]
    over = g.copy()
    g_x = TABLE["gelu_grad"].compute(over, x, cdf, out=over)
    assert g_x is over
    monkeypatch.setattr("shared.ops.gaussian.worth_mapping", lambda _: False)
    for found, twin in zip((y, cdf), TABLE["gelu"].compute(x), strict=True):
        np.testing.assert_array_less(np.abs(found - twin), 16 * np.spacing(np.abs(twin)))
    twin = TABLE["gelu_grad"].compute(g, x, cdf)
    assert not np.array_equal(g_x, twin)
    np.testing.assert_array_less(np.abs(g_x - twin), 8 * np.finfo(dtype).eps * np.abs(g))


def test_images_that_are_not_aligned_are_left_to_the_twin() -> None:
    window = Window((2, 2), (2, 2), (0, 0))
    x = np.ones((4, 9, 30, 40), np.float32)
    shifted = np.frombuffer(bytes(1) + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
    assert worth_pooling(x, window) and not worth_pooling(shifted, window)


@pytest.mark.parametrize("geometry", [
    Window((2, 2), (2, 2), (0, 0)), Window((3, 3), (1, 1), (1, 1)), Window((3, 2), (2, 1), (1, 0), (2, 3)),
    Window((3, 3), (2, 2), (0, 0), ceil=True),
], ids=str)  # fmt: skip
@each_dtype
def test_unpool_gives_the_bits_of_its_twin(geometry: Window, dtype: str) -> None:
    """Also of elements of the kernel that stand over padding, and of such as it does not have."""
    size = 40, 51
    shape = (4, 13, *geometry.output_size("unpool", size))
    g, taps = rng.standard_normal(shape).astype(dtype), rng.integers(0, 11, shape).astype(np.uint8)
    assert g.size >= WORTH_COMPILING
    g[0] = -0.0
    assert_same_bits(unpool(g, taps, geometry, size), unpool_twin(g, taps, geometry, size))
    across = g.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    assert_same_bits(unpool(across, taps, geometry, size), unpool_twin(g, taps, geometry, size))


@each_dtype
def test_the_gradient_of_relu_gives_the_bits_of_a_gate(dtype: str) -> None:
    g, y = rng.standard_normal((2, 3, LARGE // 3 + 1)).astype(dtype)
    g[0, :3], y[0, :2], y[1, :2] = [np.nan, -0.0, np.inf], np.nan, [0.0, -0.0]
    assert worth_gating(g, y) and not worth_gating(g[:, 1:], y[:, 1:])
    want = TABLE["gate"](g, y > 0)
    assert_same_bits(gate_positive(g, y), want)
    over = g.copy()
    assert gate_positive(over, y, over) is over
    assert_same_bits(over, want)


@each_shape
@pytest.mark.parametrize("scatter", [scatter_along, along_twin, scatter_rows, rows_twin])
@pytest.mark.parametrize("bad", ["size", "-size - 1"])
def test_an_index_outside_is_an_error(shape: Any, size: int, scatter: Any, bad: str) -> None:
    index = np.zeros(shape if "along" in scatter.__name__ else shape[1], np.int64)
    index[(-1,) * index.ndim] = size if bad == "size" else -size - 1
    with pytest.raises(IndexError):
        scatter(np.zeros(shape, np.float32), index, size)


def test_llvm_is_loaded_by_the_first_large_array_and_not_before() -> None:
    code = f"""
import sys, numpy as np, dynamic, static
from shared import ops
small, large = np.ones((2, 3), "f"), np.ones((2, {WORTH_COMPILING}), "f")
ops.scatter_sum(small, np.zeros(small.shape, int), 1, 4)
assert "llvmlite" not in sys.modules
ops.scatter_sum(large, np.zeros(large.shape, int), 1, 4)
assert "llvmlite" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=HOME)


def assert_same_bits(a: Any, b: Any) -> None:
    assert a.shape == b.shape and a.dtype == b.dtype and a.flags.c_contiguous
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.signbit(a), np.signbit(b))
