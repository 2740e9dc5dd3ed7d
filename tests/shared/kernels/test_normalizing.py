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

import static
from shared import nn, ops
from shared.kernels import machine, normalizing
from shared.op import TABLE
from static.compile.steps.normalized import batch_norm_relu, batch_norm_relu_grad
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


# --- what follows, in the same pass ---------------------------------------------------------


@pytest.mark.parametrize("by", ["kernel", "twin", "twin, for it leaves the range"])
@pytest.mark.parametrize("adds", [True, False])
@pytest.mark.parametrize("affine", AFFINE.values(), ids=list(AFFINE))
def test_addition_and_relu_in_the_same_pass_give_the_bits_of_the_ops(
    by: str, adds: bool, affine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forward and back, where numbers are not finite too."""
    arrays = operands(SHAPES["images"], "float32", affine)
    more, g = (rng.standard_normal(arrays[0].shape).astype(np.float32) for _ in range(2))
    more[3, 1, 2, :4] = np.nan, np.inf, -np.inf, 0
    if by == "twin":
        monkeypatch.setattr(normalizing, "suits", lambda *_: False)
    elif by != "kernel":
        arrays[0][...] *= np.float32(1e30)
    given = {"momentum": 0.1, "eps": 1e-5}
    with np.errstate(all="ignore"):
        y, *rest = TABLE["batch_norm"].compute(*arrays, **given)
        want = TABLE["relu"].compute(y + more if adds else y)
        for out in ((None,) * 5, (np.full_like(y, np.nan), *[None] * 4)):
            made = batch_norm_relu.compute(*arrays, *([more] if adds else []), adds=adds, out=out, **given)
            for one, other in zip(made, (want, *rest), strict=True):
                np.testing.assert_array_equal(one, other)
        kept = arrays[0], rest[0], rest[1], *arrays[3:4]
        gate = TABLE["relu_grad"].compute(g, want)
        gradients = TABLE["batch_norm_grad"].compute(gate, *kept)
        for one, other in zip(batch_norm_relu_grad.compute(g, want, *kept), gradients, strict=True):
            np.testing.assert_array_equal(one, other)


def block_of(batch: Any, shortcut: bool) -> tuple[Any, list[Any]]:
    """A residual block, and its gradients."""
    nn.manual_seed(2)
    x = static.placeholder("float32", (batch, 4, 40, 40), name="x")
    first, second, third = (nn.BatchNorm2d(4) for _ in range(3))
    h = ops.relu(first(ops.tanh(x)))
    y = ops.relu(second(ops.sin(h)) + (third(x) if shortcut else h))
    weights = [*first.parameters(), *second.parameters()]
    return x, [y, *static.gradients(ops.sum(y * y * x), [x, *weights])]


@pytest.mark.parametrize("shortcut", [True, False], ids=["normalised shortcut", "the block's own input"])
@pytest.mark.parametrize("batch", [3, "N"])
def test_static_takes_them_in_one_step_and_changes_no_bit(batch: Any, shortcut: bool) -> None:
    x, fetches = block_of(batch, shortcut)
    images = rng.standard_normal((3, 4, 40, 40)).astype(np.float32)
    found = []
    for without in ((), ("normalize",)):
        with static.Session(without=without) as session:
            session.run(static.global_variables_initializer())
            found.append(session.run(fetches, {x: images}))
            told = session.explain(fetches)
        steps = ["batch norm, addition, relu in one step", "batch norm, relu in one step",
                 "relu's gradient in one step with batch norm's"]  # fmt: skip
        assert all((step in told) == (not without) for step in steps)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_fetched_in_between_is_not_taken_in() -> None:
    x = static.placeholder("float32", (3, 4, 40, 40), name="x")
    y = nn.BatchNorm2d(4)(x)
    fetches = [y, ops.relu(y)]
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        told = session.explain(fetches)
        normal, rectified = session.run(fetches, {x: rng.standard_normal(x.shape).astype(np.float32)})
    assert "in one step" not in told
    np.testing.assert_array_equal(rectified, np.maximum(normal, 0))
