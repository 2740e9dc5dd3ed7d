"""Promise: variables, scopes, layers, optimisers and checkpoints work in TensorFlow 1's words, and three
programs of its time run with only their import changed."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import static as tf
from shared import nn
from shared.errors import NoGradientError, OutOfRangeError, StateError


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default() as made:
        yield made


# --- programs --------------------------------------------------------------------------------------


def program(name: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tf.NoEffectWarning)
        return runpy.run_module(f"tests.static.words.tutorials.{name}")


def test_a_dynamic_rnn() -> None:
    left = program("dynamic_rnn")
    assert left["result"] > 0.85 and left["steps"] == 150


def test_a_dcgan() -> None:
    left = program("dcgan")
    assert left["drawn"].shape == (4, 8, 8, 1) and np.isfinite([left["gl"], left["dl"]]).all()
    assert left["dl"] < 1.2 and all((mean != 0).any() for mean in left["moved"])
    names = {v.name.partition("/")[0] for v in left["gen_vars"]}
    assert names == {"Generator"} and len(left["disc_vars"]) == 6


def test_word2vec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD2VEC_LOGS", str(tmp_path))
    left = program("word2vec")
    known, vectors = left["dictionary"], left["final_embeddings"]

    def alike(a: str, b: str) -> float:
        return float(vectors[known[a]] @ vectors[known[b]])

    assert np.mean(left["average_loss"][-50:]) < np.mean(left["average_loss"][:50])
    assert alike("cat", "dog") > alike("cat", "one") and alike("red", "blue") > alike("red", "two")
    assert any(path.name.startswith("events.out.tfevents") for path in tmp_path.iterdir())


# --- variables and scopes --------------------------------------------------------------------------


def test_a_variable_may_start_from_a_tensor() -> None:
    w = tf.Variable(tf.random_normal([2, 3], seed=1), name="w")
    u = tf.Variable(w.initialized_value() * 2)
    v = tf.get_variable("v", initializer=lambda shape: tf.ones(shape) * 3, shape=[2])
    f = tf.Variable(lambda: tf.fill([2], 4.0))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        first = session.run([w, u, v, f])
        assert np.array_equal(first[1], first[0] * 2) and first[2].tolist() == [3, 3] and first[3][0] == 4
        session.run(w.initializer)  # the same: generators were initialised, too
        assert np.array_equal(session.run(w), first[0])
        session.run(w.initializer)
        assert not np.array_equal(session.run(w), first[0])  # drawn anew
        w.load(np.zeros((2, 3)), session)
        assert (w.eval() == 0).all()
    with pytest.raises(ValueError, match="has to be known"):
        tf.Variable(tf.placeholder("float32", (None,)))
    with pytest.raises(TypeError, match="of a loop or branch"):
        tf.cond(True, lambda: tf.Variable(tf.zeros([2])).value(), lambda: tf.zeros([2]))


def test_scopes_number_share_and_regularize() -> None:
    def net(x: Any) -> Any:
        return tf.layers.dense(tf.layers.dense(x, 3), 2, name="out")

    x = tf.placeholder(tf.float32, [None, 4])
    penalty = tf.contrib.layers.l2_regularizer(0.1)
    with tf.variable_scope("net", regularizer=penalty, initializer=tf.constant_initializer(2.0)) as scope:
        net(x)
    names = ["net/dense/kernel", "net/dense/bias", "net/out/kernel", "net/out/bias"]
    assert [v.name for v in tf.trainable_variables()] == names
    with tf.variable_scope(scope, reuse=True):
        net(x)
    with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
        net(x)
    with tf.variable_scope("net") as again:
        again.reuse_variables()
        net(x)
    assert len(tf.trainable_variables()) == 4 and len(tf.losses.get_regularization_losses()) == 4
    net(x)
    tf.layers.dense(x, 3)
    assert [v.name for v in tf.trainable_variables()][4:] == [
        "dense/kernel", "dense/bias", "out/kernel", "out/bias", "dense_1/kernel", "dense_1/bias",
    ]  # fmt: skip
    layer = tf.layers.Dense(5, name="shared")
    layer(x)
    layer(x * 2)
    assert [v.name for v in layer.variables] == ["shared/kernel", "shared/bias"]
    with pytest.raises(ValueError, match="already exists"):
        tf.layers.dense(x, 3, name="out")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        total = session.run(tf.losses.get_regularization_loss())
    np.testing.assert_allclose(total, 0.05 * 4 * (12 + 6), rtol=1e-6)  # of kernels alone; biases start at 0


def test_batch_normalization_moves_its_statistics_with_minimize_and_judges_by_them() -> None:
    x, training = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.bool)
    fixed, chosen = (tf.layers.batch_normalization(x, training=t, momentum=0.5) for t in (True, training))
    means = [v for v in tf.global_variables() if "moving_mean" in v.name]
    step = tf.train.GradientDescentOptimizer(0.0).minimize(tf.reduce_sum(fixed) + tf.reduce_sum(chosen))
    data = np.random.default_rng(0).standard_normal((50, 3)) + 2
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert abs(session.run(chosen, {x: data, training: True}).mean()) < 1e-5
        assert session.run(means[0]).tolist() == [0, 0, 0]  # a run that only looks stores nothing
        session.run(step, {x: data, training: True})
        for mean in session.run(means):
            np.testing.assert_allclose(mean, 0.5 * data.mean(0), rtol=1e-5)
        session.run(step, {x: data, training: False})
        np.testing.assert_allclose(session.run(means[1]), 0.5 * data.mean(0), rtol=1e-5)
        judged = session.run(chosen, {x: data, training: False})
        assert judged.mean() > 0.5
    assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 4


def test_initialisers_have_the_deviations_of_their_papers() -> None:
    shape = (200, 300)
    kinds = {
        tf.glorot_uniform_initializer(): np.sqrt(2 / 500), tf.initializers.he_normal(): np.sqrt(2 / 200),
        tf.truncated_normal_initializer(stddev=0.5): 0.5 * 0.8796,
        tf.random_uniform_initializer(-1, 1): 3**-0.5,
        tf.contrib.layers.xavier_initializer(uniform=False): np.sqrt(2 / 500),
    }  # fmt: skip
    for made, deviation in kinds.items():
        values = made(shape)
        assert values.dtype == np.float32 and abs(values.std() / deviation - 1) < 0.03
    q = tf.orthogonal_initializer()((4, 3))
    np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-6)
    assert tf.get_variable("z", [2], initializer=tf.zeros_initializer).shape == (2,)  # the class itself
    c = tf.get_variable("c", [2, 2], initializer=tf.constant_initializer([1, 2, 3, 4]))
    assert c.initial().tolist() == [[1, 2], [3, 4]]


# --- optimisers ------------------------------------------------------------------------------------


def test_optimisers_find_their_variables_and_follow_a_rate_that_is_fed() -> None:
    rate, x = tf.placeholder(tf.float32), tf.placeholder(tf.float32, [None, 2])
    w, idle = tf.Variable([1.0, 2.0], name="w"), tf.Variable(1.0, name="idle")
    fixed = tf.Variable(5.0, trainable=False)
    model = nn.Linear(2, 1)
    optimizer = tf.train.MomentumOptimizer(rate, 0.9)
    loss = tf.reduce_sum(model(x * w)) + fixed
    step = tf.train.get_or_create_global_step()
    train = optimizer.minimize(loss, step, name="train")
    pairs = {v.name: g for g, v in optimizer.compute_gradients(loss)}
    assert pairs["idle"] is None and set(pairs) == {"w", "idle", "weight", "bias"} and train.name == "train"
    slot = optimizer.get_slot(w, "momentum_buffer")
    assert slot is not None and slot.shape == (2,)
    assert any(slot is variable for variable in optimizer.variables())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        feed = {x: np.ones((1, 2)), rate: 0.0}
        train.run(feed)
        assert session.run(w).tolist() == [1, 2] and tf.train.global_step(session, step) == 1
        before, slope = session.run([w, pairs["w"]], feed)
        session.run(train, {**feed, rate: 0.5})
        np.testing.assert_allclose(session.run(w), before - 0.5 * 1.9 * slope, rtol=1e-5)
    with pytest.raises(NoGradientError, match=r"Adam: no gradients provided for any variable \('idle'\)"):
        tf.train.AdamOptimizer().minimize(loss, var_list=[idle])


def test_a_rate_may_be_a_variable() -> None:
    rate, w = tf.Variable(0.5, trainable=False), tf.Variable(4.0)
    train = tf.train.GradientDescentOptimizer(rate).minimize(w * w)
    lower = tf.assign(rate, rate / 2)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        assert session.run(w) == 0
        w.load(4.0, session)
        session.run(lower)
        session.run(train)
        assert session.run(w) == 2


def test_averages_follow_their_variables(tmp_path: Path) -> None:
    v, count = tf.Variable(4.0, name="v"), tf.Variable(0, trainable=False)
    ema, hurried = tf.train.ExponentialMovingAverage(0.9), tf.train.ExponentialMovingAverage(0.9, count)
    moved, quick = ema.apply([v]), hurried.apply([v])
    with tf.Session() as session:
        session.run(tf.variables_initializer(tf.global_variables()))
        v.load(14.0, session)
        session.run([moved, quick])
        np.testing.assert_allclose(session.run([ema.average(v), hurried.average(v)]), [5, 4 + 10 * 0.9])
        path = tf.train.Saver().save(session, tmp_path / "m")
        tf.train.Saver(ema.variables_to_restore()).restore(session, path)
        np.testing.assert_allclose(session.run(v), 5)
    assert ema.average(count) is None and ema.average_name(v) == "v/ExponentialMovingAverage"


# --- state by the run ------------------------------------------------------------------------------


def test_checkpoints_by_names_of_ones_own(tmp_path: Path) -> None:
    w, step = tf.Variable(1.0, name="w"), tf.Variable(3, trainable=False)
    saver = tf.train.Saver({"layer/weights": w}, max_to_keep=2)
    path = str(tmp_path / "model.ckpt")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for number in (1, 2):
            saver.save(session, path, global_step=number)
        w.load(7.0, session)
        saver.save(session, path, global_step=step)
    assert saver.last_checkpoints == [f"{path}-2", f"{path}-3"]
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert state.model_checkpoint_path == f"{path}-3" and len(state.all_model_checkpoint_paths) == 2
    assert tf.train.get_checkpoint_state(str(tmp_path / "none")) is None
    with tf.Graph().as_default():
        other = tf.Variable(0.0, name="other")
        with tf.Session() as session:
            tf.train.Saver({"layer/weights": other}).restore(session, state.model_checkpoint_path)
            assert other.eval() == 7
            with pytest.raises(StateError, match=r"'missing' not found in checkpoint .* has layer/weights"):
                tf.train.Saver({"missing": other}).restore(session, state.model_checkpoint_path)


def test_branches_that_are_operations() -> None:
    p, v = tf.placeholder(tf.bool), tf.Variable(0.0)
    step = tf.cond(p, lambda: tf.assign_add(v, 1.0).op, tf.no_op, name="step")
    both = tf.cond(p, lambda: [tf.group(tf.assign_sub(v, 2.0)), v * 2], lambda: [tf.no_op(), v * 3])
    chosen = tf.case({p: lambda: tf.constant(1.0)}, lambda: tf.constant(2.0))
    sure = tf.case([(p, lambda: tf.constant(1.0)), (p, lambda: tf.constant(3.0))], exclusive=True)
    assert step.name == "step"
    with tf.Session() as session, session.as_default():
        session.run(tf.global_variables_initializer())
        step.run({p: True})
        step.run({p: False})
        assert v.eval() == 1 and session.run(both, {p: True}) == [None, -2] and v.eval() == -1
        assert [session.run(chosen, {p: q}) for q in (True, False)] == [1, 2]
        for q, words in ((True, "more than one pred is true"), (False, "no pred is true")):
            with pytest.raises(AssertionError, match=words):
                session.run(sure, {p: q})


def test_loops_in_tensorflows_words() -> None:
    x = tf.constant(2.0)
    i, y = tf.while_loop(lambda i, y: i < 100, lambda i, y: (i + 1, y * x), [0, 1.0], maximum_iterations=3)
    _, closed = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), [0, 1.0], back_prop=False)
    squares = tf.map_fn(lambda e: e * e, tf.constant([1.0, 2.0]), dtype=None)
    (through,), (none,) = tf.gradients(y, [x]), tf.gradients(closed, [x])
    assert none is None
    assert [np.asarray(v).tolist() for v in tf.Session().run([i, y, through, squares])] == [3, 8, 12, [1, 4]]


def test_rows_of_a_variable_and_tuples() -> None:
    v = tf.Variable(tf.zeros([3, 2]))
    more = tf.scatter_add(v, [0, 2, 0], np.ones((3, 2)))
    less = tf.scatter_sub(v, [1], [[5.0, 6.0]])
    a, b = tf.tuple([more * 1, less * 1])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(a)  # which waits for both
        assert session.run(v).tolist() == [[2, 2], [-5, -6], [1, 1]]
    with pytest.raises(ValueError, match=r"scatter_add: \(1,\) indices .* take updates of shape \(1, 2\)"):
        tf.scatter_add(v, [0], [1.0])
    assert b.shape == (3, 2)


def test_data_sets_end_and_begin_anew() -> None:
    rows, labels = np.arange(10.0).reshape(5, 2), np.arange(5)
    data = tf.data.Dataset.from_tensor_slices({"x": rows, "y": labels}).repeat(2).shuffle(4, seed=0).batch(4)
    element = data.make_one_shot_iterator().get_next()
    total = tf.reduce_sum(element["x"], 1)
    fed = tf.placeholder(tf.float32, [None, 2])
    doubled = tf.data.Dataset.from_tensor_slices(fed).map(lambda r: r * 2).skip(1).take(3)
    iterator = doubled.make_initializable_iterator()
    row, begin = iterator.get_next(), iterator.initializer
    with tf.Session() as session:
        seen = [session.run([element["y"], total]) for _ in range(3)]
        with pytest.raises(OutOfRangeError, match="end of sequence"):
            session.run(total)
        assert sorted(np.concatenate([y for y, _ in seen])) == sorted([*labels, *labels])
        assert all((t == 4 * y + 1).all() for y, t in seen) and [len(y) for y, _ in seen] == [4, 4, 2]
        with pytest.raises(StateError, match="run its initializer first"):
            session.run(row)
        for _ in range(2):
            session.run(begin, {fed: rows})
            assert session.run(row).tolist() == [4, 6]


def test_metrics_count_until_they_are_set_back() -> None:
    labels, guess = tf.placeholder(tf.int64, [None]), tf.placeholder(tf.int64, [None])
    so_far, counted = tf.metrics.accuracy(labels, guess)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(counted, {labels: [1, 2], guess: [1, 0]}) == 0.5
        assert session.run(counted, {labels: [1, 2], guess: [1, 2]}) == 0.75 and session.run(so_far) == 0.75
        session.run(tf.local_variables_initializer())
        assert session.run(so_far) == 0
