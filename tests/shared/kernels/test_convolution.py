"""The convolution kernels against columns and a product, which small convolutions are made of: the same
numbers, whatever the window, the groups, the threads. And what is pooled in the same pass, to the bit."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from shared.kernels import convolution, machine, panels
from shared.kernels.convolution import Geometry
from shared.op import TABLE
from static.compile.steps.pooled import (
    conv2d_pool,
    conv2d_pool_input,
    conv2d_pool_weight,
    conv2d_relu,
    pooling,
)
from tests import HOME

pytestmark = pytest.mark.skipif(bool(machine.available()), reason=f"no kernels here: {machine.available()}")
WINDOWS = {
    "plain": ((3, 3), (1, 1), (0, 0), (1, 1)),
    "padded": ((3, 3), (1, 1), (1, 1), (1, 1)),
    "padded beyond its edge": ((1, 2), (1, 1), (2, 2), (1, 1)),
    "strided": ((3, 2), (2, 3), (1, 0), (1, 1)),
    "dilated": ((2, 3), (1, 1), (2, 1), (3, 2)),
    "strided and dilated": ((5, 3), (2, 1), (2, 1), (2, 2)),
    "of one pixel": ((1, 1), (1, 1), (0, 0), (1, 1)),
}
each_window = pytest.mark.parametrize("window", WINDOWS.values(), ids=list(WINDOWS))
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
rng = np.random.default_rng(8)


def settings(window: Any, groups: int = 1) -> dict[str, Any]:
    return dict(zip(("stride", "padding", "dilation"), window[1:], strict=True)) | {"groups": groups}


def operands(
    window: Any, dtype: str, groups: int = 1, o: int = 13, image: Any = (31, 38)
) -> tuple[Any, Any, Any]:
    """Images of an odd size and weights, enough of both for the kernels."""
    x = rng.standard_normal((5, 3 * groups, *image)).astype(dtype)
    w = rng.standard_normal((o * groups, 3, *window[0])).astype(dtype)
    return x, w, rng.standard_normal(o * groups).astype(dtype)


def by_columns(op: str, *arrays: Any, **given: Any) -> Any:
    """What an op gives without the kernels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Geometry, "suits", lambda *_: False)
        return TABLE[op].compute(*arrays, **given)


def assert_close(found: Any, wanted: Any) -> None:
    """To some last places of the largest: sums have another order."""
    assert found.dtype == wanted.dtype and found.flags.c_contiguous
    scale = np.abs(wanted).max() * np.finfo(wanted.dtype).eps
    np.testing.assert_allclose(found, wanted, rtol=0, atol=30 * scale)


def count_of_calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Filled by each call of a kernel."""
    calls: list[Any] = []
    kernel = machine.Routine.__call__
    monkeypatch.setattr(convolution, "WORTH", 1)
    monkeypatch.setattr(convolution, "WORTH_OF_FEW", 1)
    monkeypatch.setattr(
        machine.Routine, "__call__", lambda self, frame: (calls.append(frame), kernel(self, frame))
    )
    return calls


SHAPES = {
    "large images": (1, 13, (31, 38)),
    "in groups": (2, 13, (31, 38)),
    "small images": (1, 13, (9, 11)),
    "small images in groups": (3, 9, (8, 6)),
    "one channel out of each group": (5, 1, (9, 18)),
    "few channels": (2, 3, (17, 7)),
}


@each_window
@each_dtype
@pytest.mark.parametrize(("groups", "o", "image"), SHAPES.values(), ids=list(SHAPES))
def test_kernels_give_what_columns_give(
    window: Any, dtype: str, groups: int, o: int, image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three ops; into given memory too, where something else stood before."""
    calls = count_of_calls(monkeypatch)
    monkeypatch.setattr(panels, "PLACES", 70)  # of several blocks, the last of which are smaller
    monkeypatch.setattr(panels, "DEPTH", 20)
    x, w, b = operands(window, dtype, groups, o, image)
    given = settings(window, groups)
    y = TABLE["conv2d"].compute(x, w, b, **given)
    assert_close(y, by_columns("conv2d", x, w, b, **given))
    assert calls, "the kernels were not used"
    g = rng.standard_normal(y.shape).astype(dtype)
    for op, arrays, more in [
        ("conv2d", (x, w), {}),
        ("conv2d_weight", (x, g), {"kernel": window[0]}),
        ("conv2d_input", (g, w), {"size": x.shape[2:]}),
    ]:
        wanted = by_columns(op, *arrays, **given, **more)
        assert_close(TABLE[op].compute(*arrays, **given, **more), wanted)
        out = np.full_like(wanted, np.nan)
        assert TABLE[op].compute(*arrays, **given, **more, out=out) is out
        assert_close(out, wanted)


