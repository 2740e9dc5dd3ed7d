"""A law: whatever the axes and the layout, a sum of terms of one sign is off by 4 eps log2(n) at most.

Sums over leading axes once went one by one: the mean of a million times 0.1 was 0.10096.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.numerics.summing import BLOCK, total

EPS = float(np.finfo(np.float32).eps)
RNG = np.random.default_rng(0)


def bound(count: int) -> float:
    return 4 * EPS * max(1.0, math.log2(count))


def off(got: Any, wanted: Any) -> float:
    """The largest relative error."""
    return float(np.max(np.abs(np.asarray(got, np.float64) - wanted) / np.abs(wanted)))


SHAPES = [(70,), (70, 90), (100, 3), (33, 1, 65), (5, 40, 7), (40, 5, 41), (3, 33, 2, 5), (1, 97, 1, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_axis_of_every_layout(shape: tuple[int, ...]) -> None:
    """Transposed, cut, turned round and stretched."""
    whole = RNG.uniform(0.5, 1, shape).astype(np.float32)
    for order in itertools.permutations(range(len(shape))):
        x = whole.transpose(order)
        for view in (x, x[::2], x[::-1], np.broadcast_to(x, (50, *x.shape))):
            for count in range(1, view.ndim + 1):
                for axes in itertools.combinations(range(view.ndim), count):
                    keepdims = sum(axes) % 2 == 0
                    y = total(view, axes, keepdims)
                    wanted = view.sum(axis=axes, keepdims=keepdims, dtype=np.float64)
                    assert y.shape == wanted.shape and y.dtype == np.float32
                    assert off(y, wanted) <= bound(view.size // max(1, wanted.size))


@pytest.mark.parametrize("rows", [1, BLOCK, BLOCK + 1, 43, 97, 1024, 1025, 32769, 1_000_003])
@pytest.mark.parametrize("value", [0.1, 1 / 3, 16777215.0])
def test_a_constant_over_a_leading_axis(rows: int, value: float) -> None:
    """Whose rounding errors have all one sign: what one by one loses most of."""
    x = np.full((rows, 2), value, np.float32)
    assert off(total(x, (0,)), x.sum(axis=0, dtype=np.float64)) <= bound(rows)


def test_a_hundred_million_terms() -> None:
    """Stretched in memory, so that they take none."""
    x = np.broadcast_to(np.array([[0.1, 0.3]], np.float32), (10**8, 2))
    assert off(total(x, (0,)), x[0].astype(np.float64) * 1e8) <= bound(10**8)


ROWS = 200_000


def _running(x: Any) -> Any:
    """The statistics of the batch alone."""
    return ops.batch_norm(x, None, None, np.zeros(2, np.float32), np.ones(2, np.float32), momentum=1.0)


REDUCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sum": (lambda x: ops.sum(x, 0), lambda x: x.sum(0)),
    "mean": (lambda x: ops.mean(x, 0), lambda x: x.mean(0)),
    "var": (lambda x: ops.var(x, 0), lambda x: x.var(0, ddof=1)),
    "std": (lambda x: ops.std(x, 0), lambda x: x.std(0, ddof=1)),
    "norm": (lambda x: ops.norm(x, axis=0), lambda x: np.sqrt((x * x).sum(0))),
    "norm of 1": (lambda x: ops.norm(x, 1, axis=0), lambda x: np.abs(x).sum(0)),
    "norm of 3": (lambda x: ops.norm(x, 3, axis=0), lambda x: np.cbrt((np.abs(x) ** 3).sum(0))),
    "logsumexp": (
        lambda x: ops.exp(ops.logsumexp(x, 0) - math.log(ROWS)), lambda x: np.exp(x).sum(0) / ROWS
    ),
    "sum_to": (lambda x: ops.sum_to(x, (1, 2)), lambda x: x.sum(0, keepdims=True)),
    "einsum": (lambda x: ops.einsum("ij->j", x), lambda x: x.sum(0)),
    "mse_loss": (
        lambda x: ops.mse_loss(ops.transpose(x), np.zeros((2, ROWS), np.float32)), lambda x: (x * x).mean()
    ),
    "adaptive_avg_pool2d": (
        lambda x: ops.adaptive_avg_pool2d(ops.reshape(x, (1, 1, *x.shape)), (1, 2)),
        lambda x: x.mean(0)[None, None, None],
    ),
    "batch_norm's mean": (lambda x: _running(x)[1], lambda x: x.mean(0)),
    "batch_norm's variance": (lambda x: _running(x)[2], lambda x: x.var(0, ddof=1)),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCTIONS)
def test_what_is_made_of_sums_over_a_leading_axis(name: str) -> None:
    """On both engines, to the same bits."""
    ours, right = REDUCTIONS[name]
    x = RNG.uniform(0.5, 1, (ROWS, 2)).astype(np.float32)
    y = ours(dynamic.tensor(x)).numpy()
    assert off(y, right(x.astype(np.float64))) <= bound(ROWS)
    with static.Graph().as_default():
        fed = static.placeholder(np.float32, (ROWS, 2))
        made = ours(fed)
        with static.Session(optimize="exact") as session:
            np.testing.assert_array_equal(session.run(made, {fed: x}), y)


def test_a_gradient_that_many_rows_share() -> None:
    """Of a bias that broadcasts, of a linear layer, of a convolution, and of what stretches a number."""
    rows = np.full((ROWS, 2), 0.1, np.float32)
    bias = dynamic.tensor(np.zeros(2, np.float32), requires_grad=True)
    number = dynamic.tensor(np.float32(1), requires_grad=True)
    weight = dynamic.tensor(np.zeros((2, 1), np.float32))
    x = dynamic.tensor(rows)
    wanted = float(np.float32(0.1)) * ROWS
    for y, leaf, scale in (
        (ops.sum((x * 0 + bias) * x), bias, 1),
        (ops.sum(ops.linear(dynamic.tensor(rows[:, :1]), weight, bias) * x), bias, 1),
        (ops.sum(ops.broadcast_to(number, (ROWS, 2)) * x), number, 2),
    ):
        g = dynamic.grad(y, leaf).numpy()
        assert off(g, np.full(leaf.shape, wanted * scale)) <= bound(ROWS)
    images = np.full((500, 3, 20, 20), 0.1, np.float32)
    kernel = dynamic.tensor(np.zeros((2, 3, 1, 1), np.float32))
    y = ops.conv2d(dynamic.tensor(images), kernel, bias)
    g = dynamic.grad(ops.sum(y * np.float32(0.1)), bias).numpy()
    assert off(g, np.full(2, wanted)) <= bound(ROWS)


def test_batch_norm_of_a_constant_is_zero() -> None:
    x = np.full((ROWS, 2), 0.1, np.float32)
    y = ops.batch_norm(x, None, None, np.zeros(2, np.float32), np.ones(2, np.float32))[0]
    assert np.max(np.abs(y)) <= 1e-4  # 0.1 times the rounding of its mean, by the root of eps
