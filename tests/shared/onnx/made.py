"""Models for tests, written with the package onnx."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Any:
    return helper.make_node(op, inputs, outputs, **attributes)


def value(name: str, shape: Any, kind: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def model(
    nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], kept: dict[str, Any] | None = None,
    opset: int = 21, functions: Sequence[Any] = (), check: bool = True, domains: Sequence[str] = (),
) -> ModelProto:  # fmt: skip
    """A model of these nodes; `kept`: the arrays that its file keeps."""
    arrays = [numpy_helper.from_array(np.asarray(array), name) for name, array in (kept or {}).items()]
    graph = helper.make_graph(nodes, "net", inputs, outputs, arrays)
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    made = helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=10)
    if check:
        checker.check_model(made)
    return made


def mlp(opset: int = 21) -> tuple[ModelProto, dict[str, np.ndarray]]:
    """Two layers, as PyTorch writes them, and their weights."""
    rng = np.random.default_rng(3)
    kept = {
        "fc1.weight": rng.standard_normal((5, 4)).astype("float32"),
        "fc1.bias": rng.standard_normal(5).astype("float32"),
        "w2": rng.standard_normal((5, 3)).astype("float32"),
        "b2": rng.standard_normal(3).astype("float32"),
        "half": np.float32(0.5),
        "shape": np.array([-1, 3], "int64"),
    }
    nodes = [
        node("Gemm", ["x", "fc1.weight", "fc1.bias"], ["h"], transB=1, name="first"),
        node("Relu", ["h"], ["r"]),
        node("MatMul", ["r", "w2"], ["p"], name="second"),
        node("Add", ["p", "b2"], ["q"]),
        node("Mul", ["q", "half"], ["s"]),
        node("Reshape", ["s", "shape"], ["y"]),
    ]
    return model(nodes, [value("x", ["N", 4])], [value("y", ["N", 3])], kept, opset), kept