@each_dtype
@pytest.mark.parametrize("size", [16, 32, 64])
def test_kernels_for_every_size_of_vectors_give_the_same(
    size: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the processor has: LLVM makes what it lacks of what there is."""
    count_of_calls(monkeypatch)
    window = WINDOWS["padded"]
    for groups, o, image in ((1, 5, (31, 38)), (1, 40, (31, 38)), (1, 23, (9, 7)), (4, 1, (19, 18))):
        x, w, b = operands(window, dtype, groups, o, image)
        given = settings(window, groups)
        wanted = by_columns("conv2d", x, w, b, **given)
        g = rng.standard_normal(wanted.shape).astype(dtype)
        with monkeypatch.context() as patch:
            patch.setattr(machine, "vector_bytes", lambda: size)
            assert_close(TABLE["conv2d"].compute(x, w, b, **given), wanted)
            found = TABLE["conv2d_weight"].compute(x, g, kernel=window[0], **given)
            y, argmax = conv2d_pool.compute(x, w, b, **given, relu=True, pool=(2, 3))
        assert_close(found, by_columns("conv2d_weight", x, g, kernel=window[0], **given))
        pooled, chosen = TABLE["max_pool2d"].compute(np.maximum(wanted, 0), **pooling((2, 3)))
        assert_close(y, pooled)
        assert (argmax == chosen).mean() > 0.999  # of two that are nearly equal either may be argmax


def test_arrays_in_another_order_and_of_two_dtypes_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    window = WINDOWS["padded"]
    x, w, b = operands(window, "float32")
    wanted = by_columns("conv2d", x, w, b, **settings(window))
    across = x.transpose(2, 3, 0, 1).copy().transpose(2, 3, 0, 1)
    assert_close(TABLE["conv2d"].compute(across, w[::-1].copy()[::-1], b, **settings(window)), wanted)
    mixed = TABLE["conv2d"].compute(x, w.astype(np.float64), b, **settings(window))
    assert mixed.dtype == np.float64
    np.testing.assert_allclose(mixed, wanted, rtol=0, atol=1e-4)


@each_dtype
@pytest.mark.parametrize("window", [WINDOWS["padded"], WINDOWS["of one pixel"]], ids=["3x3", "1x1"])
def test_an_image_at_a_time_and_in_panels_the_bits_are_the_same(
    window: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forward, and by the image: so it is nothing but speed that the choice changes."""
    count_of_calls(monkeypatch)
    x, w, b = operands(window, dtype)
    geometry = settings(window)
    y = TABLE["conv2d"].compute(x, w, b, **geometry)
    g = rng.standard_normal(y.shape).astype(dtype)
    w = np.concatenate([w, w[:, :1]], 1)  # more than few channels come back
    back = TABLE["conv2d_input"].compute(g, w, size=x.shape[2:], **geometry)
    monkeypatch.setattr(Geometry, "at_once", lambda *_: False)
    np.testing.assert_array_equal(TABLE["conv2d"].compute(x, w[:, :3], b, **geometry), y)
    np.testing.assert_array_equal(TABLE["conv2d_input"].compute(g, w, size=x.shape[2:], **geometry), back)


@each_window
@pytest.mark.parametrize(("groups", "o", "image"), SHAPES.values(), ids=list(SHAPES))
def test_what_is_not_finite_reaches_only_what_sees_it(
    window: Any, groups: int, o: int, image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of zeros and one NaN or infinity: all three ops, as by columns."""
    count_of_calls(monkeypatch)
    x, w, _ = operands(window, "float32", groups, o, image)
    given = settings(window, groups)
    y = TABLE["conv2d"].compute(x, w, **given)
    g = rng.standard_normal(y.shape).astype("float32")
    x[2, 1, 0, -1], x[4, 2, -1, 3] = np.nan, np.inf
    g[1, 0, -1, -1] = np.nan
    for op, arrays, more in [
        ("conv2d", (x, w), {}),
        ("conv2d_weight", (x, g), {"kernel": window[0]}),
        ("conv2d_input", (g, w), {"size": x.shape[2:]}),
    ]:
        with np.errstate(invalid="ignore"):  # some of OpenBLAS's kernels tell of infinity times 0, some not
            wanted = by_columns(op, *arrays, **given, **more)
            found = TABLE[op].compute(*arrays, **given, **more)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(wanted))


def test_what_is_not_finite_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A NaN reaches the places that see its pixel, and no others; nor does memory behind an image."""
    count_of_calls(monkeypatch)
    window = WINDOWS["padded"]
    x, w, b = operands(window, "float32")
    x[2, 1, 30, 37] = np.nan
    bad = np.isnan(TABLE["conv2d"].compute(x, w, b, **settings(window)))
    assert bad[2, :, 29:, 36:].all() and bad.sum() == 4 * len(w)


@each_dtype
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("pool", [(2, 2), (3, 2), (1, 3), (4, 5)])
def test_pooling_in_the_same_pass_gives_the_bits_of_the_ops_one_by_one(
    pool: Any, relu: bool, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of NaN, and of windows in which all are equal."""
    count_of_calls(monkeypatch)
    window = WINDOWS["padded"]
    x, w, b = operands(window, dtype, groups=2)
    x[0, :3, :6, :6], x[1, 4, 9, 9], w[2] = 0, np.nan, 0
    given = settings(window, 2)
    whole = TABLE["conv2d"].compute(x, w, b, **given)
    answer = TABLE["relu"].compute(whole) if relu else whole
    y, argmax = TABLE["max_pool2d"].compute(answer, **pooling(pool))
    epilogue = {"relu": relu, "pool": pool}
    found, chosen = conv2d_pool.compute(x, w, b, **given, **epilogue)
    np.testing.assert_array_equal(found, y)
    np.testing.assert_array_equal(chosen, argmax)
    np.testing.assert_array_equal(conv2d_relu.compute(x, w, b, **given), TABLE["relu"].compute(whole))

    g = rng.standard_normal(y.shape).astype(dtype)
    gate = TABLE["relu_grad"].compute(g, y) if relu else g
    back = TABLE["max_pool2d_input"].compute(gate, argmax, size=whole.shape[2:], **pooling(pool))
    x[1, 4, 9, 9] = 1
    size = x.shape[2:]
    np.testing.assert_array_equal(
        conv2d_pool_input.compute(g, w, y, argmax, size=size, **given, **epilogue),
        TABLE["conv2d_input"].compute(back, w, size=size, **given),
    )
    np.testing.assert_array_equal(
        conv2d_pool_weight.compute(x, g, y, argmax, kernel=(3, 3), **given, **epilogue),
        TABLE["conv2d_weight"].compute(x, back, kernel=(3, 3), **given),
    )


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    program = """
import hashlib, numpy as np
import shared.ops
from shared.kernels import threads
from shared.op import TABLE
rng = np.random.default_rng(0)
found = []
for c, o, size, groups in ((6, 24, 30, 1), (40, 72, 6, 1), (12, 12, 30, 12)):
    shapes = (7, c, size, size), (o, c // groups, 3, 3), (7, o, size, size)
    x, w, g = (rng.standard_normal(s).astype("f4") for s in shapes)
    geometry = dict(stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=groups)
    found += [
        TABLE["conv2d"].compute(x, w, **geometry),
        TABLE["conv2d_input"].compute(g, w, size=(size, size), **geometry),
        TABLE["conv2d_weight"].compute(x, g, kernel=(3, 3), **geometry),
    ]
print(threads.count(), hashlib.sha256(b"".join(array.tobytes() for array in found)).hexdigest())
"""
    printed = [
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"OMP_NUM_THREADS": count},
            cwd=HOME, check=True, capture_output=True, text=True,
        ).stdout.split()
        for count in ("1", "3")
    ]  # fmt: skip
    assert [count for count, _ in printed] == ["1", "3"]
    assert printed[0][1] == printed[1][1]
