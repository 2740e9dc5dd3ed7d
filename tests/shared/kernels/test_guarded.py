"""Kernels touch no memory but that of their arrays, for every size of vectors: a page that may not be touched
stands behind, or before, whatever they are given and have allocated."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from shared.kernels import (
    channelwise,
    convolution,
    convolving,
    machine,
    normalizing,
    panels,
    pooling,
    products,
    scatter,
    winograd,
    winograd_sizes,
)
from shared.kernels.convolution import Geometry, Unpooling, correlate, correlate_weight
from shared.kernels.convolution_source import Epilogue
from shared.kernels.fused import MOST_LEVELS, Element, Input, Recipe, kernel_of
from shared.kernels.pooling import pool, unpool
from shared.kernels.scatter import scatter_along, scatter_rows
from shared.ops.windows import Window
from tests.shared.kernels.guarded import Guarding, filled, guarded

pytestmark = [
    pytest.mark.skipif(bool(machine.available()), reason=f"no kernels here: {machine.available()}"),
    pytest.mark.skipif(os.name != "posix", reason="pages are protected by POSIX's mprotect"),
]
ROUNDS = 25


class Draw:
    """Numbers and arrays to try a kernel with."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.front = bool(self.rng.integers(2))
        self.dtype = ("float32", "float64")[self.rng.integers(2)]

    def int(self, least: int, most: int) -> int:
        return int(self.rng.integers(least, most + 1))

    def pair(self, least: int, most: int) -> tuple[int, int]:
        return self.int(least, most), self.int(least, most)

    def array(self, *shape: int) -> Any:
        return filled(self.rng.standard_normal(shape).astype(self.dtype), self.front)

    def whole(self, least: int, most: int, *shape: int, dtype: Any = np.int64) -> Any:
        return filled(self.rng.integers(least, most + 1, shape).astype(dtype), self.front)

    def room(self, *shape: int, dtype: Any = None) -> Any:
        return guarded(shape, dtype or self.dtype, self.front)


