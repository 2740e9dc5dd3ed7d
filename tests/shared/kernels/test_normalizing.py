"""The kernels of batch norm against their twins and against double precision; what leaves the range is left
to the twin."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from shared import ops  # noqa: F401  (it fills the table)
from shared.kernels import machine, normalizing
from shared.op import TABLE
from tests import HOME

pytestmark = pytest.mark.skipif(bool(machine.available()), reason=f"no kernels here: {machine.available()}")
rng = np.random.default_rng(3)
SHAPES = {
    "images": (40, 5, 9, 11), "many small": (600, 4, 8), "one long": (1, 3, 70, 90), "large": (2, 3, 8192),
}  # fmt: skip
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
AFFINE = {"plain": (False, False), "weight": (True, False), "weight and bias": (True, True)}


def operands(shape: Any, dtype: str, affine: Any = (True, True)) -> tuple[Any, ...]:
    far = 100 * rng.standard_normal((shape[1], *[1] * (len(shape) - 2)))
    x = (3 * rng.standard_normal(shape) + far).astype(dtype)
    rows = (rng.standard_normal(shape[1]).astype(dtype) for there in affine if there)
    return x, np.zeros(shape[1], dtype), np.ones(shape[1], dtype), *rows


def found(g: Any, *arrays: Any) -> list[Any]:
    """All five outputs of batch norm, and its three gradients."""
    y = TABLE["batch_norm"].compute(*arrays, momentum=0.1, eps=1e-5)
    return [*y, *TABLE["batch_norm_grad"].compute(g, arrays[0], y[1], y[2], *arrays[3:4])]


@each_shape
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("affine", AFFINE.values(), ids=list(AFFINE))
def test_kernels_give_what_their_twins_give(
    shape: Any, dtype: str, affine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As near to double precision as the twin, or to some last places: of what is normalised, one of x is as
    many as x lies standard deviations from zero. In given memory too."""
    arrays = operands(shape, dtype, affine)
    g = rng.standard_normal(shape).astype(dtype)
    assert normalizing.suits(arrays[0], *arrays[3:])
    kernels = found(g, *arrays)
    out = tuple(np.full_like(array, np.nan) for array in kernels[:5])
    given = TABLE["batch_norm"].compute(*arrays, momentum=0.1, eps=1e-5, out=out)
    for array, into in zip(kernels, given, strict=False):
        np.testing.assert_array_equal(array, into)
    monkeypatch.setattr(normalizing, "suits", lambda *_: False)
    twins = found(g, *arrays)
    wide = np.longdouble if dtype == "float64" else np.float64
    far = float(np.abs(arrays[0]).max()) / 3
    exact = found(*(array.astype(wide) for array in (g, *arrays)))
    for kernel, twin, true in zip(kernels, twins, exact, strict=True):
        assert kernel.dtype == twin.dtype and kernel.flags.c_contiguous
        scale = np.abs(true).max() * np.finfo(dtype).eps
        error, other = (float(np.abs(array - true).max() / scale) for array in (kernel, twin))
        assert error < max(2 * other, 8 + far)


@pytest.mark.parametrize("size", [1e30, 1e-30, np.inf, np.nan])
def test_what_leaves_the_range_gives_what_the_twin_gives(
    size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = operands(SHAPES["images"], "float32")
    arrays[0][:, 1] *= np.float32(size)
    with np.errstate(all="ignore"):
        kernel = TABLE["batch_norm"].compute(*arrays, momentum=0.1, eps=0.0)
        monkeypatch.setattr(normalizing, "suits", lambda *_: False)
        twin = TABLE["batch_norm"].compute(*arrays, momentum=0.1, eps=0.0)
    for a, b in zip(kernel, twin, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    program = """
from tests.shared.kernels.test_normalizing import SHAPES, digest, found, operands, rng
shape = SHAPES["images"]
print(digest(found(rng.standard_normal(shape).astype("f4"), *operands(shape, "float32"))))
"""
    printed = [
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"OMP_NUM_THREADS": count},
            cwd=HOME, check=True, capture_output=True, text=True,
        ).stdout
        for count in ("1", "3")
    ]  # fmt: skip
    assert printed[0] == printed[1] != ""


def digest(arrays: list[Any]) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
