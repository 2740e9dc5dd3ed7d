"""Regions, resized images and pads against their formulas, written as plain loops in float64."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import UnknownSizeError

rng = np.random.default_rng(5)


def bilinear(image: np.ndarray, y: float, x: float) -> Any:
    """An image (C, H, W) between its pixels; 0 from a pixel outside of it on."""
    h, w = image.shape[1:]
    if not (-1 <= y <= h and -1 <= x <= w):
        return 0.0
    y, x = min(max(y, 0.0), h - 1.0), min(max(x, 0.0), w - 1.0)
    top, left = int(y), int(x)
    down, right = min(top + 1, h - 1), min(left + 1, w - 1)
    v, u = y - top, x - left
    return (
        (1 - v) * (1 - u) * image[:, top, left] + (1 - v) * u * image[:, top, right]
        + v * (1 - u) * image[:, down, left] + v * u * image[:, down, right]
    )  # fmt: skip


def regions(
    x: np.ndarray, boxes: np.ndarray, size: tuple[int, int], scale: float, ratio: int, aligned: bool
) -> np.ndarray:
    """roi_align, sample by sample."""
    out = np.zeros((len(boxes), x.shape[1], *size))
    for k, (image, *box) in enumerate(boxes):
        left, top, right, bottom = np.array(box) * scale - (0.5 if aligned else 0)
        lengths = [bottom - top, right - left]
        if not aligned:
            lengths = [max(length, 1.0) for length in lengths]
        steps = [length / n for length, n in zip(lengths, size, strict=True)]
        counts = [ratio if ratio > 0 else math.ceil(step) for step in steps]
        for i, j in np.ndindex(size):
            for a, b in itertools.product(range(counts[0]), range(counts[1])):
                y = top + steps[0] * (i + (a + 0.5) / counts[0])
                across = left + steps[1] * (j + (b + 0.5) / counts[1])
                out[k, :, i, j] += bilinear(x[int(image)], y, across) / max(counts[0] * counts[1], 1)
    return out


BOXES = np.array([
    [0, 1.2, 0.3, 4.4, 3.1], [1, -2.0, 1, 9, 5.5], [0, 2, 2, 2.1, 2.1], [1, 0, 0, 5, 3], [1, 4, 3, 3, 2],
])  # fmt: skip
"""Inside, over the edges, less than a pixel, on the pixels, and of less than nothing."""


@pytest.mark.parametrize("ratio", [-1, 0, 1, 3])
@pytest.mark.parametrize(("aligned", "scale"), [(False, 1.0), (True, 0.5)])
def test_regions_are_means_of_their_samples(ratio: int, aligned: bool, scale: float) -> None:
    x = rng.standard_normal((2, 3, 4, 6))
    found = ops.roi_align(x, BOXES, (3, 2), scale, ratio, aligned)
    np.testing.assert_allclose(found, regions(x, BOXES, (3, 2), scale, ratio, aligned), atol=1e-12)


def test_boxes_may_come_image_by_image() -> None:
    x = rng.standard_normal((2, 3, 4, 6))
    boxes = [BOXES[BOXES[:, 0] == i, 1:] for i in (0, 1)]
    in_order = np.concatenate([BOXES[BOXES[:, 0] == i] for i in (0, 1)])
    np.testing.assert_array_equal(ops.roi_align(x, boxes, 2), ops.roi_align(x, in_order, 2))


def test_a_region_moves_with_its_box() -> None:
    """The derivative by the corners of a box, within one pixel, is that of finite differences."""
    x, box = rng.standard_normal((1, 2, 5, 6)), np.array([[0, 1.1, 0.7, 3.9, 3.3]])
    boxes = dynamic.tensor(box, requires_grad=True)
    (g,) = dynamic.grad(ops.sum(ops.roi_align(x, boxes, 2, sampling_ratio=2)), [boxes])
    for corner in range(1, 5):
        step = np.zeros_like(box)
        step[0, corner] = 1e-6
        ends = [ops.sum(ops.roi_align(x, box + s * step, 2, sampling_ratio=2)) for s in (1, -1)]
        np.testing.assert_allclose(g.numpy()[0, corner], (ends[0] - ends[1]) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_pads_are_numpys(mode: str) -> None:
    for shape, widths in (((3, 4), ((2, 1), (9, 6))), ((1, 2), ((3, 0), (0, 5))), ((2, 3, 4), 2)):
        x = rng.standard_normal(shape)
        np.testing.assert_array_equal(ops.pad(x, widths, mode), np.pad(x, widths, mode))


def test_nearest_elements_are_exact_where_single_precision_is_not() -> None:
    """The place i size / into, rounded down, in whole numbers."""
    for size, into in ((1, 49), (3, 49), (7, 41), (47, 49), (5, 103)):
        x = np.arange(size, dtype=np.float32)[None, None]
        np.testing.assert_array_equal(
            ops.interpolate(x, into)[0, 0], [i * size // into for i in range(into)]
        )


def test_a_size_to_resize_to_may_be_another_tensors() -> None:
    with static.Graph().as_default() as graph:
        small = static.placeholder("float64", (1, 2, None, None))
        large = static.placeholder("float64", (1, 2, None, None))
        y = [
            ops.interpolate(small, large.shape[2:], mode=mode) for mode in ("nearest", "bilinear", "area")
        ]
        with pytest.raises(UnknownSizeError, match=r"0\.7"):
            ops.interpolate(small, scale_factor=0.7)
    a, b = rng.standard_normal((1, 2, 3, 4)), np.zeros((1, 2, 5, 7))
    with static.Session(graph=graph) as session:
        made = session.run(y, {small: a, large: b})
        for found, mode in zip(made, ("nearest", "bilinear", "area"), strict=True):
            np.testing.assert_array_equal(found, ops.interpolate(a, (5, 7), mode=mode))


def test_the_gradient_of_a_pad_by_a_size() -> None:
    with static.Graph().as_default() as graph:
        x = static.placeholder("float64", (None, None))
        y = ops.pad(x, ((0, x.shape[1]), (x.shape[0], 0)))
        (g,) = static.gradients(ops.sum(y * y), [x])
    a = rng.standard_normal((2, 3))
    with static.Session(graph=graph) as session:
        np.testing.assert_array_equal(session.run(g, {x: a}), 2 * a)