@pytest.fixture(autouse=True, params=[16, 32, 64])
def vectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Vectors of so many bytes, and kernels for arrays of any size."""
    monkeypatch.setattr(machine, "vector_bytes", lambda: request.param)
    monkeypatch.setattr("shared.kernels.WORTH_COMPILING", 1)
    monkeypatch.setattr(convolution, "WORTH", 1)
    monkeypatch.setattr(panels, "PLACES", 40)
    monkeypatch.setattr(panels, "DEPTH", 30)
    for module in (
        channelwise, convolution, normalizing, panels, pooling, scatter, products, winograd, winograd_sizes,
    ):  # fmt: skip
        monkeypatch.setattr(module, "np", Guarding())
    known = (products.multiplier, pooling._pool_routine, scatter._routine)
    for function in known:
        function.cache_clear()
    yield
    for function in known:
        function.cache_clear()


def convolve(draw: Draw) -> None:
    groups, c, o, n = draw.int(1, 3), draw.int(1, 3), draw.int(1, 11), draw.int(1, 3)
    window = Window(draw.pair(1, 4), draw.pair(1, 3), draw.pair(0, 3), draw.pair(1, 2))
    image = draw.int(7, 12), draw.int(7, 37)
    places = window.output_size("convolve", image)
    geometry = Geometry(*window[:4], image, places)
    x, w = draw.array(n, c * groups, *image), draw.array(o * groups, c, *window.kernel)
    size = (draw.int(1, min(8, places[0])), draw.int(1, min(8, places[1])))
    epilogue = Epilogue(bool(draw.int(0, 1)), size)
    shape = n, o * groups, places[0] // size[0], places[1] // size[1]
    y, g, argmax = draw.room(*shape), draw.array(*shape), draw.room(*shape, dtype=np.uint8)
    correlate(x, w, draw.array(o * groups), geometry, groups, y, epilogue, argmax)
    unpooling = Unpooling(y, argmax, epilogue) if epilogue.pools else None
    correlate_weight(x, g, geometry, groups, draw.room(*w.shape), unpooling)
    if back := convolving.transposed(geometry):
        turned = filled(np.ascontiguousarray(convolving.turned(w, groups)))
        correlate(g, turned, None, back, groups, draw.room(*x.shape), unpooling=unpooling)


def convolve_by_panels(draw: Draw) -> None:
    """Small blocks too, of some rows of an image."""
    groups, c, o, n = draw.int(1, 2), draw.int(1, 20), draw.int(1, 19), draw.int(1, 3)
    window = Window(draw.pair(1, 3), draw.pair(1, 3), draw.pair(0, 3), draw.pair(1, 2))
    image = draw.int(5, 9), draw.int(5, 19)
    places = window.output_size("convolve", image)
    x, w = draw.array(n, c * groups, *image), draw.array(o * groups, c, *window.kernel)
    g, reach = draw.array(n, o * groups, *places), panels.forward(*window[:4], image, places)
    panels.correlate(x, w, draw.array(o * groups), reach, groups, draw.room(*g.shape), bool(draw.int(0, 1)))
    panels.correlate_weight(x, g, reach, groups, draw.room(*w.shape))
    phases = panels.backward(*window[:4], image, places)
    panels.correlate_input(g, w, phases, window.stride, groups, draw.room(*x.shape))
    channelwise.correlate_weight(x, g, Geometry(*window[:4], image, places), groups, draw.room(*w.shape))


def convolve_by_winograd(draw: Draw) -> None:
    """Images of whole tiles and of parts, in one block and in several, pooled or not."""
    draw.dtype = "float32"
    chunk, n = machine.vector_bytes() // np.dtype(draw.dtype).itemsize, draw.int(1, 3)
    c, o = chunk * draw.int(1, 2), chunk * draw.int(1, 3)
    image, padding, size = draw.pair(6, 9), draw.pair(0, 2), ((1, 1), (2, 4))[draw.int(0, 1)]
    places = image[0] + 2 * padding[0] - 2, image[1] + 2 * padding[1] - 2
    geometry = Geometry((3, 3), (1, 1), padding, (1, 1), image, places)
    x, w, epilogue = draw.array(n, c, *image), draw.array(o, c, 3, 3), Epilogue(size != (1, 1), size)
    shape = n, o, places[0] // size[0], places[1] // size[1]
    y, g, argmax = draw.room(*shape), draw.array(*shape), draw.room(*shape, dtype=np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd_sizes, "BYTES", draw.int(1, 2) * 36 * c * 9 * x.itemsize)
        winograd.correlate(x, w, draw.array(o), geometry, y, epilogue, argmax)
        unpooling = Unpooling(y, argmax, epilogue) if epilogue.pools else None
        winograd.correlate_input(g, w, geometry, draw.room(*x.shape), unpooling)
        winograd.correlate_weight(x, g, geometry, draw.room(*w.shape), unpooling)


def normalize(draw: Draw) -> None:
    x = draw.array(draw.int(1, 3), draw.int(1, 3), draw.int(1, 70), draw.int(1, 9))
    weight, bias = (draw.array(x.shape[1]) if draw.int(0, 1) else None for _ in range(2))
    other = draw.array(*x.shape) if draw.int(0, 1) else None
    mean, inv, _ = normalizing.normalize(
        x, weight, bias, 1e-5, draw.room(*x.shape), other, relu=other is not None
    )
    rows = draw.room(x.shape[1]), draw.room(x.shape[1])
    normalizing.normalize_grad(draw.array(*x.shape), x, mean, inv, weight, draw.room(*x.shape), *rows, other)


def pool_and_back(draw: Draw) -> None:
    kernel = draw.pair(1, 8)
    image = draw.int(kernel[0], 20), draw.int(kernel[1], 70)
    window = Window(kernel, kernel, (0, 0))
    x = draw.array(draw.int(1, 3), draw.int(1, 3), *image)
    y = draw.room(*x.shape[:2], *window.output_size("pool", image))
    argmax = draw.room(*y.shape, dtype=np.uint8)
    pool(x, window, y, argmax)
    unpool(y, argmax, window, image, draw.room(*x.shape))


def unpool_overlapping(draw: Draw) -> None:
    kernel = draw.pair(1, 3)
    padding = draw.int(0, kernel[0] // 2), draw.int(0, kernel[1] // 2)
    window = Window(kernel, draw.pair(1, 3), padding, draw.pair(1, 2), bool(draw.int(0, 1)))
    image = draw.int(6, 20), draw.int(6, 40)
    shape = draw.int(1, 3), 2, *window.output_size("unpool", image)
    taps = draw.whole(0, kernel[0] * kernel[1] - 1, *shape, dtype=np.uint8)
    unpool(draw.array(*shape), taps, window, image, draw.room(*shape[:2], *image))


def scatter_sums(draw: Draw) -> None:
    size, shape = draw.int(1, 9), (draw.int(1, 3), draw.int(1, 9), draw.int(1, 40))
    out = draw.room(shape[0], size, shape[2])
    scatter_along(draw.array(*shape), draw.whole(-size, size - 1, *shape), size, out)
    scatter_rows(draw.array(*shape), draw.whole(-size, size - 1, shape[1]), size, out)


def multiply(draw: Draw) -> None:
    m, k, n = draw.int(0, 19), draw.int(0, 9), draw.int(1, 80)
    tiles = products.packed(draw.array(k, n), draw.room(*products.packed_shape(k, n, draw.dtype)))
    for bias in ((), (draw.array(n),)):
        kernel = products.multiplier(np.dtype(draw.dtype), bool(bias))
        assert kernel(draw.room(m, n), draw.array(m, k), tiles, *bias)


def fuse(draw: Draw) -> None:
    """Inputs of which some stand still along some axes, and blocks side by side."""
    shape = tuple(draw.int(1, 9) for _ in range(draw.int(1, 3)))
    inputs, arrays, values = [], [], 0
    for _ in range(draw.int(1, 4)):
        blocks = draw.int(1, 3)
        axes = tuple(blocks > 1 or bool(draw.int(0, 2)) for _ in shape)
        own = [size if follows else 1 for size, follows in zip(shape, axes, strict=True)]
        arrays.append(draw.array(*own[:-1], own[-1] * blocks))
        inputs.append(Input(draw.dtype, axes, blocks))
        values += blocks
    element = Element("(a0 * a1)", (draw.int(0, values - 1), draw.int(0, values - 1)), draw.dtype)
    outputs = ((values,) * draw.int(1, 3), (values,))
    recipe = Recipe(len(shape), tuple(inputs), (element,), outputs)
    assert len(recipe.levels()) <= MOST_LEVELS
    room = [draw.room(*shape[:-1], shape[-1] * len(output)) for output in outputs]
    assert kernel_of(recipe)(*room, *arrays)


@pytest.mark.parametrize(
    "kernel",
    [
        convolve, convolve_by_panels, convolve_by_winograd, normalize, pool_and_back, unpool_overlapping,
        scatter_sums, multiply, fuse,
    ],
    ids=lambda kernel: kernel.__name__,
)  # fmt: skip
def test_no_memory_is_touched_but_that_of_the_arrays(kernel: Callable[[Draw], None]) -> None:
    for seed in range(ROUNDS):
        kernel(Draw(seed))
