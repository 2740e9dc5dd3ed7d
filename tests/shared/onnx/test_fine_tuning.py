"""A model that came in gets another head, is trained on dynamic, goes on on static, and goes out again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, onnx, ops, optim
from shared.data import load_digits
from shared.errors import ArgumentError
from tests.shared.onnx.made import mlp, model, node, value
from tests.static.onnx.test_onnx import evaluated

digits = load_digits()
PARITY = (digits.train_y % 2).astype("int64")
STEPS, ROWS = 24, 48


def batch(step: int) -> tuple[Any, Any]:
    rows = slice(step * ROWS, (step + 1) * ROWS)
    return digits.train_x[rows], PARITY[rows]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file: a network that tells ten digits, a little trained."""
    nn.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 10)
    )
    opt = optim.Adam(net.parameters(), lr=0.01)
    for step in range(10):
        x, y = (part[step * ROWS : (step + 1) * ROWS] for part in (digits.train_x, digits.train_y))
        loss = ops.cross_entropy(net(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    file = tmp_path_factory.mktemp("given") / "digits.onnx"
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N", 1, 8, 8), name="image")
        graph.export_onnx(file, {"logits": net(x)})
    return file


def with_a_new_head(file: Path) -> tuple[nn.Module, Any]:
    given = onnx.load(file)
    (last,) = [layer for layer in given.layers.values() if layer.node.op == "Gemm"]
    features = given.up_to(last.node.inputs[0])
    nn.manual_seed(2)
    net = nn.Sequential(features, nn.Linear(72, 2))
    return net, optim.Adam(net.parameters(), lr=0.02)


def on_dynamic(net: nn.Module, opt: Any, steps: range) -> list[float]:
    losses = []
    for step in steps:
        x, y = batch(step)
        loss = ops.cross_entropy(net(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


def test_a_new_head_is_trained_half_on_each_engine_and_goes_out(given: Path, tmp_path: Path) -> None:
    net, opt = with_a_new_head(given)
    whole = on_dynamic(net, opt, range(STEPS))

    net, opt = with_a_new_head(given)
    losses = on_dynamic(net, opt, range(STEPS // 2))
    out = tmp_path / "parity.onnx"
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N", 1, 8, 8), name="image")
        y = static.placeholder("int64", ("N",), name="parity")
        logits = net(x)
        loss = ops.cross_entropy(logits, y)
        train = opt.minimize(loss)
        with static.Session(graph=graph, optimize="exact") as session:
            session.load(net, opt)
            for step in range(STEPS // 2, STEPS):
                a, b = batch(step)
                losses.append(session.run([loss, train], {x: a, y: b})[0].item())
            session.store(net, opt)
            graph.export_onnx(out, {"logits": logits}, [x], session=session)
    assert losses == whole
    assert np.mean(losses[-4:]) < 0.6 * np.mean(losses[:4])

    test_x = digits.test_x[:100]
    with dynamic.no_grad():
        here = net(dynamic.tensor(test_x)).numpy()
    (there,) = evaluated(out, {"image": test_x})
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-5)
    assert (there.argmax(-1) == digits.test_y[:100] % 2).mean() > 0.75
    again = onnx.load(out)
    np.testing.assert_allclose(again(dynamic.tensor(test_x)).numpy(), here, rtol=1e-5, atol=1e-5)


def test_what_is_cut_off_is_gone_and_what_stays_is_shared() -> None:
    whole = onnx.load(mlp()[0])
    part = whole.up_to("r")
    assert [layer.node.op for layer in part.layers.values()] == ["Gemm", "Relu"]
    assert set(dict(part.named_states())) == {"fc1.weight", "fc1.bias"}
    assert part.outputs[0].name == "r" and [v.name for v in part.inputs] == ["x"]
    states = dict(whole.named_states())
    assert all(states[name] is state for name, state in part.named_states())
    x = dynamic.tensor(np.ones((2, 4), "float32"))
    np.testing.assert_array_equal(part(x).numpy(), whole.values(x)["r"].numpy())
    assert [y.shape for y in whole.up_to("first", "p")(x)] == [(2, 5), (2, 3)]
    with pytest.raises(ArgumentError, match=r"up_to: the model makes no 'secnd'; did you mean 'second'"):
        whole.up_to("secnd")


def test_a_weight_that_two_layers_read_stays_when_the_first_is_cut_off() -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["side"]), node("Relu", ["x"], ["r"]), node("MatMul", ["r", "w"], ["y"]),
        node("Add", ["side", "y"], ["z"]),
    ]  # fmt: skip
    kept = {"w": np.eye(3, dtype="float32") * 2}
    net = onnx.load(model(nodes, [value("x", ["N", 3])], [value("z", ["N", 3])], kept)).up_to("y")
    assert list(dict(net.named_parameters())) == ["w"]
    np.testing.assert_array_equal(net(dynamic.tensor(np.float32([[1, -1, 2]]))).numpy(), [[2, 0, 4]])
