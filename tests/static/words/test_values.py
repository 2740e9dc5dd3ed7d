"""Promise: TensorFlow 1's words compute what it computes. TensorFlow itself is asked where it is installed;
what follows is held against NumPy and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import static
from shared.errors import UnknownSizeError
from tests.static.words.calls import CALLS, IMAGES, ROWS

F = np.float32


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as made:
        yield made


def run(made: Any, feeds: Any = None) -> Any:
    with static.Session(graph=static.get_default_graph()) as session:
        session.run(static.global_variables_initializer())
        return session.run(made, feeds)


def given(tf: Any, call: Callable[..., Any]) -> list[Any]:
    """What a call gives, on one world's `tf`."""
    with tf.Graph().as_default():
        x, y = tf.placeholder("float32", ROWS.shape), tf.placeholder("float32", IMAGES.shape)
        made = call(tf, x, y)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            listed = list(made) if isinstance(made, (list, tuple)) else [made]
            return [np.asarray(v) for v in session.run(listed, {x: ROWS, y: IMAGES})]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_gives_what_tensorflow_gives(name: str) -> None:
    compat = pytest.importorskip("tests.programs.tf_words", reason="TensorFlow is not installed")
    for ours, theirs in zip(given(static, CALLS[name]), given(compat.tf, CALLS[name]), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_runs(name: str) -> None:
    assert all(np.isfinite(v).all() for v in given(static, CALLS[name]) if v.dtype.kind == "f")


# --- without TensorFlow ----------------------------------------------------------------------------


def test_clipping_between_crossed_bounds_is_tensorflows() -> None:
    """findings/clip-with-crossed-bounds.sh: the lower one wins; and a gradient goes through at the bounds."""
    x = static.constant([0.0, 1.0, 2.0])
    assert run(static.clip_by_value(x, 3.0, 1.0)).tolist() == [3, 3, 3]
    assert run(static.gradients(static.clip_by_value(x, 0.0, 1.0), [x])[0]).tolist() == [1, 1, 0]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_convolutions_and_poolings_pad_as_is_said(stride: int, padding: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, w = IMAGES, np.random.default_rng(1).standard_normal((3, 2, 3, 4)).astype(F)
    pads: list[int] = []
    for size, k in ((x.shape[2], 2), (x.shape[1], 3)):  # PyTorch pads the last axis first
        total = max((-(-size // stride) - 1) * stride + k - size, 0) if padding == "SAME" else 0
        pads += [total // 2, total - total // 2]
    image = torch.from_numpy(x).permute(0, 3, 1, 2)
    padded, low = (torch.nn.functional.pad(image, pads, value=v) for v in (0.0, -np.inf))
    there = torch.nn.functional.pad(torch.ones_like(image), pads)
    f = torch.nn.functional
    expected = [
        f.conv2d(padded, torch.from_numpy(w).permute(3, 2, 0, 1), stride=stride),
        f.max_pool2d(low, (3, 2), stride),
        f.avg_pool2d(padded, (3, 2), stride) / f.avg_pool2d(there, (3, 2), stride),
    ]
    strides = [1, stride, stride, 1]
    made = [
        static.nn.conv2d(x, w, strides, padding), static.nn.max_pool(x, [1, 3, 2, 1], strides, padding),
        static.nn.avg_pool(x, [1, 3, 2, 1], strides, padding),
    ]  # fmt: skip
    for ours, theirs in zip(run(made), expected, strict=True):
        np.testing.assert_allclose(ours, theirs.permute(0, 2, 3, 1).numpy(), rtol=1e-4, atol=1e-5)


def test_a_transposed_convolution_is_the_gradient_of_the_convolution() -> None:
    rng = np.random.default_rng(2)
    x = static.constant(rng.standard_normal((2, 7, 8, 3)).astype(F))
    w = static.constant(rng.standard_normal((3, 2, 3, 4)).astype(F))
    for padding in ("SAME", "VALID"):
        y = static.nn.conv2d(x, w, [1, 2, 2, 1], padding)
        g = static.constant(rng.standard_normal([int(n) for n in y.shape]).astype(F))
        (expected,) = static.gradients(y, x, g)
        made = static.nn.conv2d_transpose(g, w, static.shape(x), [1, 2, 2, 1], padding)
        ours, theirs = run([made, expected])
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_an_lstm_a_gru_and_lengths() -> None:
    rng = np.random.default_rng(3)
    x, lengths, n = rng.standard_normal((2, 4, 3)).astype(F), [4, 2], 5

    def sigmoid(v: Any) -> Any:
        return 1 / (1 + np.exp(-v))

    def lstm(w: Any, b: Any) -> Any:
        found = np.zeros((2, 4, n))
        for row, length in enumerate(lengths):
            c, h = np.zeros(n), np.zeros(n)
            for t in range(length):
                i, f, j, o = np.split(np.concatenate([x[row, t], h]) @ w + b, 4)
                c = c * sigmoid(f + 1) + sigmoid(i) * np.tanh(j)
                found[row, t] = h = sigmoid(o) * np.tanh(c)
        return found

    def gru(gates: Any, a: Any, candidate: Any, b: Any) -> Any:
        found = np.zeros((2, 4, n))
        for row, length in enumerate(lengths):
            h = np.zeros(n)
            for t in range(length):
                r, u = np.split(sigmoid(np.concatenate([x[row, t], h]) @ gates + a), 2)
                h = u * h + (1 - u) * np.tanh(np.concatenate([x[row, t], r * h]) @ candidate + b)
                found[row, t] = h
        return found

    for cell, by_hand in ((static.nn.rnn_cell.BasicLSTMCell, lstm), (static.nn.rnn_cell.GRUCell, gru)):
        with static.variable_scope(None, "net") as scope:
            made, state = static.nn.dynamic_rnn(cell(n), x, lengths, dtype=static.float32)
            steps = static.unstack(static.constant(x), axis=1)
            listed, _ = static.nn.static_rnn(cell(n), steps, dtype=static.float32, sequence_length=lengths)
        variables = static.trainable_variables(f"{scope.name}/rnn/")
        others = static.trainable_variables(f"{scope.name}/rnn_1/")
        assert [v.name.partition("rnn/")[2] for v in variables] == [
            v.name.partition("rnn_1/")[2] for v in others
        ]
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            values = [rng.standard_normal(v.shape).astype(F) for v in variables]
            for v, w, value in zip(variables, others, values, strict=True):
                v.load(value, session)
                w.load(value, session)
            outputs, last, steps = session.run([made, state, static.stack(listed, 1)])
        expected = by_hand(*values)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(steps, expected, rtol=1e-4, atol=1e-5)
        h = last.h if isinstance(last, tuple) else last
        np.testing.assert_allclose(h, expected[[0, 1], [3, 1]], rtol=1e-4, atol=1e-5)


def test_dropout_takes_a_placeholder_without_a_shape() -> None:
    keep, x = static.placeholder(static.float32), static.placeholder(static.float32, [None, 1000])
    y, shared = static.nn.dropout(x, keep), static.nn.dropout(x, keep, noise_shape=[None, 1])
    ones = np.ones((20, 1000))
    with static.Session() as session:
        asked = (y, 1), (y, 0.5), (shared, 0.5)
        all_of_it, half, rows = (session.run(t, {x: ones, keep: k}) for t, k in asked)
    assert (all_of_it == 1).all() and abs(half.mean() - 1) < 0.1 and set(np.unique(half)) == {0, 2}
    assert (rows == rows[:, :1]).all() and set(np.unique(rows)) == {0, 2}


def test_sizes_are_sizes_and_numbers() -> None:
    x = static.placeholder(static.float32, [None, 3])
    n = static.shape(x)[0]
    made = [
        n, static.shape(x), static.cast(n, static.float32) / 2, static.zeros([n, 2]), static.range(n),
        static.stack([n, 3]), static.reshape(x, [n * 3]), static.fill(static.shape(x), 2.0), static.size(x),
    ]  # fmt: skip
    with static.Session() as session:
        got = session.run(made, {x: np.ones((4, 3))})
        before = len(static.get_default_graph().nodes)
        session.run(static.shape(x), {x: np.ones((2, 3))})
    assert got[0] == 4 and got[1].tolist() == [4, 3] and got[2] == 2 and got[3].shape == (4, 2)
    assert got[5].tolist() == [4, 3] and got[6].shape == (12,) and got[7].shape == (4, 3) and got[8] == 12
    assert len(static.get_default_graph().nodes) == before
    known = x.get_shape()
    assert known.as_list() == [None, 3] and known[1].value == 3 and known[0].value is None


def test_a_shape_of_unknown_sizes_is_compared_as_its_sizes_are() -> None:
    """`get_shape() == [1, 3]` was False, of any x; and so was `get_shape() == [2, 3]` of an x of these
    sizes."""
    x, y = static.placeholder(static.float32, [None, 3]), static.placeholder(static.float32, [2, 3])
    shape = x.get_shape()
    for compare in (lambda: shape == [1, 3], lambda: shape != (1, 3), lambda: [1, 3] == shape):
        with pytest.raises(UnknownSizeError, match=r"whether the size .* is 1 is not known"):
            compare()
    assert shape == [None, 3] and shape == x.shape and shape == x.get_shape() and shape != [3]
    known = y.get_shape()
    assert known == [2, 3] and known == (2, 3) and known != [2, 4] and known != [None, 3] and known[1:] == [3]
    assert {known: 1}[2, 3] == 1


def test_placeholders_without_a_shape_take_part_in_arithmetic() -> None:
    x, y = static.placeholder("float"), static.placeholder("float")
    w, b = static.Variable(0.5), static.Variable(0.25)
    cost = static.reduce_sum(static.pow(static.add(static.multiply(x, w), b) - y, 2)) / 2
    gradients = static.gradients(cost, [w, b])
    k, z = static.placeholder("float"), static.placeholder("float", [None, 2])
    scaled = z * k + (1 - k)
    a, c = np.arange(4.0), np.ones(4)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for p, q in ((2.0, 3.0), (a, c)):
            error = np.asarray(p) * 0.5 + 0.25 - q
            got = session.run([cost, *gradients], {x: p, y: q})
            np.testing.assert_allclose(got, [(error**2).sum() / 2, (error * p).sum(), error.sum()])
        assert session.run(scaled, {z: np.ones((3, 2)), k: 0.5}).tolist() == [[1, 1]] * 3
        with pytest.raises(ValueError, match=r"fed \(3,\), which does not broadcast to the \(1, 2\)"):
            session.run(scaled, {z: np.ones((1, 2)), k: np.ones(3)})


def test_what_is_drawn() -> None:
    static.set_random_seed(1)
    made = [
        static.truncated_normal([5000], stddev=2.0), static.random_uniform([5000], 3, 7, dtype=static.int32),
        static.random_shuffle(np.arange(50)), static.multinomial(np.log([[0.1, 0.6, 0.3]]), 5000),
        static.nn.log_uniform_candidate_sampler([[0]], 1, 5000, False, 8)[0],
    ]  # fmt: skip
    normal, whole, shuffled, classes, candidates = run(made)
    assert abs(normal).max() <= 4 and abs(normal.std() - 2 * 0.8796) < 0.05
    assert set(whole) == {3, 4, 5, 6} and sorted(shuffled) == list(range(50)) != list(shuffled)
    np.testing.assert_allclose(np.bincount(classes[0]) / 5000, [0.1, 0.6, 0.3], atol=0.03)
    p = np.log((np.arange(8) + 2) / (np.arange(8) + 1)) / np.log(9)
    np.testing.assert_allclose(np.bincount(candidates, minlength=8) / 5000, p, atol=0.03)


def test_losses_by_sampling() -> None:
    rng = np.random.default_rng(0)
    w, b, x = (rng.standard_normal(s).astype(F) for s in ((6, 3), (6,), (2, 3)))
    labels, drawn = [[1], [4]], np.array([0, 4, 2])
    sampled = drawn, F([[0.5], [0.2]]), F([0.7, 0.2, 0.4])
    nce = static.nn.nce_loss(w, b, labels, x, 3, 6, sampled_values=sampled)
    among = static.nn.sampled_softmax_loss(w, b, labels, x, 3, 6, sampled_values=sampled)
    drawn_here = static.nn.nce_loss(w, b, labels, x, 3, 6)
    scores = x @ w.T + b
    own = scores[[0, 1], [1, 4]] - np.log([0.5, 0.2])
    others = scores[:, drawn] - np.log([0.7, 0.2, 0.4])
    expected = np.log1p(np.exp(-own)) + np.log1p(np.exp(others)).sum(1)
    others[1, 1] = -np.inf  # it was the true one
    softmax = np.log(np.exp(own) + np.exp(others).sum(1)) - own
    got = run([nce, among, drawn_here])
    np.testing.assert_allclose(got[0], expected, rtol=1e-5)
    np.testing.assert_allclose(got[1], softmax, rtol=1e-5)
    assert got[2].shape == (2,) and (got[2] > 0).all()
