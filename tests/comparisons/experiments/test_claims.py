"""What pages of experiments say of the engines beyond their own evidence is so."""

from __future__ import annotations

import inspect
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import dynamic
import static
from comparisons.experiments import (
    memory_in_step,
    parallel,
    stage3_higher_order,
    ten_programs,
    where_tf2_went,
)
from comparisons.lab.snippet import written
from comparisons.report.first_page.reasons import REASONS
from shared import nn, ops, optim
from static.run.late import LateSettingWarning
from tests.comparisons.report.test_report import spread

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


def test_assign_outside_branch_what_can_not_be_computed_is_an_error_in_a_branch_that_is_not_taken():
    chosen, place = static.placeholder("bool", ()), static.placeholder("int64", ())
    x = static.constant(ROWS[0])
    picked = ops.take(x, place, axis=0)
    y = static.cond(chosen, lambda: picked, lambda: ops.sum(x))
    with static.Session() as session:
        assert session.run(y, {chosen: False, place: 7}) == 8.0
        with pytest.raises(IndexError, match="out of bounds"):
            session.run(y, {chosen: False, place: 8})


def test_memory_in_step_a_step_of_static_asks_for_less_than_it_keeps_and_for_more_than_nothing():
    draw = np.random.default_rng(0)
    x, y = draw.random((256, 64), np.float32), draw.integers(0, 10, 256)
    with static.Graph().as_default():
        step = memory_in_step.step_static(memory_in_step.network(64), x, y)
        step()
        tracemalloc.start()
        step()
        asked = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    largest = 64 * 64 * 4
    assert largest <= asked < 7 * x.nbytes


@pytest.mark.parametrize("engine", ["dynamic", "static"])
def test_memory_plan_the_new_value_of_a_parameter_is_a_fresh_array(engine: str):
    layer = nn.Linear(8, 2)
    opt = optim.SGD(layer.parameters(), lr=0.1)
    if engine == "dynamic":
        before = layer.weight.value()
        kept = before.copy()
        ops.sum(layer(dynamic.tensor(ROWS))).backward()
        opt.step()
        after = layer.weight.value()
    else:
        x = static.placeholder("float32", (1, 8))
        train = opt.minimize(ops.sum(layer(x)))
        (weight, _) = static.trainable_variables()
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            before = session.run(weight)
            kept = before.copy()
            session.run(train, {x: ROWS})
            after = session.run(weight)
    assert np.array_equal(before, kept) and not np.array_equal(after, kept)


def test_middle_value_every_value_of_a_model_can_be_replaced():
    x = static.placeholder("float32", (None, 8))
    y = nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 2))(x)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        values = [out for node in y.graph.get_operations() for out in node.outputs]
        for value in values:
            zeros = np.zeros(np.shape(session.run(value, {x: ROWS})), np.float32)
            assert session.run(y, {x: ROWS} | {value: zeros}).shape == (1, 2)
    assert len(values) > 4


@pytest.mark.parametrize(
    ("between", "found"),
    [
        (lambda p: p[:2], True),
        (lambda p: p * 2.0, True),
        (lambda p: ops.where(static.placeholder_with_default([True, True, False], (3,)), p, 1.0), True),
        (lambda p: ops.clip(p, 0.0, 1.0), True),
        (lambda p: ops.maximum(p, 0.0), False),
        (lambda p: p + 0.0, False),
    ],
    ids=["slice", "product", "where", "clip", "maximum", "sum with a number"],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_stability_static_follows_some_ops_between_the_two_and_not_others(between, found):
    x = static.constant(np.float32([0.0, 0.5, -0.5]))
    y = ops.log(between(ops.softmax(1000 * x)))
    with static.Session() as session:
        assert np.isfinite(session.run(y)).all() == found


def test_deployment_weights_are_loaded_into_a_model_that_has_other_layers_by_now(tmp_path):
    path = tmp_path / "model.safetensors"
    nn.Sequential(OrderedDict(first=nn.Linear(8, 4), old=nn.Linear(4, 2))).save(path)
    model = nn.Sequential(OrderedDict(first=nn.Linear(8, 4), new=nn.Linear(4, 3)))
    found = model.load(path, strict=False)
    assert {*found.missing_keys} == {"new.weight", "new.bias"}
    assert {*found.unexpected_keys} == {"old.weight", "old.bias"}


def test_what_static_runs_is_python_and_no_reason_says_otherwise():
    (y,) = static.while_loop(lambda y: ops.sum(y) < 100.0, lambda y: y * 2.0, [static.constant(ROWS)])
    assert static.Session().program(y).startswith("def program(")
    said = [*(text for sides in REASONS.values() for text in sides.values())]
    said += [inspect.getsource(module) for module in (stage3_higher_order, ten_programs, where_tf2_went)]
    for words in ("no Python at", "no Python around", "nothing of Python's"):
        assert not any(words in text for text in said), words


def test_state_a_run_that_fails_changes_no_variable():
    counter = static.Variable(1.0, name="counter")
    update = counter.assign_add(1.0)
    place = static.placeholder("int64", ())
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        with pytest.raises(IndexError):
            session.run([update, ops.take(static.constant(ROWS[0]), place, axis=0)], {place: 8})
        assert session.run(counter) == 1.0


@pytest.mark.parametrize(("engines", "plain"), [(0.5, 1.0), (1.0, 0.5), (1.0, 1.0), (1.5, 1.5)])
def test_parallel_a_second_core_is_doubted_only_where_nobody_gained_by_it(engines, plain):
    """Of two workers that take so many times as long as one."""
    times = {"plain": plain, "dynamic": engines, "static": engines}
    case = {way: {"one": spread(1.0), "two": spread(many)} for way, many in times.items()}
    code = {engine: {"code": ""} for engine in ("dynamic", "static")}
    case |= {"title": "layers", "width": 8, "layers": 3}
    reading = parallel.read({"codes": code, "cases": [case]})
    doubted = any("no second core" in text for text in reading.means)
    assert doubted == (min(engines, plain) >= 1.0)
    said = {0.5: "are 2.0 times (1.9 to 2.1) as fast", 1.5: "take 1.5 times (1.4 to 1.6) as long"}
    assert said.get(engines, "are not resolved to be faster or slower") in reading.answer


def test_memory_in_step_each_engine_is_told_with_its_own_figure():
    (said,) = memory_in_step._means(None, {"dynamic": 1e6, "static": 2e6}, {"dynamic": 0.0, "static": 0.0})
    assert said.index("dynamic keeps") < said.index("static its arena") < said.index("1.00 MB")
    assert said.index("1.00 MB") < said.index("2.00 MB")


def test_lines_of_code_are_counted_in_one_way_on_all_pages():
    """By `snippet.written`, as the glossary says: without imports, comments and blank lines."""
    assert written("import static\n\n# Two.\nx = 1\nfrom shared import ops\ny = x\n") == 2
    for file in Path(memory_in_step.__file__).parent.glob("*.py"):
        assert "bool(line.strip())" not in file.read_text(encoding="utf-8"), file.name
