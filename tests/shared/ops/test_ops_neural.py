"""What the neural ops promise beyond the laws: saturation, NaN and infinity, dtypes, random streams."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import ops
from shared.op import TABLE
from shared.ops import convolution

rng = np.random.default_rng(4)
LABELS = np.array([0, 2, 1])
HUGE = np.float32([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [1e4, 0.0, -1e4]])

LOSSES: dict[str, Callable[[Any], Any]] = {
    "cross_entropy": lambda x: ops.cross_entropy(x, LABELS),
    "cross_entropy, smoothed": lambda x: ops.cross_entropy(x, LABELS, label_smoothing=0.1),
    "cross_entropy, weighted": lambda x: ops.cross_entropy(x, LABELS, np.float32([1, 2, 3])),
    "nll_loss": lambda x: ops.nll_loss(ops.log_softmax(x), LABELS),
    "binary_cross_entropy_with_logits": lambda x: ops.binary_cross_entropy_with_logits(x, HUGE > 0),
    "binary_cross_entropy": lambda x: ops.binary_cross_entropy(ops.sigmoid(x), x.detach().numpy() > 0),
    "mse_loss": lambda x: ops.mse_loss(x, np.arange(9).reshape(3, 3)),
    "huber_loss": lambda x: ops.huber_loss(x, 1),
    "l1_loss": lambda x: ops.l1_loss(x, 0.0),
    "kl_div": lambda x: ops.kl_div(ops.log_softmax(x), np.float32([[0, 0.5, 0.5]] * 3)),
    "cosine_similarity": lambda x: ops.mean(ops.cosine_similarity(x, x * 2)),
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_saturated_logits_keep_finite_losses_and_gradients_in_float32(loss: Callable[[Any], Any]) -> None:
    """And integers or truths to aim at do not widen them."""
    x = dynamic.tensor(HUGE, requires_grad=True)
    y = loss(x)
    (g,) = dynamic.grad(y, [x])
    assert y.dtype == g.dtype == np.float32
    assert np.isfinite(y.item()) and np.isfinite(g.numpy()).all()


def test_where_all_labels_are_ignored_the_mean_is_nan_and_moves_nothing() -> None:
    x = dynamic.tensor(HUGE, requires_grad=True)
    for loss in (ops.cross_entropy, ops.nll_loss):
        y = loss(x, np.full(3, -100))
        assert np.isnan(y.item())
        np.testing.assert_array_equal(dynamic.grad(y, [x])[0].numpy(), 0)
        assert loss(x, np.full(3, -100), reduction="sum").item() == 0


@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_in_blocks_of_images_is_that_of_all_at_once(
    groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the last block is smaller; and with its gradients."""
    x, g = rng.standard_normal((7, 4, 9, 8)), rng.standard_normal((7, 6, 5, 4))
    w, b = rng.standard_normal((6, 4 // groups, 3, 3)), rng.standard_normal(6)
    move = {"stride": (2, 2), "padding": (1, 1), "dilation": (1, 1), "groups": groups}

    def all_three() -> list[Any]:
        return [
            TABLE["conv2d"](x, w, b, **move),
            TABLE["conv2d_input"](g, w, size=(9, 8), **move),
            TABLE["conv2d_weight"](x, g, kernel=(3, 3), **move),
        ]

    whole = all_three()
    monkeypatch.setattr(convolution, "BLOCK", 1)
    monkeypatch.setattr(convolution, "PLACES", 3 * 5 * 4)
    for once, blocks in zip(whole, all_three(), strict=True):
        np.testing.assert_allclose(blocks, once, rtol=1e-12, atol=1e-12)


def test_the_columns_of_a_whole_batch_never_stand() -> None:
    """Convolution's work space does not grow with the batch."""
    x, w = np.ones((64, 32, 14, 14), np.float32), np.ones((64, 32, 3, 3), np.float32)
    tracemalloc.start()
    try:
        y = ops.conv2d(x, w, padding=1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    columns = 9 * x.nbytes
    assert most - y.nbytes < columns / 4


def test_padding_is_never_the_largest() -> None:
    """Not even beside minus infinity, nor beside the least integer."""
    for least in (np.float32(-np.inf), np.int8(-128)):
        x = np.full((1, 1, 3, 3), least)
        y, index = ops.max_pool2d(x, 3, 1, 1, return_indices=True)
        np.testing.assert_array_equal(y, least)
        assert index.min() >= 0 and index.max() <= 8
        assert index[0, 0, 0, 0] == 0


def test_nan_is_larger_than_all_and_the_first_one_gets_the_gradient() -> None:
    x = dynamic.tensor(np.float32([[[[1, np.nan, 3, np.inf], [np.nan, 2, 5, 4]]]]), requires_grad=True)
    y, index = ops.max_pool2d(x, 2, return_indices=True)
    np.testing.assert_array_equal(y.numpy(), [[[[np.nan, np.inf]]]])
    np.testing.assert_array_equal(index.numpy(), [[[[1, 3]]]])
    np.testing.assert_array_equal(dynamic.grad(ops.sum(y), [x])[0].numpy(), [[[[0, 1, 0, 1], [0, 0, 0, 0]]]])


def test_of_equal_elements_the_first_gets_the_gradient() -> None:
    x = dynamic.tensor(np.ones((1, 1, 2, 4), np.float32), requires_grad=True)
    (g,) = dynamic.grad(ops.sum(ops.max_pool2d(x, 2)), [x])
    np.testing.assert_array_equal(g.numpy(), [[[[1, 0, 1, 0], [0, 0, 0, 0]]]])


def test_an_infinite_pixel_spoils_no_window_but_its_own() -> None:
    x = np.zeros((1, 1, 4, 4), np.float32)
    x[0, 0, 0, 0] = np.inf
    for y in (ops.avg_pool2d(x, 2), ops.adaptive_avg_pool2d(x, 2)):
        np.testing.assert_array_equal(y, [[[[np.inf, 0], [0, 0]]]])


def test_a_query_that_may_see_nothing_attends_to_nothing() -> None:
    """Its output and all that flows back from it are zero, and no NaN reaches the others."""
    rng = np.random.default_rng(0)
    q, k, v = (dynamic.tensor(rng.standard_normal((3, 4)), requires_grad=True) for _ in range(3))
    visible = np.array([[True, True, False], [False, False, False], [True, False, True]])
    for mask in (visible, np.where(visible, 0, -np.inf)):
        y = ops.scaled_dot_product_attention(q, k, v, mask)
        found = dynamic.grad(ops.sum(ops.square(y)), [q, k, v])
        np.testing.assert_array_equal(y.numpy()[1], 0)
        np.testing.assert_array_equal(found[0].numpy()[1], 0)
        assert all(np.isfinite(g.numpy()).all() and g.numpy().any() for g in found)


def test_batch_norm_moves_the_running_statistics_and_uses_them_in_evaluation() -> None:
    x = np.random.default_rng(0).standard_normal((50, 2)) * [1, 3] + [5, -1]
    mean, var = np.zeros(2), np.ones(2)
    for _ in range(200):
        y, mean, var = ops.batch_norm(x, None, None, mean, var)
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-6)
    np.testing.assert_allclose(var, x.var(0, ddof=1), rtol=1e-6)
    np.testing.assert_allclose(y.std(0), 1, rtol=1e-4)
    z, same, _ = ops.batch_norm(x, None, None, mean, var, training=False)
    assert same is mean
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-6)


def test_the_same_state_draws_the_same_and_the_next_draws_anew() -> None:
    state = ops.generator_state(7)
    for draw in (ops.uniform, ops.normal):
        first, moved = draw(state, 1000)
        np.testing.assert_array_equal(first, draw(state, 1000)[0])
        assert not np.intersect1d(first, draw(moved, 1000)[0]).size > 5
        assert first.dtype == np.float32 and moved.dtype == np.uint64


def test_draws_have_the_distribution_that_they_are_named_after() -> None:
    state, n = ops.generator_state(3), 100_000
    even, drawn = ops.uniform(state, n, "float64")[0], ops.normal(state, n, "float64")[0]
    assert 0 <= even.min() and even.max() < 1
    np.testing.assert_allclose([even.mean(), even.var()], [1 / 2, 1 / 12], atol=0.005)
    np.testing.assert_allclose([drawn.mean(), drawn.var()], [0, 1], atol=0.02)
    for p in (0.1, 0.7):
        coins = ops.bernoulli(state, np.full(n, p))[0]
        assert set(np.unique(coins)) == {0, 1}
        np.testing.assert_allclose(coins.mean(), p, atol=0.005)
        kept = ops.dropout(np.ones(n, np.float32), state, p)[0]
        np.testing.assert_allclose([kept.mean(), (kept == 0).mean()], [1, p], atol=0.01)


def test_accuracy_counts_the_rows_that_are_right() -> None:
    share = ops.accuracy(np.float32([[1, 2], [3, 0], [0, 1], [1, 1]]), np.array([1, 1, 1, 0]))
    assert share.dtype == np.float32
    assert share == 0.75
