"""What a TensorFlow 1.x user reaches for: scopes, effects, random ops, sessions, checkpoints."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import static
from shared import nn, ops, optim
from static.graph.select import select


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


# --- graphs --------------------------------------------------------------------------------


def test_names_are_unique_and_scoped() -> None:
    with static.name_scope("a"):
        x = static.placeholder("float32", (2,), name="x")
        with static.name_scope("b"):
            y = static.placeholder("float32", (2,), name="x")
    with static.name_scope("a"):
        z = static.placeholder("float32", (2,), name="x")
    assert [t.name for t in (x, y, z)] == ["a/x:0", "a/b/x:0", "a_1/x:0"]
    assert static.get_default_graph().get_tensor_by_name("a/b/x:0") is y


def test_the_default_graph_is_a_stack_for_each_thread(graph: static.Graph) -> None:
    inner = static.Graph()
    with inner.as_default():
        assert static.get_default_graph() is inner
    assert static.get_default_graph() is graph
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(static.get_default_graph()))
    thread.start()
    thread.join()
    assert seen[0] is not graph


def test_a_finalized_graph_refuses_nodes_and_still_runs(graph: static.Graph) -> None:
    x = static.placeholder("float32", ())
    y = x * 2
    graph.finalize()
    with pytest.raises(RuntimeError, match=r"finalized and cannot be modified.*inside the training loop"):
        x + 1
    with static.Session() as session:
        assert session.run(y, {x: 3.0}) == 6


def test_get_variable_shares_by_name_only_where_the_scope_says_so() -> None:
    with static.variable_scope("layer"):
        w = static.get_variable("w", (2, 3))
        with pytest.raises(ValueError, match=r"'layer/w' already exists.*reuse=True"):
            static.get_variable("w", (2, 3))
    with static.variable_scope("layer", reuse=True):
        assert static.get_variable("w") is w
        with pytest.raises(ValueError, match=r"'layer/v' does not exist"):
            static.get_variable("v", (1,))
        with pytest.raises(ValueError, match="has shape"):
            static.get_variable("w", (3, 3))
    with static.variable_scope("layer", reuse=static.AUTO_REUSE):
        assert static.get_variable("w") is w and static.get_variable("v", (1,)).name == "layer/v"
    assert [v.name for v in static.trainable_variables()] == ["layer/w", "layer/v"]


def test_collections_hold_variables_and_updates() -> None:
    static.Variable(1.0, trainable=False)
    w = static.Variable(1.0)
    layer = nn.BatchNorm2d(2)
    layer(static.placeholder("float32", (None, 2, 3, 3)))
    assert w in static.get_collection(static.TRAINABLE_VARIABLES)
    assert len(static.trainable_variables()) == 3 and len(static.global_variables()) >= 6
    names = [node.settings["variable"].name for node in static.get_collection(static.UPDATE_OPS)]
    assert {"running_mean", "running_var"} <= set(names)
    static.add_to_collection("mine", 7)
    assert static.get_collection("mine") == [7]


def test_placeholder_with_default_constant_and_set_of_rows() -> None:
    x = static.placeholder_with_default(np.float32([1, 2]), (None,))
    v = static.Variable(np.zeros((3, 2), np.float32))
    put = static.scatter_update(v, [2, 0], np.ones((2, 2), np.float32))
    add = static.assign_add(v, 1.0)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        assert session.run(x * 2).tolist() == [2, 4]
        assert session.run(x * 2, {x: [5.0]}).tolist() == [10]
        assert session.run([put, add])[0].tolist() == [[1, 1], [0, 0], [1, 1]]
        assert session.run(v).tolist() == [[2, 2], [1, 1], [2, 2]]


def test_of_unknown_rank_a_tensor_can_be_passed_on_reshaped_fetched_and_told_its_shape() -> None:
    x = static.placeholder("float32", name="x")
    rows, same = ops.reshape(x, (-1, 2)) * 2, static.identity(x)
    with pytest.raises(TypeError, match=r"number of axes is not known.*set_shape"):
        ops.sum(x, axis=0)
    with static.Session() as session:
        assert session.run([rows, same, x], {x: [1, 2, 3, 4]})[0].tolist() == [[2, 4], [6, 8]]
        assert session.run(same, {x: 5.0}) == 5
    x.set_shape((None, 3))
    y = ops.sum(x, axis=0)
    with static.Session() as session:
        assert session.run(y, {x: np.ones((2, 3))}).tolist() == [2, 2, 2]
        with pytest.raises(ValueError, match="cannot feed value of shape"):
            session.run(y, {x: np.ones((2, 4))})
    with pytest.raises(ValueError, match="contradicts"):
        x.set_shape((3, 4))


# --- effects -------------------------------------------------------------------------------


def test_print_prints_only_where_it_is_needed(capfd: pytest.CaptureFixture[str]) -> None:
    x = static.placeholder("float32", (2,))
    static.Print(x, [x], "orphan ")
    y = static.Print(x * 2, [x, ops.sum(x)], "seen ")
    with static.Session() as session:
        assert session.run(y, {x: [1, 2]}).tolist() == [2, 4]
    assert capfd.readouterr().err == "seen [1. 2.] 3.\n"
    assert static.gradients(y, x)[0] is not None


def test_assert_and_check_numerics_stop_a_run_with_the_values() -> None:
    x = static.placeholder("float32", (2,))
    small = static.Assert(ops.max(x) < 10, [x], "too large")
    with static.control_dependencies([small]):
        y = static.identity(x)
    z = static.check_numerics(ops.log(x), "the log")
    with static.Session() as session, np.errstate(all="ignore"):
        assert session.run(y, {x: [1, 2]}).tolist() == [1, 2]
        with pytest.raises(AssertionError, match=r"too large; data: \[ 1. 20.\]"):
            session.run(y, {x: [1, 20]})
        with pytest.raises(ArithmeticError, match="the log: the value has NaN"):
            session.run(z, {x: [-1, 1]})


def test_control_dependencies_make_an_assignment_run_first() -> None:
    v = static.Variable(1.0)
    bump = v.assign_add(1.0)
    with static.control_dependencies([bump]):
        after = static.identity(v)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        assert [float(session.run(after)) for _ in range(3)] == [2, 3, 4]


def test_py_func_runs_any_python_and_keeps_its_promise() -> None:
    x = static.placeholder("float32", (None,))
    y = static.py_func(lambda a: np.sort(a), [x], "float32", shapes=(None,))
    bad = static.py_func(lambda a: a.astype(int), [x], "float32", shapes=(None,))
    with static.Session() as session:
        assert session.run(y + 1, {x: [3, 1, 2]}).tolist() == [2, 3, 4]
        with pytest.raises(TypeError, match="was promised"):
            session.run(bad, {x: [1.0]})


def test_stop_gradient() -> None:
    x = static.placeholder("float32", ())
    (g,) = static.gradients(x * static.stop_gradient(x), x)
    with static.Session() as session:
        assert session.run(g, {x: 3.0}) == 3


@pytest.mark.parametrize("seed", range(20))
def test_any_legal_order_of_fetches_gives_the_results_of_program_order(seed: int) -> None:
    """Assignments, reads, prints and draws in random programs, fetched in random orders, against
    a plain interpreter of the same program."""
    rng = random.Random(seed)
    variables = [static.Variable(float(i)) for i in range(3)]
    held = [float(i) for i in range(3)]
    tensors: list[Any] = []
    program: list[tuple[str, int, int, float]] = []
    for _ in range(12):
        kind, k, number = rng.choice(["read", "assign", "add"]), rng.randrange(3), float(rng.randrange(5))
        source = rng.randrange(3)
        if kind == "read":
            tensors.append(variables[k] * number)
        elif kind == "assign":
            tensors.append(variables[k].assign(variables[source] + number))
        else:
            tensors.append(variables[k].assign_add(number))
        program.append((kind, k, source, number))
    chosen = sorted(rng.sample(range(12), 6))
    order = chosen[:]
    rng.shuffle(order)
    expected: dict[int, float] = {}
    for i in chosen:  # only what is fetched runs
        kind, k, source, number = program[i]
        if kind == "read":
            expected[i] = held[k] * number
        else:
            held[k] = held[source] + number if kind == "assign" else held[k] + number
            expected[i] = held[k]
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        got = session.run([tensors[i] for i in order])
        assert [float(v) for v in got] == [expected[i] for i in order]
        assert [float(v) for v in session.run(variables)] == held


# --- random ops ----------------------------------------------------------------------------


def test_random_ops_draw_anew_in_each_run_and_again_in_each_session() -> None:
    static.set_random_seed(5)
    a, b = static.random_normal((4,)), static.random_uniform((4,), seed=3)
    streams = []
    for _ in range(2):
        with static.Session(graph=static.get_default_graph()) as session:
            streams.append([session.run([a, b]) for _ in range(3)])
    assert np.array_equal(streams[0], streams[1])
    assert len({tuple(run[0]) for run in streams[0]}) == 3
    assert (np.array(streams[0])[:, 1] >= 0).all()


def test_the_graph_seed_decides_and_ops_differ() -> None:
    def two(seed: int) -> Any:
        with static.Graph().as_default() as g:
            static.set_random_seed(seed)
            pair = [static.random_normal((3,)), static.random_normal((3,))]
            return static.Session(graph=g).run(pair)

    assert np.array_equal(two(1), two(1)) and not np.array_equal(two(1), two(2))
    first, second = two(1)
    assert (first != second).any()


# --- sessions ------------------------------------------------------------------------------


class Pair(NamedTuple):
    """A fetch with named parts."""

    a: Any
    b: Any


def test_fetches_nest_and_a_repeated_fetch_runs_once() -> None:
    calls: list[int] = []
    x = static.placeholder("float32", (), name="x")
    y = static.py_func(lambda v: (calls.append(1), v * 2)[1], [x], "float32", shapes=())
    op = static.group(y)
    with static.Session() as session:
        got = session.run({"t": (y, [y, "x:0"]), "p": Pair(y, op)}, {"x:0": 3.0})
    assert got == {"t": (6, [6, 3]), "p": Pair(6, None)} and calls == [1]
    assert isinstance(got["p"], Pair)


def test_any_tensor_may_be_fed_and_a_fed_one_that_is_fetched_is_what_was_fed() -> None:
    x = static.placeholder("float32", ())
    middle = x * 2
    y = middle + 1
    with static.Session() as session:
        assert session.run([middle, y], {middle: 10.0}) == [10, 11]
        parts = ops.split(static.placeholder("float32", (4,), name="z"), 2)
        assert session.run(list(parts), {"z:0": [1, 2, 3, 4], parts[0]: [9, 9]})[0].tolist() == [9, 9]


def test_a_callable_gives_what_run_gives_and_checks_what_changes() -> None:
    x, v = static.placeholder("float32", (None, 2)), static.Variable(np.float32(1))
    y, bump = ops.sum(x) * v, v.assign_add(1.0)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        call = session.make_callable([y, bump], [x])
        assert call(np.ones((3, 2), np.float32)) == [6, 2]
        assert call([[1, 2]]) == [6, 3]
        with pytest.raises(ValueError, match="cannot feed value of shape"):
            call(np.ones((3, 3), np.float32))
        assert session.make_callable(y, [x])(np.ones((1, 2), np.float32)) == 6
        first = session.make_callable(x * 2, [x])([[1, 2]])  # the first call, too, makes x's dtype of a list
        assert first.dtype == np.float32 and first.tolist() == [[2, 4]]
    with pytest.raises(RuntimeError, match="closed Session"):
        call(np.ones((3, 2), np.float32))


def test_a_partial_run_goes_on_where_it_stopped() -> None:
    calls: list[int] = []
    a, b = static.placeholder("float32", (), name="a"), static.placeholder("float32", (), name="b")
    first = static.py_func(lambda v: (calls.append(1), v * 2)[1], [a], "float32", shapes=())
    second = first + b
    with static.Session() as session:
        handle = session.partial_run_setup([first, second], [a, b])
        assert session.partial_run(handle, first, {a: 3.0}) == 6
        assert session.partial_run(handle, second, {b: 1.0}) == 7 and calls == [1]
        with pytest.raises(ValueError, match="already been fetched"):
            session.partial_run(handle, second)
        with pytest.raises(ValueError, match="was not specified as a feed in partial_run_setup"):
            session.partial_run(session.partial_run_setup([second], [a]), second, {b: 1.0})


def test_a_traced_run_times_every_node(tmp_path: Path) -> None:
    x = static.placeholder("float32", (3,))
    metadata = static.RunMetadata()
    with static.Session(without=["fuse"]) as session:
        session.run(ops.exp(x) * 2, {x: np.ones(3)}, static.RunOptions(trace=True), metadata)
    assert metadata.profile is not None
    assert [span.name for span in metadata.profile.spans] == ["exp", "mul"]
    metadata.profile.save_trace(str(tmp_path / "t.json"))


def test_an_interactive_session_is_the_default_until_it_is_closed() -> None:
    session = static.InteractiveSession()
    v = static.Variable(2.0)
    session.run(v.initializer)
    assert v.eval() == 2 and (v * 3).eval() == 6
    session.close()
    with pytest.raises(RuntimeError, match="no default session"):
        v.eval()


def test_threads_share_a_session() -> None:
    v = static.Variable(np.zeros(1000))
    bump = v.assign_add(1.0)
    x = static.placeholder("float64", ())
    y = v * 0 + x
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        wrong: list[Any] = []

        def work(k: int) -> None:
            for _ in range(50):
                if not (session.run(y, {x: float(k)}) == k).all():
                    wrong.append(k)
                seen = session.run(v)
                if (seen != seen[0]).any():
                    wrong.append(k)

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            session.run(bump)
        for thread in threads:
            thread.join()
        assert wrong == [] and (session.run(v) == 50).all()


# --- training and keeping ------------------------------------------------------------------


def test_plain_variables_train_without_layers() -> None:
    rng = np.random.default_rng(0)
    data = rng.standard_normal((50, 3))
    target = data @ np.array([1.0, -2.0, 3.0]) + 0.5
    x, y = static.placeholder("float64", (None, 3)), static.placeholder("float64", (None,))
    w, b = static.Variable(np.zeros(3)), static.Variable(np.float64(0))
    loss = ops.mean(ops.square(x @ w + b - y))
    train = optim.SGD([w, b], lr=0.1).minimize(loss)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for _ in range(300):
            session.run(train, {x: data, y: target})
        np.testing.assert_allclose(session.run(w), [1, -2, 3], atol=1e-6)


def test_gradients_can_be_changed_between_computing_and_applying_them() -> None:
    model, x = nn.BatchNorm2d(2), static.placeholder("float32", (None, 2, 2, 2))
    loss = ops.sum(model(x) * np.arange(8, dtype=np.float32).reshape(2, 2, 2))
    opt, count = optim.SGD(model.parameters(), lr=1.0), static.Variable(np.int64(0), trainable=False)
    pairs = opt.compute_gradients(loss)
    doubled = opt.apply_gradients([(g * 2, p) for g, p in pairs], global_step=count)
    only = opt.minimize(loss, var_list=[model.bias], global_step=count)
    data = np.random.default_rng(0).standard_normal((4, 2, 2, 2)).astype(np.float32)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        (gw, gb), before = session.run([[g for g, _ in pairs], [model.weight, model.bias]], {x: data})
        session.run(doubled, {x: data})
        np.testing.assert_allclose(session.run(model.bias), before[1] - 2 * gb, rtol=1e-6)
        assert (session.run(model.running_mean) == 0).all() and session.run(count) == 1
        weight = session.run(model.weight)
        session.run(only, {x: data})
        assert (session.run(model.weight) == weight).all() and session.run(count) == 2
        assert (session.run(model.running_mean) != 0).any() and (gw != 0).any()


def test_tensorflows_names_are_there() -> None:
    x = static.placeholder("float32", (None, 2))
    y = static.reduce_mean(static.add_n([x, static.multiply(x, 2.0)]), axis=1)
    total = static.reduce_max(static.concat([y, static.negative(y)], axis=0))
    assert all(hasattr(static, name) for name in static.__all__)
    with static.Session() as session:
        assert session.run([y, total], {x: [[1, 3]]})[0].tolist() == [6]


def test_derivatives_of_whole_functions() -> None:
    x = static.placeholder("float64", (3,))
    y = ops.stack([x[0] * x[1], ops.sin(x[2])])
    rows = static.jacobian(y, x)
    product = static.hessian_vector_product(ops.sum(x * x * x), x, np.array([1.0, 0, 2]))
    none, zero = static.gradients(y, [static.Variable(1.0)]), static.gradients(
        y, [static.Variable(np.ones(2))], unconnected="zero")  # fmt: skip
    at = np.array([1.0, 2.0, 3.0])
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        np.testing.assert_allclose(session.run(rows, {x: at}), [[2, 1, 0], [0, 0, np.cos(3.0)]])
        np.testing.assert_allclose(session.run(product, {x: at}), [6, 0, 36])
        assert none == [None] and session.run(zero[0], {x: at}).tolist() == [0, 0]


def test_an_is_training_placeholder_chooses_between_the_modes() -> None:
    model = nn.BatchNorm2d(2)
    x, training = static.placeholder("float32", (None, 2, 2, 2)), static.placeholder("bool", ())

    def judged() -> Any:
        with nn.evaluating(model):
            return model(x)

    y = static.cond(training, lambda: model(x), judged)
    data = np.random.default_rng(0).standard_normal((4, 2, 2, 2)).astype(np.float32)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        trained, plain = (session.run(y, {x: data, training: mode}) for mode in (True, False))
        assert abs(trained.mean()) < 1e-6 and np.allclose(plain, data, atol=1e-4)


def test_checkpoints_are_numbered_kept_few_and_whole(tmp_path: Path) -> None:
    v = static.Variable(np.float32(0))
    bump, saver = v.assign_add(1.0), static.Saver(max_to_keep=2)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for step in range(4):
            session.run(bump)
            saver.save(session, tmp_path / "model", global_step=step)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.json", "model-2", "model-3"]
        saver.restore(session, tmp_path / "model-2")
        assert session.run(v) == 3
        assert static.latest_checkpoint(tmp_path) == str(tmp_path / "model-3")
        (tmp_path / "broken").write_bytes(b"not a checkpoint")
        with pytest.raises(KeyError, match="broken"):
            saver.restore(session, tmp_path / "broken")
        assert session.run(v) == 3


def test_the_model_built_twice_is_told_at_restore(tmp_path: Path) -> None:
    v = static.Variable(1.0, name="v")
    with static.Session() as session:
        session.run(v.initializer)
        static.Saver([v]).save(session, tmp_path / "m")
        again = static.Variable(1.0, name="v")
        with pytest.raises(KeyError, match=r"Key 'v_1' not found in checkpoint.*built twice"):
            static.Saver([again]).restore(session, tmp_path / "m")


def test_a_run_needs_only_what_it_fetches(graph: static.Graph) -> None:
    x = static.placeholder("float32", ())
    y, _ = x * 2, ops.exp(x)
    assert {node.op.name for node in select(graph, [y]).nodes} == {"placeholder", "mul"}


def test_100_000_nodes_build_differentiate_and_run() -> None:
    x = static.placeholder("float64", ())
    y = x
    for _ in range(50_000):
        y = y * 1.0
    (g,) = static.gradients(y, x)
    with static.Session() as session:
        assert session.run([y, g], {x: 2.0}) == [2, 1]
