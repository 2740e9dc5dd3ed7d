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


# --- sums into places that numbers name, over windows, and running ones ----------------------

MANY = 200_000
ZEROS, TENTHS = np.zeros(MANY, np.int64), np.full(MANY, 0.1, np.float32)
TENTH = float(np.float32(0.1))
ROW = np.ones((1, 1, 6000), np.float32)
IMAGE = np.full((1, 1, 450, 450), 0.1, np.float32)


def _slope(call: Callable[[Any], Any], x: Any) -> Any:
    """The derivative of the sum of what a call gives, times a tenth."""
    x = dynamic.tensor(x, requires_grad=True)
    ops.sum(call(x) * np.float32(0.1)).backward()
    return x.grad.numpy()


TABLE = np.zeros((2, 3), np.float32)
PLACED: dict[str, tuple[Callable[[], Any], Any]] = {
    "embedding": (lambda: _slope(lambda w: ops.embedding(ZEROS, w), TABLE)[0], TENTH * MANY),
    "an index": (lambda: _slope(lambda w: w[ZEROS, 1], TABLE)[0, 1], TENTH * MANY),
    "gather": (lambda: _slope(lambda w: ops.gather(w, ZEROS[:, None], 0), TABLE)[0, 0], TENTH * MANY),
    "the edge of a padding": (
        lambda: _slope(lambda x: ops.pad(x, ((0, MANY - 1),), mode="edge"), TENTHS[:1]), TENTH * MANY,
    ),
    "scatter_add": (lambda: ops.scatter_add(np.zeros(2, np.float32), ZEROS, TENTHS, 0)[0], TENTH * MANY),
    "index_add": (
        lambda: ops.index_add(TABLE, ZEROS, np.stack([TENTHS] * 3, 1), 0)[0], TENTH * MANY,
    ),
    "index_put, mean": (
        lambda: ops.index_put(np.zeros(1, np.float32), (ZEROS,), TENTHS, "mean"), TENTH * MANY / (MANY + 1),
    ),
    "bincount": (lambda: ops.bincount(ZEROS, weights=TENTHS), TENTH * MANY),
    "histogram": (lambda: ops.histogram(TENTHS, bins=1, weights=TENTHS)[0], TENTH * MANY),
    "one window": (lambda: ops.avg_pool2d(IMAGE, 450), TENTH),
    "one window's powers": (lambda: ops.lp_pool2d(IMAGE, 1, 450), TENTH * 450**2),
    "windows of a volume": (lambda: ops.avg_pool3d(IMAGE.reshape(1, 1, 45, 45, 100), 45), TENTH),
    "windows side by side": (lambda: ops.avg_pool2d(IMAGE[:, :, :200, :240], 40, 5)[0, 0], TENTH),
    "windows that overlap": (
        lambda: _slope(lambda x: ops.avg_pool1d(x, 1500, 1), ROW)[..., 1500:4500], TENTH,
    ),
    "logcumsumexp": (lambda: ops.logcumsumexp(np.zeros(MANY, np.float32))[-1], math.log(MANY)),
    "logcumsumexp's slope": (
        lambda: _slope(ops.logcumsumexp, np.zeros(MANY, np.float32))[0],
        TENTH * (1 / np.arange(1, MANY + 1)).sum(),
    ),
    "cumprod's slope": (lambda: _slope(ops.cumprod, np.ones(MANY, np.float32))[0], TENTH * MANY),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACED)
def test_sums_into_places(name: str) -> None:
    """They went one by one: 200,000 times 0.1 were off by 0.2 %, a million by 1 %."""
    call, wanted = PLACED[name]
    assert off(call(), wanted) <= bound(MANY)


@pytest.mark.parametrize("level", ["exact", "fast"])
def test_static_sums_into_places_so_too(level: str) -> None:
    with static.Graph().as_default():
        w, ids = static.placeholder("float32", (None, 3)), static.placeholder("int64", (None,))
        (slope,) = static.gradients(ops.sum(ops.embedding(ids, w) * 0.1), [w])
        x = static.placeholder("float32", IMAGE.shape)
        made = slope[0], ops.avg_pool2d(x, 450), ops.bincount(ids, weights=ops.reshape(x, -1)[:MANY])
        with static.Session(optimize=level) as session:
            sums, mean, counted = session.run(made, {w: TABLE, ids: ZEROS, x: IMAGE})
    assert off(sums, TENTH * MANY) <= bound(MANY) and off(counted, TENTH * MANY) <= bound(MANY)
    assert off(mean, TENTH) <= bound(MANY)


def test_half_precision_is_not_summed_in_itself() -> None:
    """In it 2048 + 1 is 2048, and 65520 is infinite."""
    ones = np.ones(3000, np.float16)
    for many in (1, 10_000):  # few places, and more than there are values
        assert ops.scatter_add(np.zeros(many, np.float16), np.zeros(3000, int), ones, 0)[0] == 3000
    large = np.linspace(300, 600, 144).astype(np.float16).reshape(1, 1, 12, 12)
    for pool, *settings in ((ops.avg_pool2d, 12), (ops.lp_pool2d, 2, 12), (ops.lp_pool2d, 3, 4)):
        right = pool(large.astype(np.float64), *settings)
        for y in (pool(large, *settings), pool(dynamic.tensor(large), *settings).numpy()):
            assert y.dtype == np.float16
            np.testing.assert_allclose(y, right, rtol=1e-3)


def test_losses_of_half_precision_are_summed_in_single() -> None:
    """70,000 weights came to infinity, and squares of 300 did."""
    labels = np.zeros(70_000, np.int64)
    log_p, weight = np.full((70_000, 2), -0.5, np.float16), np.ones(2, np.float16)
    assert ops.nll_loss(dynamic.tensor(log_p), labels, weight).item() == 0.5
    x, target, var = (np.full(4, value, np.float16) for value in (300, -300, 30_000))
    y = ops.gaussian_nll_loss(dynamic.tensor(x), target, var)
    assert y.dtype == np.float16 and abs(y.item() - (math.log(30_000) + 360_000 / 30_000) / 2) < 1e-2
