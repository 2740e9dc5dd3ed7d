"""The kernels of layer norm against their twins and against double precision; rows that leave the range are
left to the twin."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from shared import ops  # noqa: F401  (it fills the table)
from shared.kernels import machine, row_normalizing
from shared.op import TABLE
from tests import HOME

pytestmark = pytest.mark.skipif(bool(machine.available()), reason=f"no kernels here: {machine.available()}")
rng = np.random.default_rng(3)
SHAPES = {
    "rows": ((300, 70), 1), "short rows": ((50, 60, 9), 1), "long rows": ((3, 70, 90), 2),
    "one row": ((17000,), 1),
}  # fmt: skip
each_shape = pytest.mark.parametrize(("shape", "axes"), SHAPES.values(), ids=list(SHAPES))
AFFINE = {"plain": (False, False), "weight": (True, False), "weight and bias": (True, True)}


def operands(shape: Any, axes: int, dtype: str, affine: Any = (True, True)) -> tuple[Any, ...]:
    own = shape[len(shape) - axes :]
    far = 100 * rng.standard_normal((*shape[: len(shape) - axes], *[1] * axes))
    x = (3 * rng.standard_normal(shape) + far).astype(dtype)
    return x, *(rng.standard_normal(own).astype(dtype) for there in affine if there)


def found(g: Any, *arrays: Any, axes: int) -> list[Any]:
    """All outputs of layer norm, and its three gradients."""
    shape = arrays[0].shape[arrays[0].ndim - axes :]
    y = TABLE["layer_norm"].compute(*arrays, shape=shape, eps=1e-5)
    last = tuple(range(g.ndim - axes, g.ndim))
    return [*y, *TABLE["layer_norm_grad"].compute(g, arrays[0], *y[1:], *arrays[1:2], axes=last)]


@each_shape
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("affine", AFFINE.values(), ids=list(AFFINE))
def test_kernels_give_what_their_twins_give(
    shape: Any, axes: int, dtype: str, affine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As near to a wider precision as the twin, or to some last places: of what is normalised, one of x is
    as many as x lies standard deviations from zero. In given memory too."""
    arrays = operands(shape, axes, dtype, affine)
    g = rng.standard_normal(shape).astype(dtype)
    kernels = found(g, *arrays, axes=axes)
    out = tuple(np.full_like(array, np.nan) for array in kernels)
    last = tuple(range(len(shape) - axes, len(shape)))
    y = TABLE["layer_norm"].compute(*arrays, shape=shape[last[0] :], eps=1e-5, out=out[:3])
    given = TABLE["layer_norm_grad"].compute(g, arrays[0], *y[1:], *arrays[1:2], axes=last, out=out[3:])
    for array, into, to in zip(kernels, (*y, *given), out, strict=True):
        assert into is to
        np.testing.assert_array_equal(array, into)
    monkeypatch.setattr(row_normalizing, "suits", lambda *_: False)
    twins = found(g, *arrays, axes=axes)
    wide = np.longdouble if dtype == "float64" else np.float64
    far = float(np.abs(arrays[0]).max()) / 3
    exact = found(*(array.astype(wide) for array in (g, *arrays)), axes=axes)
    differ = False
    for kernel, twin, true in zip(kernels, twins, exact, strict=True):
        assert kernel.dtype == twin.dtype and kernel.shape == twin.shape and kernel.flags.c_contiguous
        scale = np.abs(true).max() * np.finfo(dtype).eps
        error, other = (float(np.abs(array - true).max() / scale) for array in (kernel, twin))
        assert error < max(2 * other, 8 + far)
        differ |= not np.array_equal(kernel, twin)
    assert differ, "the twin was compared with itself"


@pytest.mark.parametrize("size", [1e30, 1e-30, np.inf, np.nan])
def test_a_row_that_leaves_the_range_gives_what_the_twin_gives_and_the_others_what_they_would(
    size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, *affine = operands((300, 70), 1, "float32")
    settings: dict[str, Any] = {"shape": (70,), "eps": 0.0}
    usual = TABLE["layer_norm"].compute(x, *affine, **settings)
    x[[3, 200]] *= np.float32(size)
    with np.errstate(all="ignore"):
        kernel = TABLE["layer_norm"].compute(x, *affine, **settings)
        monkeypatch.setattr(row_normalizing, "suits", lambda *_: False)
        twin = TABLE["layer_norm"].compute(x, *affine, **settings)
    others = np.delete(np.arange(300), [3, 200])
    for a, b, c in zip(kernel, twin, usual, strict=True):
        np.testing.assert_array_equal(a[[3, 200]], b[[3, 200]])
        np.testing.assert_array_equal(a[others], c[others])


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    program = """
from tests.shared.kernels.test_normalizing import digest
from tests.shared.kernels.test_row_normalizing import found, operands, rng
print(digest(found(rng.standard_normal((300, 70)).astype("f4"), *operands((300, 70), 1, "float32"), axes=1)))
"""
    printed = [
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"OMP_NUM_THREADS": count},
            cwd=HOME, check=True, capture_output=True, text=True,
        ).stdout
        for count in ("1", "3")
    ]  # fmt: skip
    assert printed[0] == printed[1] != ""
