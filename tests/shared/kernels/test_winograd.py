"""Winograd's convolutions against float64 and the sums they stand for; and where static takes them."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

import static
from shared import ops
from shared.kernels import machine, threads, winograd, winograd_sizes
from shared.kernels.convolution import Geometry, Unpooling
from shared.kernels.convolution_source import Epilogue
from shared.op import TABLE
from tests import HOME

pytestmark = pytest.mark.skipif(bool(machine.available()), reason=f"no kernels here: {machine.available()}")
rng = np.random.default_rng(3)
SETTINGS: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1), "groups": 1}


def in_double(op: str, *arrays: Any, padding: Any, **more: Any) -> Any:
    """What an op of the table gives by columns, without any kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Geometry, "suits", lambda *_: False)
        wide = [array.astype(np.float64) for array in arrays]
        return TABLE[op].compute(*wide, padding=padding, **SETTINGS, **more)


def geometry_of(image: Any, padding: Any) -> Geometry:
    output = tuple(size + 2 * p - 2 for size, p in zip(image, padding, strict=True))
    return Geometry((3, 3), (1, 1), padding, (1, 1), image, output)  # type: ignore[arg-type]


def operands(n: int, c: int, o: int, image: Any, padding: Any, dtype: str = "float32") -> tuple[Any, ...]:
    output = geometry_of(image, padding).output
    shapes = (n, c, *image), (o, c, 3, 3), (o,), (n, o, *output)
    return tuple(rng.standard_normal(shape).astype(dtype) for shape in shapes)


def assert_close(found: Any, wanted: Any, places: int = 60) -> None:
    """Within some units in the last place of the largest."""
    scale = np.abs(wanted).max() * np.finfo(found.dtype).eps
    np.testing.assert_allclose(found, wanted, rtol=0, atol=places * scale)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 64), ("float64", 32), ("float32", 16)])
