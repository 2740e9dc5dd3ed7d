"""`static.function`: traced once for each signature; what it froze is watched, what it changes is live, and a
program is an op."""

from __future__ import annotations

import threading
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import DiptychError, GraphError, SymbolicValueError
from shared.touched import Waiting, touched

_rng = np.random.default_rng(2)
X = _rng.standard_normal((40, 8, 12)).astype("float32")
Y = _rng.integers(0, 4, (40, 8))
SCALE = 2.0
TABLE = {"offset": 1.0}


def net() -> nn.Sequential:
    nn.manual_seed(0)
    return nn.Sequential(
        nn.Linear(12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 4)
    )


def test_a_step_of_training_gives_the_losses_of_dynamic() -> None:
    """Bit for bit at "exact"; batch norm, dropout and Adam are live, and weights loaded meanwhile are
    seen."""
    model, other = net(), net()
    opt, its = optim.Adam(model.parameters(), lr=1e-2), optim.Adam(other.parameters(), lr=1e-2)

    @static.function(optimize="exact")
    def step(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        opt.minimize(loss)
        return loss

    for i in range(24):
        if i == 10:
            opt.lr = its.lr = 1e-3
        if i == 15:
            for p in (model[0].weight, other[0].weight):
                p.data = np.full((16, 12), 0.02, "float32")
        got = step(X[i], Y[i])
        loss = ops.cross_entropy(other(dynamic.tensor(X[i])), Y[i])
        its.zero_grad()
        loss.backward()
        its.step()
        assert got == loss.item(), i
    assert traced(step) == 1
    for (name, a), (_, b) in zip(model.named_states(), other.named_states(), strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes(), name


def test_arrays_give_arrays_and_tensors_give_tensors() -> None:
    Pair = namedtuple("Pair", "a b")

    @static.function
    def f(x: Any, options: Any) -> Any:
        return {"twice": x * options["k"], "pair": Pair(x.sum(), [3, None, "text"])}

    got = f(X[0], {"k": 2})
    assert isinstance(got["twice"], np.ndarray) and got["pair"].b == [3, None, "text"]
    np.testing.assert_array_equal(got["twice"], X[0] * 2)
    got = f(dynamic.tensor(X[0]), {"k": 3})
    assert isinstance(got["twice"], dynamic.Tensor)
    np.testing.assert_array_equal(got["twice"].numpy(), X[0] * 3)


def test_static_tensors_are_passed_through() -> None:
    """It is inlined into their graph."""

    @static.function
    def f(x: Any) -> Any:
        return ops.tanh(x) * 2

    with static.Graph().as_default() as graph, static.Session(graph) as session:
        x = static.placeholder("float32", (None, 12))
        y = f(x)
        assert y.graph is graph
        np.testing.assert_allclose(session.run(y, {x: X[0]}), np.tanh(X[0]) * 2, rtol=1e-6)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_program_is_one_node_with_a_gradient_of_any_order(order: int) -> None:
    def plain(x: Any) -> Any:
        return ops.exp(ops.sin(x)) * x

    def derivative(f: Any) -> Any:
        x = dynamic.tensor(X[0].astype("float64"), requires_grad=True)
        y = f(x).sum()
        for _ in range(order):
            (y,) = dynamic.grad(y, [x], create_graph=True)
            y = (y * y).sum()
        return y.item()

    assert derivative(static.function(plain)) == pytest.approx(derivative(plain), rel=1e-12)


def test_gradients_reach_inputs_and_parameters_and_only_what_is_asked() -> None:
    model = net()
    model.eval()
    program = static.function(lambda x, y: ops.cross_entropy(model(x), y))
    x = dynamic.tensor(X[0], requires_grad=True)
    loss = program(x, Y[0]) * 2
    assert loss.grad_fn is not None
    loss.backward()
    got = [p.grad.numpy() for p in model.parameters()] + [x.grad.numpy()]
    for p in model.parameters():
        p.grad = None
    again = dynamic.tensor(X[0], requires_grad=True)
    (ops.cross_entropy(model(again), Y[0]) * 2).backward()
    want = [p.grad.numpy() for p in model.parameters()] + [again.grad.numpy()]
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    model[0].weight.requires_grad = False
    model[0].weight.grad = None
    program(dynamic.tensor(X[1]), Y[1]).backward()
    assert model[0].weight.grad is None


def traced(f: Any) -> int:
    return sum(map(len, f.traces.values()))


def test_what_is_frozen_is_watched() -> None:
    """A global, a closure, a dict, an attribute of self, the mode and a setting of a layer, an optimiser's, a
    default."""
    global SCALE
    offset = 1.0
    model, config = net(), type("Config", (), {})()
    config.power = 2

    def helper(x: Any) -> Any:
        return x * SCALE

    @static.function
    def f(x: Any) -> Any:
        return (helper(model(x)) + offset + TABLE["offset"]) ** config.power

    def check(changed: str) -> None:
        before = traced(f)
        got = f(X[0])
        assert changed in static.explain(f), static.explain(f)
        assert traced(f) == before + 1
        assert got.shape == (8, 4)

    model.eval()
    np.testing.assert_allclose(f(X[0]), (model(dynamic.tensor(X[0])).numpy() * 2 + 2) ** 2, rtol=1e-4)
    assert traced(f) == 1
    f(X[0])
    assert traced(f) == 1
    try:
        SCALE = 3.0
        check("SCALE was 2.0, and is 3.0")
        offset = 5.0
        check("offset was 1.0, and is 5.0")
        TABLE["offset"] = 7.0
        check("TABLE")
        config.power = 1
        check("config.power was 2, and is 1")
        np.testing.assert_allclose(f(X[0]), model(dynamic.tensor(X[0])).numpy() * 3 + 12, rtol=1e-4)
        model[4].weight = nn.Parameter(np.ones((4, 16), "float32"))
        check("4.weight is another")
        np.testing.assert_allclose(f(X[0]), model(dynamic.tensor(X[0])).numpy() * 3 + 12, rtol=1e-4)
        model.train()
        f(X[0])
        assert "training was False, and is True" in static.explain(f)
        model.eval()
        known = traced(f)
        f(X[0])
        assert traced(f) == known  # the trace of before holds again
    finally:
        SCALE, TABLE["offset"] = 2.0, 1.0


def test_optimisers_settings_are_watched_and_the_rate_is_live() -> None:
    w = nn.Parameter(np.ones(3, "float32"))
    opt = optim.SGD([w], lr=1.0)

    @static.function
    def step(x: Any) -> Any:
        loss = (w * x).sum()
        opt.minimize(loss)
        return loss

    step(np.ones(3, "float32"))
    opt.lr = 0.5
    step(np.ones(3, "float32"))
    assert traced(step) == 1
    np.testing.assert_array_equal(w.numpy(), np.full(3, -0.5, "float32"))
    opt.groups[0].settings.weight_decay = 0.1
    step(np.ones(3, "float32"))
    assert traced(step) == 2 and "opt's settings" in static.explain(step)


def test_methods_watch_self() -> None:
    class Model:
        def __init__(self, scale: float) -> None:
            self.scale, self.layer = scale, nn.Linear(12, 4)

        @static.function
        def __call__(self, x: Any) -> Any:
            return self.layer(x) * self.scale

        @static.function
        def half(self, x: Any) -> Any:
            return self.layer(x) * self.scale / 2

    a, b = Model(1.0), Model(2.0)
    for model in (a, b, a):
        want = model.layer(dynamic.tensor(X[0])).numpy() * model.scale / 2
        np.testing.assert_allclose(model.half(X[0]), want, rtol=1e-5, atol=1e-6)
    a.scale = 5.0
    want = a.layer(dynamic.tensor(X[0])).numpy() * 2.5
    np.testing.assert_allclose(a.half(X[0]), want, rtol=1e-5, atol=1e-6)


def test_signatures_and_their_number() -> None:
    @static.function
    def f(x: Any, k: Any, flag: bool = False) -> Any:
        return x * k if flag else x + k

    assert f(X[0], 2).shape == f(X[0], 2.0).shape == f(X[0], True).shape
    assert traced(f) == 3  # 2, 2.0 and True differ
    f(X[0, :3], 2)
    f(X[0].astype("float64"), 2)
    assert traced(f) == 5
    for k in range(60):
        f(X[0], k, flag=True)
    assert traced(f) <= 32


def test_a_look_at_a_traced_value_names_the_line_and_the_cure() -> None:
    @static.function
    def f(x: Any) -> Any:
        if x.sum() > 0:
            return x
        return -x

    with pytest.raises(SymbolicValueError, match=r"ops\.where.*test_function\.py"):
        f(X[0])


def test_frozen_random_numbers_and_session_variables_are_refused() -> None:
    with pytest.raises(SymbolicValueError, match=r"numpy\.random"):
        static.function(lambda x: x + np.random.standard_normal(12))(X[0])
    with pytest.raises(GraphError, match=r"nn\.Parameter"):
        static.function(lambda x: x + static.Variable(1.0))(X[0])


def test_python_runs_while_tracing_alone_and_effects_run_each_time(capsys: Any) -> None:
    @static.function
    def f(x: Any) -> Any:
        print("tracing")
        return static.Print(x.sum(), [x.sum()], message="run: ")

    for i in range(3):
        f(X[i])
    out, err = capsys.readouterr()
    assert out.count("tracing") == 1 and (out + err).count("run: ") == 3


def test_threads_share_a_function() -> None:
    counter = nn.Buffer(np.float64(0))

    @static.function
    def f(x: Any) -> Any:
        counter.assign(counter + 1)
        return x.sum()

    threads = [threading.Thread(target=lambda: [f(X[i % 40]) for i in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.numpy() == 200 and traced(f) == 1


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(DiptychError, match=r"write @static\.function above one"):
        static.function(3)
    with pytest.raises(DiptychError, match="exact"):
        static.function(optimize="fastest")
    with pytest.raises(DiptychError, match=r"no static\.function"):
        static.explain(print)


def test_what_decides_without_being_a_name_is_watched() -> None:
    """Whether a Parameter wants a gradient, plain attributes of classes, small arrays."""

    class Settings:
        scale = 2.0

    settings, small = Settings(), np.ones(2, "float32")
    layer = nn.Linear(2, 2)
    opt = optim.SGD(layer.parameters(), lr=0.1)

    @static.function
    def train(x: Any) -> Any:
        loss = (layer(x) * settings.scale * Settings.scale + small).sum()
        opt.minimize(loss)
        return loss

    def step() -> tuple[float, bool]:
        before = layer.weight.numpy().copy()
        want = (before.sum() + layer.bias.numpy().sum()) * settings.scale * Settings.scale + small.sum()
        got = train(np.ones((1, 2), "float32"))
        np.testing.assert_allclose(got, want, rtol=1e-5)
        return float(got), bool((before != layer.weight.numpy()).any())

    assert step()[1]
    layer.weight.requires_grad = False
    assert not step()[1]
    assert "requires_grad was True, and is False" in static.explain(train)
    layer.weight.requires_grad = True
    assert step()[1]
    settings.scale = 3.0
    step()
    Settings.scale = 5.0
    step()
    small[0] = 7.0
    step()


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (1, True), (True, 1), (0.0, -0.0), (2, 2.0), ("a", "b"), ((1, 2), (1, True)),
        ((1, "a"), (1, "b")), (None, 0),
    ],
    ids=str,
)  # fmt: skip
def test_an_attribute_that_becomes_another_is_noticed_by_type_value_and_sign(one: Any, another: Any) -> None:
    class Holder:
        pass

    holder = Holder()
    setattr(holder, "lambda", one)
    holder.told = one

    @static.function
    def f(x: Any) -> Any:
        return x * (1 if repr(holder.told) == repr(getattr(holder, "lambda")) else 2)

    x = np.ones(2)
    assert f(x)[0] == 1 == f(x)[0]
    assert len(f.traces) == 1
    holder.told = another
    assert f(x)[0] == 2


@pytest.mark.parametrize("array", [np.ones(3), np.ones(2, np.float32)], ids=["shape", "dtype"])
def test_a_state_that_becomes_another_is_traced_again(array: Any) -> None:
    kept = nn.Buffer(np.zeros(2))

    @static.function
    def f(x: Any) -> Any:
        kept.assign(kept + x)
        return kept * 2

    assert f(np.float32(1))[0] == 2 and f(np.float32(1))[0] == 4
    kept.hold(array)
    y = f(np.float32(1))
    assert y.shape == array.shape and y.dtype == array.dtype and y[0] == 4
    assert kept.numpy().dtype == array.dtype and f.made == 2


def test_who_notes_what_is_read_is_told_and_a_State_that_waits_is_computed() -> None:
    kept = nn.Buffer(np.ones(2))
    f = static.function(lambda x: x * kept)
    assert f(np.full(2, 3.0)).tolist() == [3, 3]
    with touched() as seen:
        f(np.full(2, 3.0))
    assert [*seen] == [kept]

    def settle(state: Any) -> Any:
        state._data = np.full(2, 5.0)
        return state._data

    kept._data = Waiting((2,), np.dtype("f8"), settle)
    assert f(np.full(2, 3.0)).tolist() == [15, 15] and f.made == 1
