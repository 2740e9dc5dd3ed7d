"""Branches, loops, scans and functions of files, on both engines; data beside a file; narrow numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model

import dynamic
import static
from shared import onnx
from shared.errors import DTypeError, OnnxError
from tests.shared.onnx.made import FLOAT, model, node, value

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], "float32")


def both(net: Any, *arrays: Any, known: bool = False) -> Any:
    """What a model gives on dynamic, after static has given the same bits."""
    y = net(*(dynamic.tensor(a) for a in arrays))
    with static.Graph().as_default() as graph:
        places = [static.placeholder(a.dtype, a.shape if known else (None,) * a.ndim) for a in arrays]
        made = net(*places)
        with static.Session(graph=graph, optimize="exact") as session:
            session.run(static.global_variables_initializer())
            got = session.run(made, dict(zip(places, arrays, strict=True)))
    wanted = [part.numpy() for part in (y if isinstance(y, tuple) else (y,))]
    for a, b in zip(wanted, got if isinstance(got, (list, tuple)) else [got], strict=True):
        np.testing.assert_array_equal(a, b)
    return wanted if isinstance(y, tuple) else wanted[0]


def graph(nodes: Any, inputs: Any, outputs: Any) -> Any:
    return helper.make_graph(nodes, "body", inputs, outputs)


def test_a_branch_takes_what_is_around_it() -> None:
    """By a condition that is computed: both branches read x, which is no input of theirs."""
    yes = graph([node("Neg", ["x"], ["a"])], [], [value("a", [2, 3])])
    no = graph([node("Relu", ["x"], ["b"])], [], [value("b", [2, 3])])
    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Greater", ["s", "bound"], ["c"]),
        node("If", ["c"], ["y"], then_branch=yes, else_branch=no),
    ]
    for bound, wanted in ((0.0, -X), (100.0, np.maximum(X, 0))):
        kept = {"bound": np.float32(bound)}
        net = onnx.load(model(nodes, [value("x", [2, 3])], [value("y", [2, 3])], kept))
        np.testing.assert_array_equal(both(net, X), wanted)


def loop(stacked: bool) -> Any:
    """v = v + x while the sum of v is below `limit`; what each trip gives is stacked, if it shall be."""
    nodes = [
        node("Add", ["v", "x"], ["w"]),
        node("ReduceSum", ["w"], ["s"], keepdims=0),
        node("Less", ["s", "limit"], ["go"]),
        *([node("Neg", ["w"], ["row"])] if stacked else []),
    ]
    inputs = [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL), value("v", [3])]
    outputs = [value("go", [], TensorProto.BOOL), value("w", [3])]
    outputs += [value("row", [3])] if stacked else []
    names = ["last", "rows"] if stacked else ["last"]
    made = [node("Loop", ["trips", "", "start"], names, body=graph(nodes, inputs, outputs))]
    results = [value("last", [3]), *([value("rows", [None, 3])] if stacked else [])]
    kept = {"trips": np.array(10), "start": np.zeros(3, "float32")}
    return model(made, [value("x", [3]), value("limit", [])], results, kept)


@pytest.mark.parametrize("stacked", [False, True])
def test_a_loop_ends_when_its_condition_does(stacked: bool) -> None:
    x, limit = np.array([1.0, 2.0, 3.0], "float32"), np.float32(20)
    found = both(onnx.load(loop(stacked)), x, np.asarray(limit))
    trips = 4  # 6, 12, 18, 24: the fourth is the first that is not below 20
    np.testing.assert_array_equal(found[0] if stacked else found, trips * x)
    if stacked:
        np.testing.assert_array_equal(found[1], [-(i + 1) * x for i in range(trips)])


def test_a_scan_goes_along_an_axis_and_back() -> None:
    body = graph(
        [node("Add", ["s", "part"], ["t"]), node("Identity", ["t"], ["u"])],
        [value("s", [2]), value("part", [2])],
        [value("t", [2]), value("u", [2])],
    )
    scan = node(
        "Scan", ["start", "x"], ["last", "sums"], body=body, num_scan_inputs=1, scan_input_axes=[1],
        scan_input_directions=[1], scan_output_axes=[1],
    )  # fmt: skip
    outputs = [value("last", [2]), value("sums", [2, None])]
    net = onnx.load(model([scan], [value("x", [2, None])], outputs, {"start": np.zeros(2, "float32")}))
    last, sums = both(net, X)
    np.testing.assert_array_equal(sums, np.cumsum(X[:, ::-1], 1))
    np.testing.assert_array_equal(last, X.sum(1))


def test_a_function_of_the_file_is_a_module_with_layers() -> None:
    body = [node("Mul", ["a", "a"], ["b"]), helper.make_node("LeakyRelu", ["b"], ["c"])]
    attribute = body[1].attribute.add()
    attribute.name, attribute.ref_attr_name, attribute.type = "alpha", "slope", 1
    opset = [helper.make_opsetid("", 21)]
    function = helper.make_function("own", "Square", ["a"], ["c"], body, opset, ["slope"])
    nodes = [helper.make_node("Square", ["x"], ["y"], domain="own", slope=0.5, name="twice")]
    net = onnx.load(model(nodes, [value("x", [2, 3])], [value("y", [2, 3])], functions=[function],
                          domains=["own"]))  # fmt: skip
    np.testing.assert_array_equal(both(net, X), X * X)
    assert "Mul" in repr(net.layers["twice"])


def test_a_function_that_calls_itself_is_refused() -> None:
    opset = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    body = [helper.make_node("F", ["a"], ["b"], domain="own")]
    function = helper.make_function("own", "F", ["a"], ["b"], body, opset)
    nodes = [helper.make_node("F", ["x"], ["y"], domain="own")]
    made = model(nodes, [value("x", [1])], [value("y", [1])], functions=[function], domains=["own"],
                 check=False)  # fmt: skip
    with pytest.raises(OnnxError, match="stands inside of more than"):
        onnx.load(made)


def test_data_beside_the_file_is_read_from_its_folder_alone(tmp_path: Path) -> None:
    w = np.arange(6, dtype="float32").reshape(3, 2)
    made = model([node("MatMul", ["x", "w"], ["y"])], [value("x", [2, 3])], [value("y", [2, 2])], {"w": w})
    folder = tmp_path / "model"
    folder.mkdir()
    save_model(made, folder / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    np.testing.assert_array_equal(both(onnx.load(folder / "m.onnx"), X), X @ w)
    with pytest.raises(OnnxError, match="beside the model; give the model's path"):
        onnx.load((folder / "m.onnx").read_bytes())
    (folder / "w.bin").rename(tmp_path / "w.bin")
    for place in ("../w.bin", str(tmp_path / "w.bin")):
        tensor = made.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        del tensor.external_data[:]
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", place
        (folder / "m.onnx").write_bytes(made.SerializeToString())
        with pytest.raises(OnnxError, match="outside of the model's folder"):
            onnx.load(folder / "m.onnx")
    (folder / "w.bin").symlink_to(tmp_path / "w.bin")
    entry.value = "w.bin"
    (folder / "m.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(OnnxError, match="outside of the model's folder"):
        onnx.load(folder / "m.onnx")


def test_bfloat16_is_rounded_after_each_node() -> None:
    kind = TensorProto.BFLOAT16
    w = np.array([0.1, 0.2, 0.3], ml_dtypes.bfloat16)
    nodes = [node("Mul", ["x", "w"], ["p"]), node("Add", ["p", "x"], ["y"])]
    made = model(nodes, [value("x", [2, 3], kind)], [value("y", [2, 3], kind)], check=False)
    made.graph.initializer.append(numpy_helper.from_array(w, "w"))
    net = onnx.load(made)
    x = X.astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(both(net, x.astype("float32")), (x * w + x).astype("float32"))
    with pytest.raises(DTypeError, match="float32"):
        net(dynamic.tensor(X.astype("float64")))


def test_sizes_that_only_a_run_knows_are_measured() -> None:
    """A shape, and how many numbers a Range has, are fed; nothing is given when the graph is built."""
    nodes = [
        node("Range", ["zero", "n", "two"], ["r"]),
        node("ConstantOfShape", ["shape"], ["c"]),
        node("Expand", ["r", "shape"], ["e"]),
        node("Add", ["e", "c"], ["y"]),
    ]
    inputs = [value("shape", [2], TensorProto.INT64), value("n", [], FLOAT)]
    kept = {"zero": np.float32(0), "two": np.float32(2)}
    net = onnx.load(model(nodes, inputs, [value("y", [None, None])], kept))
    assert net.known == ()
    with static.Graph().as_default() as built:
        shape, n = static.placeholder("int64", (2,)), static.placeholder("float32", ())
        y = net(shape, n)
        with static.Session(graph=built) as session:
            session.run(static.global_variables_initializer())
            for rows, count in ((2, 3), (4, 1), (0, 5)):
                feeds = {shape: np.array([rows, count]), n: np.float32(2 * count)}
                wanted = np.tile(np.arange(count, dtype="float32") * 2, (rows, 1))
                np.testing.assert_array_equal(session.run(y, feeds), wanted)


def test_a_newer_opset_is_refused() -> None:
    made = model([node("Relu", ["x"], ["y"])], [value("x", [1])], [value("y", [1])])
    made.opset_import[0].version = 99
    with pytest.raises(OnnxError, match="opset 99"):
        onnx.load(made)


def test_a_layer_and_a_sequence_are_drawn_and_listed() -> None:
    nodes = [node("SplitToSequence", ["x"], ["s"], axis=1), node("ConcatFromSequence", ["s"], ["y"], axis=0)]
    net = onnx.load(model(nodes, [value("x", [2, 3])], [value("y", [None, None])]))
    np.testing.assert_array_equal(both(net, X, known=True), X.T.reshape(6, 1))
    with static.Graph().as_default() as built:
        net(static.placeholder("float32", (2, 3)))
    assert "concatenate" in static.show(built)
