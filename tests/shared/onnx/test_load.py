"""A file's model is a Module: run on both engines, trained, looked at; what is amiss with a file is said."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, onnx, ops, optim
from shared.errors import ArgumentError, DataError, DTypeError, OnnxError, ShapeError, SymbolicValueError
from shared.onnx import table
from shared.state import Buffer, Parameter
from tests.shared.onnx.made import mlp, model, node, value

X = np.random.default_rng(0).standard_normal((6, 4)).astype("float32")


def by_hand(x: Any, kept: dict[str, Any]) -> Any:
    wide = {name: array.astype("float64") for name, array in kept.items()}
    h = np.maximum(x.astype("float64") @ wide["fc1.weight"].T + wide["fc1.bias"], 0)
    return (h @ wide["w2"] + wide["b2"]) * 0.5


def run(net: Any, *feeds: Any, optimize: str = "exact") -> Any:
    """What a model gives of arrays on static, with all sizes unknown."""
    with static.Graph().as_default() as graph:
        places = [static.placeholder(x.dtype, (None,) * x.ndim) for x in feeds]
        y = net(*places)
        with static.Session(graph=graph, optimize=optimize) as session:
            session.run(static.global_variables_initializer())
            return session.run(y, dict(zip(places, feeds, strict=True)))


def test_both_engines_give_the_same_bits_and_the_right_numbers() -> None:
    proto, kept = mlp()
    net = onnx.load(proto.SerializeToString())
    y = net(dynamic.tensor(X))
    np.testing.assert_allclose(y.numpy(), by_hand(X, kept), rtol=1e-5)
    np.testing.assert_array_equal(run(net, X), y.numpy())


def test_what_the_file_keeps_has_its_name_and_its_role() -> None:
    proto, kept = mlp()
    net = onnx.load(proto)
    roles = {name: type(state) for name, state in net.named_states()}
    assert roles == {
        "fc1.weight": Parameter, "fc1.bias": Parameter, "w2": Parameter, "b2": Parameter, "half": Buffer
    }  # fmt: skip
    assert net.constants["shape"].tolist() == [-1, 3]
    np.testing.assert_array_equal(net.state_dict()["w2"], kept["w2"])
    assert [(v.name, v.type.shape) for v in net.inputs] == [("x", ("N", 4))]
    net.keep_as("half", "parameter")
    net.keep_as("fc1.bias", "constant")
    assert {"half"} == set(dict(net.named_parameters())) - {"fc1.weight", "w2", "b2"}
    np.testing.assert_allclose(net(dynamic.tensor(X)).numpy(), by_hand(X, kept), rtol=1e-5)


def test_a_norm_that_is_written_op_by_op_is_trained() -> None:
    nodes = [
        node("ReduceMean", ["x", "last"], ["m"]),
        node("Sub", ["x", "m"], ["c"]),
        node("Mul", ["c", "c"], ["q"]),
        node("ReduceMean", ["q", "last"], ["v"]),
        node("Add", ["v", "eps"], ["e"]),
        node("Sqrt", ["e"], ["r"]),
        node("Div", ["c", "r"], ["d"]),
        node("Mul", ["d", "gamma"], ["g"]),
        node("Add", ["g", "beta"], ["y"]),
    ]
    kept = {"last": np.array([-1]), "eps": np.float32(1e-5), "gamma": X[0], "beta": X[1]}
    net = onnx.load(model(nodes, [value("x", ["N", 4])], [value("y", ["N", 4])], kept))
    assert {name for name, _ in net.named_parameters()} == {"gamma", "beta"}
    assert {name for name, _ in net.named_buffers()} == {"eps"}
    wide = X.astype("float64")
    wanted = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    found = net(dynamic.tensor(X)).numpy()
    np.testing.assert_allclose(found, wanted * wide[0] + wide[1], rtol=1e-4, atol=1e-6)


def test_it_is_trained() -> None:
    losses = {}
    for engine in ("dynamic", "static"):
        net = onnx.load(mlp()[0])
        opt = optim.SGD(net.parameters(), lr=0.05)
        wanted = np.ones((6, 3), "float32")
        found = losses.setdefault(engine, [])
        if engine == "dynamic":
            for _ in range(5):
                loss = ops.mse_loss(net(dynamic.tensor(X)), wanted)
                opt.zero_grad()
                loss.backward()
                opt.step()
                found.append(loss.item())
        else:
            with static.Graph().as_default() as graph:
                x = static.placeholder("float32", ("N", 4))
                loss = ops.mse_loss(net(x), wanted)
                train = opt.minimize(loss)
                with static.Session(graph=graph, optimize="exact") as session:
                    session.run(static.global_variables_initializer())
                    found += [session.run([loss, train], {x: X})[0].item() for _ in range(5)]
    assert losses["dynamic"] == losses["static"]
    assert losses["dynamic"][-1] < 0.6 * losses["dynamic"][0]


def test_it_is_looked_at_as_any_module() -> None:
    net = onnx.load(mlp()[0])
    rows = {row.path: row for row in nn.summary(net, ("N", 4)).rows}
    assert rows["first"].parameters == 25 and rows["first"].output == "(N, 5)"
    assert str(rows["second"].flops) == "30*N"
    seen = []
    net.layers["second"].register_forward_hook(lambda layer, args, y: seen.append(y.shape))
    values = net.values(dynamic.tensor(X))
    assert seen == [(6, 3)] and values["h"].shape == (6, 5)
    assert "Gemm" in repr(net) and "matmul" in dynamic.show(net(dynamic.tensor(X)))


def test_sizes_are_computed_when_the_graph_is_built() -> None:
    """Shape, Gather, Concat, Reshape: no node of the graph comes of them."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Mul", ["n", "two"], ["m"]),
        node("Concat", ["m", "rest"], ["shape"], axis=0),
        node("Reshape", ["x", "shape"], ["y"]),
    ]
    kept = {"zero": np.array([0]), "two": np.array([2]), "rest": np.array([-1])}
    net = onnx.load(model(nodes, [value("x", ["N", 4])], [value("y", [None, None])], kept))
    assert net.known == ()
    with static.Graph().as_default():
        n = static.placeholder("float32", ("N", 4))
        assert str(net(n).shape[0]) == str(n.shape[0] * 2)
    assert net(dynamic.tensor(X)).shape == (12, 2)


