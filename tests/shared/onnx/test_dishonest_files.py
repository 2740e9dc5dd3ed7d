"""Files that were not honestly made: errors that say what is amiss, in little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import dynamic
from shared import onnx
from shared.errors import MissingFileError, OnnxError, TooLargeError
from tests.fuzz.onnx_files import tried
from tests.shared.onnx.made import model, node, value

HUGE = 2**40
SWELLING: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "ConstantOfShape": ("ConstantOfShape", {"s": np.array([HUGE])}, {}),
    "Expand": ("Expand", {"a": np.ones(1, "float32"), "s": np.array([2**20, 2**20])}, {}),
    "Tile": ("Tile", {"a": np.ones((2, 2), "float32"), "s": np.array([2**20, 2**20])}, {}),
    "Range": ("Range", {"a": np.array(0), "b": np.array(HUGE), "c": np.array(1)}, {}),
    "OneHot": ("OneHot", {"i": np.array([1]), "d": np.array(HUGE), "v": np.array([0, 1], "float32")}, {}),
    "Pad": ("Pad", {"a": np.ones(2, "float32"), "p": np.array([0, HUGE])}, {}),
    "Resize": (
        "Resize", {"a": np.ones((1, 1, 2, 2), "float32"), "r": np.zeros(0, "float32"),
                   "s": np.array([1, 1, 2**20, 2**20], "float32")}, {}
    ),
    "Conv": (
        "Conv", {"a": np.ones((1, 1, 2, 2), "float32"), "w": np.ones((1, 1, 1, 1), "float32")},
        {"pads": [2**20] * 4},
    ),
    "MaxPool": (
        "MaxPool", {"a": np.ones((1, 1, 2, 2), "float32")}, {"kernel_shape": [1, 1], "pads": [2**20] * 4}
    ),
    "RandomNormal": ("RandomNormal", {}, {"shape": [HUGE]}),
}  # fmt: skip
"""Few bytes that ask for very many: op, what it reads, attributes."""


@pytest.mark.parametrize("name", SWELLING)
def test_a_few_numbers_do_not_fill_the_memory(name: str) -> None:
    op, kept, attributes = SWELLING[name]
    proto = model([node(op, list(kept), ["y"], **attributes)], [], [value("y", None)], kept, check=False)
    net = onnx.load(proto)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match=r"would take more than 1 GiB"):
            net()
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def kept_outside(place: str) -> Any:
    proto = model([node("Add", ["x", "w"], ["y"])], [value("x", [4])], [value("y", [4])],
                  {"w": np.zeros(4, "float32")})  # fmt: skip
    (tensor,) = proto.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", place
    return proto


@pytest.mark.parametrize("place", ["../secret", "/etc/hostname", "link", "", "."])
def test_data_outside_of_the_folder_is_not_read(place: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(16))
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "m.onnx").write_bytes(kept_outside(place).SerializeToString())
    with pytest.raises(OnnxError, match=r"outside of the model's folder"):
        onnx.load(folder / "m.onnx")


def test_data_in_the_folder_is_read_and_must_be_all_there(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(kept_outside("w.bin").SerializeToString())
    with pytest.raises(MissingFileError, match=r"'w\.bin', and there is no such file"):
        onnx.load(file)
    (tmp_path / "w.bin").write_bytes(np.arange(4, dtype="float32").tobytes())
    y = onnx.load(file)(dynamic.tensor(np.ones(4, "float32")))
    assert y.tolist() == [1, 2, 3, 4]
    (tmp_path / "w.bin").write_bytes(bytes(3))
    with pytest.raises(OnnxError, match=r"w does not hold what its shape \[4\] says"):
        onnx.load(file)


def calling(call: Any, functions: list[Any]) -> Any:
    sides = [value("x", [1])], [value("y", [1])]
    return model([call], *sides, functions=functions, domains=["own"], check=False)


def test_functions_that_call_themselves_have_an_end() -> None:
    call = helper.make_node("f", ["x"], ["y"], domain="own")
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    function = helper.make_function("own", "f", ["x"], ["y"], [call], imports)
    proto = calling(call, [function])
    with pytest.raises(OnnxError, match=r"the graph 'f' stands inside of more than 48 others"):
        onnx.load(proto)


def test_functions_that_call_each_other_often_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls of the next one in each of 40: 2^40 nodes."""
    monkeypatch.setattr("shared.onnx.loading.MOST_NODES", 500)
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    functions = [
        helper.make_function(
            "own", f"f{i}", ["x"], ["y"],
            [helper.make_node(f"f{i + 1}", [a], [b], domain="own") for a, b in (("x", "h"), ("h", "y"))]
            if i < 39 else [helper.make_node("Relu", ["x"], ["y"])],
            imports,
        )
        for i in range(40)
    ]  # fmt: skip
    call = helper.make_node("f0", ["x"], ["y"], domain="own")
    proto = calling(call, functions)
    with pytest.raises(OnnxError, match=r"more than 500 nodes"):
        onnx.load(proto)


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_damaged_files_end_in_a_result_or_an_error_that_says_what_is_amiss(start: int) -> None:
    """`python -m tests.fuzz.onnx_files 20000` tries more."""
    for seed in range(start, start + 100):
        tried(seed)
