"""What pages of experiments say of the engines beyond their own evidence is so."""

from __future__ import annotations

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from static.run.late import LateSettingWarning

ROWS = np.ones((1, 8), np.float32)


@pytest.fixture(autouse=True)
def graph():
    with static.Graph().as_default():
        yield


def test_train_eval_a_switch_that_comes_too_late_is_warned_of():
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    x = static.placeholder("float32", (None, 8))
    logits = model(x)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        model.eval()
        with pytest.warns(LateSettingWarning, match="comes too late"):
            session.run(logits, {x: ROWS})


def test_train_eval_layers_of_tensorflow_1_take_a_placeholder_for_the_mode():
    training = static.placeholder("bool", ())
    dropped = static.layers.dropout(static.constant(ROWS), rate=0.5, training=training)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        asked, trained = (session.run(dropped, {training: mode}) for mode in (False, True))
    assert np.array_equal(asked, ROWS) and set(trained.flat) <= {0.0, 2.0}


def test_scope_sharing_functions_that_make_layers_number_what_they_make():
    for _ in range(2):
        static.layers.dense(static.constant(ROWS), 2)
    names = [variable.name for variable in static.trainable_variables()]
    assert names == ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]


def test_two_runs_random_ops_draw_anew_and_a_layer_of_nn_draws_the_same():
    x = static.constant(np.ones(64, np.float32))
    anew = [static.random_normal((64,)), static.nn.dropout(x, keep_prob=0.5)]
    same = nn.Dropout(0.5)(x)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        first, second = (session.run([*anew, same]) for _ in range(2))
    assert [np.array_equal(a, b) for a, b in zip(first, second, strict=True)] == [False, False, True]


def test_growing_loop_variable_shape_invariants_are_taken_with_a_warning_and_keep_the_shape():
    def grow():
        return static.while_loop(
            lambda x: ops.sum(x) < 100.0, lambda x: ops.concatenate([x, x]), [static.constant([1.0])],
            shape_invariants=[(None,)],
        )  # fmt: skip

    with pytest.warns(UserWarning, match="shape_invariants"), pytest.raises(ValueError, match="invariant"):
        grow()


def test_switch_engines_a_session_that_is_kept_open_serves_every_stretch():
    nn.manual_seed(0)
    model = nn.Linear(8, 2)
    opt = optim.Adam(model.parameters(), lr=0.1)
    x = static.placeholder("float32", (None, 8))
    train = opt.minimize(ops.sum(ops.square(model(x))))
    with static.Session(optimize="exact") as session:
        for stretch in (1, 2):
            session.load(model, opt)
            session.run(train, {x: ROWS})
            session.store(model, opt)
            assert int(opt.steps.numpy()) == 2 * stretch - 1
            opt.zero_grad()
            ops.sum(ops.square(model(dynamic.tensor(ROWS)))).backward()
            opt.step()
    assert int(opt.steps.numpy()) == 4