@pytest.mark.parametrize(
    ("image", "padding", "chunks", "bytes_"),
    [((8, 8), (1, 1), (1, 2), 1 << 23), ((5, 11), (0, 2), (2, 1), 1), ((3, 7), (2, 1), (2, 3), 1 << 15)],
    ids=["whole tiles", "parts of tiles, image by image", "few rows, in blocks"],
)
def test_all_three_give_the_sums(
    image: Any, padding: Any, chunks: Any, bytes_: int, dtype: str, size: int, monkeypatch: Any
) -> None:
    """For every size of vectors."""
    monkeypatch.setattr(machine, "vector_bytes", lambda: size)
    monkeypatch.setattr(winograd_sizes, "BYTES", bytes_)
    c, o = (size // np.dtype(dtype).itemsize * k for k in chunks)
    x, w, b, g = operands(3, c, o, image, padding, dtype)
    geometry, y = geometry_of(image, padding), np.full_like(g, np.nan)
    want = in_double("conv2d", x, w, b, padding=padding)
    assert_close(winograd.correlate(x, w, b, geometry, y), want)
    assert_close(winograd.correlate(x, w, b, geometry, y, Epilogue(relu=True)), np.maximum(want, 0))
    assert_close(winograd.correlate(x, w, None, geometry, y), in_double("conv2d", x, w, padding=padding))
    want = in_double("conv2d_input", g, w, padding=padding, size=image)
    assert_close(winograd.correlate_input(g, w, geometry, np.full_like(x, np.nan)), want)
    want = in_double("conv2d_weight", x, g, padding=padding, kernel=(3, 3))
    assert_close(winograd.correlate_weight(x, g, geometry, np.full_like(w, np.nan)), want)


@pytest.mark.parametrize("size", [64, 16])
@pytest.mark.parametrize(
    ("image", "pool", "relu", "dtype"),
    [
        ((14, 14), (2, 2), True, "float32"), ((9, 13), (2, 1), False, "float64"),
        ((11, 7), (4, 2), True, "float32"),
    ],
    ids=["a window left out", "rows alone", "whole tiles and parts"],
)  # fmt: skip
def test_pooled_they_give_the_largest_and_take_their_gradients_back(
    image: Any, pool: Any, relu: bool, dtype: str, size: int, monkeypatch: Any
) -> None:
    """In blocks, and in windows that leave rows and columns out; each gradient goes where y came from."""
    monkeypatch.setattr(machine, "vector_bytes", lambda: size)
    monkeypatch.setattr(winograd_sizes, "BYTES", 1)
    c = size // np.dtype(dtype).itemsize
    x, w, b, whole = operands(2, c, 2 * c, image, (1, 1), dtype)
    geometry, (down, across) = geometry_of(image, (1, 1)), pool
    rows, columns = (image[a] // pool[a] for a in (0, 1))
    want = in_double("conv2d", x, w, b, padding=(1, 1))
    want = np.maximum(want, 0) if relu else want
    windows = want[:, :, : rows * down, : columns * across].reshape(2, 2 * c, rows, down, columns, across)
    windows = windows.swapaxes(3, 4).reshape(2, 2 * c, rows, columns, down * across)
    y, argmax = np.full(windows.shape[:4], np.nan, dtype), np.full(windows.shape[:4], 99, np.uint8)
    epilogue = Epilogue(relu, pool)
    winograd.correlate(x, w, b, geometry, y, epilogue, argmax)
    assert_close(y, windows.max(-1))
    chosen = np.arange(down * across) == argmax[..., None]
    assert_close(y, np.sum(windows * chosen, -1))
    if relu:  # all of them zeros: the first
        assert not argmax[windows.max(-1) == 0].any()
    g = rng.standard_normal(y.shape).astype(dtype)
    by_windows = (g * (y > 0) if relu else g)[..., None] * chosen
    by_windows = by_windows.reshape(2, 2 * c, rows, columns, down, across).swapaxes(3, 4)
    whole[...] = 0
    whole[:, :, : rows * down, : columns * across] = by_windows.reshape(2, 2 * c, rows * down, -1)
    unpooling = Unpooling(y, argmax, epilogue)
    found = winograd.correlate_input(g, w, geometry, np.full_like(x, np.nan), unpooling)
    assert_close(found, in_double("conv2d_input", whole, w, padding=(1, 1), size=image))
    found = winograd.correlate_weight(x, g, geometry, np.full_like(w, np.nan), unpooling)
    assert_close(found, in_double("conv2d_weight", x, whole, padding=(1, 1), kernel=(3, 3)))


def test_of_equals_the_first_is_the_largest_and_nan_is_larger() -> None:
    """As the kernel of sums chooses: an image of zeros, one of numbers, and one that is NaN all over."""
    x, w, b, _ = operands(3, 16, 16, (8, 8), (1, 1))
    x[0], x[2] = 0, np.nan
    epilogue, geometry = Epilogue(False, (2, 2)), geometry_of((8, 8), (1, 1))
    y, argmax = np.empty((3, 16, 4, 4), np.float32), np.full((3, 16, 4, 4), 9, np.uint8)
    winograd.correlate(x, w, b, geometry, y, epilogue, argmax)
    np.testing.assert_array_equal(y[0], np.broadcast_to(b[:, None, None], y[0].shape))
    assert np.isnan(y[2]).all() and not argmax[[0, 2]].any()
    assert set(argmax[1].flat) == {0, 1, 2, 3}


def test_the_matrices_multiply_polynomials_exactly() -> None:
    """The identity itself, in float64, where all that is lost is rounding."""
    a, b, g = (np.array(matrix) for matrix in winograd.matrices())
    d, k = rng.standard_normal((6, 6)), rng.standard_normal((3, 3))
    want = [[np.sum(k * d[i : i + 3, j : j + 3]) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(a.T @ ((g @ k @ g.T) * (b @ d @ b.T)) @ a, want, rtol=0, atol=1e-13)


def test_the_error_is_at_most_four_times_that_of_the_sums() -> None:
    """As `docs/static.md` and the pass say: in the mean square, of numbers as layers have them."""
    x, w, _, g = operands(8, 64, 64, (16, 16), (1, 1))
    x, geometry = np.maximum(x, 0), geometry_of((16, 16), (1, 1))
    pairs = [
        ("conv2d", (x, w), {}, winograd.correlate(x, w, None, geometry, np.empty_like(g))),
        ("conv2d_input", (g, w), {"size": (16, 16)},
         winograd.correlate_input(g, w, geometry, np.empty_like(x))),
        ("conv2d_weight", (x, g), {"kernel": (3, 3)},
         winograd.correlate_weight(x, g, geometry, np.empty_like(w))),
    ]  # fmt: skip
    for op, arrays, more, found in pairs:
        want = in_double(op, *arrays, padding=(1, 1), **more)
        usual = TABLE[op].compute(*arrays, padding=(1, 1), **SETTINGS, **more)
        error, of_sums = (np.sqrt(np.mean((y - want) ** 2)) for y in (found, usual))
        assert error < 4 * of_sums, op
        assert error < 3e-6 * np.sqrt(np.mean(want**2)), op


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    program = """
import hashlib, numpy as np
from shared.kernels import threads, winograd, winograd_sizes
from tests.shared.kernels.test_winograd import geometry_of
rng = np.random.default_rng(0)
found = []
for n, c, o, size, bytes_ in ((5, 32, 64, 8, 1 << 23), (3, 64, 16, 13, 1 << 23), (7, 32, 16, 12, 1 << 17)):
    winograd_sizes.BYTES = bytes_
    shapes = (n, c, size, size), (o, c, 3, 3), (n, o, size, size)
    x, w, g = (rng.standard_normal(s).astype("f4") for s in shapes)
    geometry = geometry_of((size, size), (1, 1))
    found += [
        winograd.correlate(x, w, None, geometry, np.empty_like(g)),
        winograd.correlate_input(g, w, geometry, np.empty_like(x)),
        winograd.correlate_weight(x, g, geometry, np.empty_like(w)),
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


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("bytes_", [1 << 23, 1 << 17], ids=["all images at once", "in blocks"])
def test_they_allocate_what_the_planner_is_told(bytes_: int, count: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(winograd_sizes, "BYTES", bytes_)
    monkeypatch.setattr(threads, "count", lambda: count)
    x, w, b, g = operands(7, 32, 32, (24, 24), (1, 1))
    geometry, epilogue = geometry_of((24, 24), (1, 1)), Epilogue(True, (2, 2))
    y, argmax = np.empty((7, 32, 12, 12), np.float32), np.empty((7, 32, 12, 12), np.uint8)
    unpooling, dx, dw = Unpooling(y, argmax, epilogue), np.empty_like(x), np.empty_like(w)
    calls: list[tuple[Any, int]] = [
        (lambda: winograd.correlate(x, w, b, geometry, g),
         winograd.bytes_to_correlate(x, 32, geometry)),
        (lambda: winograd.correlate(x, w, b, geometry, y, epilogue, argmax),
         winograd.bytes_to_correlate(x, 32, geometry, pool=(2, 2))),
        (lambda: winograd.correlate_input(y, w, geometry, dx, unpooling),
         winograd.bytes_to_correlate(y, 32, winograd.turned(geometry), x_pool=(2, 2))),
        (lambda: winograd.correlate_weight(x, y, geometry, dw, unpooling),
         winograd.bytes_to_correlate_weight(x, 32, geometry, (2, 2))),
    ]  # fmt: skip
    for call, told in calls:
        call()  # compiles
        tracemalloc.start()
        try:
            call()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert told <= peak <= told + (1 << 16)


# --- where static takes them ---------------------------------------------------------------


def layer(
    batch: Any, channels: int = 64, size: tuple[int, int] = (16, 16), **settings: Any
) -> tuple[Any, Any, list[Any]]:
    """relu of a convolution, and its gradients; the images and the fetches."""
    x = static.placeholder("float32", (batch, channels, *size), name="x")
    w = static.Variable(rng.standard_normal((128, channels, 3, 3)).astype(np.float32), name="w")
    y = ops.relu(ops.conv2d(x, w, padding=1, **settings))
    return x, y, [y, *static.gradients(ops.sum(y * y), [x, w])]


@pytest.mark.parametrize("batch", [4, "N"])
def test_fast_takes_them_and_exact_does_not(batch: Any) -> None:
    x, _, fetches = layer(batch)
    images = rng.standard_normal((4, 64, 16, 16)).astype(np.float32)
    found = {}
    for level in ("exact", "fast"):
        with static.Session(optimize=level) as session:
            session.run(static.global_variables_initializer())
            found[level] = session.run(fetches, {x: images})
            told = session.explain(fetches)
        names = ("conv2d_relu", "conv2d_input", "conv2d_weight")
        assert all((f"{name} by F(4x4, 3x3)" in told) == (level == "fast") for name in names)
    for got, want in zip(found["fast"], found["exact"], strict=True):
        assert not np.array_equal(got, want)
        assert_close(got, want, 100)


def test_with_relu_and_pooling_in_one_step() -> None:
    """The image between is in no step, and windows that fill no tile are summed as ever."""
    images = rng.standard_normal((4, 32, 12, 12)).astype(np.float32)
    for kernel, taken in ((2, True), (3, False)):
        x = static.placeholder("float32", (4, 32, 12, 12), name="x")
        w, b = (static.Variable(rng.standard_normal(s).astype("f4")) for s in ((64, 32, 3, 3), (64,)))
        y = ops.max_pool2d(ops.relu(ops.conv2d(x, w, b, padding=1)), kernel)
        fetches, found = [y, *static.gradients(ops.sum(y * y), [x, w, b])], []
        for without in ((), ("winograd",)):
            with static.Session(without=without) as session:
                session.run(static.global_variables_initializer())
                found.append(session.run(fetches, {x: images}))
                told, names = session.explain(fetches), ("pool", "pool_input", "pool_weight")
            assert all((f"conv2d_{n} by F(4x4, 3x3)" in told) == (taken and not without) for n in names)
        for got, want in zip(*found, strict=True):
            assert np.array_equal(got, want) != taken
            assert_close(got, want, 100)


def test_few_tiles_of_an_unknown_number_of_images_are_summed_as_ever() -> None:
    x, y, _ = layer("N", 128, (4, 8))
    images = rng.standard_normal((1, 128, 4, 8)).astype(np.float32)
    found = []
    for without in ((), ("winograd",)):
        with static.Session(without=without) as session:
            session.run(static.global_variables_initializer())
            found.append(session.run(y, {x: images}))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("channels", "settings"), [(64, {"stride": 2}), (64, {"dilation": 2}), (60, {}), (3, {})],
    ids=["stride", "dilation", "channels that fill no vector", "few channels"],
)  # fmt: skip
def test_other_convolutions_are_left_as_they_are(channels: int, settings: Any) -> None:
    _, _, fetches = layer(8, channels, **settings)
    with static.Session() as session:
        told = session.explain(fetches)
    assert "winograd: " in told and "F(4x4, 3x3)" not in told
