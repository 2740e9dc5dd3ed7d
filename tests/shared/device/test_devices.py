"""Models and sessions on a GPU, tried on a stand-in for CuPy."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.device import cuda
from shared.errors import DiptychError, EngineError, GradientError, ShapeError
from shared.watch.hooks import watching
from shared.watch.nan import NanFinder
from shared.watch.profiler import Profiler
from tests import standin


@pytest.fixture(autouse=True)
def cupy() -> Iterator[Any]:
    with standin.installed() as module:
        yield module


X = np.random.RandomState(0).standard_normal((12, 6)).astype(np.float32)
Y = np.arange(12) % 4


def model() -> nn.Module:
    """One of each kind: shapes to be learnt, running statistics, a generator."""
    nn.manual_seed(0)
    return nn.Sequential(nn.Linear(8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(4))


OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: optim.Adam(p, lr=optim.ExponentialLR(0.01, 0.9), clip_norm=1.0),
}


def dynamic_losses(device: str, make: Any, steps: int = 4) -> tuple[list[Any], nn.Module]:
    net = model().to(device)
    net(dynamic.tensor(X, device=device))
    optimizer = make(net.parameters())
    losses = []
    for _ in range(steps):
        loss = ops.cross_entropy(net(dynamic.tensor(X, device=device)), dynamic.tensor(Y, device=device))
        assert loss.device == device
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad.device == p.device == device for p in net.parameters())
        optimizer.step()
        losses.append(loss.item())
    return losses, net


def static_losses(device: str, make: Any, level: str = "exact") -> tuple[list[Any], nn.Module]:
    net = model()
    net(dynamic.tensor(X))
    optimizer = make(net.parameters())
    graph = static.Graph()
    with graph.as_default():
        x = static.placeholder("float32", ("N", 6))
        y = static.placeholder("int64", ("N",))
        loss = ops.cross_entropy(net(x), y)
        train = optimizer.minimize(loss)
    with static.Session(graph, optimize=level, device=device) as session:
        session.run(static.global_variables_initializer())
        losses = [session.run([loss, train], {x: X, y: Y})[0].item() for _ in range(4)]
        session.store(net, optimizer)
    return losses, net


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_gives_the_same_bits_on_either_device_and_engine(name: str) -> None:
    make = OPTIMIZERS[name]
    expected, net = dynamic_losses("cpu", make)
    for losses, other in (dynamic_losses("cuda", make), static_losses("cuda", make)):
        assert losses == expected
        for path, array in net.state_dict().items():
            np.testing.assert_array_equal(other.state_dict()[path], array, err_msg=path)


def test_at_fast_it_stays_as_near_as_on_the_cpu() -> None:
    expected, _ = dynamic_losses("cpu", OPTIMIZERS["Adam"])
    losses, _ = static_losses("cuda", OPTIMIZERS["Adam"], "fast")
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


# --- nothing moves unasked -----------------------------------------------------------------


def test_arrays_of_both_kinds_in_one_call_are_an_error_that_says_what_to_do() -> None:
    x = dynamic.tensor(X, device="cuda")
    for call in (lambda: x + X, lambda: x @ dynamic.tensor(X.T), lambda: ops.where(X > 0, x, 0)):
        with pytest.raises(EngineError, match=r"to\('cuda'\)"):
            call()
    with pytest.raises(TypeError, match="unasked"):
        np.asarray(x.data)
    with pytest.raises(TypeError, match="its own module"):
        np.concatenate([x.data, x.data])


def test_the_stand_in_refuses_what_cupy_refuses(cupy: Any) -> None:
    """Else the other tests would say nothing."""
    x = cupy.asarray(X)
    for call in (
        lambda: np.asarray(x), lambda: np.add(x, X), lambda: np.add(x, x, order="C"),
        lambda: x.max(initial=0), lambda: np.maximum.reduce(x), lambda: cupy.maximum.reduce(x),
        lambda: cupy.concatenate([x, X]), lambda: x.__array_namespace__(), lambda: cupy.einsum_path,
        lambda: x[np.array([0])],
    ):  # fmt: skip
        with pytest.raises((TypeError, AttributeError, NotImplementedError)):
            call()


@pytest.mark.parametrize("name", ["max", "min", "sum", "prod"])
@pytest.mark.parametrize("axis", [None, 0, (0, 1), -1])
def test_the_methods_of_ufuncs_that_cupy_lacks(name: str, axis: Any) -> None:
    ufunc = {"max": np.maximum, "min": np.minimum, "sum": np.add, "prod": np.multiply}[name]
    for array in (X, X[:0]):
        for keepdims in (False, True):
            settings = {"axis": axis, "keepdims": keepdims} | ({"initial": 0.5} if name[0] == "m" else {})
            found = ufunc.reduce(cuda.to_device(array, "cuda"), **settings)
            np.testing.assert_array_equal(cuda.to_host(found), ufunc.reduce(array, **settings))
            assert found.shape == ufunc.reduce(array, **settings).shape


# --- dynamic -------------------------------------------------------------------------------


def test_gradients_flow_through_a_move() -> None:
    x = dynamic.tensor([1.0, 2.0], requires_grad=True)
    y = (x.to("cuda") * 3).cpu() * dynamic.tensor([1.0, 10.0])
    assert y.device == "cpu" and (x * 3).to("cuda").cuda().device == "cuda"
    y.sum().backward()
    assert x.grad is not None and x.grad.device == "cpu"
    assert x.grad.tolist() == [3.0, 30.0]


def test_a_tensor_on_the_gpu_shows_and_gives_its_values(cupy: Any) -> None:
    x = dynamic.tensor([1.0, 2.0], device="cuda")
    assert x.device == "cuda" and isinstance(x.data.array, cupy.ndarray)
    assert repr(x) == repr(x.cpu()) and x.tolist() == [1.0, 2.0]
    assert type(x.numpy()) is np.ndarray and (x[0].item(), float(x.sum()), len(x)) == (1.0, 3.0, 2)
    again = dynamic.tensor(cupy.asarray(X))
    assert again.device == "cuda" and dynamic.tensor(x, device="cpu").device == "cpu"
    assert (again * cupy.asarray(X)).device == "cuda"


def test_new_arrays_go_to_the_default_device() -> None:
    with cuda.placing("cuda"):
        assert dynamic.default_device() == "cuda"
        made = [dynamic.tensor([1.0]), dynamic.zeros(2), dynamic.arange(3), dynamic.randn(2), ops.zeros((2,))]
        assert [x.device for x in made] == ["cuda"] * 5
        assert (made[0] * np.ones(1, np.float32)).device == "cuda"
        assert dynamic.tensor([1.0], device="cpu").device == "cpu"
    assert dynamic.tensor([1.0]).device == "cpu"
    assert ops.zeros((2,), like=made[0]).device == "cuda"
    with pytest.raises(EngineError, match="no device"):
        dynamic.set_default_device("gpu")


def test_a_change_in_place_is_noticed_on_the_gpu() -> None:
    w = dynamic.tensor([1.0, 2.0], requires_grad=True, device="cuda")
    x = dynamic.tensor([3.0, 4.0], device="cuda")
    y = (w * x).sum()
    x[0] = 5.0
    with pytest.raises(GradientError, match="in place"):
        y.backward()


def test_derivatives_by_function_transforms() -> None:
    def f(x: Any) -> Any:
        return ops.sin(x) * x

    def found(device: str) -> list[Any]:
        x = dynamic.tensor(X[0], device=device)
        ys = [*dynamic.jvp(f, [x], [x]), dynamic.jacobian(f, x), dynamic.hessian(lambda x: f(x).sum(), x)]
        assert all(y.device == device for y in ys)
        return [y.numpy() for y in ys]

    for a, b in zip(found("cpu"), found("cuda"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_hooks_are_shown_what_is_on_the_gpu() -> None:
    profile = Profiler()
    with watching(profile):
        x = dynamic.tensor(X, requires_grad=True, device="cuda")
        (x * 2).sum().backward()
    assert "mul" in profile.table()
    with watching(NanFinder()), pytest.raises(DiptychError, match="log"):
        ops.log(x - 100)
    assert "constant" in dynamic.show(x @ dynamic.tensor(X.T, device="cuda"))


def test_a_parameter_is_drawn_anew_where_it_lives() -> None:
    layer = nn.Linear(3, 2).to("cuda")
    nn.init.zeros_(layer.weight)
    assert layer.weight.device == "cuda" and not layer.weight.numpy().any()
    layer.weight.assign(np.ones((2, 3)))
    assert layer.weight.device == "cuda" and layer.weight.numpy().all()
    assert [s.device for s in deepcopy(layer).parameters()] == ["cuda", "cuda"]


def test_a_model_moves_with_all_that_it_keeps() -> None:
    net = model().to("cuda")
    net(dynamic.tensor(X, device="cuda"))  # shapes that were not known are made there
    assert {state.device for _, state in net.named_states()} == {"cuda"}
    host = net.state_dict()
    first = next(iter(host))
    assert all(type(array) is np.ndarray for array in host.values())
    net.load_state_dict({path: array + 1 for path, array in host.items()})
    assert {state.device for _, state in net.named_states()} == {"cuda"}
    np.testing.assert_array_equal(net.cpu().state_dict()[first], host[first] + 1)
    assert {state.device for _, state in net.named_states()} == {"cpu"}
    assert net.to("float64").state_dict()[first].dtype == np.float64


def test_an_optimiser_that_has_made_steps_moves_with_its_model() -> None:
    expected, _ = dynamic_losses("cpu", OPTIMIZERS["Adam"], 4)
    net = model()
    net(dynamic.tensor(X))
    optimizer = OPTIMIZERS["Adam"](net.parameters())
    losses = []
    for device in ("cpu", "cuda", "cuda", "cpu"):
        net.to(device)
        optimizer.to(device)
        loss = ops.cross_entropy(net(dynamic.tensor(X, device=device)), dynamic.tensor(Y, device=device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == expected


# --- static --------------------------------------------------------------------------------


def test_variables_live_on_the_gpu_and_what_is_fetched_comes_back(cupy: Any) -> None:
    x = static.placeholder("float32", ("N", 6))
    w = static.Variable(np.ones((6, 2), np.float32))
    y = x @ w + static.constant(np.float32([1, 2]))
    add = w.assign_add(static.constant(np.ones((6, 2), np.float32)))
    with static.Session(device="cuda") as session:
        session.run(static.global_variables_initializer())
        assert isinstance(session._values[w], cuda.CudaArray)
        expected = X @ np.ones((6, 2), np.float32) + np.float32([1, 2])
        for fed in (X, X.tolist(), dynamic.tensor(X), dynamic.tensor(X, device="cuda"), cupy.asarray(X)):
            found = session.run(y, {x: fed})
            assert type(found) is np.ndarray and found.flags.writeable
            np.testing.assert_allclose(found, expected, rtol=1e-5)
        np.testing.assert_array_equal(session.make_callable(y, [x])(X), session.run(y, {x: X}))
        assert session.run([add, w, x], {x: X})[1][0, 0] == 2
        assert isinstance(session._values[w], cuda.CudaArray) and session.memory(y, {"N": 12}).arena == 0
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        np.testing.assert_allclose(session.run(y, {x: cupy.asarray(X)}), expected, rtol=1e-5)


def test_a_checkpoint_goes_from_one_device_to_the_other(tmp_path: Any) -> None:
    v = static.Variable(np.float32([1, 2]), name="v")
    grow = v.assign(v * 2)
    saver = static.Saver()
    for device, value in (("cuda", 2), ("cpu", 4), ("cuda", 8)):
        with static.Session(graph=v.graph, device=device) as session:
            if value > 2:
                saver.restore(session, tmp_path / "v")
            else:
                session.run(static.global_variables_initializer())
            assert session.run(grow).tolist() == [value, 2 * value]
            saver.save(session, tmp_path / "v")


def test_a_saved_graph_runs_on_either_device(tmp_path: Any) -> None:
    net = model()
    x = static.placeholder("float32", ("N", 6), name="x")
    with nn.evaluating(net):
        y = net(x)
    x.graph.save(tmp_path / "net.diptych", {"y": y})
    here, there = (static.load(tmp_path / "net.diptych", device=device) for device in ("cpu", "cuda"))
    found = there.run(x=X)["y"]
    assert there.session.device.name == "cuda" and type(found) is np.ndarray
    np.testing.assert_allclose(found, here.run(x=X)["y"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("home", ["cpu", "cuda"], ids=lambda home: f"model on {home}")
@pytest.mark.parametrize("device", ["cpu", "cuda"], ids=lambda device: f"session on {device}")
def test_training_goes_on_from_engine_to_engine_and_device_to_device(home: str, device: str) -> None:
    make = OPTIMIZERS["Adam"]
    expected, _ = dynamic_losses("cpu", make, 6)
    net = model().to(home)
    net(dynamic.tensor(X, device=home))
    optimizer = make(net.parameters())
    graph = static.Graph()
    with graph.as_default():
        x, y = static.placeholder("float32", ("N", 6)), static.placeholder("int64", ("N",))
        loss = ops.cross_entropy(net(x), y)
        train = optimizer.minimize(loss)
    losses = []
    with static.Session(graph, optimize="exact", device=device) as session:
        for _ in range(3):
            session.load(net, optimizer)
            losses.append(session.run([loss, train], {x: X, y: Y})[0].item())
            session.store(net, optimizer)
            assert {state.device for _, state in net.named_states()} == {home}
            miss = ops.cross_entropy(net(dynamic.tensor(X, device=home)), dynamic.tensor(Y, device=home))
            optimizer.zero_grad()
            miss.backward()
            optimizer.step()
            losses.append(miss.item())
    assert losses == expected


def _looping(x: Any) -> list[Any]:
    def twice(n: Any, total: Any) -> tuple[Any, Any]:
        return n + 1, ops.tanh(total) * 2

    _, grown = static.while_loop(lambda n, total: n < 3, twice, [static.constant(0), x])
    chosen = static.cond(x.sum() > 0, lambda: x * 2, lambda: x - 1)
    last, column = static.scan(lambda h, row: (h + ops.exp(row), h * row), ops.zeros((6,), like=x), x)
    return [grown, chosen, last, column, *static.gradients([grown, chosen, last], [x])]


def _effects(x: Any) -> list[Any]:
    called = static.py_func(lambda a: a[::2] * 2, [x], "float32", shapes=(None, 6))
    shown = static.Print(x, [x.sum()], "seen ")
    with static.control_dependencies([static.Assert(x.sum() < 1e9, [x])]):
        checked = static.check_numerics(x * 1, "x")
    return [called + 1, shown * 2, checked]


def _made(x: Any) -> list[Any]:
    n = x.shape[0]
    arrays = ops.ones((n, 6), like=x), ops.arange(n, like=x), ops.full((3,), n, like=x)
    return [x + arrays[0], arrays[1] * 2, ops.eye(6, like=x) @ ops.transpose(x), x / n, arrays[2]]


@pytest.mark.parametrize("build", [_looping, _effects, _made])
@pytest.mark.parametrize("level", ["exact", "fast"])
def test_programs_of_every_kind_run_there(build: Any, level: str, capsys: Any) -> None:
    x = static.placeholder("float32", ("N", 6))
    ys = build(x)
    here, there = (static.Session(optimize=level, device=device) for device in ("cpu", "cuda"))
    with here, there:
        for a, b in zip(here.run(ys, {x: X}), there.run(ys, {x: X}), strict=True):
            assert type(b) is np.ndarray and a.dtype == b.dtype
            np.testing.assert_allclose(b, a, rtol=1e-5)


def test_a_run_in_parts() -> None:
    x = static.placeholder("float32", (3,))
    y = static.placeholder("float32", (3,))
    a = x * 2
    b = a + y
    with static.Session(device="cuda") as session:
        handle = session.partial_run_setup([a, b], [x, y])
        first = session.partial_run(handle, a, {x: [1, 2, 3]})
        assert session.partial_run(handle, b, {y: first}).tolist() == [4, 8, 12]


def test_an_error_in_a_run_on_the_gpu_names_the_node() -> None:
    x = static.placeholder("float32", ("N", "M"))
    y = x @ static.constant(np.ones((6, 2), np.float32))
    with static.Session(device="cuda") as session, pytest.raises(ShapeError, match="while running node"):
        session.run(y, {x: np.ones((2, 5), np.float32)})


# --- where there is no GPU -----------------------------------------------------------------


def test_without_a_gpu_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_GPUS", "0")
    calls = (
        lambda: static.Session(static.Graph(), device="cuda"), lambda: model().to("cuda"),
        lambda: dynamic.tensor([1.0], device="cuda"), lambda: dynamic.tensor([1.0]).cuda(),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(EngineError, match=r"diptych\[cuda12\] or diptych\[cuda13\]"):
            call()
    with pytest.raises(EngineError, match="'tpu' is no device"):
        static.Session(static.Graph(), device="tpu")