def test_a_shape_that_is_an_input_is_given_when_the_graph_is_built() -> None:
    net = onnx.load(
        model(
            [node("Reshape", ["x", "shape"], ["y"])],
            [value("x", ["N", 4]), value("shape", [2], 7)],
            [value("y", [None, None])],
        )
    )
    assert net.known == ("shape",)
    assert net(dynamic.tensor(X), dynamic.tensor([3, 8])).shape == (3, 8)
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, 4))
        assert net(x, np.array([-1, 2])).shape[1] == 2
        with pytest.raises(SymbolicValueError, match=r"Reshape.*'shape'.*as an array"):
            net(x, static.placeholder("int64", (2,)))


def test_inputs_are_held_to_what_the_file_says() -> None:
    net = onnx.load(mlp()[0])
    with pytest.raises(ShapeError, match=r"'x' has shape \(N, 4\), not \(6, 3\)"):
        net(dynamic.tensor(X[:, :3]))
    with pytest.raises(DTypeError, match="'x' is float32, not float64"):
        net(dynamic.tensor(X.astype("float64")))
    with pytest.raises(ArgumentError, match="'x' is missing"):
        net()
    with pytest.raises(ArgumentError, match="no further input 'z'"):
        net(dynamic.tensor(X), z=1)


def looped(op: str) -> Any:
    nodes = [node("Add", ["x", "b"], ["a"]), node(op, ["a"], ["b"])]
    return model(nodes, [value("x", [1])], [value("b", [1])], check=False)


BROKEN: dict[str, tuple[Any, type[Exception], str]] = {
    "no ONNX file": (b"\x08\x07garbage", DataError, "no ONNX file"),
    "empty": (b"", DataError, "no graph"),
    "a circle": (looped("Relu"), OnnxError, "in a circle"),
    "an op of no one": (
        model([node("Frobnicate", ["x"], ["y"])], [value("x", [1])], [value("y", [1])], check=False),
        OnnxError, "no words.*Frobnicate",
    ),
    "an input that nothing makes": (
        model([node("Relu", ["z"], ["y"])], [value("x", [1])], [value("y", [1])], check=False),
        OnnxError, "reads 'z', which nothing makes",
    ),
    "an output that nothing makes": (
        model([node("Relu", ["x"], ["y"])], [value("x", [1])], [value("q", [1])], check=False),
        OnnxError, "nothing makes the output 'q'",
    ),
    "a name made twice": (
        model([node("Relu", ["x"], ["y"])] * 2, [value("x", [1])], [value("y", [1])], check=False),
        OnnxError, "made twice",
    ),
    "an attribute of no one": (
        model([node("Relu", ["x"], ["y"], depth=3)], [value("x", [1])], [value("y", [1])], check=False),
        OnnxError, "no attribute 'depth'",
    ),
    "too few inputs": (
        model([node("MatMul", ["x"], ["y"])], [value("x", [1])], [value("y", [1])], check=False),
        OnnxError, "needs 2 inputs",
    ),
    "too large": (
        model([node("ConstantOfShape", ["s"], ["y"])], [], [value("y", [None])],
              {"s": np.array([2**40])}, check=False),
        MemoryError, "more than",
    ),
}  # fmt: skip


def load_and_call(source: Any) -> None:
    net = onnx.load(source)
    net(*(dynamic.tensor(np.ones(1, "float32")) for _ in net.inputs))


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_amiss_with_a_file_is_said(name: str) -> None:
    source, kind, words = BROKEN[name]
    with pytest.raises(kind, match=words):
        load_and_call(source)


def test_it_is_copied_and_pickled() -> None:
    net = onnx.load(mlp()[0])
    y = net(dynamic.tensor(X)).numpy()
    for again in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(again(dynamic.tensor(X)).numpy(), y)
        assert again.get_parameter("w2") is not net.get_parameter("w2")


def test_a_row_of_ones_own_is_an_op(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS", dict(table.ROWS))

    @onnx.onnx_op("Thrice", domain="mine")
    def thrice(x: Any, *, plus: float = 0.0) -> Any:
        return x * 3 + plus

    nodes = [node("Thrice", ["x"], ["y"], domain="mine", plus=1.0)]
    net = onnx.load(model(nodes, [value("x", [2])], [value("y", [2])], domains=["mine"], check=False))
    assert net(dynamic.tensor([1.0, 2.0])).tolist() == [4.0, 7.0]


def test_nodes_in_the_wrong_order_are_put_in_order() -> None:
    nodes = [node("Relu", ["a"], ["y"]), node("Neg", ["x"], ["a"])]
    net = onnx.load(model(nodes, [value("x", [2])], [value("y", [2])], check=False))
    assert net(dynamic.tensor([-1.0, 2.0])).tolist() == [1.0, 0.0]
